//! A lockfile that could be read, in the shape that all formats share.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use crate::json::Json;
use crate::names::Names;
use crate::origin::host_of;
use crate::position::{self, Lines};
use crate::{Algorithm, Checksum, Damage, Format};

/// A lockfile's entries in the order of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// The format it was read as.
    pub format: Format,
    /// The version of the format, where it has one (npm 1 to 3, Cargo 1 to 4).
    pub version: Option<u64>,
    /// The entries. For npm with `packages` these are the packages, the project itself (place `""`) included.
    pub entries: Vec<Entry>,
    /// Damage that did not stop the reader: malformed checksums, duplicates, missing entries; by line.
    pub damage: Vec<Damage>,
    /// npm version 2 says everything a second time for old clients, in `dependencies`.
    pub(crate) mirror: Vec<Entry>,
    /// Sources that stand in the file on their own (`--index-url`).
    pub(crate) registries: Vec<Registry>,
    /// How the tool computes its checksums, where it says so (yarn's cache key): others can't be compared.
    pub(crate) checksum_scheme: Option<String>,
    /// Folders of the workspace members, where they are not among the entries.
    pub(crate) members: Vec<String>,
    /// The tool replaces ranges by others before it compares them.
    pub(crate) ranges_rewritten: bool,
    /// The tool's own hash of its manifest.
    pub(crate) content_hash: Option<String>,
    /// What the manifest asks for itself, where the lockfile tells and the format has no better place for it.
    pub(crate) wanted: Vec<Dependency>,
}

/// A source that is no entry's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registry {
    /// As written.
    pub(crate) url: String,
    /// 1-based.
    pub(crate) line: u64,
}

/// One locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place, which only this entry has: npm's path (`node_modules/a/node_modules/b`), Cargo's name,
    /// version and source, pip's normalised name with its environment marker.
    pub place: String,
    /// The package's own name (behind an npm alias, the real one; for pip normalised).
    pub name: String,
    /// The exact version; `None` where the lockfile doesn't fix one (a link, an unpinned requirement).
    pub version: Option<String>,
    /// What is asked for instead of a version, where no exact one is fixed (pip's `>=1,<2`).
    pub requirement: Option<String>,
    /// Resolved URL, registry or repository as written; `None` is the tool's default or a local package.
    pub source: Option<String>,
    /// The project itself, a workspace member, a path or a link: nothing is downloaded for it.
    pub local: bool,
    /// The well-formed checksums, in the order of the text; malformed ones are in [`Lockfile::damage`].
    pub checksums: Vec<Checksum>,
    /// The 1-based line where the entry begins.
    pub line: u64,
    /// What it depends on, as far as the lockfile tells.
    pub dependencies: Vec<Dependency>,
    /// The tool itself writes no checksum for it (other platforms' packages, signatures instead).
    pub(crate) unproved: bool,
    /// Where each checksum stands in the text, malformed ones included.
    pub(crate) sites: Vec<Site>,
}

/// What one entry says of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// The name it asks for; for npm that is the folder's name, which may be an alias.
    pub name: String,
    /// The range it asks for (npm).
    pub requirement: Option<String>,
    /// The place of the entry it gets, where the lockfile holds one.
    pub place: Option<String>,
    /// Whether the install goes on without it.
    pub optional: bool,
}

/// What names an artefact whichever lockfile, and wherever in it, it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey {
    /// The package's own name.
    pub name: String,
    /// The exact version.
    pub version: Option<String>,
    /// The source as written.
    pub source: Option<String>,
}

/// The bytes of one checksum in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) span: Range<usize>,
    /// `None` where not even the algorithm can be read.
    pub(crate) algorithm: Option<Algorithm>,
    /// `None` where it is malformed.
    pub(crate) checksum: Option<Checksum>,
    /// The name of the file that it is of, where the lockfile tells it.
    pub(crate) file: Option<Box<str>>,
}

impl Lockfile {
    /// The folders of the workspace members that the lockfile names, relative to its own, as it writes them: check
    /// them before you go there. Cargo's lockfile names none.
    pub fn member_folders(&self) -> Vec<&str> {
        match self.format {
            Format::NpmLock => {
                let folders = self.entries.iter().filter(|e| e.local && !e.place.is_empty());
                folders.filter(|e| !e.place.contains("node_modules")).map(|e| e.place.as_str()).collect()
            }
            _ => self.members.iter().map(String::as_str).collect(),
        }
    }

    /// How the tool makes what its checksums are of, where it says so: Yarn's `10c0` is its archive of version 10,
    /// not compressed. Several, with spaces between them, where the entries differ.
    pub fn checksum_scheme(&self) -> Option<&str> {
        self.checksum_scheme.as_deref()
    }

    /// A lockfile with its entries and what was found on the way, and nothing else.
    pub(crate) fn new(
        format: Format,
        version: Option<u64>,
        entries: Vec<Entry>,
        damage: Vec<Damage>,
    ) -> Lockfile {
        Lockfile {
            format,
            version,
            entries,
            damage,
            mirror: Vec::new(),
            registries: Vec::new(),
            checksum_scheme: None,
            members: Vec::new(),
            ranges_rewritten: false,
            content_hash: None,
            wanted: Vec::new(),
        }
    }
}

/// Reads a lockfile. Linear in the number of bytes; nesting is limited, so hostile depth is an error.
///
/// # Errors
/// The first damage that makes it unreadable. Other damage is in [`Lockfile::damage`].
pub fn parse(format: Format, bytes: &[u8]) -> Result<Lockfile, Damage> {
    let text = position::text_of(format, bytes)?;
    let (mark, text) = position::without_mark(text);
    let mut lockfile = match format {
        Format::NpmLock => crate::npm::read(text),
        Format::CargoLock => crate::cargo::read(text),
        Format::PipRequirements => crate::pip::read(text),
        Format::YarnClassic => crate::yarn_classic::read(text),
        Format::YarnBerry => crate::yarn_berry::read(text),
        Format::PnpmLock => crate::pnpm::read(text),
        Format::BunLock => crate::bun::read(text),
        Format::PoetryLock => crate::poetry::read(text),
        Format::UvLock => crate::uv::read(text),
        Format::PipfileLock => crate::pipenv::read(text),
        Format::GoSum => crate::gosum::read(text),
        Format::GemfileLock => crate::gemfile::read(text),
        Format::ComposerLock => crate::composer::read(text),
        Format::NugetLock => crate::nuget::read(text),
        Format::GradleLock => crate::gradle::read(text),
        Format::GradleVerification => crate::gradle_verification::read(text),
    }?;
    for site in lockfile.entries.iter_mut().chain(&mut lockfile.mirror).flat_map(|e| &mut e.sites) {
        site.span = site.span.start + mark..site.span.end + mark;
    }
    lockfile.damage.sort_by_key(Damage::line);
    Ok(lockfile)
}

/// The checksums that the lockfile holds for exactly this name, version and source; empty where it holds
/// none. Provenance asks this of the base branch's lockfiles.
pub fn checksum_of<'l>(
    lockfile: &'l Lockfile,
    name: &str,
    version: Option<&str>,
    source: Option<&str>,
) -> Vec<&'l Checksum> {
    let mut found: Vec<&Checksum> = (lockfile.entries.iter())
        .filter(|e| e.name == name && e.version.as_deref() == version && e.source.as_deref() == source)
        .flat_map(|e| &e.checksums)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Every host that the lockfile would have packages fetched from, lower-case, with its port where one is
/// written, without user names. What comes from a tool's default registry names no host.
pub fn hosts(lockfile: &Lockfile) -> BTreeSet<String> {
    let sources = lockfile.entries.iter().chain(&lockfile.mirror).filter_map(|e| e.source.as_deref());
    sources.chain(lockfile.registries.iter().map(|r| r.url.as_str())).filter_map(host_of).collect()
}

impl Entry {
    /// An entry of which only this is known yet.
    pub(crate) fn new(place: impl Into<String>, name: impl Into<String>, line: u64) -> Entry {
        Entry {
            place: place.into(),
            name: name.into(),
            version: None,
            requirement: None,
            source: None,
            local: false,
            checksums: Vec::new(),
            line,
            dependencies: Vec::new(),
            unproved: false,
            sites: Vec::new(),
        }
    }

    /// Takes the checksum that stands at `span`; a malformed one is damage.
    pub(crate) fn add_checksum(
        &mut self,
        format: Format,
        text: &str,
        span: Range<usize>,
        line: u64,
    ) -> Option<Damage> {
        self.take_checksum(format, text, span, || line)
    }

    fn take_checksum(
        &mut self,
        format: Format,
        text: &str,
        span: Range<usize>,
        line: impl Fn() -> u64,
    ) -> Option<Damage> {
        let (site, verdict) = Site::read(format, text, span);
        self.checksums.extend(site.checksum.clone());
        self.sites.push(site);
        verdict.err().map(|why| Damage::BadChecksum { line: line(), entry: self.title(), why })
    }

    /// Takes the checksums of the file of this name, or with this URL or path.
    pub(crate) fn add_file(
        &mut self,
        format: Format,
        file: Option<&str>,
        json: &Json<'_>,
        text: &str,
        lines: &Lines<'_>,
    ) -> Vec<Damage> {
        let before = self.sites.len();
        let damage = self.add_checksums(format, json, text, lines);
        let name = file.and_then(|f| f.split(['#', '?']).next()?.rsplit('/').next());
        for site in self.sites.iter_mut().skip(before) {
            site.file = name.filter(|n| !n.is_empty()).map(Box::from);
        }
        damage
    }

    /// Takes the checksums of one string, which blanks part.
    pub(crate) fn add_checksums(
        &mut self,
        format: Format,
        json: &Json<'_>,
        text: &str,
        lines: &Lines<'_>,
    ) -> Vec<Damage> {
        // Only what is damaged needs its line.
        let line = || lines.line(json.span.start);
        let bad = |entry: &Entry, why: &str| {
            vec![Damage::BadChecksum { line: line(), entry: entry.title(), why: why.to_owned() }]
        };
        let Some(written) = json.as_str() else { return bad(self, "it is no string") };
        let inner = json.inner(text);
        let mut damage = Vec::new();
        let before = self.sites.len();
        for word in written.split_ascii_whitespace() {
            // With an escape in it the words don't stand in the text as they read: only the whole can be replaced.
            let start = inner.start + (word.as_ptr() as usize - written.as_ptr() as usize);
            let span = if text.get(inner.clone()) == Some(written) {
                start..start + word.len()
            } else {
                inner.clone()
            };
            damage.extend(self.take_checksum(format, word, span, line));
        }
        if self.sites.len() == before { bad(self, "it is empty") } else { damage }
    }

    /// Name, version and source.
    pub fn key(&self) -> EntryKey {
        EntryKey { name: self.name.clone(), version: self.version.clone(), source: self.source.clone() }
    }

    /// The name with its version, for sentences.
    pub fn title(&self) -> String {
        match self.version.as_ref().or(self.requirement.as_ref()) {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.clone(),
        }
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        match &self.source {
            Some(source) => write!(f, " from {source}"),
            None => Ok(()),
        }
    }
}

/// Entries that have the place of an earlier one.
pub(crate) fn twice(entries: &[Entry]) -> Vec<Damage> {
    let mut first: Names<'_, u64> = Names::new();
    let mut damage = Vec::new();
    for entry in entries {
        let line = entry.line;
        match first.get(&entry.place) {
            Some(first_line) => {
                damage.push(Damage::DuplicateEntry { line, first_line: *first_line, entry: entry.title() })
            }
            None => _ = first.insert(&entry.place, line),
        }
    }
    damage
}

impl Site {
    /// Reads what stands at `span`; malformed ones become damage of `entry`.
    pub(crate) fn read(format: Format, text: &str, span: Range<usize>) -> (Site, Result<(), String>) {
        let parsed = Checksum::parse(format, text);
        let algorithm = match &parsed {
            Ok(checksum) => Some(checksum.algorithm()),
            Err(_) => format.facts().style.meant(text),
        };
        let verdict = parsed.as_ref().map(|_| ()).map_err(ToString::to_string);
        (Site { span, algorithm, checksum: parsed.ok(), file: None }, verdict)
    }
}
