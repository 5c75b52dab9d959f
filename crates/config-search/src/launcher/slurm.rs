//! One job of Slurm a candidate: `salloc --no-shell` waits for a place, `srun` runs the server in it, in the foreground.
//!
//! The place comes first, so that waiting in the queue is not counted as starting, and the node is known before the server is
//! asked. The load comes from here: the node has to be reached, and the server has to listen on its address. Variables go with
//! the environment of `srun`. The job is cancelled by its name, which nothing else has, and asked about until the queue does not
//! know it any more.

use std::process::Stdio;
use std::time::Duration;

use contracts::Finite;
use contracts::config_search::plan::Framework;
use contracts::config_search::validation::Problem;
use tokio::io::AsyncReadExt as _;

use super::clean::{Answer, Until};
use super::fault::skipped;
use super::{Cleanup, Trial};
use crate::plan::check::problem;
use crate::reason::Reason;

/// Seconds that a job may wait, where the plan says nothing.
const QUEUE_S: f64 = 3_600.0;
/// What is read of an answer.
const CAP: u64 = 1 << 20;
/// Flags of `salloc` that the search sets.
const OWN: [&str; 10] = [
    "--job-name",
    "-J",
    "--no-shell",
    "--nodes",
    "-N",
    "--ntasks",
    "-n",
    "--array",
    "--quiet",
    "-Q",
];

/// A place that Slurm gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of the job.
    pub(super) job: u64,
    /// Address of its node.
    pub(super) host: String,
}

/// Waits until there is a place.
///
/// # Errors
/// Why there is none; nothing is said of the candidate.
pub(super) async fn allocate(trial: &Trial<'_>) -> Result<Place, Reason> {
    let wait = trial
        .framework
        .queue_timeout_s
        .map_or(QUEUE_S, Finite::get)
        .clamp(1.0, 1e7);
    let argv = allocation(trial.framework, &trial.name);
    let (ok, said) = tokio::time::timeout(Duration::from_secs_f64(wait), ask(&argv))
        .await
        .map_err(|_| {
            skipped(
                "slurm-queue",
                &format!("the job waited {wait} s in the queue"),
                "raise `queue_timeout_s`, or ask for less in `launcher_args`",
            )
        })??;
    let job = granted(&said).filter(|_| ok).ok_or_else(|| refused(&said))?;
    let (_, listed) = ask(&words(&["squeue", "-h", "-j", &job.to_string(), "-o", "%N"])).await?;
    let node = listed.lines().next().unwrap_or_default().trim().to_owned();
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if !is_name(&node) {
        return Err(refused(&format!("squeue names no node of job {job}: {listed}")));
    }
    let (_, shown) = ask(&words(&["scontrol", "show", "node", &node, "--oneliner"])).await?;
    Ok(Place {
        job,
        host: address(&shown).unwrap_or(node),
    })
}

fn allocation(framework: &Framework, name: &str) -> Vec<String> {
    let mut argv = words(&[
        "salloc",
        "--no-shell",
        "--job-name",
        name,
        "--nodes=1",
        "--ntasks=1",
    ]);
    let says_gpus =
        |word: &String| word.starts_with("--gpus") || word.starts_with("--gres") || word.starts_with("-G");
    if framework.gpu_count > 0 && !framework.launcher_args.iter().any(says_gpus) {
        argv.push(format!("--gpus={}", framework.gpu_count));
    }
    argv.extend(framework.launcher_args.iter().cloned());
    argv
}

/// The server in its place, in the foreground.
pub(super) fn run(place: &Place, command: &[String]) -> Vec<String> {
    let mut argv = words(&[
        "srun",
        "--jobid",
        &place.job.to_string(),
        "--ntasks=1",
        "--unbuffered",
    ]);
    argv.extend(command.iter().cloned());
    argv
}

pub(super) fn cleanup(name: &str) -> Cleanup {
    Cleanup {
        argv: words(&["scancel", "--name", name]),
        gone: &[],
        until: Some(Until {
            argv: words(&["squeue", "-h", "--name", name, "-o", "%i %T"]),
            answer: Answer::Nothing,
        }),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The job that was granted: `salloc: Granted job allocation 17`.
fn granted(said: &str) -> Option<u64> {
    let line = said
        .lines()
        .find_map(|line| line.split_once("Granted job allocation "))?;
    line.1.split_whitespace().next()?.parse().ok()
}

/// The address of a node, where it has one beside its name: `NodeAddr=10.0.0.7`.
fn address(shown: &str) -> Option<String> {
    let address = shown
        .split_whitespace()
        .find_map(|field| field.strip_prefix("NodeAddr="))?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    (!address.is_empty() && address.chars().all(is_plain)).then(|| address.to_owned())
}

fn refused(said: &str) -> Reason {
    let line = said
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or("it says nothing");
    skipped(
        "slurm-failed",
        line,
        "try the same `launcher_args` by hand: `salloc --no-shell ARGS`, and `sinfo`",
    )
}

/// Whether a command succeeded, and what it said. When nobody waits any more, it is ended as by Ctrl-C.
async fn ask(argv: &[String]) -> Result<(bool, String), Reason> {
    let missing = |error: std::io::Error| {
        skipped(
            "launcher-missing",
            &format!("{}: {error}", argv[0]),
            "the launcher `slurm` needs salloc, srun, squeue, scontrol and scancel on PATH",
        )
    };
    let mut child = tokio::process::Command::new(&argv[0])
        .args(&argv[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0)
        .spawn()
        .map_err(missing)?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let reading = async {
        if let Some(pipe) = stdout {
            let _ = pipe.take(CAP).read_to_end(&mut out).await;
        }
    };
    let complaining = async {
        if let Some(pipe) = stderr {
            let _ = pipe.take(CAP).read_to_end(&mut err).await;
        }
    };
    tokio::join!(reading, complaining);
    let status = child.wait().await.map_err(missing)?;
    let mut said = String::from_utf8_lossy(&out).into_owned();
    said.push_str(&String::from_utf8_lossy(&err));
    Ok((status.success(), said))
}

pub(super) fn check(framework: &Framework) -> Vec<Problem> {
    let own = framework
        .launcher_args
        .iter()
        .find(|word| OWN.contains(&word.split('=').next().unwrap_or_default()));
    let words = own.map(|word| {
        problem(
            "plan-launcher",
            Some(&framework.name),
            format!("`{word}` of `launcher_args` is set by the search"),
            "leave it out: a candidate is one job of one task on one node",
        )
    });
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_slurm_are_read() {
        let said = "salloc: Pending job allocation 17\nsalloc: job 17 queued\nsalloc: Granted job allocation 17\nsalloc: Nodes n1 are ready";
        assert_eq!(granted(said), Some(17));
        assert_eq!(
            granted("salloc: error: Job submit/allocate failed: Invalid partition name specified"),
            None
        );
        let shown =
            "NodeName=n1 Arch=x86_64 CoresPerSocket=1 NodeAddr=127.0.0.1 NodeHostName=host Version=22.05.8";
        assert_eq!(address(shown).as_deref(), Some("127.0.0.1"));
        assert_eq!(address("NodeAddr=$(reboot)"), None);
        assert_eq!(address(""), None);
    }

    #[test]
    fn a_job_asks_for_what_the_plan_says() {
        let mut framework = Framework {
            gpu_count: 2,
            launcher_args: words(&["--partition=h100", "--time=30"]),
            ..Framework::default()
        };
        let argv = allocation(&framework, "sota-1");
        assert!(
            argv.contains(&"--gpus=2".to_owned()) && argv.ends_with(&framework.launcher_args),
            "{argv:?}"
        );
        framework.launcher_args = words(&["--gres=gpu:h100:2"]);
        assert!(!allocation(&framework, "sota-1").contains(&"--gpus=2".to_owned()));
        let place = Place {
            job: 17,
            host: "n1".to_owned(),
        };
        let run = run(&place, &words(&["serve", "--port", "1"]));
        assert_eq!(
            run,
            words(&[
                "srun",
                "--jobid",
                "17",
                "--ntasks=1",
                "--unbuffered",
                "serve",
                "--port",
                "1"
            ])
        );
        assert!(check(&framework).is_empty());
        framework.launcher_args = words(&["--nodes=2"]);
        assert_eq!(check(&framework).len(), 1);
    }
}
