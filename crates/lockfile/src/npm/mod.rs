//! npm's `package-lock.json` and `npm-shrinkwrap.json`.
//!
//! Versions 2 and 3 list the folders of the install tree in `packages`; version 1 nests packages in
//! `dependencies`, which version 2 repeats for old clients. Both are read into the same places, the paths of
//! `packages`.

mod agree;
mod merge;
mod range;
mod tree;

use std::collections::BTreeSet;

use crate::checksum::Style;
use crate::format::Facts;
use crate::json::{self, Json, Value};
use crate::lockfile::Site;
use crate::names::Names;
use crate::position::Lines;
use crate::{Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::merge;

const FORMAT: Format = Format::NpmLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "npm-lock",
    tool: "npm",
    // Where both exist, npm reads the shrinkwrap; the lock is the one that projects have.
    file_names: &["package-lock.json", "npm-shrinkwrap.json"],
    manifest: Ok("package.json"),
    default_hosts: &["registry.npmjs.org", "registry.yarnpkg.com"],
    style: Style::Sri,
    may_be_empty: false,
    silent_default: false,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let root = json::read_json(text, &lines, "an npm lockfile")?;
    let version = lockfile_version(&root, &lines)?;
    let mut reader = Reader { text, lines: &lines, entries: Vec::new(), damage: Vec::new() };
    reader.damage.extend(root.duplicate_keys(&lines));

    let packages = object(&root, "packages", &lines)?;
    let nested = object(&root, "dependencies", &lines)?;
    if version >= 2 && packages.is_none() && nested.is_none_or(|n| !n.members().is_empty()) {
        return Err(
            lines.unparsable(root.span.start, "expected `packages` in an npm lockfile of this version")
        );
    }
    if let Some(packages) = packages {
        reader.packages(packages)?;
    }
    let from_packages = std::mem::take(&mut reader.entries);
    if let Some(nested) = nested {
        reader.nested(nested, "")?;
    }
    let from_nested = std::mem::take(&mut reader.entries);
    let mut damage = reader.damage;

    let (mut entries, mirror) = match packages {
        Some(_) => (from_packages, from_nested),
        None => (from_nested, Vec::new()),
    };
    resolve(&mut entries);
    damage.extend(missing(&entries));
    Ok(Lockfile { mirror, ..Lockfile::new(FORMAT, Some(version), entries, damage) })
}

fn lockfile_version(root: &Json<'_>, lines: &Lines<'_>) -> Result<u64, Damage> {
    match root.get("lockfileVersion") {
        // npm below 5.0 wrote shrinkwraps without it.
        None if root.get("dependencies").is_some() || root.get("packages").is_some() => Ok(1),
        None => Err(lines.unparsable(root.span.start, "expected `lockfileVersion` in an npm lockfile")),
        Some(Json { span, value: Value::Number(number) }) => match number.parse::<u64>() {
            Ok(version @ 1..=3) => Ok(version),
            _ => Err(Damage::Unsupported {
                line: lines.line(span.start),
                why: format!("lockfile version {number}"),
            }),
        },
        Some(other) => Err(lines.unparsable(other.span.start, "expected a number as `lockfileVersion`")),
    }
}

fn object<'j, 't>(root: &'j Json<'t>, key: &str, lines: &Lines<'_>) -> Result<Option<&'j Json<'t>>, Damage> {
    match root.get(key) {
        Some(value) if !value.is_object() => {
            Err(lines.unparsable(value.span.start, format!("expected an object as `{key}`")))
        }
        found => Ok(found),
    }
}

struct Reader<'r> {
    text: &'r str,
    lines: &'r Lines<'r>,
    entries: Vec<Entry>,
    damage: Vec<Damage>,
}

impl Reader<'_> {
    fn packages(&mut self, packages: &Json<'_>) -> Result<(), Damage> {
        for member in packages.members() {
            let package = self.package(&member.key, &member.value)?;
            let local = !tree::is_installed(&member.key) || package.is_true("link");
            let folder = tree::folder_name(&member.key);
            let name = package.text("name").or(folder).unwrap_or(&member.key);
            let mut dependencies = Vec::new();
            for (key, optional) in [
                ("dependencies", false),
                ("optionalDependencies", true),
                ("peerDependencies", true),
                ("devDependencies", local),
            ] {
                // An installed package's own development dependencies are not installed.
                if key != "devDependencies" || local {
                    dependencies.extend(ranges(package, key, optional));
                }
            }
            self.push(&member.key, name, member.at, package, local, dependencies);
        }
        Ok(())
    }

    // Recursion is bounded by the reader's limit on nesting.
    fn nested(&mut self, nested: &Json<'_>, parent: &str) -> Result<(), Damage> {
        for member in nested.members() {
            let path = tree::child(parent, &member.key);
            let package = self.package(&member.key, &member.value)?;
            self.push(
                &path,
                &member.key,
                member.at,
                package,
                false,
                ranges(package, "requires", false).collect(),
            );
            if let Some(inner) = object(package, "dependencies", self.lines)? {
                self.nested(inner, &path)?;
            }
        }
        Ok(())
    }

    fn package<'j, 't>(&self, key: &str, value: &'j Json<'t>) -> Result<&'j Json<'t>, Damage> {
        match value.is_object() {
            true => Ok(value),
            false => Err(self.lines.unparsable(value.span.start, format!("expected an object as `{key}`"))),
        }
    }

    fn push(
        &mut self,
        place: &str,
        name: &str,
        at: usize,
        package: &Json<'_>,
        local: bool,
        dependencies: Vec<Dependency>,
    ) {
        let written = package.text("version");
        let mut entry = Entry {
            version: written.map(str::to_owned),
            source: package.text("resolved").map(str::to_owned),
            local,
            dependencies,
            ..Entry::new(place, name, self.lines.line(at))
        };
        if let Some((alias, version)) =
            written.and_then(|v| v.strip_prefix("npm:")).and_then(|v| v.rsplit_once('@'))
        {
            // Version 1 writes an alias into the version.
            entry.name = alias.to_owned();
            entry.version = Some(version.to_owned());
        } else if entry.source.is_none() && written.is_some_and(|v| v.contains([':', '/'])) {
            // Version 1 writes a repository, tarball or folder there too.
            entry.local = written.is_some_and(|v| v.starts_with("file:"));
            entry.source = entry.version.take();
        }
        self.integrity(package, &mut entry);
        self.entries.push(entry);
    }

    fn integrity(&mut self, package: &Json<'_>, entry: &mut Entry) {
        let Some(integrity) = package.get("integrity") else { return };
        let line = self.lines.line(integrity.span.start);
        let mut bad =
            |why: String, title: String| self.damage.push(Damage::BadChecksum { line, entry: title, why });
        let Some(value) = integrity.as_str() else {
            return bad("it is no string".to_owned(), entry.title());
        };
        let inner = integrity.span.start + 1..integrity.span.end - 1;
        let mut sites = Vec::new();
        for word in value.split_ascii_whitespace() {
            let start = inner.start + (word.as_ptr() as usize - value.as_ptr() as usize);
            let (site, verdict) = Site::read(FORMAT, word, start..start + word.len());
            if let Err(why) = verdict {
                bad(why, entry.title());
            }
            entry.checksums.extend(site.checksum.clone());
            sites.push(site);
        }
        if sites.is_empty() {
            bad("it is empty".to_owned(), entry.title());
        }
        // With an escape in it the words don't stand in the text as they read: only the whole can be replaced.
        if self.text.get(inner.clone()) != Some(value) {
            let algorithm = sites.iter().map(|s| s.algorithm).max().flatten();
            let checksum = sites.pop().and_then(|s| s.checksum).filter(|_| sites.is_empty());
            sites = vec![Site { span: inner, algorithm, checksum, file: None }];
        }
        entry.sites = sites;
    }
}

fn ranges<'j>(package: &'j Json<'_>, key: &str, optional: bool) -> impl Iterator<Item = Dependency> + 'j {
    let members = package.get(key).map(Json::members).unwrap_or_default();
    members.iter().map(move |m| Dependency {
        name: m.key.to_string(),
        requirement: m.value.as_str().map(str::to_owned),
        place: None,
        optional,
    })
}

/// Finds for every dependency the place that Node would load it from.
fn resolve(entries: &mut [Entry]) {
    // Taken out, so that all entries can be looked at.
    let mut lists: Vec<_> = entries.iter_mut().map(|e| std::mem::take(&mut e.dependencies)).collect();
    let places: Names<'_, ()> = entries.iter().map(|e| e.place.as_str()).collect();
    for (entry, dependencies) in entries.iter().zip(&mut lists) {
        // What is optional is also listed as a plain dependency; the weaker claim counts.
        let optional: BTreeSet<String> =
            dependencies.iter().filter(|d| d.optional).map(|d| d.name.clone()).collect();
        for dependency in dependencies.iter_mut() {
            dependency.place = tree::resolve(&entry.place, &dependency.name, |p| places.contains(p));
            dependency.optional |= optional.contains(&dependency.name);
        }
        dependencies.sort();
        dependencies.dedup_by(|a, b| a.name == b.name && a.requirement == b.requirement);
    }
    for (entry, dependencies) in entries.iter_mut().zip(lists) {
        entry.dependencies = dependencies;
    }
}

/// Installed packages whose plain dependencies are not there. The project's own are a question of agreement
/// with the manifest; bundled packages and what lies outside the project need not be whole.
fn missing(entries: &[Entry]) -> Vec<Damage> {
    let mut found = Vec::new();
    for entry in entries.iter().filter(|e| !e.local && tree::is_resolvable(&e.place)) {
        for dependency in entry.dependencies.iter().filter(|d| !d.optional && d.place.is_none()) {
            let range = dependency.requirement.as_deref().unwrap_or("*");
            found.push(Damage::MissingEntry {
                line: entry.line,
                entry: entry.title(),
                needs: format!("{}@{range}", dependency.name),
            });
        }
    }
    found
}
