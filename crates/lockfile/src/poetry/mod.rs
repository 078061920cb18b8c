//! Poetry's `poetry.lock`, lock versions 1 and 2.

mod agree;
mod merge;

use crate::checksum::Style;
use crate::format::Facts;
use crate::json::{self, Json};
use crate::lockfile::twice;
use crate::names::Names;
use crate::position::Lines;
use crate::python::{items, normalised, put_back};
use crate::{Algorithm, Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::LAYOUT;

const FORMAT: Format = Format::PoetryLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "poetry-lock",
    tool: "poetry",
    file_names: &["poetry.lock"],
    manifest: Ok("pyproject.toml"),
    default_hosts: &["pypi.org", "files.pythonhosted.org"],
    style: Style::Named { weakest: Algorithm::Md5 },
    may_be_empty: false,
    silent_default: true,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let mut reader = Reader::new(text, &lines, None);
    // Package by package where all is as Poetry writes it, and the files are not apart from them.
    let quick = json::read_toml_each(text, "package", |package| reader.package(&package).ok());
    if let Some(root) = quick
        && let Ok((metadata, version)) = head(&root, &lines)
        && metadata.get("files").is_none()
    {
        return Ok(reader.lockfile(metadata, version));
    }
    let root = json::read_toml(text, &lines)?;
    let (metadata, version) = head(&root, &lines)?;
    let mut reader = Reader::new(text, &lines, metadata.get("files"));
    items(root.get("package")).iter().try_for_each(|package| reader.package(package))?;
    Ok(reader.lockfile(metadata, version))
}

/// The table about the lockfile itself, and its version.
fn head<'j, 't>(root: &'j Json<'t>, lines: &Lines<'_>) -> Result<(&'j Json<'t>, u64), Damage> {
    let Some(metadata) = root.get("metadata").filter(|m| m.is_object()) else {
        // It stands at the end.
        return Err(Damage::Truncated { line: lines.last() });
    };
    Ok((metadata, version(metadata, lines)?))
}

fn version(metadata: &Json<'_>, lines: &Lines<'_>) -> Result<u64, Damage> {
    // The first versions wrote none.
    let Some(found) = metadata.get("lock-version") else { return Ok(1) };
    let written = found.as_str().unwrap_or_default();
    match written.split('.').next().and_then(|major| major.parse().ok()) {
        Some(version @ (1 | 2)) => Ok(version),
        _ => {
            let line = lines.line(found.span.start);
            Err(Damage::Unsupported { line, why: format!("poetry lock version {written}") })
        }
    }
}

struct Reader<'r, 't> {
    text: &'t str,
    lines: &'r Lines<'t>,
    /// Lock version 1 lists the files at the end, by package.
    files: Option<&'r Json<'t>>,
    entries: Vec<Entry>,
    damage: Vec<Damage>,
}

impl<'r, 't> Reader<'r, 't> {
    const fn new(text: &'t str, lines: &'r Lines<'t>, files: Option<&'r Json<'t>>) -> Self {
        Reader { text, lines, files, entries: Vec::new(), damage: Vec::new() }
    }

    fn lockfile(self, metadata: &Json<'_>, version: u64) -> Lockfile {
        let Reader { mut entries, mut damage, .. } = self;
        damage.extend(twice(&entries));
        resolve(&mut entries, &mut damage);
        let content_hash = metadata.text("content-hash").map(str::to_owned);
        Lockfile { content_hash, ..Lockfile::new(FORMAT, Some(version), entries, damage) }
    }

    fn package(&mut self, package: &Json<'_>) -> Result<(), Damage> {
        let required = |key: &str| {
            package.get(key).filter(|v| v.as_str().is_some()).ok_or_else(|| {
                self.lines.unparsable(package.span.start, format!("a package without `{key}`"))
            })
        };
        let (name, version) = (required("name")?, required("version")?);
        let (name_text, version) = (name.as_str().unwrap_or_default(), version.as_str().unwrap_or_default());
        let line = self.lines.line(name.span.start);
        let source = package.get("source");
        let of_source = |key: &str| source.and_then(|s| s.text(key)).unwrap_or_default();
        let place = match of_source("url") {
            "" => format!("{} {version}", normalised(name_text)),
            url => format!("{} {version} ({url})", normalised(name_text)),
        };
        let mut entry =
            Entry { version: Some(version.to_owned()), ..Entry::new(place, normalised(name_text), line) };
        match of_source("type") {
            "" => {}
            "directory" => entry.local = true,
            "file" => entry.source = Some(of_source("url").to_owned()),
            "git" => {
                entry.source = Some(format!("git+{}#{}", of_source("url"), of_source("resolved_reference")));
                entry.unproved = true;
            }
            _ => entry.source = Some(of_source("url").to_owned()),
        }
        let elsewhere = self.files.and_then(|f| f.get(name_text));
        for file in items(package.get("files").or(elsewhere)) {
            match file.get("hash") {
                Some(hash) => {
                    self.damage.extend(entry.add_file(
                        FORMAT,
                        file.text("file"),
                        hash,
                        self.text,
                        self.lines,
                    ));
                }
                None => self.damage.push(Damage::BadChecksum {
                    line: self.lines.line(file.span.start),
                    entry: entry.title(),
                    why: "a file without a hash".to_owned(),
                }),
            }
        }
        for member in package.get("dependencies").map(Json::members).unwrap_or_default() {
            let plain = member.value.as_str();
            let range = plain.or(member.value.text("version"));
            // What a marker or an extra rules out is not locked.
            let optional = plain.is_none();
            let requirement = range.map(str::to_owned);
            entry.dependencies.push(Dependency {
                name: normalised(&member.key),
                requirement,
                place: None,
                optional,
            });
        }
        entry.dependencies.sort();
        self.entries.push(entry);
        Ok(())
    }
}

/// Finds for each dependency the entry of its name, where there is only one.
fn resolve(entries: &mut [Entry], damage: &mut Vec<Damage>) {
    // Taken out, so that all entries can be looked at.
    let mut lists: Vec<_> = entries.iter_mut().map(|e| std::mem::take(&mut e.dependencies)).collect();
    let mut names: Names<'_, Vec<&str>> = Names::new();
    for entry in entries.iter() {
        names.or_default(&entry.name).push(&entry.place);
    }
    for (entry, dependencies) in entries.iter().zip(&mut lists) {
        let line = entry.line;
        for dependency in dependencies.iter_mut() {
            match names.get(&dependency.name).map(Vec::as_slice) {
                Some([place]) => dependency.place = Some((*place).to_owned()),
                Some(_) => {}
                None if dependency.optional => {}
                None => {
                    let range = dependency.requirement.as_deref().unwrap_or("*");
                    let needs = format!("{} {range}", dependency.name);
                    damage.push(Damage::MissingEntry { line, entry: entry.title(), needs });
                }
            }
        }
    }
    put_back(entries, lists);
}
