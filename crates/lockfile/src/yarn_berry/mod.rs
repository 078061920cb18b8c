//! The `yarn.lock` of Yarn 2 and later ("berry"), metadata versions 4 and up.
//!
//! The checksum is a SHA-512 of the archive as Yarn packs it anew, so it depends on Yarn's own way of packing, which the
//! cache key names. Packages for other platforms have none until somebody fetches them.

mod agree;
mod merge;

use crate::checksum::Style;
use crate::format::Facts;
use crate::json::{self, Json};
use crate::position::Lines;
use crate::{Algorithm, Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::LAYOUT;

const FORMAT: Format = Format::YarnBerry;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "yarn-berry",
    tool: "yarn",
    file_names: &["yarn.lock"],
    manifest: Ok("package.json"),
    default_hosts: &["registry.yarnpkg.com", "registry.npmjs.org"],
    style: Style::Hex(Algorithm::Sha512),
    may_be_empty: false,
    silent_default: true,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let root = json::read_yaml(text, &lines)?;
    let Some(metadata) = root.get("__metadata") else {
        return Err(lines.unparsable(root.span.start, "expected `__metadata` in a yarn lockfile"));
    };
    let version = metadata.text("version").and_then(|v| v.parse().ok());
    let Some(version @ 4..) = version else {
        let line = lines.line(metadata.span.start);
        let written = metadata.text("version").unwrap_or("of no number");
        return Err(Damage::Unsupported { line, why: format!("yarn lockfile version {written}") });
    };
    let mut damage = root.duplicate_keys(&lines);
    let mut entries = Vec::new();
    let mut members = Vec::new();
    let (mut schemes, key) = (Vec::new(), metadata.text("cacheKey").unwrap_or_default());
    for member in root.members().iter().filter(|m| m.key != "__metadata") {
        let package = &member.value;
        let Some(resolution) = package.text("resolution") else {
            return Err(match lines.line(package.span.end) >= lines.last() {
                true => Damage::Truncated { line: lines.last() },
                false => lines.unparsable(member.at, "an entry without `resolution`"),
            });
        };
        let (name, reference) = split(resolution);
        let mut entry = Entry {
            version: package.text("version").map(str::to_owned),
            ..Entry::new(&*member.key, name, lines.line(member.at))
        };
        entry.source = source(reference);
        entry.local = package.text("linkType") == Some("soft")
            || ["workspace:", "link:", "portal:", "file:"].iter().any(|p| reference.starts_with(p));
        entry.unproved = package.get("conditions").is_some() || reference.starts_with("patch:");
        if let Some(folder) = reference.strip_prefix("workspace:").filter(|f| *f != ".") {
            members.push(folder.to_owned());
        }
        if let Some(checksum) = package.get("checksum") {
            let written = checksum.as_str().unwrap_or_default();
            let inner = checksum.inner(text);
            let (scheme, digits) = written.split_once('/').unwrap_or((key, written));
            schemes.push(scheme.to_owned());
            let span = inner.end.saturating_sub(digits.len()).max(inner.start)..inner.end;
            damage.extend(entry.add_checksum(FORMAT, digits, span, lines.line(inner.start)));
        }
        for (kind, optional) in [("dependencies", false), ("peerDependencies", true)] {
            for dependency in package.get(kind).map(Json::members).unwrap_or_default() {
                entry.dependencies.push(Dependency {
                    name: dependency.key.to_string(),
                    requirement: dependency.value.as_str().map(str::to_owned),
                    place: None,
                    optional,
                });
            }
        }
        entry.dependencies.sort();
        entries.push(entry);
    }
    schemes.sort();
    schemes.dedup();
    let checksum_scheme = (!schemes.is_empty()).then(|| schemes.join(" "));
    let lockfile = Lockfile::new(FORMAT, Some(version), entries, damage);
    Ok(Lockfile { checksum_scheme, members, ..lockfile })
}

/// Splits `name@reference`; the `@` of a scope is not the one.
fn split(text: &str) -> (&str, &str) {
    match text.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    }
}

/// Where a reference is fetched from; `None` for the registry's own.
fn source(reference: &str) -> Option<String> {
    if reference.starts_with("npm:") {
        let url = reference.split_once("::__archiveUrl=").map(|(_, url)| url)?;
        return Some(percent_decoded(url.split('&').next().unwrap_or(url)));
    }
    let elsewhere = reference.contains("://") || reference.starts_with("git@");
    elsewhere.then(|| reference.to_owned())
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match (first, tail) {
            (b'%', [high, low, ..]) => {
                let digit = |b: &u8| char::from(*b).to_digit(16);
                digit(high).zip(digit(low)).and_then(|(h, l)| u8::try_from(h << 4 | l).ok())
            }
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_their_source() {
        for (reference, want) in [
            ("npm:1.0.0", None),
            ("workspace:.", None),
            ("npm:1.0.0::__archiveUrl=https%3A%2F%2Fnpm.example%2Fa.tgz", Some("https://npm.example/a.tgz")),
            ("https://github.com/a/b.git#commit=0f", Some("https://github.com/a/b.git#commit=0f")),
            ("git@github.com:a/b.git#commit=0f", Some("git@github.com:a/b.git#commit=0f")),
        ] {
            assert_eq!(source(reference).as_deref(), want, "{reference}");
        }
        assert_eq!(percent_decoded("a%2"), "a%2");
        assert_eq!(percent_decoded("%zz%41"), "%zzA");
    }
}
