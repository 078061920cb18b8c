//! Public services that jobs depend on: by which host they are known, and at which address it is seen whether they serve.
//!
//! A log may select one of these, and none besides: nothing is ever sent to an address that a log names.

/// A public service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Its host, in lower case.
    pub host: &'static str,
    /// The address of a small thing that it always serves.
    pub probe_url: &'static str,
    /// Tools that use it where nobody configures another.
    pub tools: &'static [&'static str],
}

const fn service(host: &'static str, probe_url: &'static str, tools: &'static [&'static str]) -> Service {
    Service { host, probe_url, tools }
}

/// Every public service that is known, as the tools' own documentation names them. Tools whose service lies with the machine's
/// configuration (apt, dnf, curl, …) have none of their own.
pub const PUBLIC: [Service; 23] = [
    service("registry.npmjs.org", "https://registry.npmjs.org/-/ping", &["npm", "pnpm", "bun"]),
    service("registry.yarnpkg.com", "https://registry.yarnpkg.com/-/ping", &["yarn"]),
    service("pypi.org", "https://pypi.org/simple/pip/", &["pip", "pipenv", "poetry", "uv"]),
    service("files.pythonhosted.org", "https://files.pythonhosted.org/", &[]),
    service("index.crates.io", "https://index.crates.io/config.json", &["cargo"]),
    service("static.crates.io", "https://static.crates.io/", &[]),
    service("rubygems.org", "https://rubygems.org/info/rake", &["bundler", "gem"]),
    service("repo.packagist.org", "https://repo.packagist.org/packages.json", &["composer"]),
    service("proxy.golang.org", "https://proxy.golang.org/golang.org/x/text/@v/list", &["go"]),
    service("sum.golang.org", "https://sum.golang.org/latest", &[]),
    service("repo.maven.apache.org", "https://repo.maven.apache.org/maven2/", &["maven"]),
    service("repo1.maven.org", "https://repo1.maven.org/maven2/", &[]),
    service("plugins.gradle.org", "https://plugins.gradle.org/m2/", &[]),
    service("services.gradle.org", "https://services.gradle.org/versions/current", &[]),
    service("api.nuget.org", "https://api.nuget.org/v3/index.json", &["nuget", "dotnet"]),
    service("registry-1.docker.io", "https://registry-1.docker.io/v2/", &["docker"]),
    service("ghcr.io", "https://ghcr.io/v2/", &[]),
    service("quay.io", "https://quay.io/v2/", &[]),
    service("github.com", "https://github.com/robots.txt", &[]),
    service("api.github.com", "https://api.github.com/zen", &[]),
    service("gitlab.com", "https://gitlab.com/robots.txt", &[]),
    service(
        "conda.anaconda.org",
        "https://conda.anaconda.org/conda-forge/noarch/repodata.json.zst",
        &["conda", "mamba"],
    ),
    service("deb.debian.org", "https://deb.debian.org/debian/", &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_asked_at_its_own_host_and_encrypted_and_no_tool_has_two() {
        for one in &PUBLIC {
            let rest = one.probe_url.strip_prefix("https://").and_then(|rest| rest.strip_prefix(one.host));
            assert!(rest.is_some_and(|rest| rest.starts_with('/')), "{one:?}");
            assert_eq!(one.host, one.host.to_ascii_lowercase());
            assert_eq!(PUBLIC.iter().filter(|other| other.host == one.host).count(), 1, "{one:?}");
            for tool in one.tools {
                assert_eq!(PUBLIC.iter().filter(|other| other.tools.contains(tool)).count(), 1, "{tool}");
            }
        }
    }
}
