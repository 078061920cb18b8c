//! Which addresses may be asked. A host's answer says where a log lies; that word leads to no address inside.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ureq::{
    Error,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

/// From where an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// From everywhere.
    Public,
    /// From inside an organisation's network.
    Private,
    /// From this machine only.
    Loopback,
    /// From this link only (where clouds keep their credentials), or by nobody.
    Other,
}

impl Reach {
    /// By the registries of special-purpose addresses (IANA; RFC 6890), in favour of refusing.
    pub(crate) fn of(address: IpAddr) -> Reach {
        match address {
            IpAddr::V4(v4) => Reach::of_v4(v4),
            IpAddr::V6(v6) => Reach::of_v6(v6),
        }
    }

    fn of_v4(v4: Ipv4Addr) -> Reach {
        match v4.octets() {
            [127 | 0, ..] => Reach::Loopback,
            [10, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [100, 64..=127, ..]
            | [198, 18 | 19, ..]
            | [192, 0, 0, _] => Reach::Private,
            [169, 254, ..] | [224..=255, ..] => Reach::Other,
            _ => Reach::Public,
        }
    }

    fn of_v6(v6: Ipv6Addr) -> Reach {
        let embedded = |high: u16, low: u16| {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Reach::of_v4(Ipv4Addr::new(a, b, c, d))
        };
        match v6.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Reach::Loopback,
            // Mapped, compatible, translated (NAT64) and 6to4: another way of writing an IPv4 address.
            [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, _, _, _, _, high, low] => {
                embedded(high, low)
            }
            [0x2002, high, low, ..] => embedded(high, low),
            [0xfc00..=0xfdff, ..] => Reach::Private,
            [0x2000..=0x3fff, ..] => Reach::Public,
            _ => Reach::Other,
        }
    }
}

/// Resolves names, and refuses those that lead to an address inside, unless the host that was configured is of the same kind
/// itself. It is asked for the very connection that is made, so a name that changes its address meanwhile gains nothing.
#[derive(Debug)]
pub(crate) struct Guard {
    /// The host that was configured.
    pub(crate) base: Uri,
}

impl Resolver for Guard {
    fn resolve(&self, uri: &Uri, config: &Config, time: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let resolver = DefaultResolver::default();
        let found = resolver.resolve(uri, config, time)?;
        // A proxy's own address was configured by whoever runs this. What it is not asked for (`NO_PROXY`) is looked at.
        if config.proxy().is_some_and(|proxy| is_at(uri, proxy.host(), proxy.port()))
            || found.iter().all(|a| Reach::of(a.ip()) == Reach::Public)
        {
            return Ok(found);
        }
        let own = resolver.resolve(&self.base, config, time)?;
        let like_own = |reach: Reach| own.iter().any(|a| Reach::of(a.ip()) == reach);
        let may = |reach: Reach| reach == Reach::Public || like_own(reach);
        if found.iter().all(|a| may(Reach::of(a.ip()))) {
            return Ok(found);
        }
        Err(Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, INSIDE)))
    }
}

/// Whether an address is of this host and port.
fn is_at(uri: &Uri, host: &str, port: u16) -> bool {
    uri.host().is_some_and(|own| own.eq_ignore_ascii_case(host))
        && uri.port_u16().is_none_or(|own| own == port)
}

/// What a refused address is called.
pub(crate) const INSIDE: &str = "it leads to an address that is not public";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proxy_is_not_asked_for_is_looked_at() {
        let proxy = ureq::Proxy::builder(ureq::ProxyProtocol::Http).host("127.0.0.1").port(3128);
        let proxy = proxy.no_proxy("127.0.0.2").build().unwrap();
        let agent = ureq::Agent::config_builder().proxy(Some(proxy)).build();
        let guard = Guard { base: "https://140.82.121.4".parse().unwrap() };
        let at = |url: &str| {
            let time = NextTimeout {
                after: ureq::unversioned::transport::time::Duration::from_secs(5),
                reason: ureq::Timeout::Resolve,
                per_read: None,
                per_write: None,
            };
            guard.resolve(&url.parse().unwrap(), &agent, time)
        };
        assert!(at("http://127.0.0.1:3128").is_ok(), "the proxy itself");
        assert!(at("https://140.82.121.5/x").is_ok());
        assert!(at("http://127.0.0.2/x").is_err(), "it would be reached past the proxy");
        assert!(at("http://127.0.0.1:9/x").is_err());
    }

    #[test]
    fn addresses_inside_are_known_however_they_are_written() {
        use Reach::{Loopback, Other, Private, Public};
        for (text, reach) in [
            ("140.82.121.4", Public),
            ("2606:50c0:8000::153", Public),
            ("127.0.0.1", Loopback),
            ("127.255.1.2", Loopback),
            ("0.0.0.0", Loopback),
            ("::1", Loopback),
            ("::", Loopback),
            ("::ffff:127.0.0.1", Loopback),
            ("::127.0.0.1", Loopback),
            ("64:ff9b::7f00:1", Loopback),
            ("2002:7f00:1::", Loopback),
            ("10.1.2.3", Private),
            ("172.31.255.1", Private),
            ("172.32.0.1", Public),
            ("192.168.1.1", Private),
            ("100.100.100.200", Private),
            ("::ffff:192.168.1.1", Private),
            ("fd00:ec2::254", Private),
            ("169.254.169.254", Other),
            ("::ffff:169.254.169.254", Other),
            ("fe80::1", Other),
            ("ff02::1", Other),
            ("224.0.0.1", Other),
            ("255.255.255.255", Other),
        ] {
            assert_eq!(Reach::of(text.parse().unwrap()), reach, "{text}");
        }
    }
}
