//! One message over HTTP: nothing is followed, nothing is tried again.

use std::{io::Read, sync::OnceLock, time::Duration};

use ureq::{
    Agent,
    http::Uri,
    tls::{RootCerts, TlsConfig},
};

use crate::SinkError;

/// Longest that a message may take.
const LIMIT: Duration = Duration::from_secs(10);
/// So much of an answer is read.
const ANSWER: u64 = 4096;

/// Where messages go. It is a secret: whoever knows it may write there.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(…)")
    }
}

/// It is no address for messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It is no URL.
    #[error("it is not a web address")]
    NotOne,
    /// In the clear, over a network.
    #[error("it must begin with https:// (http:// only for this machine)")]
    InTheClear,
    /// A name and password in it.
    #[error("it may hold no user name or password")]
    Credentials,
}

impl Address {
    /// A web address over TLS, or of this machine.
    ///
    /// # Errors
    /// [`BadAddress`]; the address itself is not told.
    pub fn parse(text: &str) -> Result<Address, BadAddress> {
        let text = text.trim();
        let uri: Uri = text.parse().map_err(|_| BadAddress::NotOne)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(BadAddress::NotOne);
        };
        if authority.as_str().contains('@') {
            return Err(BadAddress::Credentials);
        }
        let host = authority.host().trim_matches(['[', ']']);
        let here = host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        match scheme {
            "https" => Ok(Address(text.to_owned())),
            "http" if here => Ok(Address(text.to_owned())),
            "http" => Err(BadAddress::InTheClear),
            _ => Err(BadAddress::NotOne),
        }
    }

    /// The host that it is at. The path, which can be a key, is left out.
    pub fn origin(&self) -> String {
        let uri: Option<Uri> = self.0.parse().ok();
        let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?)));
        parts.map(|(scheme, at)| format!("{scheme}://{at}")).unwrap_or_default()
    }

    fn in_the_clear(&self) -> bool {
        self.0.starts_with("http://")
    }
}

/// Sends a JSON document; the answer's body, shortened.
/// Sends a JSON document, once; the answer's body, shortened.
///
/// # Errors
/// [`SinkError`], which says whether trying again may help. The address is in no error.
pub fn post_json(address: &Address, headers: &[(&str, String)], body: &[u8]) -> Result<String, SinkError> {
    post(address, headers, body)
}

pub(crate) fn post(address: &Address, headers: &[(&str, String)], body: &[u8]) -> Result<String, SinkError> {
    // To this machine in the clear: through no proxy, which would read it.
    static THROUGH: OnceLock<Agent> = OnceLock::new();
    static STRAIGHT: OnceLock<Agent> = OnceLock::new();
    let agent = match address.in_the_clear() {
        true => STRAIGHT.get_or_init(|| agent(false)),
        false => THROUGH.get_or_init(|| agent(true)),
    };
    let mut request = agent.post(&address.0).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    // The address, with what is secret in it, is in no error.
    let mut response = request.send(body).map_err(|e| SinkError::later(reason(&e)))?;
    let status = response.status().as_u16();
    let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let mut text = Vec::new();
    // What it says is for people; that it can't be read changes nothing.
    let _read = response.body_mut().as_reader().take(ANSWER).read_to_end(&mut text);
    let text = without_address(address, &String::from_utf8_lossy(&text));
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    match status {
        200..300 => Ok(text),
        408 | 425 | 429 | 500.. => Err(SinkError::Later { why: format!("{status} {text}"), after }),
        _ => Err(SinkError::Refused { why: format!("{status} {text}") }),
    }
}

/// What a server says, without the parts of its own address: many a one says which path it did not know, and that may be the key.
fn without_address(address: &Address, text: &str) -> String {
    /// What is shorter is a word, such as `hooks`.
    const SHORTEST: usize = 6;
    let (_, path) =
        address.0.split_once("://").and_then(|(_, rest)| rest.split_once('/')).unwrap_or_default();
    let mut parts: Vec<&str> =
        path.split(['/', '?', '&', '=', '#']).filter(|part| part.len() >= SHORTEST).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts.into_iter().fold(text.to_owned(), |text, part| text.replace(part, "[hidden]"))
}

fn agent(proxy: bool) -> Agent {
    let mut config = Agent::config_builder();
    if !proxy {
        config = config.proxy(None);
    }
    config
        .timeout_global(Some(LIMIT))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("regreen/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .build()
        .into()
}

fn reason(error: &ureq::Error) -> &'static str {
    match error {
        ureq::Error::HostNotFound => "its host is not known",
        ureq::Error::ConnectionFailed => "no connection",
        ureq::Error::Timeout(_) => "no answer in time",
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "its certificate is not trusted, or TLS failed",
        ureq::Error::Io(_) => "the connection broke",
        _ => "it could not be sent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tls_leaves_the_machine() {
        for good in
            ["https://hooks.example/T/B/x", "http://127.0.0.1:8/x", "http://localhost/x", "http://[::1]:1/"]
        {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://hooks.example/x", BadAddress::InTheClear),
            ("http://localhost.evil.example/x", BadAddress::InTheClear),
            ("https://u:p@hooks.example/x", BadAddress::Credentials),
            ("file:///etc/passwd", BadAddress::NotOne),
            ("hooks.example", BadAddress::NotOne),
            ("", BadAddress::NotOne),
        ] {
            assert_eq!(Address::parse(bad), Err(why), "{bad}");
        }
        let shown = format!("{:?}", Address::parse("https://hooks.example/T/B/secret"));
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn what_a_server_repeats_of_its_address_is_hidden() {
        let address = Address::parse("https://hooks.example/hooks/T0/SeCrEtKeY123?token=abcdef99").unwrap();
        let said = "Cannot POST /hooks/T0/SeCrEtKeY123?token=abcdef99 (hooks)";
        assert_eq!(without_address(&address, said), "Cannot POST /hooks/T0/[hidden]?token=[hidden] (hooks)");
    }
}
