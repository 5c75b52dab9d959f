//! Another program, run to its end within a limit: never through a shell, nothing on its stdin, its output bounded. One
//! that takes too long is ended with all that it started.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Bytes of an output that are kept.
const OUTPUT_CAP: u64 = 64 << 10;
/// How often is looked whether it has ended.
const POLL: Duration = Duration::from_millis(5);
/// How long is waited for output of a program that has ended: something it started may hold the pipe.
const DRAIN: Duration = Duration::from_secs(2);

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Exit code; `None` for a signal.
    pub(crate) code: Option<i32>,
    /// Beginning of stdout.
    pub(crate) stdout: String,
    /// Beginning of stderr.
    pub(crate) stderr: String,
}

impl Ran {
    /// Whether it exited with 0.
    pub(crate) fn is_ok(&self) -> bool {
        self.code == Some(0)
    }

    /// First line that says something, cleaned.
    pub(crate) fn first_line(&self) -> String {
        [&self.stdout, &self.stderr]
            .into_iter()
            .flat_map(|text| text.lines())
            .map(|line| contracts::text::clean(line, 120))
            .find(|line| !line.is_empty())
            .unwrap_or_default()
    }
}

/// Why a program did not end by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotRun {
    /// It is not there.
    #[error("{0} is not installed")]
    Missing(String),
    /// It took too long and was ended.
    #[error("{0} did not end within {1} s")]
    TimedOut(String, u64),
    /// The system refuses.
    #[error("{0} does not start: {1}")]
    Refused(String, String),
}

/// Runs a program in a folder, for at most `limit`.
pub(crate) fn run<S: AsRef<OsStr>>(
    argv: &[S],
    folder: Option<&Path>,
    limit: Duration,
) -> Result<Ran, NotRun> {
    let argv: Vec<OsString> = argv.iter().map(|word| word.as_ref().to_owned()).collect();
    let Some((program, arguments)) = argv.split_first() else {
        return Err(NotRun::Missing("nothing".to_owned()));
    };
    let name = contracts::text::clean(&program.to_string_lossy(), 120);
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NotRun::Missing(name.clone()),
        _ => NotRun::Refused(name.clone(), error.to_string()),
    })?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < limit => std::thread::sleep(POLL),
            Ok(None) => {
                end(&mut child);
                return Err(NotRun::TimedOut(name, limit.as_secs()));
            }
            Err(error) => {
                end(&mut child);
                return Err(NotRun::Refused(name, error.to_string()));
            }
        }
    };
    Ok(Ran {
        code: status.code(),
        stdout: stdout.recv_timeout(DRAIN).unwrap_or_default(),
        stderr: stderr.recv_timeout(DRAIN).unwrap_or_default(),
    })
}

/// Ends the child and what it started: it leads a group of its own.
fn end(child: &mut std::process::Child) {
    #[cfg(unix)]
    if let Some(leader) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let mut bytes = Vec::new();
        let _ = (&mut pipe).take(OUTPUT_CAP).read_to_end(&mut bytes);
        // Nobody waits any more when the program took too long.
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        // A program that writes on is not stopped by a closed pipe.
        let _ = io::copy(&mut pipe, &mut io::sink());
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn output_and_exit_code_come_back_bounded() {
        let ran = run(&["sh", "-c", "echo a; echo b >&2; exit 3"], None, LIMIT).unwrap();
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (Some(3), "a\n", "b\n")
        );
        let much = run(&["sh", "-c", "yes | head -c 300000; echo end >&2"], None, LIMIT).unwrap();
        assert!(
            much.is_ok() && much.stdout.len() as u64 == OUTPUT_CAP,
            "{}",
            much.stdout.len()
        );
        assert_eq!(much.stderr, "end\n", "it was not stopped by a full pipe");
        // What the first writes to its stdin is nothing: it ends.
        assert!(run(&["cat"], None, LIMIT).unwrap().is_ok());
    }

    #[test]
    fn what_is_missing_or_hangs_is_said() {
        assert_eq!(
            run(&["no-such-program-here"], None, LIMIT),
            Err(NotRun::Missing("no-such-program-here".to_owned()))
        );
        let started = Instant::now();
        let hung = run(
            &["sh", "-c", "sleep 30 & sleep 30"],
            None,
            Duration::from_millis(40),
        );
        assert_eq!(hung, Err(NotRun::TimedOut("sh".to_owned(), 0)));
        assert!(started.elapsed() < Duration::from_secs(5));
        assert!(run::<&str>(&[], None, LIMIT).is_err());
    }
}
