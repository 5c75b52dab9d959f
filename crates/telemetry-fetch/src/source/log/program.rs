//! Logs that a program has: journald, docker, kubectl. It is run with the window, and its output is read like a file.
//!
//! Flags are those of `journalctl` 252, `docker` 28.2 and `kubectl` 1.32, by their `--help`.

use std::io::{BufRead as _, BufReader, PipeReader, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use contracts::text::clean;

use super::clock::LogClock;
use super::error::LogError;
use super::scan::Scan;
use super::target::Target;
use super::{Read, Span};

/// How long a program may take: a daemon that hangs must not hang us.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often Ctrl-C is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// Longest record of the journal, bytes; its default bound for one message is 48 KiB.
const RECORD_CAP: u64 = 1 << 20;
/// How much of its output says why it failed.
const LAST_WORDS: usize = 300;

/// What the output of a program gave.
struct Pass {
    scan: Scan,
    /// Its end.
    words: String,
    /// Whether all of it was read: what is in order is left behind the window.
    is_whole: bool,
}

/// Runs the program and reads the window.
///
/// # Errors
/// When the program is missing, fails or hangs.
pub(super) fn read(target: &Target, span: &Span) -> Result<Read, LogError> {
    let (program, arguments) = argv(target, span);
    let shown = target.shown();
    let failed = |how: String| LogError::Program {
        log: shown.clone(),
        program,
        how,
    };
    // A container's stderr comes on stderr; of the others, stderr says what went wrong.
    let (output, input) = std::io::pipe().map_err(|error| failed(error.to_string()))?;
    let errors = input.try_clone().map_err(|error| failed(error.to_string()))?;
    let mut child = Command::new(program)
        .args(&arguments)
        .stdin(Stdio::null())
        .stdout(input)
        .stderr(errors)
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => LogError::NoProgram {
                log: shown.clone(),
                program,
            },
            _ => failed(format!("cannot be started: {error}")),
        })?;
    let (send, receive) = channel();
    let is_journal = matches!(target, Target::Journald(_));
    let worker = span.clone();
    let reader = std::thread::spawn(move || {
        let pass = if is_journal {
            journal(output, &worker)
        } else {
            lines(output, &worker)
        };
        // Nobody waits any more when the time is over.
        let _ = send.send(pass);
    });
    // Ctrl-C that ended the command of the window is no reason to leave out its log.
    let was_interrupted = cli_kit::interrupted();
    let pass = wait(&receive, PATIENCE, || !was_interrupted && cli_kit::interrupted());
    // One that was left behind the window dies of its broken pipe, which is no failure.
    let is_whole = matches!(&pass, Ok(Ok(pass)) if pass.is_whole);
    let status = end(&mut child, is_whole);
    let pass = pass
        .map_err(&failed)?
        .map_err(|error| failed(format!("cannot be read: {error}")))?;
    // The pass is here: the thread is at its end.
    let _ = reader.join();
    if let Some(status) = status
        && !status.success()
    {
        return Err(failed(format!(
            "ended with {status}: {}",
            super::sample::sample(&pass.words)
        )));
    }
    let mut read = Read::default();
    read.take(pass.scan);
    Ok(read)
}

/// Waits for what the reader sends; in words why nothing came.
fn wait<T>(
    receive: &Receiver<T>,
    patience: Duration,
    is_interrupted: impl Fn() -> bool,
) -> Result<T, String> {
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match receive.recv_timeout(left.min(LOOK)) {
            Ok(pass) => return Ok(pass),
            Err(RecvTimeoutError::Disconnected) => return Err("cannot be read".to_owned()),
            Err(RecvTimeoutError::Timeout) if is_interrupted() => return Err("was interrupted".to_owned()),
            Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                return Err(format!("did not end within {} s", patience.as_secs()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// The program and its arguments.
fn argv(target: &Target, span: &Span) -> (&'static str, Vec<String>) {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let since = span.start.to_string();
    // Windows of these programs end at whole seconds or exclude their end; lines beyond are left out by their stamps.
    let until_s = span.end.as_second().saturating_add(1);
    match target {
        Target::Journald(unit) => {
            let since = format!("@{}", span.start.as_second());
            let until = format!("@{until_s}");
            let fixed = [
                "--unit",
                unit,
                "--since",
                &since,
                "--until",
                &until,
                "--output",
                "json",
                "--all",
                "--no-pager",
                "--quiet",
            ];
            ("journalctl", words(&fixed))
        }
        Target::Docker(name) => {
            let until = jiff::Timestamp::from_second(until_s)
                .unwrap_or(span.end)
                .to_string();
            (
                "docker",
                words(&["logs", "--timestamps", "--since", &since, "--until", &until, name]),
            )
        }
        Target::Kubectl { namespace, pod } => {
            let mut argv = words(&["logs", "--timestamps", "--since-time", &since]);
            if let Some(namespace) = namespace {
                argv.extend(words(&["--namespace", namespace]));
            }
            argv.push(pod.clone());
            ("kubectl", argv)
        }
        Target::File(_) | Target::Dstack { .. } => unreachable!("files and dstack have readers of their own"),
    }
}

/// Waits for the program; one whose output nobody wants any more is ended, and its status says nothing.
fn end(child: &mut Child, is_read: bool) -> Option<ExitStatus> {
    if is_read {
        for _ in 0..20 {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Err(_) => return None,
            }
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// Lines with a stamp of the program before each.
fn lines(output: PipeReader, span: &Span) -> std::io::Result<Pass> {
    let (start, end) = span.ms();
    let mut scan = Scan::new(LogClock::new(span.zone.clone(), span.start), start, end);
    scan.is_in_order = true;
    scan.is_carried = true;
    let mut words = LastWords {
        output,
        last: Vec::new(),
        is_at_end: false,
    };
    scan.read(&mut words)?;
    Ok(Pass {
        scan,
        words: String::from_utf8_lossy(&words.last).into_owned(),
        is_whole: words.is_at_end,
    })
}

/// Keeps the end of what was read: a program that fails says why in its last line.
struct LastWords {
    output: PipeReader,
    last: Vec<u8>,
    is_at_end: bool,
}

impl std::io::Read for LastWords {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.output.read(buffer)?;
        self.is_at_end = read == 0 && !buffer.is_empty();
        let tail = &buffer[read.saturating_sub(LAST_WORDS)..read];
        if !tail.is_empty() {
            self.last = tail.to_vec();
        }
        Ok(read)
    }
}

/// Records of the journal, one a line, in JSON.
fn journal(output: PipeReader, span: &Span) -> std::io::Result<Pass> {
    let (start, end) = span.ms();
    let mut scan = Scan::new(LogClock::new(span.zone.clone(), span.start), start, end);
    let mut output = BufReader::new(output);
    let mut words = String::new();
    let mut record = Vec::new();
    loop {
        record.clear();
        if (&mut output).take(RECORD_CAP).read_until(b'\n', &mut record)? == 0 {
            break;
        }
        match event(&record) {
            Some((at_ms, message)) => scan.event(at_ms, &message),
            None => words = clean(&String::from_utf8_lossy(&record), LAST_WORDS),
        }
    }
    scan.finish();
    Ok(Pass {
        scan,
        words,
        is_whole: true,
    })
}

/// Time and message of a record. A message that is no UTF-8 is a list of bytes.
fn event(record: &[u8]) -> Option<(i64, Vec<u8>)> {
    let value: serde_json::Value = serde_json::from_slice(record).ok()?;
    let micros: i64 = value.get("__REALTIME_TIMESTAMP")?.as_str()?.parse().ok()?;
    let message = match value.get("MESSAGE")? {
        serde_json::Value::String(text) => text.clone().into_bytes(),
        serde_json::Value::Array(bytes) => bytes
            .iter()
            .filter_map(|byte| u8::try_from(byte.as_u64()?).ok())
            .collect(),
        _ => return None,
    };
    Some((micros / 1000, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span() -> Span {
        Span {
            start: "2026-01-02T10:00:00.5Z".parse().unwrap(),
            end: "2026-01-02T10:01:00Z".parse().unwrap(),
            zone: jiff::tz::TimeZone::UTC,
        }
    }

    fn line(target: &str) -> String {
        let (program, arguments) = argv(&Target::parse(target).unwrap(), &span());
        format!("{program} {}", arguments.join(" "))
    }

    #[test]
    fn programs_are_asked_for_the_window() {
        assert_eq!(
            line("journald:vllm.service"),
            "journalctl --unit vllm.service --since @1767348000 --until @1767348061 --output json --all --no-pager --quiet"
        );
        assert_eq!(
            line("docker:engine"),
            "docker logs --timestamps --since 2026-01-02T10:00:00.5Z --until 2026-01-02T10:01:01Z engine"
        );
        assert_eq!(
            line("kubectl:prod/engine-0"),
            "kubectl logs --timestamps --since-time 2026-01-02T10:00:00.5Z --namespace prod engine-0"
        );
    }

    #[test]
    fn a_program_that_hangs_is_not_waited_for_and_ended() {
        let (send, receive) = channel::<()>();
        let late = wait(&receive, Duration::from_millis(20), || false).unwrap_err();
        assert!(late.starts_with("did not end within"), "{late}");
        let interrupted = wait(&receive, Duration::from_secs(600), || true).unwrap_err();
        assert_eq!(interrupted, "was interrupted");
        drop(send);
        let gone = wait(&receive, Duration::from_secs(600), || false).unwrap_err();
        assert_eq!(gone, "cannot be read");

        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        assert_eq!(end(&mut child, false), None);
        assert!(child.try_wait().unwrap().is_some(), "it is ended and waited for");
    }

    #[test]
    fn records_of_the_journal_are_read() {
        let text = br#"{"__REALTIME_TIMESTAMP":"1767348001500000","MESSAGE":"x","PRIORITY":"6"}"#;
        assert_eq!(event(text), Some((1_767_348_001_500, b"x".to_vec())));
        let bytes = br#"{"__REALTIME_TIMESTAMP":"1767348001500000","MESSAGE":[255,120]}"#;
        assert_eq!(event(bytes), Some((1_767_348_001_500, vec![255, b'x'])));
        for other in [
            "",
            "Failed to add match",
            "{}",
            "{\"__REALTIME_TIMESTAMP\":\"x\",\"MESSAGE\":\"x\"}",
            "[]",
        ] {
            assert_eq!(event(other.as_bytes()), None, "{other}");
        }
    }
}
