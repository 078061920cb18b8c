//! Why has a host's name no address here? By the system's own resolver, as the tools use it.

use std::time::Duration;

/// Longest that the resolver may take: glibc's own first try takes 5 s.
const PATIENCE: Duration = Duration::from_secs(6);

/// What the resolver says of a registry's host, in a sentence.
pub(super) async fn dns(host: &str) -> String {
    let name = name(host);
    // Any port: only the name is asked for.
    let looked = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((name, 443))).await;
    let looked = looked.map(|found| found.map(|addresses| addresses.count()));
    let why = match looked {
        Ok(Ok(1..)) => {
            return format!("{host}: its name could not be resolved a moment ago, and can be now");
        }
        Ok(Ok(_)) => "the resolver knows it and has no address for it",
        Ok(Err(e)) => meaning(&e.to_string()),
        Err(_) => "the resolver does not answer",
    };
    format!("{host}: its name can't be resolved: {why}")
}

/// Without port and brackets.
fn name(host: &str) -> &str {
    let bare = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    bare.trim_start_matches('[').trim_end_matches(']')
}

/// The resolver's words, told apart. Source: `gai_strerror(3)` of glibc and musl.
fn meaning(error: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|w| error.contains(w));
    if has(&["Temporary failure", "Try again"]) {
        "the resolver can't ask its servers now (a matter of this machine's network)"
    } else if has(&["Name or service not known", "No address associated", "Name does not resolve"]) {
        "no such host is known to the resolver"
    } else {
        "the resolver failed"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        let words = "failed to lookup address information: Temporary failure in name resolution";
        assert!(meaning(words).contains("can't ask its servers"));
        let words = "failed to lookup address information: Name or service not known";
        assert!(meaning(words).contains("no such host"));
        assert_eq!(name("registry.example:8080"), "registry.example");
        assert_eq!(name("[::1]:80"), "::1");
    }

    #[tokio::test]
    async fn a_name_that_cannot_exist_is_said_to_be_unknown_or_unaskable() {
        // `.invalid` is reserved for this. Source: RFC 6761, section 6.4.
        assert!(dns("registry.invalid:443").await.contains("can't be resolved"));
        assert!(dns("127.0.0.1:9").await.contains("can be now"));
    }
}
