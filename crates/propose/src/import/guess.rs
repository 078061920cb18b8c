//! The class that the words of another tool's rule speak for. A guess, and said to be one.

use regreen_domain::FailureClass;

/// Words that speak for a class, the more telling ones first.
const WORDS: [(&str, &[&str]); 12] = [
    ("rate-limited", &["429", "rate limit", "too many requests", "toomanyrequests"]),
    ("resource-exhausted", &["no space", "disk", "out of memory", "outofmemory", "oom", "quota"]),
    (
        "network-timeout",
        &["network", "timed out", "timeout", "connection", "unreachable", "resolve host", "dns"],
    ),
    ("service-unavailable", &["502", "503", "504", "unavailable", "bad gateway", "outage"]),
    (
        "credential-failure",
        &["401", "403", "credential", "unauthorized", "forbidden", "permission denied", "publickey"],
    ),
    ("trust-failure", &["certificate", "ssl", "tls", "signature"]),
    ("runner-failure", &["agent", "offline", "runner", "channel", "node went", "preempted"]),
    ("toolchain-missing", &["command not found", "not installed", "no such tool"]),
    ("dependency-unresolvable", &["could not resolve dependencies", "dependency", "artifact not found"]),
    ("lint-failure", &["lint", "checkstyle", "format", "style"]),
    ("test-failure", &["test", "assert"]),
    ("build-failure", &["compil", "build", "syntax error", "linker"]),
];

/// The class whose words the first of these texts holds; a failure of configuration, which is never healed, where none
/// speaks for anything.
pub(super) fn class(texts: &[&str]) -> (FailureClass, String) {
    let by = |text: &str| {
        let text = text.to_ascii_lowercase();
        WORDS
            .iter()
            .find_map(|(class, words)| words.iter().find(|w| holds(&text, w)).map(|word| (*class, *word)))
    };
    let said = texts.iter().find_map(|text| by(text));
    let (id, note) = match said {
        Some((class, word)) => (class, format!("a guess, because it says \"{word}\"")),
        None => ("config-failure", "nothing says what it is".to_owned()),
    };
    (FailureClass::parse(id).unwrap_or(FailureClass::Unknown), note)
}

/// Whether a word of the text begins so: "loom" is not out of memory.
fn holds(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::{WORDS, class};

    #[test]
    fn every_class_here_is_one() {
        for (id, words) in WORDS {
            assert_eq!(class(&["x", words[0]]).0.id(), id);
        }
        assert_eq!(class(&["the loom broke"]).0.id(), "config-failure");
        assert_eq!(class(&["x"]).0.id(), "config-failure");
    }
}
