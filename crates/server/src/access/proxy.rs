//! Who a proxy in front of the server says has signed in (OpenID Connect and the like), where the operator trusts it.
//!
//! A header is anybody's to send. So it counts only in a request whose other end is one of the addresses that were named; in
//! any other the request is refused, because whoever sends it there wants to be somebody. The proxy has to take the header
//! out of what comes from outside, and whoever is on a trusted address is trusted: name as few as can be.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use axum::http::{HeaderMap, HeaderName};

use super::{Denied, Role, Who};

/// Longest name of a person or group, in characters.
const LONGEST: usize = 128;
/// Most groups of one person that are looked at.
const GROUPS: usize = 200;

/// An address, or all of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// `10.0.0.7`, `10.0.0.0/24`, `fd00::/64`. `None` for anything else, and for all of the internet.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) if !bits.starts_with('+') => (address, Some(bits.parse::<u8>().ok()?)),
            Some(_) => return None,
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        let network = Network { address, bits };
        // What is beyond its length must be zero: else it is not what was meant.
        let rest = u32::from(most.saturating_sub(bits));
        let is_whole = masked(address, bits).checked_shl(rest).unwrap_or(0) == masked(address, most);
        ((1..=most).contains(&bits) && is_whole && address.to_canonical() == address).then_some(network)
    }

    fn holds(self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        peer.is_ipv4() == self.address.is_ipv4() && masked(peer, self.bits) == masked(self.address, self.bits)
    }
}

/// The first bits of an address.
fn masked(address: IpAddr, bits: u8) -> u128 {
    let (value, most) = match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32u32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    value.checked_shr(most.saturating_sub(u32::from(bits))).unwrap_or(0)
}

/// The name of a header by which a proxy can say something; `None` for one that every request has, or that means something else.
pub fn proxy_header(name: &str) -> Option<HeaderName> {
    const OTHERS: [&str; 8] =
        ["authorization", "cookie", "host", "origin", "referer", "user-agent", "accept", "connection"];
    let name = HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()).ok()?;
    let is_other = OTHERS.contains(&name.as_str()) || name.as_str().starts_with("content-");
    (!is_other).then_some(name)
}

/// A proxy whose word counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The header with the name of whoever signed in.
    pub user: HeaderName,
    /// The header with their groups, separated by commas.
    pub groups: Option<HeaderName>,
    /// From where its requests come.
    pub from: Vec<Network>,
    /// What members of a group may.
    pub by_group: BTreeMap<String, Role>,
    /// What a person may, whatever their groups; by their name in lower case.
    pub by_user: BTreeMap<String, Role>,
    /// What everybody else may that signed in; `None`: nothing.
    pub otherwise: Option<Role>,
}

impl Proxy {
    /// Whether its requests come from this address.
    pub(super) fn is_at(&self, peer: IpAddr) -> bool {
        self.from.iter().any(|network| network.holds(peer))
    }

    /// Who asks by its word; `None` where it says nothing about that.
    pub(super) fn who(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Result<Option<Who>, Denied> {
        let says = std::iter::once(&self.user).chain(&self.groups).any(|name| headers.contains_key(name));
        if !says {
            return Ok(None);
        }
        if !peer.is_some_and(|peer| self.is_at(peer)) {
            return Err(Denied::Stranger);
        }
        let user = match one(headers, &self.user) {
            Some(user) if is_proxy_name(user) => user,
            // Nobody has signed in, as the proxy sees it.
            None if !headers.contains_key(&self.user) => return Ok(None),
            _ => return Err(Denied::Stranger),
        };
        let groups = match &self.groups {
            Some(name) if headers.contains_key(name) => one(headers, name).ok_or(Denied::Stranger)?,
            _ => "",
        };
        let of_groups = groups.split(',').map(str::trim).take(GROUPS);
        let of_groups = of_groups.filter_map(|group| self.by_group.get(group)).max().copied();
        let role = self.by_user.get(&user.to_ascii_lowercase()).copied().or(of_groups).or(self.otherwise);
        let role = role.ok_or(Denied::Needs(Role::Viewer))?;
        Ok(Some(Who { actor: format!("proxy:{user}"), role, by_session: false }))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The one value of a header; `None` where there is none, or more than one.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim();
    if values.next().is_some() { None } else { Some(value) }
}

/// Whether it can stand in the audit log as somebody's name.
pub fn is_proxy_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@+|".contains(c);
    (1..=LONGEST).contains(&text.len()) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxy() -> Proxy {
        Proxy {
            user: HeaderName::from_static("x-forwarded-user"),
            groups: Some(HeaderName::from_static("x-forwarded-groups")),
            from: ["10.0.0.7", "10.1.0.0/16", "fd00::/64"].map(|text| Network::parse(text).unwrap()).into(),
            by_group: [("ops".to_owned(), Role::Operator), ("root".to_owned(), Role::Admin)].into(),
            by_user: [("eve@example.com".to_owned(), Role::Viewer)].into(),
            otherwise: None,
        }
    }

    fn asks(from: &str, headers: &[(&str, &str)]) -> Result<Option<(String, Role)>, Denied> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            all.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        }
        let who = proxy().who(Some(from.parse().unwrap()), &all)?;
        Ok(who.map(|who| (who.actor, who.role)))
    }

    #[test]
    fn only_a_proxy_that_was_named_says_who_it_is() {
        let (user, groups) = (("X-Forwarded-User", "ann@example.com"), ("x-forwarded-groups", "dev, ops"));
        let ann = |role| Ok(Some(("proxy:ann@example.com".to_owned(), role)));
        for from in ["10.0.0.7", "10.1.255.3", "::ffff:10.0.0.7", "fd00::1"] {
            assert_eq!(asks(from, &[user, groups]), ann(Role::Operator), "{from}");
        }
        for from in ["10.0.0.8", "10.2.0.1", "127.0.0.1", "::1", "fd00:0:0:1::1", "192.0.2.7"] {
            for headers in [&[user][..], &[groups], &[user, groups], &[("x-forwarded-user", "")]] {
                assert_eq!(asks(from, headers), Err(Denied::Stranger), "{from} {headers:?}");
            }
            assert_eq!(asks(from, &[("x-forwarded-users", "ann")]), Ok(None));
        }
        assert_eq!(proxy().who(None, &HeaderMap::new()), Ok(None));
        let nowhere = HeaderMap::from_iter([(proxy().user, HeaderValue::from_static("ann"))]);
        assert_eq!(proxy().who(None, &nowhere), Err(Denied::Stranger));
    }

    #[test]
    fn a_role_is_said_by_the_operator_and_never_by_the_header() {
        let of = |user: &str, groups: &str| {
            asks("10.0.0.7", &[("x-forwarded-user", user), ("x-forwarded-groups", groups)])
        };
        let role = |user, groups| of(user, groups).map(|who| who.unwrap().1);
        assert_eq!(role("ann", "ops,root,dev"), Ok(Role::Admin), "the most of what the groups may");
        for eve in ["eve@example.com", "Eve@Example.com"] {
            assert_eq!(role(eve, "root"), Ok(Role::Viewer), "a person comes before their groups");
        }
        for (user, groups) in
            [("ann", ""), ("ann", "dev"), ("ann", "Ops"), ("ann", "ops;root"), ("operator", "admin")]
        {
            assert_eq!(role(user, groups), Err(Denied::Needs(Role::Viewer)), "{user} {groups}");
        }
        // Two of a kind, an empty one, and what is no name.
        let twice = [("x-forwarded-user", "ann"), ("x-forwarded-user", "bob"), ("x-forwarded-groups", "ops")];
        assert_eq!(asks("10.0.0.7", &twice), Err(Denied::Stranger));
        let groups =
            [("x-forwarded-user", "ann"), ("x-forwarded-groups", "dev"), ("x-forwarded-groups", "root")];
        assert_eq!(asks("10.0.0.7", &groups), Err(Denied::Stranger));
        for name in ["", " ", "ann bob", "ann,bob", "a\"b", "<b>", "token:ann", "\u{e4}nn", &"a".repeat(129)]
        {
            assert_eq!(of(name, "ops"), Err(Denied::Stranger), "{name}");
        }
        assert_eq!(asks("10.0.0.7", &[("x-forwarded-groups", "root")]), Ok(None), "nobody has signed in");
    }

    #[test]
    fn a_network_is_what_it_says() {
        for bad in [
            "",
            "10.0.0.0/0",
            "::/0",
            "10.0.0.7/24",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0/24",
            "localhost",
            "::ffff:10.0.0.7",
            "10.0.0.7/",
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
        let v6 = Network::parse("fd00:1::/32").unwrap();
        assert!(v6.holds("fd00:1::9".parse().unwrap()) && !v6.holds("fd00:2::9".parse().unwrap()));
        assert!(!Network::parse("0.0.0.0/1").unwrap().holds("::1".parse().unwrap()));
    }
}
