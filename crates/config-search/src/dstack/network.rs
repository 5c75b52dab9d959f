//! Which addresses are private, as Python's `ipaddress` says it: dstack asks that of the machines of a fleet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that are not reached from outside: first address, length of the prefix.
const V4: [([u8; 4], u32); 13] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 29),
    ([192, 0, 0, 170], 31),
    ([192, 0, 2, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([240, 0, 0, 0], 4),
];
const V6: [([u16; 4], u32); 5] = [
    ([0x0100, 0, 0, 0], 64),
    ([0x2001, 0, 0, 0], 23),
    ([0x2001, 0x0db8, 0, 0], 32),
    ([0xfc00, 0, 0, 0], 7),
    ([0xfe80, 0, 0, 0], 10),
];

pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => V4.iter().any(|(first, length)| {
            u32::from(address) >> (32 - length) == u32::from(Ipv4Addr::from(*first)) >> (32 - length)
        }),
        IpAddr::V6(address) => {
            let [a, b, c, d] = address.segments()[..4] else {
                return false;
            };
            let high = |parts: [u16; 4]| parts.iter().fold(0_u64, |sum, part| sum << 16 | u64::from(*part));
            let is_one = address == Ipv6Addr::LOCALHOST || address == Ipv6Addr::UNSPECIFIED;
            let inside = |(first, length): &([u16; 4], u32)| {
                high([a, b, c, d]) >> (64 - length) == high(*first) >> (64 - length)
            };
            is_one || V6.iter().any(inside)
        }
    }
}

/// `10.0.0.0/24`, `10.0.0.0/255.255.255.0`, or one address: private from its first to its last address.
pub(crate) fn is_private_network(text: &str) -> bool {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    match address.parse() {
        Ok(IpAddr::V4(address)) => {
            let length = match length {
                None => Some(32),
                Some(text) => text
                    .parse::<u32>()
                    .ok()
                    .filter(|length| *length <= 32)
                    .or_else(|| {
                        let mask = u32::from(text.parse::<Ipv4Addr>().ok()?);
                        (mask.leading_ones() + mask.trailing_zeros() >= 32).then(|| mask.leading_ones())
                    }),
            };
            length.is_some_and(|length| {
                let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
                let first = u32::from(address) & mask;
                [first, first | !mask]
                    .iter()
                    .all(|end| is_private(IpAddr::V4(Ipv4Addr::from(*end))))
            })
        }
        Ok(IpAddr::V6(address)) => {
            let length = length.map_or(Some(128), |text| {
                text.parse::<u32>().ok().filter(|length| *length <= 128)
            });
            length.is_some_and(|length| {
                let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
                let first = u128::from(address) & mask;
                [first, first | !mask]
                    .iter()
                    .all(|end| is_private(IpAddr::V6(Ipv6Addr::from(*end))))
            })
        }
        Err(_) => false,
    }
}
