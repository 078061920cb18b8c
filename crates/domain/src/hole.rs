//! Typed holes: the only way by which something a log said may reach a step.
//!
//! A log is hostile text. A capture is [`Untrusted`] until one of these types has checked it; the type then
//! says what it may be used for, and the caller still checks it against its own allow-list.

use std::fmt;

/// Text that a log, payload or repository file supplied. It can be shown (masked), but has no way out as a
/// string argument except through a typed hole.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Untrusted(String);

impl Untrusted {
    /// Wraps what was captured.
    pub fn new(text: impl Into<String>) -> Self {
        Untrusted(text.into())
    }

    /// For showing to a person, after masking. Never for a path, an argument or a template.
    pub fn for_display(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({} bytes)", self.0.len())
    }
}

macro_rules! hole {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Checks the text; `None` where it is not of this type.
            pub fn parse(text: &str) -> Option<Self> {
                let check: fn(&str) -> bool = $check;
                check(text).then(|| $name(text.to_owned()))
            }

            /// Checks what a log supplied; `None` where it is not of this type.
            pub fn from_untrusted(text: &Untrusted) -> Option<Self> {
                Self::parse(&text.0)
            }

            /// The checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

hole! {
    /// A package name of any supported registry: letters, digits, `@ / . _ -`, no `..`, not starting with `-`.
    PackageName, |t| {
        !t.is_empty()
            && t.len() <= 214
            && !t.starts_with(['-', '.', '/'])
            && !t.contains("..")
            && t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'/' | b'.' | b'_' | b'-'))
    }
}

hole! {
    /// A host name or address with an optional port; no scheme, user, path or query.
    Host, |t| {
        let (name, port) = match t.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
            _ => (t, None),
        };
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        let name_ok = match bare {
            Some(v6) => !v6.is_empty() && v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.'),
            None => {
                !name.is_empty()
                    && !name.starts_with(['-', '.'])
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
            }
        };
        t.len() <= 255 && name_ok && port.is_none_or(|p| p.parse::<u16>().is_ok())
    }
}

hole! {
    /// One key of a CI cache: printable ASCII without quotes, commas or white space, at most 512 bytes.
    CacheKey, |t| {
        !t.is_empty()
            && t.len() <= 512
            && t.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b',' | b'"' | b'\'' | b'`' | b'\\'))
    }
}

hole! {
    /// A relative path below a root the step knows: no empty, `.` or `..` component, no leading `/`, no NUL.
    RelPath, |t| {
        !t.is_empty()
            && t.len() <= 4096
            && !t.bytes().any(|b| b == 0 || b == b'\n' || b == b'\\')
            && t.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_text_does_not_fit_a_hole() {
        for bad in ["", "-rf", "../x", "a b", "a;b", "$(x)", "a\n", "a/../b"] {
            assert_eq!(PackageName::parse(bad), None, "{bad:?}");
        }
        for bad in ["", "a/b", "u@h", "h:99999", "h:x", "-h", "http://h", "h h", "[::1", "a..b/c"] {
            assert_eq!(Host::parse(bad), None, "{bad:?}");
        }
        for bad in ["", "/etc", "a/../b", "..", "a//b", "./a", "a\0b"] {
            assert_eq!(RelPath::parse(bad), None, "{bad:?}");
        }
        for good in ["registry.npmjs.org", "127.0.0.1:4873", "[::1]:80", "localhost"] {
            assert!(Host::parse(good).is_some(), "{good:?}");
        }
        assert!(PackageName::parse("@types/node").is_some());
        assert!(RelPath::parse("content-v2/sha512/aa").is_some());
    }

    proptest! {
        #[test]
        fn a_relative_path_never_climbs(text in "[a-z./]{0,20}") {
            if let Some(path) = RelPath::parse(&text) {
                let depth = std::path::Path::new(path.as_str()).components().try_fold(0i32, |d, c| match c {
                    std::path::Component::Normal(_) => Some(d + 1),
                    _ => None,
                });
                prop_assert!(depth.is_some());
            }
        }
    }
}
