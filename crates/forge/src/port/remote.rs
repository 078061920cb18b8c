//! Where a clone comes from.

use super::Repository;

/// A host and a repository there, as an address of git's names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The host, in lower case, without a port.
    pub host: String,
    /// The repository.
    pub repository: Repository,
}

impl Remote {
    /// `https://HOST/OWNER/NAME.git`, `ssh://git@HOST:22/OWNER/NAME`, `git@HOST:OWNER/NAME.git`. A user and a password in
    /// it are left out. `None` for everything else: a folder, a file, a helper (`ext::…`).
    ///
    /// Source: `git help fetch`, "GIT URLS".
    pub fn parse(address: &str) -> Option<Remote> {
        let (authority, path) = match address.trim().split_once("://") {
            Some((scheme, rest)) => {
                let known = ["https", "http", "ssh", "git", "git+ssh", "ssh+git"];
                known.iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(())?;
                rest.split_once('/')?
            }
            // A slash before the colon makes it a folder.
            None => address.trim().split_once(':').filter(|(authority, _)| !authority.contains('/'))?,
        };
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => host,
        };
        let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        let path = path.trim_matches('/');
        let repository = Repository::parse(path.strip_suffix(".git").unwrap_or(path))?;
        let host = match host.to_ascii_lowercase() {
            // SSH where port 22 is closed: GitHub's manual, "Using SSH over the HTTPS port".
            host if host == "ssh.github.com" => "github.com".to_owned(),
            host => host,
        };
        (named && !host.is_empty()).then_some(Remote { host, repository })
    }
}

#[cfg(test)]
mod tests {
    use super::Remote;

    #[test]
    fn an_address_names_a_host_and_a_repository() {
        for (address, want) in [
            ("https://github.com/octo-org/hello.git", Some("github.com octo-org/hello")),
            (
                "https://x-access-token:ghs_secret@GitHub.com/octo-org/hello/",
                Some("github.com octo-org/hello"),
            ),
            ("git@github.com:octo-org/hello.world.git\n", Some("github.com octo-org/hello.world")),
            ("ssh://git@ssh.github.com:443/octo-org/hello.git", Some("github.com octo-org/hello")),
            ("http://127.0.0.1:4010/o/r", Some("127.0.0.1 o/r")),
            ("git@gitlab.example.com:group/sub/project.git", Some("gitlab.example.com group/sub/project")),
            ("https://github.com/octo-org", None),
            ("https://github.com/octo-org/../other", None),
            ("https://github.com/a b/c", None),
            ("https:///a/b", None),
            ("https://[::1]/a/b", None),
            ("file:///srv/git/o/r.git", None),
            ("/srv/git/o/r.git", None),
            ("../o/r:s", None),
            ("ext::sh -c 'touch /tmp/x' o/r", None),
            ("", None),
        ] {
            let found = Remote::parse(address).map(|found| format!("{} {}", found.host, found.repository));
            assert_eq!(found.as_deref(), want, "{address}");
        }
    }
}
