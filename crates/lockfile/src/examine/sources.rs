//! Where packages come from: protocols, hosts, credentials. One finding for each host and rule, at its first line.

use std::collections::BTreeMap;

use regreen_domain::Host;

use crate::origin::{alike, host_of};
use crate::{Finding, Format, Lockfile, Rule, Severity};

/// A host that packages may come from: `npm.example`, `npm.example:8443`, or `*.example` for every host below.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllowedHost(String);

impl AllowedHost {
    /// Reads one; `None` where it is neither a host nor `*.` and a host.
    pub fn parse(text: &str) -> Option<AllowedHost> {
        let host = text.strip_prefix("*.").unwrap_or(text);
        Host::parse(host).map(|_| AllowedHost(text.to_ascii_lowercase()))
    }

    /// As it was written, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn allows(&self, host: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some(below) => host.len() > below.len() && host.ends_with(below),
            None => host == self.0,
        }
    }
}

/// What one source says of itself.
struct Source<'s> {
    host: String,
    /// `https`, `http`, `git`, `ssh`, …; empty for `git@host:path`.
    protocol: &'s str,
    git: bool,
    credentials: bool,
}

impl<'s> Source<'s> {
    fn read(text: &'s str) -> Option<Source<'s>> {
        let host = host_of(text)?;
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let protocol = scheme.rsplit(['+', ':']).next().unwrap_or(scheme);
        let git = scheme.is_empty() || scheme.contains("git") || scheme.ends_with("ssh") || is_git_path(rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user).filter(|_| !scheme.is_empty());
        // `git@` is the name that git hosts give to everybody; a variable is filled in elsewhere.
        let credentials = user.is_some_and(|u| u != "git" && !u.is_empty() && !u.contains('$'));
        let usual = if protocol == "http" { ":80" } else { ":443" };
        let host = host.strip_suffix(usual).map_or_else(|| host.clone(), str::to_owned);
        Some(Source { host, protocol, git, credentials })
    }

    /// Nothing encrypts it or proves who answers. What stays on the machine needs neither.
    fn is_insecure(&self) -> bool {
        let name = self.host.rsplit_once(':').map_or(self.host.as_str(), |(name, _)| name);
        let here = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        matches!(self.protocol, "http" | "git" | "ftp") && !here
    }
}

/// `https://host/a/b.git#commit`
fn is_git_path(rest: &str) -> bool {
    rest.split(['#', '?']).next().is_some_and(|path| path.ends_with(".git"))
}

pub(super) fn findings(lockfile: &Lockfile, allowed: Option<&[AllowedHost]>) -> Vec<Finding> {
    let mut found: BTreeMap<(Rule, String), Seen> = BTreeMap::new();
    let mut seen = |rule: Rule, host: &str, line: u64, title: Option<String>| {
        let seen = found.entry((rule, host.to_owned())).or_insert(Seen { line, count: 0, first: None });
        seen.line = seen.line.min(line);
        if let Some(title) = title {
            seen.count += 1;
            seen.first.get_or_insert(title);
        }
    };
    let entries = lockfile.entries.iter().filter_map(|e| Some((e.source.as_deref()?, e.line, Some(e))));
    // The second listing of npm's version 2 counts only where it says something else.
    let mirrored = lockfile.mirror.iter().filter_map(|e| Some((e.source.as_deref()?, e.line, None)));
    let registries = lockfile.registries.iter().map(|r| (r.url.as_str(), r.line, None));
    let mut last: Option<(&str, Vec<Rule>, String)> = None;
    for (text, line, entry) in entries.chain(mirrored).chain(registries) {
        // Whole lockfiles name one registry in every entry.
        let known = last.as_ref().is_some_and(|(before, ..)| *before == text || alike(before, text));
        if !known {
            let Some(source) = Source::read(text) else { continue };
            let rules = rules(lockfile.format, text, &source, allowed);
            last = Some((text, rules, source.host));
        }
        if let Some((_, rules, host)) = &last {
            for rule in rules {
                seen(*rule, host, line, entry.map(crate::Entry::title));
            }
        }
    }
    found.into_iter().map(|((rule, host), seen)| seen.finding(rule, &host, allowed.is_some())).collect()
}

fn rules(format: Format, text: &str, source: &Source<'_>, allowed: Option<&[AllowedHost]>) -> Vec<Rule> {
    let mut rules = Vec::new();
    if source.is_insecure() {
        rules.push(Rule::InsecureProtocol);
    }
    if source.credentials {
        rules.push(Rule::Credentials);
    }
    if source.git {
        rules.push(Rule::GitSource);
    }
    let fine = is_default(format, text, source)
        || allowed.is_some_and(|hosts| hosts.iter().any(|allowed| allowed.allows(&source.host)));
    // Without a list, a git source is already told of.
    let told = source.git && allowed.is_none();
    if !(fine || told) {
        rules.push(Rule::ForeignHost);
    }
    rules
}

/// Whether the tool fetches from there without being told.
fn is_default(format: Format, text: &str, source: &Source<'_>) -> bool {
    match format {
        Format::CargoLock => {
            text == "registry+https://github.com/rust-lang/crates.io-index"
                || matches!(source.host.as_str(), "index.crates.io" | "static.crates.io")
        }
        _ => !source.git && format.default_hosts().contains(&source.host.as_str()),
    }
}

struct Seen {
    line: u64,
    count: usize,
    first: Option<String>,
}

impl Seen {
    fn finding(&self, rule: Rule, host: &str, listed: bool) -> Finding {
        let whose = match (&self.first, self.count) {
            (None, _) => "an entry or setting".to_owned(),
            (Some(first), 1) => first.clone(),
            (Some(first), count) => format!("{first} and {} more", count - 1),
        };
        let message = match rule {
            Rule::InsecureProtocol => format!("unprotected protocol to {host}: {whose}"),
            Rule::Credentials => format!("credentials in the URL for {host}: {whose}"),
            Rule::GitSource => format!("from a git repository on {host}: {whose}"),
            _ if listed => format!("{host} is not an allowed host: {whose}"),
            _ => format!("{host} is not the tool's default registry: {whose}"),
        };
        let mut finding = Finding::new(rule, self.line, message);
        if rule == Rule::ForeignHost && listed {
            finding.severity = Severity::Error;
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_allowed_exactly_or_below_a_domain() {
        let allows = |pattern: &str, host| AllowedHost::parse(pattern).unwrap().allows(host);
        assert!(allows("npm.example", "npm.example"));
        assert!(!allows("npm.example", "evil-npm.example"));
        assert!(!allows("npm.example", "npm.example:8443"));
        assert!(allows("*.Example", "npm.example"));
        assert!(!allows("*.example", "example"));
        assert!(!allows("*.example", "badexample"));
        for bad in ["", "*", "*.", "https://x", "a/b", "a b", "**.x"] {
            assert_eq!(AllowedHost::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_source_tells_its_protocol() {
        for (text, insecure, git, credentials) in [
            ("https://registry.npmjs.org/a/-/a-1.tgz", false, false, false),
            ("http://registry.npmjs.org/a/-/a-1.tgz", true, false, false),
            ("http://localhost:4873/a/-/a-1.tgz", false, false, false),
            ("git://github.com/a/b.git#0f", true, true, false),
            ("git+http://git.example/a/b", true, true, false),
            ("git+ssh://git@github.com/a/b.git#0f", false, true, false),
            ("git@github.com:a/b.git", false, true, false),
            ("https://github.com/a/b.git#0f", false, true, false),
            ("registry+https://github.com/rust-lang/crates.io-index", false, false, false),
            ("https://user:pw@npm.example/a.tgz", false, false, true),
            ("https://token@npm.example/a.tgz", false, false, true),
            ("https://${USER}:${TOKEN}@pypi.example/simple", false, false, false),
        ] {
            let source = Source::read(text).unwrap();
            assert_eq!(
                (source.is_insecure(), source.git, source.credentials),
                (insecure, git, credentials),
                "{text}"
            );
        }
    }
}
