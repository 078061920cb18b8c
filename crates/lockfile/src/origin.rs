//! Where an entry comes from: the host in a source as lockfiles write it.

/// The host (with its port) of a source such as `https://registry.npmjs.org/a/-/a-1.tgz`,
/// `registry+https://…`, `git+ssh://git@host/…` or `git@host:a/b`. `None` for a path or a bare name. User
/// names and passwords are not part of it.
pub(crate) fn host_of(source: &str) -> Option<String> {
    let authority = match source.split_once("://") {
        Some((scheme, rest)) if !scheme.ends_with("file") => rest.split(['/', '?', '#']).next()?,
        Some(_) => return None,
        None => {
            // scp-like: `git@host:path`, also as `git+git@host:path`.
            let (before, _) = source.split_once(':')?;
            let (_, host) = before.split_once('@')?;
            if host.contains('/') {
                return None;
            }
            host
        }
    };
    let host = authority.rsplit('@').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Whether two addresses differ only in paths of archives on the same host, of which there is nothing else to say.
pub(crate) fn alike(one: &str, other: &str) -> bool {
    let authority = |text: &str| {
        let start = text.find("://")? + 3;
        Some(start + text.get(start..)?.find('/')?)
    };
    let archive =
        |text: &str| memchr::memchr2(b'?', b'#', text.as_bytes()).is_none() && !text.ends_with(".git");
    authority(one).is_some_and(|end| other.get(..=end) == one.get(..=end)) && archive(one) && archive(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_without_the_user() {
        for (source, host) in [
            ("https://registry.npmjs.org/ms/-/ms-2.1.3.tgz", Some("registry.npmjs.org")),
            ("registry+https://github.com/rust-lang/crates.io-index", Some("github.com")),
            ("sparse+https://user:pw@Crates.example:8443/index/", Some("crates.example:8443")),
            ("git+ssh://git@git.example/a/b.git#0f", Some("git.example")),
            ("git@git.example:a/b.git", Some("git.example")),
            ("https://[::1]:4873/x", Some("[::1]:4873")),
            ("file:../x", None),
            ("file:///x", None),
            ("packages/api", None),
            ("npm:@scope/name@1", None),
            ("", None),
        ] {
            assert_eq!(host_of(source).as_deref(), host, "{source}");
        }
    }
}
