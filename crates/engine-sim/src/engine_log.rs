//! The engine's log on stderr, in its format, written by a thread of its own: a log that nobody reads must not stop
//! the engine.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use jiff::Timestamp;

use crate::flavor::Flavor;

/// Lines that may wait; more are dropped.
const WAITING: usize = 1024;
/// How long the end waits for the last lines.
const PATIENCE: Duration = Duration::from_millis(200);

/// Where lines go.
#[derive(Debug)]
pub(crate) struct EngineLog {
    flavor: Flavor,
    lines: Option<SyncSender<String>>,
    done: Receiver<()>,
}

impl EngineLog {
    /// Starts the thread; without one there is no log.
    pub(crate) fn start(flavor: Flavor, quiet: bool) -> EngineLog {
        let (lines, received) = sync_channel::<String>(WAITING);
        let (finished, done) = sync_channel::<()>(1);
        let thread = std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            let mut stderr = std::io::stderr();
            for line in received {
                if writeln!(stderr, "{line}").is_err() {
                    return;
                }
            }
            // Nobody may be waiting any more.
            let _ = finished.send(());
        });
        EngineLog {
            flavor,
            lines: (thread.is_ok() && !quiet).then_some(lines),
            done,
        }
    }

    /// Writes a line with the engine's prefix.
    pub(crate) fn line(&self, text: &str) {
        let Some(lines) = &self.lines else { return };
        let now = Timestamp::now();
        let line = match self.flavor {
            Flavor::Sglang => format!("[{}] {text}", now.strftime("%Y-%m-%d %H:%M:%S")),
            Flavor::Vllm => {
                format!(
                    "(EngineCore_DP0 pid={}) INFO {} {text}",
                    std::process::id(),
                    now.strftime("%m-%d %H:%M:%S")
                )
            }
        };
        // A full queue means that nobody reads stderr.
        let _ = lines.try_send(line);
    }
}

impl Drop for EngineLog {
    fn drop(&mut self) {
        if self.lines.take().is_some() {
            let _ = self.done.recv_timeout(PATIENCE);
        }
    }
}
