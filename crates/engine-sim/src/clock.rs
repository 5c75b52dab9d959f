//! The only file that reads the clock that everything is timed by.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds since the server started, never going back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    started_unix_ns: u64,
}

impl Clock {
    /// Starts at zero.
    pub(crate) fn start() -> Clock {
        let started_unix_ns = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
        Clock {
            origin: Instant::now(),
            started_unix_ns,
        }
    }

    /// Nanoseconds since the start.
    pub(crate) fn now_ns(self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Seconds of Unix time, as `created` in an answer.
    pub(crate) fn unix_s(self) -> u64 {
        self.unix_ns() / 1_000_000_000
    }

    /// Nanoseconds of Unix time, as engines name their files.
    pub(crate) fn unix_ns(self) -> u64 {
        self.started_unix_ns.saturating_add(self.now_ns())
    }
}
