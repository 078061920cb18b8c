//! Composer's `composer.lock`.

mod agree;
mod merge;

use std::collections::BTreeSet;

use crate::checksum::Style;
use crate::format::Facts;
use crate::json::{self, Json};
use crate::lockfile::{Registry, twice};
use crate::position::Lines;
use crate::python::items;
use crate::{Algorithm, Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::LAYOUT;

const FORMAT: Format = Format::ComposerLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "composer-lock",
    tool: "composer",
    file_names: &["composer.lock"],
    manifest: Ok("composer.json"),
    // Packagist keeps no archives: it names those of the code hosts.
    default_hosts: &[
        "repo.packagist.org",
        "api.github.com",
        "codeload.github.com",
        "github.com",
        "gitlab.com",
        "bitbucket.org",
    ],
    style: Style::Hex(Algorithm::Sha1),
    may_be_empty: false,
    silent_default: false,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let root = json::read_json(text, &lines, "a composer lockfile")?;
    if root.get("packages").is_none() {
        return Err(lines.unparsable(root.span.start, "expected `packages` in a composer lockfile"));
    }
    let damage = root.duplicate_keys(&lines);
    let mut reader = Reader { text, lines: &lines, entries: Vec::new(), damage, sources: Vec::new() };
    let mut names = BTreeSet::new();
    for list in ["packages", "packages-dev"] {
        for package in items(root.get(list)) {
            reader.package(package)?;
            names.extend(package.text("name").map(str::to_lowercase));
            for stands_for in ["provide", "replace"] {
                let members = package.get(stands_for).map(Json::members).unwrap_or_default();
                names.extend(members.iter().map(|m| m.key.to_lowercase()));
            }
        }
    }
    let Reader { entries, mut damage, sources, .. } = reader;
    damage.extend(twice(&entries));
    for entry in &entries {
        for dependency in entry.dependencies.iter().filter(|d| !is_platform(&d.name)) {
            if !names.contains(&dependency.name) {
                let range = dependency.requirement.as_deref().unwrap_or("*");
                let needs = format!("{} {range}", dependency.name);
                damage.push(Damage::MissingEntry { line: entry.line, entry: entry.title(), needs });
            }
        }
    }
    let content_hash = root.text("content-hash").map(str::to_owned);
    let lockfile = Lockfile::new(FORMAT, None, entries, damage);
    Ok(Lockfile { content_hash, registries: sources, ..lockfile })
}

/// PHP itself, its extensions and libraries, and Composer's own interfaces.
fn is_platform(name: &str) -> bool {
    !name.contains('/')
}

struct Reader<'r> {
    text: &'r str,
    lines: &'r Lines<'r>,
    entries: Vec<Entry>,
    damage: Vec<Damage>,
    sources: Vec<Registry>,
}

impl Reader<'_> {
    fn package(&mut self, package: &Json<'_>) -> Result<(), Damage> {
        let required = |key: &str| {
            let found = package.get(key).and_then(|v| Some((v.as_str()?, v.span.start)));
            found.ok_or_else(|| {
                self.lines.unparsable(package.span.start, format!("a package without `{key}`"))
            })
        };
        let ((name, at), (version, _)) = (required("name")?, required("version")?);
        let (line, name) = (self.lines.line(at), name.to_lowercase());
        let mut entry = Entry { version: Some(version.to_owned()), ..Entry::new(&name, &name, line) };
        let (dist, source) = (package.get("dist"), package.get("source"));
        let url = |of: Option<&Json<'_>>| {
            of.and_then(|d| d.text("url")).filter(|u| !u.is_empty()).map(str::to_owned)
        };
        match (url(dist), url(source)) {
            (Some(archive), repository) => {
                entry.local = dist.and_then(|d| d.text("type")) == Some("path");
                entry.source = Some(archive);
                // Composer falls back to it where the archive can't be had.
                let open = repository.filter(|r| r.starts_with("http://") || r.starts_with("git://"));
                let at = source.and_then(|s| s.get("url")).map_or(at, |u| u.span.start);
                self.sources.extend(open.map(|url| Registry { url, line: self.lines.line(at) }));
            }
            (None, Some(repository)) => {
                entry.source = Some(format!("git+{repository}"));
                entry.unproved = true;
            }
            (None, None) => entry.unproved = true,
        }
        // Archives that code hosts make on demand have none: it is empty.
        let shasum = dist.and_then(|d| d.get("shasum")).filter(|s| s.as_str() != Some(""));
        if let Some(shasum) = shasum.filter(|s| s.value != json::Value::Null) {
            self.damage.extend(entry.add_checksums(FORMAT, shasum, self.text, self.lines));
        }
        entry.unproved |= shasum.is_none();
        for member in package.get("require").map(Json::members).unwrap_or_default() {
            entry.dependencies.push(Dependency {
                name: member.key.to_lowercase(),
                requirement: member.value.as_str().map(str::to_owned),
                place: Some(member.key.to_lowercase()).filter(|n| !is_platform(n)),
                optional: false,
            });
        }
        entry.dependencies.sort();
        self.entries.push(entry);
        Ok(())
    }
}
