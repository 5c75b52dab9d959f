//! TCP connections of a process to other machines, from `/proc/PID/fd` and `/proc/PID/net/tcp*`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most processes that are looked at.
const MOST_PROCESSES: usize = 4096;

/// Addresses outside of this machine that the process or one that it started is connected to; `None` where `/proc` does not
/// let us see.
pub(crate) fn outside(pid: u32) -> Option<BTreeSet<IpAddr>> {
    let mut found = of_one(pid)?;
    // An engine's workers are processes of their own; one that ends meanwhile has no connections left.
    for child in descendants(pid) {
        found.extend(of_one(child).unwrap_or_default());
    }
    Some(found)
}

fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop().filter(|_| found.len() < MOST_PROCESSES) {
        let tasks = std::fs::read_dir(format!("/proc/{parent}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            let children: Vec<u32> = text
                .split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect();
            found.extend(&children);
            parents.extend(&children);
        }
    }
    found
}

fn of_one(pid: u32) -> Option<BTreeSet<IpAddr>> {
    let mut sockets = BTreeSet::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten() {
        let Ok(target) = std::fs::read_link(entry.path()) else {
            continue;
        };
        let target = target.to_string_lossy();
        let inode = target
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'));
        sockets.extend(inode.and_then(|inode| inode.parse::<u64>().ok()));
    }
    let mut found = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        // Without IPv6 there is no second table.
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}"));
        let Ok(text) = text else { continue };
        found.extend(text.lines().filter_map(|line| peer(line, &sockets)));
    }
    Some(found)
}

/// The other end of a connection of these sockets that is open or being opened, where it is not this machine.
fn peer(line: &str, sockets: &BTreeSet<u64>) -> Option<IpAddr> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (local, remote) = (address(words.get(1)?)?, address(words.get(2)?)?);
    // ESTABLISHED and SYN_SENT, by the kernel's numbers.
    let is_open = matches!(*words.get(3)?, "01" | "02");
    let inode = words.get(9)?.parse().ok()?;
    let is_outside = !remote.is_loopback() && !remote.is_unspecified() && remote != local;
    (is_open && is_outside && sockets.contains(&inode)).then_some(remote)
}

/// `0100007F:1F90`: words of 32 bits in the machine's order.
fn address(text: &str) -> Option<IpAddr> {
    let (hex, _) = text.split_once(':')?;
    let words: Option<Vec<[u8; 4]>> = hex
        .as_bytes()
        .chunks(8)
        .map(|word| {
            let word = std::str::from_utf8(word).ok()?;
            Some(u32::from_str_radix(word, 16).ok()?.to_ne_bytes())
        })
        .collect();
    match words?.concat().as_slice() {
        bytes if bytes.len() == 4 => <[u8; 4]>::try_from(bytes)
            .ok()
            .map(|ip| Ipv4Addr::from(ip).into()),
        bytes => <[u8; 16]>::try_from(bytes)
            .ok()
            .map(|ip| Ipv6Addr::from(ip).to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_established_connections_of_ours_to_elsewhere() {
        let line = |remote: &str, state: &str, inode: u64| {
            format!("0: 0100007F:1F90 {remote} {state} 0:0 00:0 0 0 0 {inode} 1 0")
        };
        let ours = BTreeSet::from([7]);
        let outside = u32::from_ne_bytes([192, 0, 2, 5]);
        let outside = format!("{outside:08X}:01BB");
        assert_eq!(
            peer(&line(&outside, "01", 7), &ours),
            Some(Ipv4Addr::new(192, 0, 2, 5).into())
        );
        assert_eq!(peer(&line(&outside, "0A", 7), &ours), None);
        assert_eq!(peer(&line(&outside, "01", 8), &ours), None);
        assert_eq!(peer(&line("0100007F:1", "01", 7), &ours), None);
        assert_eq!(peer("x", &ours), None);
    }

    #[test]
    fn processes_that_a_server_starts_are_looked_at_too() {
        let line = "sleep 60 & echo $!; wait";
        let mut shell = std::process::Command::new("sh")
            .args(["-c", line])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut out = std::io::BufReader::new(shell.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut said).unwrap();
        let grandchild: u32 = said.trim().parse().unwrap();
        let found = descendants(std::process::id());
        let ended = std::process::Command::new("kill").arg(said.trim()).status();
        shell.wait().unwrap();
        assert!(ended.unwrap().success());
        assert!(
            found.contains(&shell.id()) && found.contains(&grandchild),
            "{found:?}"
        );
    }

    #[test]
    fn this_process_can_be_looked_at() {
        assert!(outside(std::process::id()).is_some());
        assert_eq!(outside(u32::MAX), None);
    }
}
