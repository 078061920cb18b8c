//! pnpm's `pnpm-lock.yaml`, lockfile versions 5, 6 and 9.
//!
//! Versions 5 and 6 say everything of a package in `packages`; version 9 keeps there what does not depend on peers and
//! says in `snapshots` what each package depends on. A lone project's dependencies stand at the top of the older ones.

mod agree;
mod key;
mod merge;

use std::collections::BTreeMap;

use crate::checksum::Style;
use crate::format::Facts;
use crate::json::{self, Json, Value};
use crate::names::Names;
use crate::position::Lines;
use crate::{Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::LAYOUT;

use key::Id;

const FORMAT: Format = Format::PnpmLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "pnpm-lock",
    tool: "pnpm",
    file_names: &["pnpm-lock.yaml"],
    manifest: Ok("package.json"),
    default_hosts: &["registry.npmjs.org"],
    style: Style::Sri,
    may_be_empty: false,
    silent_default: true,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let root = json::read_yaml(text, &lines)?;
    if !root.is_object() {
        return Err(lines.unparsable(root.span.start, "expected the mapping of a pnpm lockfile"));
    }
    let version = version(&root, &lines)?;
    let damage = root.duplicate_keys(&lines);
    let mut reader = Reader { text, lines: &lines, version, entries: Vec::new(), damage };
    let packages = reader.map(&root, "packages")?;
    let snapshots = if version >= 9 { reader.map(&root, "snapshots")? } else { &[] };
    let places: Names<'_, ()> = if version >= 9 { keys(snapshots) } else { keys(packages) };

    let importers = reader.map(&root, "importers")?;
    let mut members = Vec::new();
    for importer in importers {
        if !importer.value.is_object() {
            return Err(lines.unparsable(importer.at, format!("expected a mapping as `{}`", importer.key)));
        }
        let folder = if importer.key == "." { "" } else { &*importer.key };
        members.extend((!folder.is_empty()).then(|| folder.to_owned()));
        reader.importer(folder, importer.at, &importer.value, &places);
    }
    if importers.is_empty() {
        reader.importer("", root.span.start, &root, &places);
    }
    let mut described: BTreeMap<&str, Vec<&Json<'_>>> = BTreeMap::new();
    for snapshot in snapshots {
        if !snapshot.value.is_object() {
            return Err(lines.unparsable(snapshot.at, format!("expected a mapping as `{}`", snapshot.key)));
        }
        described.entry(key::without_peers(&snapshot.key)).or_default().push(&snapshot.value);
    }
    for package in packages {
        let dependencies = match version {
            9.. => described.get(&*package.key).cloned().unwrap_or_default(),
            _ => vec![&package.value],
        };
        reader.package(&package.key, package.at, &package.value, &dependencies, &places)?;
    }
    let ranges_rewritten = root.get("overrides").is_some();
    let lockfile = Lockfile::new(FORMAT, Some(version), reader.entries, reader.damage);
    Ok(Lockfile { members, ranges_rewritten, ..lockfile })
}

fn version(root: &Json<'_>, lines: &Lines<'_>) -> Result<u64, Damage> {
    let Some(found) = root.get("lockfileVersion") else {
        return Err(lines.unparsable(root.span.start, "expected `lockfileVersion` in a pnpm lockfile"));
    };
    let written = found.as_str().unwrap_or_default();
    match written.split('.').next().and_then(|major| major.parse().ok()) {
        Some(version @ (5 | 6 | 9)) => Ok(version),
        _ => Err(Damage::Unsupported {
            line: lines.line(found.span.start),
            why: format!("pnpm lockfile version {written}"),
        }),
    }
}

fn keys<'j>(members: &'j [json::Member<'_>]) -> Names<'j, ()> {
    members.iter().map(|m| &*m.key).collect()
}

struct Reader<'r> {
    text: &'r str,
    lines: &'r Lines<'r>,
    version: u64,
    entries: Vec<Entry>,
    damage: Vec<Damage>,
}

impl Reader<'_> {
    fn map<'j, 't>(&self, of: &'j Json<'t>, key: &str) -> Result<&'j [json::Member<'t>], Damage> {
        match of.get(key) {
            None | Some(Json { value: Value::Null, .. }) => Ok(&[]),
            Some(value) if value.is_object() => Ok(value.members()),
            Some(value) => {
                Err(self.lines.unparsable(value.span.start, format!("expected a mapping as `{key}`")))
            }
        }
    }

    /// A project: what it asks for, and what it gets.
    fn importer(&mut self, folder: &str, at: usize, value: &Json<'_>, places: &Names<'_, ()>) {
        let name = if folder.is_empty() { "." } else { folder };
        let mut entry = Entry { local: true, ..Entry::new(folder, name, self.lines.line(at)) };
        for (kind, optional) in
            [("dependencies", false), ("devDependencies", false), ("optionalDependencies", true)]
        {
            for member in value.get(kind).map(Json::members).unwrap_or_default() {
                // Version 5 has the ranges apart.
                let range =
                    member.value.text("specifier").or_else(|| value.get("specifiers")?.text(&member.key));
                let gets = member.value.text("version").or(member.value.as_str()).unwrap_or_default();
                let mut dependency = self.dependency(&entry, &member.key, gets, optional, places);
                dependency.requirement = range.map(str::to_owned);
                entry.dependencies.push(dependency);
            }
        }
        entry.dependencies.sort();
        self.entries.push(entry);
    }

    fn package(
        &mut self,
        key: &str,
        at: usize,
        package: &Json<'_>,
        described: &[&Json<'_>],
        places: &Names<'_, ()>,
    ) -> Result<(), Damage> {
        if !package.is_object() {
            return Err(self.lines.unparsable(package.span.start, format!("expected a mapping as `{key}`")));
        }
        let resolution = package.get("resolution");
        let of_resolution = |name: &str| resolution.and_then(|r| r.text(name)).map(str::to_owned);
        let id = Id::read(key, self.version);
        let name = package.text("name").map(str::to_owned).unwrap_or(id.name);
        let mut entry = Entry {
            version: package.text("version").map(str::to_owned).or(id.version),
            source: of_resolution("tarball")
                .or_else(|| of_resolution("repo").map(|r| format!("git+{r}")))
                .or(id.source),
            local: of_resolution("type").as_deref() == Some("directory"),
            ..Entry::new(key, name, self.lines.line(at))
        };
        // A repository's commit, or a tarball of one, has no checksum.
        entry.unproved = of_resolution("type").is_some() || package.is_true("bundled");
        if entry.source.as_deref().is_some_and(|s| s.starts_with("file:")) {
            entry.local = true;
        }
        if let Some(integrity) = resolution.and_then(|r| r.get("integrity")) {
            self.damage.extend(entry.add_checksums(FORMAT, integrity, self.text, self.lines));
        }
        for of in described {
            for (kind, optional) in [("dependencies", false), ("optionalDependencies", true)] {
                for member in of.get(kind).map(Json::members).unwrap_or_default() {
                    let gets = member.value.as_str().unwrap_or_default();
                    let dependency = self.dependency(&entry, &member.key, gets, optional, places);
                    entry.dependencies.push(dependency);
                }
            }
        }
        entry.dependencies.sort();
        entry.dependencies.dedup();
        self.entries.push(entry);
        Ok(())
    }

    /// What `name` is resolved to; where that is a package that is not there, a part is missing.
    fn dependency(
        &mut self,
        of: &Entry,
        name: &str,
        gets: &str,
        optional: bool,
        places: &Names<'_, ()>,
    ) -> Dependency {
        let candidates = key::candidates(name, gets, self.version);
        let place = candidates.iter().find(|c| places.contains(c)).cloned();
        if place.is_none() && !optional && !key::is_local(gets) {
            self.damage.push(Damage::MissingEntry {
                line: of.line,
                entry: if of.place.is_empty() { "the project".to_owned() } else { of.title() },
                needs: format!("{name}@{gets}"),
            });
        }
        // The package without the peers it is combined with.
        let place = place.map(|p| if self.version >= 9 { key::without_peers(&p).to_owned() } else { p });
        Dependency { name: name.to_owned(), requirement: None, place, optional }
    }
}
