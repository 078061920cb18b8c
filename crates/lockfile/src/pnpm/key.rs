//! The keys of `packages` and `snapshots`.
//!
//! Version 5 writes `/name/1.0.0_peers`, version 6 `/name@1.0.0(peers)`, version 9 `name@1.0.0(peers)`. What is not from
//! the default registry is written with its host, its URL or its path instead.

/// What a key tells of its package.
pub(super) struct Id {
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// A URL or path that stands in place of a version.
    pub(super) source: Option<String>,
}

impl Id {
    pub(super) fn read(key: &str, lockfile: u64) -> Id {
        let bare = without_peers(key);
        let registry = bare.strip_prefix('/');
        let split = match (lockfile, registry) {
            (5, Some(path)) => path.rsplit_once('/').map(|(n, v)| (n, v.split('_').next().unwrap_or(v))),
            (5, None) | (6, None) => None,
            (_, path) => {
                let path = path.unwrap_or(bare);
                path.char_indices()
                    .skip(1)
                    .find(|(_, c)| *c == '@')
                    .map(|(at, _)| (&path[..at], &path[at + 1..]))
            }
        };
        match split {
            Some((name, version))
                if version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains(':') =>
            {
                Id { name: name.to_owned(), version: Some(version.to_owned()), source: None }
            }
            Some((name, source)) => {
                Id { name: name.to_owned(), version: None, source: Some(source.to_owned()) }
            }
            None => Id { name: bare.to_owned(), version: None, source: Some(bare.to_owned()) },
        }
    }
}

/// The key without what stands in parentheses behind it.
pub(super) fn without_peers(key: &str) -> &str {
    key.find('(').map_or(key, |at| &key[..at])
}

/// The keys that `version`, as it is written beside `name`, may mean.
pub(super) fn candidates(name: &str, version: &str, lockfile: u64) -> [String; 2] {
    let own = match lockfile {
        5 => format!("/{name}/{version}"),
        6 => format!("/{name}@{version}"),
        _ => format!("{name}@{version}"),
    };
    // An alias, a URL or a path is written as the whole key.
    [own, version.to_owned()]
}

/// Whether it is a folder of the workspace, which `packages` need not have.
pub(super) fn is_local(version: &str) -> bool {
    ["link:", "workspace:", "file:"].iter().any(|p| version.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_version() {
        for (key, lockfile, name, version, source) in [
            ("/ms/2.1.3", 5, "ms", Some("2.1.3"), None),
            ("/@s/x/1.0.0_react@17.0.2", 5, "@s/x", Some("1.0.0"), None),
            ("/ms@2.1.3", 6, "ms", Some("2.1.3"), None),
            ("/@s/x@1.0.0(react@17.0.2)(a@1)", 6, "@s/x", Some("1.0.0"), None),
            ("ms@2.1.3", 9, "ms", Some("2.1.3"), None),
            ("@s/x@1.0.0", 9, "@s/x", Some("1.0.0"), None),
            ("x@https://h.example/x.tgz", 9, "x", None, Some("https://h.example/x.tgz")),
            ("github.com/a/b/0f", 6, "github.com/a/b/0f", None, Some("github.com/a/b/0f")),
            ("file:../x", 6, "file:../x", None, Some("file:../x")),
            ("odd", 9, "odd", None, Some("odd")),
        ] {
            let id = Id::read(key, lockfile);
            assert_eq!(
                (id.name.as_str(), id.version.as_deref(), id.source.as_deref()),
                (name, version, source),
                "{key}"
            );
        }
    }
}
