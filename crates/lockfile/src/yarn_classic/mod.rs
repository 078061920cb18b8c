//! Yarn 1's `yarn.lock`.

mod agree;
mod line;
mod merge;

use crate::checksum::Style;
use crate::format::Facts;
use crate::names::Names;
use crate::position::Lines;
use crate::{Algorithm, Checksum, Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::{agrees, unneeded};
pub(crate) use merge::LAYOUT;

use line::Block;

const FORMAT: Format = Format::YarnClassic;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "yarn-classic",
    tool: "yarn",
    file_names: &["yarn.lock"],
    manifest: Ok("package.json"),
    default_hosts: &["registry.yarnpkg.com", "registry.npmjs.org"],
    style: Style::Sri,
    may_be_empty: false,
    silent_default: false,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    if let Some(version) = newer(text) {
        return Err(Damage::Unsupported { line: 1, why: format!("yarn lockfile version {version}") });
    }
    let blocks = line::blocks(text, &lines)?;
    // Without entries there is at least the whole head.
    if blocks.is_empty() && !text.ends_with('\n') {
        return Err(Damage::Truncated { line: lines.last() });
    }
    let mut damage = Vec::new();
    let mut patterns: Names<'_, (usize, u64)> = Names::new();
    for (n, block) in blocks.iter().enumerate() {
        for key in &block.keys {
            let line = lines.line(key.span.start);
            if let Some((_, first_line)) = patterns.get(&key.text) {
                damage.push(Damage::DuplicateEntry {
                    line,
                    first_line: *first_line,
                    entry: key.text.to_string(),
                });
            }
            patterns.insert(&key.text, (n, line));
        }
    }
    let places: Vec<String> = blocks.iter().map(place).collect();
    let mut entries = Vec::with_capacity(blocks.len());
    for (n, block) in blocks.iter().enumerate() {
        let mut entry = entry(block, &places[n], n + 1 == blocks.len(), &lines, &mut damage)?;
        for (list, optional) in [("dependencies", false), ("optionalDependencies", true)] {
            for (name, range) in block.list(list) {
                let found = patterns.get(&format!("{}@{}", name.text, range.text));
                if found.is_none() && !optional {
                    let needs = format!("{}@{}", name.text, range.text);
                    damage.push(Damage::MissingEntry { line: entry.line, entry: entry.title(), needs });
                }
                entry.dependencies.push(Dependency {
                    name: name.text.to_string(),
                    requirement: Some(range.text.to_string()),
                    place: found.map(|(n, _)| places[*n].clone()),
                    optional,
                });
            }
        }
        entry.dependencies.sort();
        entries.push(entry);
    }
    Ok(Lockfile::new(FORMAT, Some(1), entries, damage))
}

/// The version in the head, where it is one that is not known here.
fn newer(text: &str) -> Option<u64> {
    let comments = text.lines().take(10).filter_map(|l| l.strip_prefix("# yarn lockfile v"));
    comments.filter_map(|v| v.trim().parse().ok()).find(|v| *v != 1)
}

fn place(block: &Block<'_>) -> String {
    block.keys.iter().map(|k| &*k.text).collect::<Vec<_>>().join(", ")
}

fn entry(
    block: &Block<'_>,
    place: &str,
    last: bool,
    lines: &Lines<'_>,
    damage: &mut Vec<Damage>,
) -> Result<Entry, Damage> {
    let pattern = block.keys.first().map_or("", |k| &k.text);
    let mut entry = Entry::new(place, name(pattern), lines.line(block.at()));
    let Some(version) = block.text("version") else {
        return Err(match last {
            true => Damage::Truncated { line: lines.last() },
            false => lines.unparsable(block.at(), "an entry without `version`"),
        });
    };
    entry.version = Some(version.text.to_string());
    entry.local =
        range(pattern).is_some_and(|r| ["file:", "link:", "portal:"].iter().any(|p| r.starts_with(p)));
    if let Some(integrity) = block.text("integrity") {
        let line = lines.line(integrity.span.start);
        for word in integrity.text.split_ascii_whitespace() {
            let start = integrity.span.start
                + (word.as_ptr() as usize).wrapping_sub(integrity.text.as_ptr() as usize);
            damage.extend(entry.add_checksum(FORMAT, word, start..start + word.len(), line));
        }
        if entry.sites.is_empty() {
            damage.push(Damage::BadChecksum { line, entry: entry.title(), why: "it is empty".to_owned() });
        }
    }
    if let Some(resolved) = block.text("resolved") {
        let (url, fragment) = resolved.text.split_once('#').unwrap_or((&resolved.text, ""));
        // Behind an archive stands its SHA-1; behind a repository, the commit.
        let archive =
            [".tgz", ".tar.gz"].iter().any(|end| url.split('?').next().is_some_and(|u| u.ends_with(end)));
        match Checksum::of_hex(Algorithm::Sha1, fragment).ok() {
            _ if !archive || fragment.is_empty() => entry.source = Some(resolved.text.to_string()),
            Some(sha1) => {
                entry.source = Some(url.to_owned());
                entry.checksums.push(sha1);
            }
            None => {
                entry.source = Some(url.to_owned());
                let why = "the SHA-1 behind the URL is not 40 hex digits".to_owned();
                let line = lines.line(resolved.span.start);
                damage.push(Damage::BadChecksum { line, entry: entry.title(), why });
            }
        }
    }
    Ok(entry)
}

/// Splits `name@range`; the `@` of a scope is not the one.
fn split(pattern: &str) -> (&str, Option<&str>) {
    match pattern.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (&pattern[..at], Some(&pattern[at + 1..])),
        None => (pattern, None),
    }
}

fn range(pattern: &str) -> Option<&str> {
    split(pattern).1
}

/// The package's own name, behind an alias the real one.
fn name(pattern: &str) -> &str {
    match split(pattern) {
        (_, Some(range)) if range.starts_with("npm:") => split(&range[4..]).0,
        (name, _) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_their_package() {
        for (pattern, want) in [
            ("ms@^2.1.2", "ms"),
            ("@s/x@1", "@s/x"),
            ("lp@npm:left-pad@1.3.0", "left-pad"),
            ("lp@npm:@s/x@1.3.0", "@s/x"),
            ("odd", "odd"),
            ("", ""),
        ] {
            assert_eq!(name(pattern), want, "{pattern}");
        }
    }
}
