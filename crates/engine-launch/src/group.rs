//! The process group of one server: engines start workers, and all of them have to go.

use rustix::process::{Pid, Signal};

/// A process group, named by the pid of its leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    leader: Pid,
}

impl Group {
    /// The group that a child leads; `None` for a pid that no process can have.
    pub(crate) fn of(pid: u32) -> Option<Group> {
        let leader = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        // Group 1 is the init process's, and a signal to it may go to everyone.
        (leader != Pid::INIT).then_some(Group { leader })
    }

    /// Asks every member to end.
    pub(crate) fn terminate(self) {
        // A group without members is what is wanted.
        let _ = rustix::process::kill_process_group(self.leader, Signal::TERM);
    }

    /// Ends every member.
    pub(crate) fn kill(self) {
        let _ = rustix::process::kill_process_group(self.leader, Signal::KILL);
    }

    /// Whether any member still runs. One that has ended but was not waited for by its own parent does not count.
    pub(crate) fn is_alive(self) -> bool {
        rustix::process::test_kill_process_group(self.leader).is_ok() && !self.is_all_zombies()
    }

    /// Whether the system's process list shows no member that still runs; `false` where there is no such list.
    fn is_all_zombies(self) -> bool {
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return false;
        };
        let leader = self.leader.as_raw_nonzero().get();
        let mut is_listed = false;
        for process in processes.flatten() {
            if !process
                .file_name()
                .to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
            {
                continue;
            }
            let Ok(stat) = std::fs::read_to_string(process.path().join("stat")) else {
                continue;
            };
            if let Some((state, group)) = state_and_group(&stat)
                && group == leader
            {
                is_listed = true;
                if !matches!(state, 'Z' | 'X') {
                    return false;
                }
            }
        }
        is_listed
    }
}

/// State and process group from `/proc/PID/stat`: `pid (name) state ppid pgrp …`, where the name may hold anything.
fn state_and_group(stat: &str) -> Option<(char, i32)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    Some((state, group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stat_lines_with_awkward_names() {
        assert_eq!(state_and_group("42 (a) b) (c) S 1 40 40 0"), Some(('S', 40)));
        assert_eq!(state_and_group("42 (a"), None);
        assert_eq!(state_and_group("42 (a) S 1"), None);
    }

    #[test]
    fn never_names_init_or_everyone() {
        assert_eq!(Group::of(0), None);
        assert_eq!(Group::of(1), None);
        assert_eq!(Group::of(u32::MAX), None);
    }
}
