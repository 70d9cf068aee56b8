//! Where a user's own webhook may go: to the outside, not to this machine or the networks behind it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::error::Error;

/// Resolves names to addresses outside only; a name that has none is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside;

impl Resolve for Outside {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let outside: Vec<SocketAddr> = found.filter(|at| !is_internal(at.ip())).collect();
            if outside.is_empty() {
                return Err(Error::Internal.into());
            }
            Ok(Box::new(outside.into_iter()) as Addrs)
        })
    }
}

/// An address written as numbers is asked of no resolver.
pub(crate) fn names_internal(url: &str) -> bool {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    host.parse().is_ok_and(is_internal)
}

/// Whether nobody outside has this address.
fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_internal_v4(ip),
        IpAddr::V6(ip) => is_internal_v6(ip),
    }
}

fn is_internal_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        // This network, shared address space, protocol assignments, benchmarks, and what is reserved.
        || a == 0
        || (a == 100 && b & 0xc0 == 64)
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && b & 0xfe == 18)
        || a >= 240
}

/// Only 2000::/3 is outside; of that, not what carries an internal IPv4 address.
fn is_internal_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, _, _, _, g, h] = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    if let Some(mapped) = ip.to_ipv4_mapped() {
        return is_internal_v4(mapped);
    }
    match (a, b) {
        (0x64, 0xff9b) => is_internal_v4(v4(g, h)),
        (0x2002, _) => is_internal_v4(v4(b, c)),
        // Tunnels and documentation.
        (0x2001, 0 | 0xdb8) => true,
        _ => a & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_an_internal_address_is_seen() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0.0.0.0",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "[2002:7f00:1::]",
            "[2001:db8::1]",
        ] {
            assert!(
                names_internal(&format!("http://{host}:8080/hook")),
                "{host}"
            );
        }
        for host in [
            "93.184.216.34",
            "172.32.0.1",
            "[2606:2800:220:1::1]",
            "example.org",
        ] {
            assert!(!names_internal(&format!("https://{host}/hook")), "{host}");
        }
    }
}
