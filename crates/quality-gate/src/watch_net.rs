//! Connections of the server to other machines, looked for again and again while it answers.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::proc_net;

/// Between two looks. A connection that is open for less is seen by chance.
const PAUSE: Duration = Duration::from_millis(250);
/// Most addresses that are kept.
const MOST_ADDRESSES: usize = 1024;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outside {
    pub(crate) pid: u32,
    /// Looks at which the process could be read.
    pub(crate) looks: u64,
    /// Other machines that it was connected to, or tried to reach.
    pub(crate) addresses: BTreeSet<IpAddr>,
}

/// A thread that looks.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Outside>,
}

impl Watch {
    /// Begins to look at a process and those that it starts.
    pub(crate) fn begin(pid: u32) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen = Outside {
                pid,
                ..Outside::default()
            };
            loop {
                // Once more after the last answer: what was opened for it may still be there.
                let is_last = told.load(Ordering::Relaxed);
                seen.look();
                if is_last {
                    return seen;
                }
                std::thread::park_timeout(PAUSE);
            }
        });
        Watch { stop, thread }
    }

    /// Ends it.
    pub(crate) fn end(self) -> Outside {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        self.thread.join().unwrap_or_default()
    }
}

impl Outside {
    fn look(&mut self) {
        let Some(found) = proc_net::outside(self.pid) else {
            return;
        };
        self.looks += 1;
        let room = MOST_ADDRESSES.saturating_sub(self.addresses.len());
        self.addresses.extend(found.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_looked_at_from_the_first_to_the_last_answer() {
        let seen = Watch::begin(std::process::id()).end();
        assert!(seen.looks >= 1, "{seen:?}");
        let gone = Watch::begin(u32::MAX).end();
        assert_eq!((gone.looks, gone.addresses.len()), (0, 0));
    }
}
