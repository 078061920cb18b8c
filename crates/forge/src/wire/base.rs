//! The address of a host's API, and addresses below it.

use std::fmt::Write as _;

use ureq::http::Uri;

/// The address of a host's API.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// Without a slash at its end.
    text: String,
    uri: Uri,
}

impl Base {
    /// `https`, or `http` to this machine itself: a credential goes over no wire in the clear.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Base, String> {
        let text = text.trim_end_matches('/');
        let uri: Uri = text.parse().map_err(|e| format!("not an address: {e}"))?;
        let host = uri.host().ok_or("not an address: begin with https://")?;
        if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err("a name or password has no place in an address".to_owned());
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("it may not hold `?` or `#`".to_owned());
        }
        let local = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if local => {}
            Some("http") => {
                return Err("`http` would show the token to everybody on the way: use https".to_owned());
            }
            _ => return Err("not an address: begin with https://".to_owned()),
        }
        Ok(Base { text: text.to_owned(), uri })
    }

    /// The address below it.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// Itself.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Where a redirect leads, if it may be followed: `https`, or `http` where the host itself is asked so.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn redirect(&self, from: &str, location: &str) -> Result<String, String> {
        let target = if location.starts_with('/') && !location.starts_with("//") {
            let from: Uri = from.parse().map_err(|_| "it came from nowhere".to_owned())?;
            let authority = from.authority().map_or("", |a| a.as_str());
            format!("{}://{authority}{location}", from.scheme_str().unwrap_or("https"))
        } else {
            location.to_owned()
        };
        let uri: Uri = target.parse().map_err(|_| "it leads to what is no address".to_owned())?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if scheme != "https" && !(scheme == "http" && self.uri.scheme_str() == Some("http")) {
            return Err("it leads to an address that is not https".to_owned());
        }
        if uri.host().is_none() || uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err("it leads to what is no address".to_owned());
        }
        Ok(target)
    }

    /// Whether an address is at the same scheme, host and port: only such a one may see the credential.
    pub(crate) fn is_own(&self, url: &str) -> bool {
        let Ok(uri) = url.parse::<Uri>() else { return false };
        uri.scheme() == self.uri.scheme() && uri.authority() == self.uri.authority()
    }
}

/// A part of an address, with everything encoded that could end it. `/` too, unless it is a path.
pub(crate) fn part(text: &str) -> String {
    encode(text, false)
}

/// A path in an address: as [`part`], but for its slashes.
pub(crate) fn path(text: &str) -> String {
    encode(text, true)
}

fn encode(text: &str, slashes: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            b'/' if slashes => encoded.push('/'),
            _ => {
                let _never_fails = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// The text of what a host sends as base64, in lines; `None` where it is no text.
pub(crate) fn decoded(content: &str) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let plain: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    String::from_utf8(STANDARD.decode(plain).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_no_wire_in_the_clear() {
        for right in ["https://api.github.com", "https://ghe.example.com/api/v3/", "http://127.0.0.1:4010"] {
            assert!(Base::parse(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "api.github.com",
            "http://ghe.example.com",
            "https://me:secret@ghe.example.com",
            "https://a/?x",
            "ftp://a",
            "file:///etc",
        ] {
            assert!(Base::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn redirects_lead_to_https_and_the_token_stays_home() {
        let base = Base::parse("https://ghe.example.com/api/v3").unwrap();
        let from = base.at("/repos/a/b/actions/jobs/1/logs");
        assert_eq!(base.redirect(&from, "/x?y=1").as_deref(), Ok("https://ghe.example.com/x?y=1"));
        assert_eq!(base.redirect(&from, "https://blobs.example/z").as_deref(), Ok("https://blobs.example/z"));
        for wrong in [
            "http://ghe.example.com/x",
            "//evil/x",
            "file:///etc/passwd",
            "gopher://a/",
            "https://u:p@a/",
            "x",
            "",
        ] {
            assert!(base.redirect(&from, wrong).is_err(), "{wrong}");
        }
        assert!(base.is_own("https://ghe.example.com/anything"));
        for other in
            ["https://ghe.example.com:8443/", "http://ghe.example.com/", "https://ghe.example.com.evil/"]
        {
            assert!(!base.is_own(other), "{other}");
        }
    }

    #[test]
    fn names_stay_one_part() {
        assert_eq!(part("a/b?c#d e"), "a%2Fb%3Fc%23d%20e");
        assert_eq!(path("docs/a b.md"), "docs/a%20b.md");
    }
}
