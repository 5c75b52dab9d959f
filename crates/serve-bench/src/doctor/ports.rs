//! Ports that listen where loopback reaches them, read from `/proc/net/tcp` and `/proc/net/tcp6` (proc(5)).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// State of a listening socket.
const LISTEN: &str = "0A";

/// Ports of inference servers, asked first and where `/proc` does not say who listens: vLLM and others, SGLang,
/// llama.cpp, TGI, aibrix.
pub(super) const WELL_KNOWN: [u16; 6] = [8000, 30000, 8080, 8001, 3000, 9000];

/// Ports that others own: an HTTP request there is noise in somebody's log. Databases, brokers, Docker, etcd, Ray.
const FOREIGN: [u16; 14] = [
    1433, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 5432, 5672, 6379, 9092, 11211, 27017,
];

/// Most ports asked.
const MOST: usize = 64;

/// Ports worth asking with the address that reaches each, well-known ones first.
pub(super) fn listening(tcp: &str, tcp6: &str) -> Vec<(u16, IpAddr)> {
    let mut found: BTreeMap<u16, IpAddr> = BTreeMap::new();
    for (port, address) in tcp.lines().chain(tcp6.lines()).filter_map(socket) {
        let reached = match address {
            IpAddr::V6(address) if address == Ipv6Addr::LOCALHOST => IpAddr::V6(address),
            _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        // IPv4 comes first and stays.
        found.entry(port).or_insert(reached);
    }
    found.retain(|port, _| is_worth_asking(*port));
    let mut ports: Vec<(u16, IpAddr)> = found.into_iter().collect();
    ports.sort_by_key(|(port, _)| {
        WELL_KNOWN
            .iter()
            .position(|known| known == port)
            .unwrap_or(usize::MAX)
    });
    ports.truncate(MOST);
    ports
}

fn is_worth_asking(port: u16) -> bool {
    (port >= 1024 || port == 80) && !FOREIGN.contains(&port)
}

/// Port and address of a line that is a socket which listens on loopback or on all addresses.
fn socket(line: &str) -> Option<(u16, IpAddr)> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, _, state) = (fields.next()?, fields.next()?, fields.next()?);
    if state != LISTEN {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let address = parse_address(address)?;
    let near = match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_unspecified(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.is_loopback() || mapped.is_unspecified(),
            None => address.is_loopback() || address.is_unspecified(),
        },
    };
    near.then_some((port, address))
}

/// Hexadecimal words of 32 bits, each in the byte order of the machine.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let word = |text: &str| Some(u32::from_str_radix(text, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(hex)?))),
        32 => {
            let mut bytes = [0; 16];
            for (number, chunk) in bytes.chunks_mut(4).enumerate() {
                chunk.copy_from_slice(&word(hex.get(8 * number..8 * number + 8)?)?);
            }
            Some(IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";

    #[cfg(target_endian = "little")]
    #[test]
    fn loopback_and_all_addresses_count_and_others_do_not() {
        let tcp = format!(
            "{HEAD}   0: 0100007F:1F40 00000000:0000 0A 0 0\n   1: 00000000:7530 00000000:0000 0A 0 0\n\
             \x20  2: 0100007F:1F41 0100007F:9999 01 0 0\n   3: 0500000A:1F42 00000000:0000 0A 0 0\n\
             \x20  4: 0100007F:0016 00000000:0000 0A 0 0\n   5: 0100007F:18EB 00000000:0000 0A 0 0\n\
             \x20  6: 0100007F:0FA0 00000000:0000 0A 0 0\n"
        );
        let tcp6 = format!(
            "{HEAD}   0: 00000000000000000000000001000000:2000 0:0 0A\n   1: 00000000000000000000000000000000:1F40 0:0 0A\n"
        );
        let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(
            listening(&tcp, &tcp6),
            // 8000 and 30000 are well known; 22 and 6379 belong to others; 8192 is reached over IPv6 alone.
            [
                (8000, v4),
                (30000, v4),
                (4000, v4),
                (8192, IpAddr::V6(Ipv6Addr::LOCALHOST))
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_gives_ports_or_none(tcp in "(\\PC{0,60}\n){0,6}", word in "[0-9A-F]{8}", port in "[0-9A-F]{4}") {
            let _ = listening(&tcp, &tcp);
            let line = format!("0: {word}:{port} 00000000:0000 0A\n");
            prop_assert!(listening(&line, "").len() <= 1);
        }
    }
}
