//! Whose a process is: the engine's, ours, or somebody else's.
//!
//! The engine is whoever listens on a `--url` of this machine. Its processes are that one's group (a job of a shell, or what a
//! launcher started together) and all descendants; ours are our own descendants, the benchmark among them.

use std::collections::{HashMap, HashSet};
use std::fs;

use contracts::text::clean;
use engine_client::Endpoint;

/// Parents of a process are followed so far.
const MOST_PARENTS: usize = 64;

/// Who is known.
#[derive(Clone, Debug)]
pub(crate) struct Owners {
    /// Processes whose descendants and groups are no foreigners; none when an engine was not found.
    known: Option<Vec<Status>>,
    foreign: HashMap<u32, Option<bool>>,
    ours: u32,
}

/// A process's number, parent and group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Status {
    pid: u32,
    parent: u32,
    group: u32,
}

impl Owners {
    /// Nobody is known: every process but our own is of an unknown owner.
    pub(crate) fn unknown() -> Owners {
        Owners {
            known: None,
            foreign: HashMap::new(),
            ours: std::process::id(),
        }
    }

    /// Looks for the listeners of the engines; why, when one is not found.
    pub(crate) fn find(endpoints: &[Endpoint]) -> (Owners, Option<String>) {
        let mut owners = Owners::unknown();
        let mut known = Vec::new();
        for endpoint in endpoints {
            let found = if endpoint.is_loopback() {
                listeners(endpoint.port())
            } else {
                Vec::new()
            };
            if found.is_empty() {
                let why = format!(
                    "which processes are the engine's cannot be told: nobody visible from here listens on {}:{}",
                    clean(endpoint.host(), 100),
                    endpoint.port()
                );
                return (owners, Some(why));
            }
            known.extend(found.into_iter().filter_map(status));
        }
        owners.known = Some(known);
        (owners, None)
    }

    /// Whether a process is neither the engine's nor ours; `None` when that cannot be told.
    pub(super) fn foreign(&mut self, pid: u32) -> Option<bool> {
        if let Some(known) = self.foreign.get(&pid) {
            return *known;
        }
        let verdict = self.look(pid);
        // A process that is gone already may be another one the next time.
        if verdict.is_some() {
            self.foreign.insert(pid, verdict);
        }
        verdict
    }

    fn look(&self, pid: u32) -> Option<bool> {
        let mut at = status(pid)?;
        let group = at.group;
        let known = self.known.as_deref().unwrap_or_default();
        for _ in 0..MOST_PARENTS {
            if at.pid == self.ours
                || known
                    .iter()
                    .any(|known| known.pid == at.pid || known.group == group)
            {
                return Some(false);
            }
            let Some(parent) = status(at.parent) else {
                break;
            };
            at = parent;
        }
        self.known.is_some().then_some(true)
    }

    /// The command name of a process.
    pub(super) fn name(&self, pid: u32) -> Option<String> {
        let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
        Some(clean(String::from_utf8_lossy(&name).trim_end(), 64))
    }
}

/// From `/proc/PID/stat`: the name in brackets may hold anything, so fields are counted from the last bracket.
fn status(pid: u32) -> Option<Status> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(1);
    Some(Status {
        pid,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
    })
}

/// Processes that listen on a port.
fn listeners(port: u16) -> Vec<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let sockets: HashSet<String> = tables.iter().flat_map(|table| listening(table, port)).collect();
    if sockets.is_empty() {
        return Vec::new();
    }
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| holds(*pid, &sockets)).collect()
}

/// Sockets of a table (`/proc/net/tcp`) that listen on a port, as their links under `/proc/PID/fd` read.
fn listening(table: &str, port: u16) -> impl Iterator<Item = String> + '_ {
    const LISTEN: &str = "0A";
    table.lines().skip(1).filter_map(move |line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
        let is_port = u16::from_str_radix(local_port, 16).ok()? == port;
        (is_port && *fields.get(3)? == LISTEN).then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"")))
    })
}

fn holds(pid: u32, sockets: &HashSet<String>) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    let mut links = files.filter_map(|file| fs::read_link(file.path()).ok());
    links.any(|link| link.to_str().is_some_and(|link| sockets.contains(link)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_in_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:7530 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000 100 0 0 10 0\n   1: 0100007F:7530 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000 100 0 0 10 0\n   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000 100 0 0 10 0\nbroken\n";
        assert_eq!(listening(table, 30_000).collect::<Vec<_>>(), ["socket:[4711]"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn we_and_whom_we_started_are_no_foreigners() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(listeners(port), [std::process::id()]);
        let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let (mut owners, why) = Owners::find(&[endpoint]);
        assert_eq!(why, None);
        assert_eq!(owners.foreign(std::process::id()), Some(false));
        // The first process is an ancestor of all, and nobody's descendant.
        let first = status(1).map(|first| first.group == status(std::process::id()).unwrap().group);
        if first == Some(false) {
            assert_eq!(owners.foreign(1), Some(true));
        }
        assert_eq!(owners.foreign(u32::MAX), None);
    }

    #[test]
    fn without_an_engine_only_our_own_are_known() {
        let endpoint = Endpoint::parse("http://gpu.example:1").unwrap();
        let (mut owners, why) = Owners::find(&[endpoint]);
        assert!(why.unwrap().contains("gpu.example"));
        assert_eq!(owners.foreign(u32::MAX), None);
    }
}
