//! uv's `uv.lock`, version 1.

mod agree;
mod merge;

use std::collections::BTreeSet;

use crate::checksum::Style;
use crate::format::Facts;
use crate::json::{self, Json, Value};
use crate::lockfile::{Registry, twice};
use crate::marker::{is_marker, is_moment, is_name, is_specifier, is_version, is_wheel};
use crate::names::Names;
use crate::origin::alike;
use crate::position::Lines;
use crate::python::{items, normalised, put_back};
use crate::{Algorithm, Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::LAYOUT;

const FORMAT: Format = Format::UvLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "uv-lock",
    tool: "uv",
    file_names: &["uv.lock"],
    manifest: Ok("pyproject.toml"),
    default_hosts: &["pypi.org", "files.pythonhosted.org"],
    style: Style::Named { weakest: Algorithm::Md5 },
    may_be_empty: false,
    silent_default: false,
};

/// Where a package may come from.
const KINDS: [&str; 7] = ["registry", "git", "url", "path", "directory", "editable", "virtual"];

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let mut reader = Reader::new(text, &lines);
    // Package by package where all is as uv writes it.
    let quick = json::read_toml_each(text, "package", |package| reader.package(&package).ok());
    if let Some(root) = quick
        && head(&root, &lines).is_ok()
    {
        return Ok(reader.lockfile());
    }
    let root = json::read_toml(text, &lines)?;
    head(&root, &lines)?;
    let mut reader = Reader::new(text, &lines);
    items(root.get("package")).iter().try_for_each(|package| reader.package(package))?;
    Ok(reader.lockfile())
}

/// What stands before the packages.
fn head(root: &Json<'_>, lines: &Lines<'_>) -> Result<(), Damage> {
    match root.get("version") {
        Some(Json { value: Value::Number("1"), .. }) => {}
        Some(other) => {
            let written = lines.text().get(other.span.clone()).unwrap_or_default();
            let line = lines.line(other.span.start);
            return Err(Damage::Unsupported { line, why: format!("uv lockfile version {written}") });
        }
        None => return Err(lines.unparsable(0, "expected `version` in a uv lockfile")),
    }
    if root.text("requires-python").is_none() {
        return Err(lines.unparsable(0, "expected `requires-python` in a uv lockfile"));
    }
    let mut markers = items(root.get("resolution-markers")).iter();
    markers.try_for_each(|marker| well_formed(lines, marker, is_marker, "a marker"))
}

struct Reader<'r> {
    text: &'r str,
    lines: &'r Lines<'r>,
    entries: Vec<Entry>,
    damage: Vec<Damage>,
    /// Archives that lie on another host than the registry they are listed by.
    files: Vec<Registry>,
}

/// The keys of a package that are read here.
#[derive(Default)]
struct Keys<'j, 't> {
    name: Option<&'j Json<'t>>,
    version: Option<&'j Json<'t>>,
    source: Option<&'j Json<'t>>,
    markers: Option<&'j Json<'t>>,
    sdist: Option<&'j Json<'t>>,
    wheels: Option<&'j Json<'t>>,
    dependencies: Option<&'j Json<'t>>,
    optional: Option<&'j Json<'t>>,
    dev: Option<&'j Json<'t>>,
    metadata: Option<&'j Json<'t>>,
}

impl<'j, 't> Keys<'j, 't> {
    fn of(package: &'j Json<'t>) -> Keys<'j, 't> {
        let mut keys = Keys::default();
        for member in package.members() {
            let key = match &*member.key {
                "name" => &mut keys.name,
                "version" => &mut keys.version,
                "source" => &mut keys.source,
                "resolution-markers" => &mut keys.markers,
                "sdist" => &mut keys.sdist,
                "wheels" => &mut keys.wheels,
                "dependencies" => &mut keys.dependencies,
                "optional-dependencies" => &mut keys.optional,
                "dev-dependencies" => &mut keys.dev,
                "metadata" => &mut keys.metadata,
                _ => continue,
            };
            *key = Some(&member.value);
        }
        keys
    }
}

impl<'r> Reader<'r> {
    const fn new(text: &'r str, lines: &'r Lines<'r>) -> Self {
        Reader { text, lines, entries: Vec::new(), damage: Vec::new(), files: Vec::new() }
    }

    fn lockfile(self) -> Lockfile {
        let Reader { mut entries, mut damage, files, .. } = self;
        damage.extend(twice(&entries));
        resolve(&mut entries, &mut damage);
        let folder = |e: &Entry| e.place.split_once(" (").map(|(_, s)| s.trim_end_matches(')').to_owned());
        let members = entries.iter().filter(|e| e.local).filter_map(folder).filter(|f| f != ".").collect();
        Lockfile { registries: files, members, ..Lockfile::new(FORMAT, Some(1), entries, damage) }
    }

    fn package(&mut self, package: &Json<'_>) -> Result<(), Damage> {
        let keys = Keys::of(package);
        let Some((name, name_text)) = keys.name.and_then(|n| Some((n, n.as_str()?))) else {
            return Err(self.lines.unparsable(package.span.start, "a package without `name`"));
        };
        let Some(source) = keys.source.filter(|s| s.members().len() == 1 || s.get("subdirectory").is_some())
        else {
            return Err(self.lines.unparsable(name.span.start, "a package without `source`"));
        };
        let first = source.members().iter().find(|m| m.key != "subdirectory");
        let (kind, from) = first.map_or(("", ""), |m| (&*m.key, m.value.as_str().unwrap_or_default()));
        if !KINDS.contains(&kind) {
            return Err(self.lines.unparsable(source.span.start, "a kind of source that uv doesn't have"));
        }
        well_formed(self.lines, name, is_name, "a package's name")?;
        if let Some(version) = keys.version {
            well_formed(self.lines, version, is_version, "a version")?;
        } else if kind == "registry" {
            return Err(self.lines.unparsable(name.span.start, "a package of a registry without `version`"));
        }
        for marker in self.list(keys.markers)? {
            well_formed(self.lines, marker, is_marker, "a marker")?;
        }
        let line = self.lines.line(name.span.start);
        let name = normalised(name_text);
        let version = keys.version.and_then(Json::as_str).map(str::to_owned);
        let mut entry = Entry::new(place(&name, version.as_deref(), Some(from)), name, line);
        entry.version = version;
        entry.local = matches!(kind, "virtual" | "editable" | "directory" | "path")
            || kind == "registry" && !from.contains("://");
        if kind == "git" {
            entry.source = Some(format!("git+{from}"));
            entry.unproved = true;
        } else if !entry.local {
            entry.source = Some(from.to_owned());
        }
        for file in keys.sdist.into_iter().chain(self.list(keys.wheels)?) {
            self.file(&mut entry, kind, file);
            if let Some(moment) = file.get("upload-time") {
                well_formed(self.lines, moment, is_moment, "a moment of upload")?;
            }
        }
        for wheel in items(keys.wheels) {
            let Some(place) = wheel.get("url").or(wheel.get("path")).or(wheel.get("filename")) else {
                let why = "a wheel without `url`, `path` or `filename`";
                return Err(self.lines.unparsable(wheel.span.start, why));
            };
            well_formed(self.lines, place, is_wheel_at, "the file name of a wheel")?;
        }
        self.dependencies(&keys, &mut entry)?;
        self.entries.push(entry);
        Ok(())
    }

    fn file(&mut self, entry: &mut Entry, kind: &str, file: &Json<'_>) {
        match file.get("hash") {
            Some(hash) => {
                let name = ["url", "path", "filename"].into_iter().find_map(|key| file.text(key));
                self.damage.extend(entry.add_file(FORMAT, name, hash, self.text, self.lines));
            }
            // An index may have no hashes at all, but not for one file alone.
            None if kind == "registry" && !entry.sites.is_empty() => self.damage.push(Damage::BadChecksum {
                line: self.lines.line(file.span.start),
                entry: entry.title(),
                why: "a file without a hash".to_owned(),
            }),
            None => {}
        }
        if let Some(url) = file.get("url").and_then(|u| u.as_str().map(|t| (t, u.span.start)))
            // Tens of thousands lie beside one another.
            && !self.files.last().is_some_and(|last| alike(&last.url, url.0))
        {
            self.files.push(Registry { url: url.0.to_owned(), line: self.lines.line(url.1) });
        }
    }

    /// What must be a list, as far as it is there.
    fn list<'j, 't>(&self, of: Option<&'j Json<'t>>) -> Result<&'j [Json<'t>], Damage> {
        match of {
            Some(other) if !matches!(other.value, Value::Array(_)) => {
                Err(self.lines.unparsable(other.span.start, "expected a list"))
            }
            of => Ok(items(of)),
        }
    }

    /// For a project of the workspace, what its manifest asked for when the lockfile was made.
    fn dependencies(&mut self, keys: &Keys<'_, '_>, entry: &mut Entry) -> Result<(), Damage> {
        let mut twice = Vec::new();
        let plain = keys.dependencies.map(|d| (d, false));
        let groups = [keys.optional, keys.dev].into_iter().flatten().flat_map(Json::members);
        for (list, optional) in plain.into_iter().chain(groups.map(|m| (&m.value, true))) {
            let mut listed = BTreeSet::new();
            let list = self.list(Some(list))?;
            let several = list.len() > 1;
            for item in list {
                self.asked(item)?;
                let name = normalised(item.text("name").unwrap_or_default());
                let from =
                    item.get("source").and_then(|s| s.members().first()).and_then(|m| m.value.as_str());
                let version = item.text("version");
                let place = (version.is_some() || from.is_some()).then(|| place(&name, version, from));
                let extras = || items(item.get("extra")).iter().filter_map(Json::as_str).collect::<Vec<_>>();
                if several && !listed.insert((name.clone(), place.clone(), item.text("marker"), extras())) {
                    let line = self.lines.line(item.span.start);
                    let entry = format!("{name} as a dependency of {}", entry.name);
                    twice.push(Damage::DuplicateEntry { line, first_line: line, entry });
                }
                entry.dependencies.push(Dependency { name, requirement: None, place, optional });
            }
        }
        let asked = |key: &str| keys.metadata.and_then(|m| m.get(key));
        for item in self.list(asked("requires-dist"))? {
            self.asked(item)?;
            let name = normalised(item.text("name").unwrap_or_default());
            let specifier = item.text("specifier").unwrap_or_default().to_owned();
            if let Some(known) =
                entry.dependencies.iter_mut().find(|d| d.name == name && d.requirement.is_none())
            {
                known.requirement = Some(specifier);
            } else {
                entry.dependencies.push(Dependency {
                    name,
                    requirement: Some(specifier),
                    place: None,
                    optional: true,
                });
            }
        }
        for group in asked("requires-dev").map(Json::members).unwrap_or_default() {
            self.list(Some(&group.value))?.iter().try_for_each(|item| self.asked(item))?;
        }
        self.damage.extend(twice);
        Ok(())
    }

    /// One item of a list of dependencies or requirements.
    fn asked(&self, item: &Json<'_>) -> Result<(), Damage> {
        let Some(name) = item.get("name") else {
            return Err(self.lines.unparsable(item.span.start, "a dependency without `name`"));
        };
        well_formed(self.lines, name, is_name, "a package's name")?;
        let kind = |s: &Json<'_>| s.members().iter().any(|m| KINDS.contains(&&*m.key));
        if let Some(source) = item.get("source").filter(|source| !kind(source)) {
            return Err(self.lines.unparsable(source.span.start, "a kind of source that uv doesn't have"));
        }
        for (key, good, what) in [
            ("version", is_version as fn(&str) -> bool, "a version"),
            ("marker", is_marker, "a marker"),
            ("specifier", is_specifier, "a range of versions"),
        ] {
            if let Some(value) = item.get(key) {
                well_formed(self.lines, value, good, what)?;
            }
        }
        Ok(())
    }
}

/// How an entry is told from its namesakes, as far as this is said of it.
fn place(name: &str, version: Option<&str>, from: Option<&str>) -> String {
    let length = name.len() + version.map_or(0, |v| v.len() + 1) + from.map_or(0, |f| f.len() + 3);
    let mut place = String::with_capacity(length);
    place.push_str(name);
    if let Some(version) = version {
        place.extend([" ", version]);
    }
    if let Some(from) = from {
        place.extend([" (", from, ")"]);
    }
    place
}

/// Whether a URL or a path ends with the file name of a wheel.
fn is_wheel_at(place: &str) -> bool {
    let path = place.split(['#', '?']).next().unwrap_or(place);
    is_wheel(path.rsplit('/').next().unwrap_or(path))
}

/// Refuses what uv would not read as this.
fn well_formed(
    lines: &Lines<'_>,
    json: &Json<'_>,
    good: impl Fn(&str) -> bool,
    what: &str,
) -> Result<(), Damage> {
    match json.as_str().is_some_and(good) {
        true => Ok(()),
        false => Err(lines.unparsable(json.span.start, format!("expected {what}"))),
    }
}

/// Finds for each dependency its entry: by what it says of it, which is only the name where that is enough.
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
            let asked = dependency.place.take();
            let known = names.get(&dependency.name).map(Vec::as_slice).unwrap_or_default();
            let fits = |place: &&&str| match &asked {
                // With or without the source behind it.
                Some(asked) => {
                    place.strip_prefix(asked.as_str()).is_some_and(|r| r.is_empty() || r.starts_with(" ("))
                }
                None => true,
            };
            let mut found = known.iter().filter(fits);
            let (first, second) = (found.next(), found.next());
            // What only the manifest's own list has may have been ruled out by a marker.
            let listed = !(dependency.optional && dependency.requirement.is_some());
            match (first, second) {
                // Where a name is locked several times, uv wants to be told the source too.
                (Some(_), None)
                    if listed && known.len() > 1 && !asked.as_ref().is_some_and(|a| a.ends_with(')')) =>
                {
                    let needs = format!("one of several {} without saying from where", dependency.name);
                    damage.push(Damage::MissingEntry { line, entry: entry.title(), needs });
                }
                (Some(place), None) => dependency.place = Some((*place).to_owned()),
                _ if !listed => {}
                (None, _) => {
                    let needs = asked.unwrap_or_else(|| dependency.name.clone());
                    damage.push(Damage::MissingEntry { line, entry: entry.title(), needs });
                }
                (Some(_), Some(_)) => {
                    let needs = format!("one of several {} without saying which", dependency.name);
                    damage.push(Damage::MissingEntry { line, entry: entry.title(), needs });
                }
            }
        }
        dependencies.sort();
        dependencies.dedup();
    }
    put_back(entries, lists);
}
