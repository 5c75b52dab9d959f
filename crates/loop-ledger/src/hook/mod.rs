//! Hooks of agent runtimes. Exit code 2 means "block" to them and "usage error" to clap, so a hook never goes through
//! clap: whatever is wrong, it exits 0 with one JSON object or nothing.

mod anchor;
mod argv;
mod event;
mod memory;
mod stop;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use argv::Call;
use event::Event;

/// Largest event that is read; it holds the last message of the agent.
const EVENT_CAP: u64 = 16 << 20;
/// Longest wait for the event: a runtime writes it at once, and a hook that hangs is a session that hangs.
const EVENT_WAIT: Duration = Duration::from_secs(10);

/// What a hook answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The session may stop, and there is nothing to say.
    Silent,
    /// The session may stop; a person is told why.
    Allow(String),
    /// The session goes on, with this to read.
    Block(String),
}

impl Answer {
    /// The JSON object; `None` when nothing is printed. Never `continue: false` beside a block: it would end the
    /// session instead.
    pub(crate) fn to_json(&self) -> Option<Value> {
        match self {
            Answer::Silent => None,
            Answer::Allow(message) => Some(json!({"systemMessage": message})),
            Answer::Block(reason) => Some(json!({"decision": "block", "reason": reason})),
        }
    }
}

/// The process of a hook, if the arguments ask for one.
pub(crate) fn main(argv: &[OsString]) -> Option<ExitCode> {
    let call = argv::read(argv)?;
    // The panic hook has printed where; for the runtime there is no answer.
    let answer = std::panic::catch_unwind(|| answer(&call)).unwrap_or(Answer::Silent);
    if let Some(object) = answer.to_json() {
        let mut stdout = std::io::stdout().lock();
        // A runtime that does not listen any more needs no answer.
        let _ = writeln!(stdout, "{object}").and_then(|()| stdout.flush());
    }
    Some(ExitCode::SUCCESS)
}

/// The answer to the event on stdin.
pub(crate) fn answer(call: &Call) -> Answer {
    if call.hook.as_deref() != Some("stop") {
        return Answer::Allow(
            "loop-ledger: the only hook is `loop-ledger hook stop`; nothing was checked".to_owned(),
        );
    }
    let event = Event::read(&stdin());
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let root = call
        .root
        .clone()
        .or_else(|| set("LOOP_LEDGER_ROOT"))
        .or_else(|| event.cwd.clone())
        .unwrap_or_else(|| PathBuf::from("."));
    stop::stop(&root, &event, set("CLAUDE_PLUGIN_DATA").as_deref())
}

/// The event as it was written, or nothing when it is too large, never comes, or a person sits there.
fn stdin() -> Vec<u8> {
    if std::io::stdin().is_terminal() {
        return Vec::new();
    }
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = std::io::stdin()
            .lock()
            .take(EVENT_CAP + 1)
            .read_to_end(&mut bytes);
        let is_whole = read.is_ok() && bytes.len() as u64 <= EVENT_CAP;
        // Nobody waits any more after the limit; then the process is ending.
        let _ = sender.send(if is_whole { bytes } else { Vec::new() });
    });
    receiver.recv_timeout(EVENT_WAIT).unwrap_or_default()
}
