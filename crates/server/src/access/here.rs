//! Whether somebody asks from this very machine: its own listener, its own address, under its own name, and nobody in
//! between.
//!
//! A page on the web can make a browser ask under a name that leads here (DNS rebinding): the `Host` gives it away. A proxy
//! on this machine asks for anybody: it adds a header of its own, or speaks HTTP/1.0. One that does neither can't be told from
//! a person here, least of all where it passes on whatever `Host` somebody far away says. So being here counts for nothing
//! unless the operator says that no proxy leads here (`regreen serve --read-here`).

use std::net::{IpAddr, Ipv4Addr};

use axum::http::{HeaderMap, Version, header, request::Parts, uri::Authority};

use super::Arrival;

/// Said by whoever asks for somebody else.
const BETWEEN: [&str; 8] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-original-host",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
];

pub(super) fn is_here(arrival: Arrival, request: &Parts) -> bool {
    let Arrival { peer, listens_here } = arrival;
    listens_here
        && peer.to_canonical().is_loopback()
        && request.version >= Version::HTTP_11
        && request.uri.authority().is_none_or(names_here)
        && host(&request.headers).as_ref().is_some_and(names_here)
        && !is_passed_on(&request.headers)
}

/// The one `Host`.
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut values = headers.get_all(header::HOST).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok()?.parse().ok() }
}

/// Whether the request names this machine by a name that nobody else can have.
pub(super) fn is_named_here(headers: &HeaderMap) -> bool {
    host(headers).as_ref().is_some_and(names_here)
}

fn names_here(authority: &Authority) -> bool {
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match v6 {
        Some(v6) => v6.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback()),
        None => {
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        }
    }
}

fn is_passed_on(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| BETWEEN.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded"))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn here(peer: &str, listens_here: bool, version: Version, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri("/api/v1/incidents").version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        is_here(Arrival { peer: peer.parse().unwrap(), listens_here }, &parts)
    }

    #[test]
    fn only_who_is_on_this_machine_is_here() {
        let v11 = Version::HTTP_11;
        for host in ["localhost", "LOCALHOST:8787", "127.0.0.1:8787", "127.1.2.3", "[::1]:8787", "[::1]"] {
            assert!(here("127.0.0.1", true, v11, &[("host", host)]), "{host}");
            assert!(here("::ffff:127.0.0.1", true, v11, &[("host", host)]), "{host}");
        }
        let local = ("host", "localhost:8787");
        assert!(!here("10.0.0.7", true, v11, &[local]), "a peer elsewhere");
        assert!(!here("127.0.0.1", false, v11, &[local]), "a listener for others");
        assert!(!here("127.0.0.1", true, Version::HTTP_10, &[local]), "a proxy of old");
        assert!(!here("127.0.0.1", true, v11, &[]), "no name");
        assert!(!here("127.0.0.1", true, v11, &[local, local]), "two names");
        for host in [
            "regreen.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "10.0.0.1",
            "0.0.0.0",
            "a@localhost",
            "[::2]",
            "2130706433",
            "",
        ] {
            assert!(!here("127.0.0.1", true, v11, &[("host", host)]), "{host}");
        }
        for name in ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded", "Via", "X-Real-IP"] {
            assert!(!here("127.0.0.1", true, v11, &[local, (name, "")]), "{name}");
        }
    }
}
