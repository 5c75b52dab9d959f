//! What a launch that failed says: of the candidate, or only of the launcher. What is the launcher's says nothing of the flags.

use contracts::config_search::candidate::Status;
use contracts::config_search::plan::Framework;
use engine_launch::LaunchError;

use super::ssh;
use crate::reason::{self, Reason};

/// What is read of the beginning of a log.
const HEAD: u64 = 64 << 10;

pub(crate) fn failed(code: &'static str, text: &str, hint: &str) -> Reason {
    Reason {
        status: Status::Failed,
        code,
        text: contracts::text::clean(text, 400),
        hint: hint.to_owned(),
    }
}

/// Nothing is known of the configuration.
pub(crate) fn skipped(code: &'static str, text: &str, hint: &str) -> Reason {
    Reason {
        status: Status::Skipped,
        ..failed(code, text, hint)
    }
}

/// Whether a reason is that the launcher itself could not work.
pub(crate) fn is_its_own(reason: &Reason) -> bool {
    const CODES: [&str; 5] = [
        "launcher-missing",
        "docker-failed",
        "ssh-failed",
        "slurm-failed",
        "dstack-failed",
    ];
    CODES.contains(&reason.code)
}

/// Reads why there is no server.
pub(crate) fn of_launch(framework: &Framework, error: &LaunchError) -> Reason {
    let name = super::name(framework);
    match error {
        LaunchError::Exited {
            status,
            log_tail,
            log_path,
        } => {
            let head = std::fs::File::open(log_path)
                .and_then(|log| std::io::read_to_string(std::io::Read::take(log, HEAD)))
                .unwrap_or_default();
            of_launcher(name, status, log_tail, &head)
                .unwrap_or_else(|| reason::of_end("engine-exited", status, log_tail))
        }
        LaunchError::NotReady { log_tail, .. } => {
            let reason = reason::of_end("engine-not-ready", &error.to_string(), log_tail);
            Reason {
                status: if reason.status == Status::Oom {
                    Status::Oom
                } else {
                    Status::Timeout
                },
                ..reason
            }
        }
        // Somebody took the port between its choice and the launch.
        LaunchError::PortInUse { .. } => skipped("port-in-use", &error.to_string(), "go on with --resume"),
        LaunchError::Log { .. } => skipped(
            "engine-log",
            &error.to_string(),
            "make room, or name another folder with --dir",
        ),
        LaunchError::Spawn { .. } if name != "process" => skipped(
            "launcher-missing",
            &error.to_string(),
            &format!("the launcher `{name}` needs the program `{name}` on PATH"),
        ),
        LaunchError::EmptyArgv | LaunchError::Spawn { .. } | LaunchError::Client(_) => failed(
            error.code(),
            &error.to_string(),
            &error.hint().unwrap_or_default(),
        ),
    }
}

/// The launcher's own failures, by how it ended and by its log.
fn of_launcher(name: &str, status: &str, tail: &[String], head: &str) -> Option<Reason> {
    let last = tail.last().map_or("its log is empty", String::as_str);
    let ended = |code: u8| status == format!("exit status {code}");
    let says = |words: &[&str]| {
        tail.iter()
            .rev()
            .find(|line| words.iter().any(|word| line.to_lowercase().contains(word)))
    };
    match name {
        "docker" if ended(125) => Some(skipped(
            "docker-failed",
            last,
            "try `docker info`, `docker pull IMAGE`, and the flags of `launcher_args`",
        )),
        // 128 and the signal: what was killed inside ends so outside.
        "docker" if ended(137) => Some(reason::of_end(
            "engine-exited",
            "signal 9 (exit status 137)",
            tail,
        )),
        "ssh" if ended(ssh::NO_ID_FILE) => {
            Some(skipped("ssh-failed", last, "let ~/.cache there be writable"))
        }
        "ssh" if ended(ssh::NO_VARIABLE) => Some(skipped(
            "ssh-variable",
            last,
            "let sshd there accept it (`AcceptEnv NAME`), or set it there and leave it out of `env`",
        )),
        // 255 is also how a server may end: then the host was reached.
        "ssh" if ended(255) && !head.contains(ssh::REACHED) => Some(skipped(
            "ssh-failed",
            last,
            "try `ssh -o BatchMode=yes HOST true`: it has to work without a question",
        )),
        // Words of Slurm 22.05.
        "slurm" if says(&["due to time limit"]).is_some() => Some(skipped(
            "slurm-time-limit",
            says(&["due to time limit"])?,
            "give the job longer with `--time` in `launcher_args`",
        )),
        "slurm" if says(&["oom_kill event", "out_of_memory"]).is_some() => Some(reason::of_end(
            "engine-exited",
            "signal 9 (Slurm: out of memory)",
            tail,
        )),
        "slurm" if says(&["srun: error: unable to", "srun: fatal"]).is_some() => Some(skipped(
            "slurm-failed",
            says(&["srun: error: unable to", "srun: fatal"])?,
            "try `srun` with the same `launcher_args` by hand, and `sinfo`",
        )),
        // The port was chosen here, and is taken there.
        "ssh" | "slurm" if says(&["address already in use"]).is_some() => Some(skipped(
            "port-in-use",
            says(&["address already in use"])?,
            "go on with --resume",
        )),
        // Words of dstack 0.22.5.
        "dstack" => {
            let line = says(&[
                "no fleets",
                "no matching fleet",
                "no matching instance",
                "is denied",
                "failed to connect to dstack",
                "no default project",
            ])?;
            Some(skipped(
                "dstack-failed",
                line,
                "try `dstack offer` and `dstack fleet`: the task needs a place to run",
            ))
        }
        _ => None,
    }
}
