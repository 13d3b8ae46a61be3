//! Which addresses are the public internet's.
//!
//! Sources: IANA IPv4 and IPv6 special-purpose registries (RFC 6890), RFC 6052 (NAT64), RFC 3056 (6to4),
//! RFC 4380 (Teredo), RFC 9637 (`3fff::/20`). What is not known to be public is banned.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not the public internet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ban {
    /// `0.0.0.0`, `::`.
    #[error("an unspecified address")]
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    #[error("a loopback address")]
    Loopback,
    /// RFC 1918, `fc00::/7`.
    #[error("a private address")]
    Private,
    /// RFC 6598.
    #[error("an address behind a carrier's NAT")]
    Shared,
    /// `169.254.0.0/16`, `fe80::/10`: metadata services live here.
    #[error("a link-local address")]
    LinkLocal,
    /// A cloud's metadata service at an address that looks public.
    #[error("a metadata service")]
    Metadata,
    /// Multicast and broadcast.
    #[error("an address of many hosts")]
    Multicast,
    /// Documentation, benchmarks, protocol assignments, what IANA has not given out.
    #[error("a reserved address")]
    Reserved,
    /// An IPv4 address in IPv6 clothes: mapped, 6to4, Teredo.
    #[error("an address inside another address")]
    Embedded,
}

/// Azure's wire server: public by its number, answered inside each virtual machine.
const AZURE_WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Why an address is banned; `None` for the public internet.
#[must_use]
pub fn ban(address: IpAddr) -> Option<Ban> {
    match address {
        IpAddr::V4(v4) => ban_v4(v4),
        IpAddr::V6(v6) => ban_v6(v6),
    }
}

fn ban_v4(address: Ipv4Addr) -> Option<Ban> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        _ if address == AZURE_WIRE_SERVER => Some(Ban::Metadata),
        (0, ..) => Some(Ban::Unspecified),
        (127, ..) => Some(Ban::Loopback),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some(Ban::Private),
        (100, 64..=127, _) => Some(Ban::Shared),
        (169, 254, _) => Some(Ban::LinkLocal),
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => Some(Ban::Reserved),
        (224..=239, ..) => Some(Ban::Multicast),
        (240.., ..) => Some(if address.is_broadcast() { Ban::Multicast } else { Ban::Reserved }),
        _ => None,
    }
}

fn ban_v6(address: Ipv6Addr) -> Option<Ban> {
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Ban::Unspecified),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Ban::Loopback),
        // On a network with IPv6 only, a resolver writes public IPv4 hosts like this.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            ban_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))).map(|_| Ban::Embedded)
        }
        [0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0, 0, ..] => Some(Ban::Embedded),
        [0x2002, ..] | [0x2001, 0, ..] => Some(Ban::Embedded),
        [0xfc00..=0xfdff, ..] => Some(Ban::Private),
        [0xfe80..=0xfebf, ..] => Some(Ban::LinkLocal),
        [0xff00..=0xffff, ..] => Some(Ban::Multicast),
        [0x2001, 1..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(Ban::Reserved),
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Ban::Reserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registries_row_by_row() {
        let banned = [
            ("0.0.0.0", Ban::Unspecified),
            ("0.1.2.3", Ban::Unspecified),
            ("10.0.0.1", Ban::Private),
            ("10.255.255.255", Ban::Private),
            ("100.64.0.1", Ban::Shared),
            ("100.100.100.200", Ban::Shared),
            ("100.127.255.255", Ban::Shared),
            ("127.0.0.1", Ban::Loopback),
            ("127.255.255.254", Ban::Loopback),
            ("168.63.129.16", Ban::Metadata),
            ("169.254.0.1", Ban::LinkLocal),
            ("169.254.169.254", Ban::LinkLocal),
            ("169.254.170.2", Ban::LinkLocal),
            ("172.16.0.1", Ban::Private),
            ("172.31.255.255", Ban::Private),
            ("192.0.0.192", Ban::Reserved),
            ("192.0.2.1", Ban::Reserved),
            ("192.88.99.1", Ban::Reserved),
            ("192.168.0.1", Ban::Private),
            ("198.18.0.1", Ban::Reserved),
            ("198.19.255.255", Ban::Reserved),
            ("198.51.100.7", Ban::Reserved),
            ("203.0.113.9", Ban::Reserved),
            ("224.0.0.1", Ban::Multicast),
            ("239.255.255.250", Ban::Multicast),
            ("240.0.0.1", Ban::Reserved),
            ("255.255.255.255", Ban::Multicast),
            ("::", Ban::Unspecified),
            ("::1", Ban::Loopback),
            ("::7f00:1", Ban::Embedded),
            ("::ffff:127.0.0.1", Ban::Embedded),
            ("::ffff:8.8.8.8", Ban::Embedded),
            ("::ffff:0:10.0.0.1", Ban::Embedded),
            ("64:ff9b::10.0.0.1", Ban::Embedded),
            ("64:ff9b::169.254.169.254", Ban::Embedded),
            ("64:ff9b:1::1", Ban::Reserved),
            ("100::1", Ban::Reserved),
            ("2001::1", Ban::Embedded),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Ban::Embedded),
            ("2001:2::1", Ban::Reserved),
            ("2001:10::1", Ban::Reserved),
            ("2001:20::1", Ban::Reserved),
            ("2001:db8::1", Ban::Reserved),
            ("2002:7f00:1::1", Ban::Embedded),
            ("2002:a00:1::1", Ban::Embedded),
            ("3fff::1", Ban::Reserved),
            ("4000::1", Ban::Reserved),
            ("5f00::1", Ban::Reserved),
            ("fc00::1", Ban::Private),
            ("fd00:ec2::254", Ban::Private),
            ("fe80::1", Ban::LinkLocal),
            ("fec0::1", Ban::Reserved),
            ("ff02::1", Ban::Multicast),
        ];
        for (text, why) in banned {
            assert_eq!(ban(text.parse().expect(text)), Some(why), "{text}");
        }
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "3fff:1000::1",
            "64:ff9b::8.8.8.8",
        ];
        for text in public {
            assert_eq!(ban(text.parse().expect(text)), None, "{text}");
        }
    }
}
