//! Processes that a candidate left behind: found by a variable that only its server got, ended by their ids.

use rustix::process::{Pid, Signal};

/// The variable.
pub(crate) const MARK: &str = "CONFIG_SEARCH_CANDIDATE";

/// Ends what still runs with this mark, and says how many processes that were. None where there is no `/proc`.
pub(crate) fn end(mark: &str) -> usize {
    let wanted = format!("{MARK}={mark}");
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let own = std::process::id();
    processes
        .flatten()
        .filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid > 1 && *pid != own)
        .filter(|pid| {
            // A zombie has no environment any more, and another user's cannot be read: neither is ours.
            std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|bytes| {
                bytes
                    .split(|byte| *byte == 0)
                    .any(|entry| entry == wanted.as_bytes())
            })
        })
        .filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
        .filter(|pid| rustix::process::kill_process(*pid, Signal::KILL).is_ok())
        .count()
}
