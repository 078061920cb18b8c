//! Bun's `bun.lock`, the text one, lockfile versions 0 to 2.
//!
//! JSON with commas before closing brackets. A package is a list: what it is (`name@version`), where its registry is,
//! what it depends on, its checksum; fewer for what is not from a registry. Its key is its path in the install tree.

mod agree;
mod merge;

use std::collections::BTreeSet;

use crate::checksum::Style;
use crate::format::Facts;
use crate::json::{self, Json, Value};
use crate::position::Lines;
use crate::python::items;
use crate::{Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::LAYOUT;

const FORMAT: Format = Format::BunLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "bun-lock",
    tool: "bun",
    file_names: &["bun.lock"],
    manifest: Ok("package.json"),
    default_hosts: &["registry.npmjs.org"],
    style: Style::Sri,
    may_be_empty: false,
    silent_default: true,
};

/// How far up the search for a dependency is followed.
const MAX_STEPS: usize = 64;

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let root = json::read_with_trailing_commas(text, &lines, "a bun lockfile")?;
    let version = match root.get("lockfileVersion") {
        Some(Json { value: Value::Number(number), span }) => match number.parse() {
            Ok(version @ 0..=2) => version,
            _ => {
                let why = format!("bun lockfile version {number}");
                return Err(Damage::Unsupported { line: lines.line(span.start), why });
            }
        },
        _ => return Err(lines.unparsable(root.span.start, "expected `lockfileVersion` in a bun lockfile")),
    };
    let packages = root.get("packages").map(Json::members).unwrap_or_default();
    let places: BTreeSet<&str> = packages.iter().map(|m| &*m.key).collect();
    let damage = root.duplicate_keys(&lines);
    let mut reader = Reader { text, lines: &lines, entries: Vec::new(), damage };
    let mut members = Vec::new();
    for workspace in root.get("workspaces").map(Json::members).unwrap_or_default() {
        if !workspace.value.is_object() {
            let what = format!("expected an object as the workspace `{}`", workspace.key);
            return Err(lines.unparsable(workspace.value.span.start, what));
        }
        if !workspace.key.is_empty() && workspace.value.text("name").is_none() {
            let what = format!("expected `name` in the workspace `{}`", workspace.key);
            return Err(lines.unparsable(workspace.value.span.start, what));
        }
        members.extend((!workspace.key.is_empty()).then(|| workspace.key.to_string()));
        reader.workspace(&workspace.key, workspace.at, &workspace.value, &places);
    }
    for package in packages {
        reader.package(&package.key, package.at, &package.value, &places)?;
    }
    if !root.get("workspaces").is_some_and(Json::is_object) {
        return Err(lines.unparsable(root.span.start, "expected `workspaces` in a bun lockfile"));
    }
    let lockfile = Lockfile::new(FORMAT, Some(version), reader.entries, reader.damage);
    Ok(Lockfile { members, ..lockfile })
}

struct Reader<'r> {
    text: &'r str,
    lines: &'r Lines<'r>,
    entries: Vec<Entry>,
    damage: Vec<Damage>,
}

impl Reader<'_> {
    fn workspace(&mut self, folder: &str, at: usize, value: &Json<'_>, places: &BTreeSet<&str>) {
        let name = value.text("name").unwrap_or(folder);
        let place = format!("workspace:{folder}");
        let mut entry = Entry { local: true, ..Entry::new(place, name, self.lines.line(at)) };
        for (kind, optional) in
            [("dependencies", false), ("devDependencies", false), ("optionalDependencies", true)]
        {
            self.dependencies(&mut entry, name, value, kind, optional, places);
        }
        self.entries.push(entry);
    }

    fn package(
        &mut self,
        key: &str,
        at: usize,
        value: &Json<'_>,
        places: &BTreeSet<&str>,
    ) -> Result<(), Damage> {
        let parts = items(Some(value));
        let Some(id) = parts.first().and_then(Json::as_str) else {
            return Err(self.lines.unparsable(value.span.start, format!("expected a list as `{key}`")));
        };
        let (name, version) = match id.char_indices().skip(1).find(|(_, c)| *c == '@') {
            Some((split, _)) => (&id[..split], &id[split + 1..]),
            None => return Err(self.lines.unparsable(value.span.start, "expected `name@version`")),
        };
        if name.contains(|c: char| c.is_whitespace() || c.is_control() || c == ':') {
            return Err(self.lines.unparsable(value.span.start, format!("`{name}` is no package's name")));
        }
        let mut entry = Entry::new(key, name, self.lines.line(at));
        if version.contains([':', '/']) {
            entry.local = ["workspace:", "file:", "link:", "root:"].iter().any(|p| version.starts_with(p));
            entry.source = (!entry.local).then(|| version.to_owned());
            entry.unproved = true;
        } else if semver::Version::parse(version).is_err() {
            return Err(self.lines.unparsable(value.span.start, format!("`{version}` is no version")));
        } else if let Some(odd) = parts.get(1).filter(|registry| registry.as_str().is_none()) {
            return Err(self
                .lines
                .unparsable(odd.span.start, "expected the address of a registry, or none in quotes"));
        } else {
            entry.version = Some(version.to_owned());
            entry.source = parts.get(1).and_then(Json::as_str).filter(|r| !r.is_empty()).map(str::to_owned);
        }
        // What is from a registry has it as its fourth part, whatever it looks like.
        let own =
            parts.get(3).filter(|p| entry.version.is_some() && p.as_str().is_some_and(|t| !t.is_empty()));
        let tagged = || parts.iter().skip(2).find(|p| p.as_str().is_some_and(|t| t.contains('-')));
        if let Some(integrity) = own.or_else(tagged) {
            self.damage.extend(entry.add_checksums(FORMAT, integrity, self.text, self.lines));
        }
        if let Some(described) = parts.iter().find(|p| p.is_object()) {
            entry.unproved |= described.is_true("bundled");
            for (kind, optional) in [("dependencies", false), ("optionalDependencies", true)] {
                self.dependencies(&mut entry, key, described, kind, optional, places);
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    fn dependencies(
        &mut self,
        entry: &mut Entry,
        from: &str,
        value: &Json<'_>,
        kind: &str,
        optional: bool,
        places: &BTreeSet<&str>,
    ) {
        for member in value.get(kind).map(Json::members).unwrap_or_default() {
            let place = resolve(from, &member.key, places);
            let requirement = member.value.as_str().map(str::to_owned);
            if place.is_none() && !optional {
                let needs = format!("{}@{}", member.key, requirement.as_deref().unwrap_or("*"));
                self.damage.push(Damage::MissingEntry { line: entry.line, entry: entry.title(), needs });
            }
            entry.dependencies.push(Dependency {
                name: member.key.to_string(),
                requirement,
                place,
                optional,
            });
        }
        entry.dependencies.sort();
    }
}

/// Where the package at `from` would load `name` from: below itself, or below one of those above.
fn resolve(from: &str, name: &str, places: &BTreeSet<&str>) -> Option<String> {
    let mut folder = from;
    for _ in 0..MAX_STEPS {
        let candidate = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if places.contains(candidate.as_str()) {
            return Some(candidate);
        }
        if folder.is_empty() {
            return None;
        }
        // A scope's name holds a slash itself.
        let cut = folder.rfind('/').map_or(0, |at| {
            let above = &folder[..at];
            let scope = above.rfind('/').map_or(0, |at| at + 1);
            if above[scope..].starts_with('@') { scope.saturating_sub(1) } else { at }
        });
        folder = &folder[..cut];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bun_looks_upwards() {
        let places = ["b", "a/c", "@s/x/y", "@s/x/y/z"].into_iter().collect();
        for (from, name, found) in [
            ("", "b", Some("b")),
            ("a", "c", Some("a/c")),
            ("a", "b", Some("b")),
            ("@s/x", "b", Some("b")),
            ("@s/x/y", "z", Some("@s/x/y/z")),
            ("@s/x/y", "y", Some("@s/x/y")),
            ("a/@t/d", "c", Some("a/c")),
            ("b", "c", None),
        ] {
            assert_eq!(resolve(from, name, &places).as_deref(), found, "{name} from {from}");
        }
    }
}
