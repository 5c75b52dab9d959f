//! Wakes the poll at a moment given in nanoseconds. `epoll_wait` counts in milliseconds; a timer file descriptor
//! does not, and its precision is not softened by the timer slack of the process.

use std::io;
use std::time::Duration;

use mio::Registry;

/// The token under which the alarm reports.
pub(super) const ALARM: mio::Token = mio::Token(usize::MAX);

/// At most one pending alarm.
#[derive(Debug)]
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: std::os::fd::OwnedFd,
}

#[cfg(target_os = "linux")]
impl Alarm {
    pub(super) fn new(registry: &Registry) -> io::Result<Alarm> {
        use std::os::fd::AsRawFd;

        use mio::unix::SourceFd;
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};

        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        // Edge-triggered: an expiry that nobody reads does not wake the poll twice.
        registry.register(&mut SourceFd(&timer.as_raw_fd()), ALARM, mio::Interest::READABLE)?;
        Ok(Alarm { timer })
    }

    /// Sets the alarm and returns the timeout for the poll: none, the alarm ends it.
    pub(super) fn set(&self, wait: Duration) -> Option<Duration> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};

        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // Zero would switch the timer off.
        let wait = wait.max(Duration::from_nanos(1));
        let due = Timespec {
            tv_sec: wait.as_secs() as i64,
            tv_nsec: wait.subsec_nanos().into(),
        };
        let spec = Itimerspec {
            it_interval: zero,
            it_value: due,
        };
        match timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &spec) {
            Ok(_) => None,
            Err(_) => Some(wait),
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Alarm {
    pub(super) fn new(_registry: &Registry) -> io::Result<Alarm> {
        Ok(Alarm {})
    }

    /// kqueue takes nanoseconds as they are.
    pub(super) fn set(&self, wait: Duration) -> Option<Duration> {
        Some(wait)
    }
}
