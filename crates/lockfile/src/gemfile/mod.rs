//! Bundler's `Gemfile.lock`.
//!
//! Sections by source (`GEM`, `GIT`, `PATH`) with gems under `specs:`, what the `Gemfile` asks for under
//! `DEPENDENCIES`, and since Bundler 2.5, where it was asked for, `CHECKSUMS`. As in Bundler's own
//! `lockfile_parser.rb`: two spaces an indentation.

mod agree;
mod merge;

use std::collections::btree_map::Entry as MapEntry;
use std::collections::{BTreeMap, BTreeSet};

use crate::checksum::Style;
use crate::format::Facts;
use crate::lockfile::Registry;
use crate::position::Lines;
use crate::{Algorithm, Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::LAYOUT;

const FORMAT: Format = Format::GemfileLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "gemfile-lock",
    tool: "bundler",
    file_names: &["Gemfile.lock", "gems.locked"],
    manifest: Err("the manifest is code"),
    default_hosts: &["rubygems.org", "index.rubygems.org"],
    style: Style::Assigned { weakest: Algorithm::Sha256 },
    may_be_empty: false,
    silent_default: false,
};

const SOURCES: [&str; 4] = ["GEM", "GIT", "PATH", "PLUGIN SOURCE"];
/// A section that is not known here.
const NEWER: &str = "?";
const OTHERS: [&str; 5] = ["PLATFORMS", "DEPENDENCIES", "CHECKSUMS", "RUBY VERSION", "BUNDLED WITH"];

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let mut reader = Reader::new(&lines);
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        reader.line(at, whole.trim_end_matches(['\n', '\r']))?;
        at += whole.len();
    }
    if !reader.sections.contains("DEPENDENCIES") {
        // Every lockfile has it, behind the sources.
        return Err(Damage::Truncated { line: lines.last() });
    }
    reader.resolve();
    let Reader { entries, damage, registries, wanted, .. } = reader;
    Ok(Lockfile { registries, wanted, ..Lockfile::new(FORMAT, None, entries, damage) })
}

struct Reader<'r> {
    lines: &'r Lines<'r>,
    section: &'static str,
    sections: BTreeSet<&'static str>,
    /// Whether `specs:` was there in this section.
    specs: bool,
    remote: String,
    revision: String,
    entries: Vec<Entry>,
    /// Each gem and platform with its first line.
    gems: BTreeMap<(String, Option<String>), u64>,
    /// Where among the entries each place is.
    places: BTreeMap<String, usize>,
    damage: Vec<Damage>,
    registries: Vec<Registry>,
    /// What the `Gemfile` asks for.
    wanted: Vec<Dependency>,
}

impl<'r> Reader<'r> {
    fn new(lines: &'r Lines<'r>) -> Self {
        Reader {
            lines,
            section: "",
            sections: BTreeSet::new(),
            specs: false,
            remote: String::new(),
            revision: String::new(),
            entries: Vec::new(),
            gems: BTreeMap::new(),
            places: BTreeMap::new(),
            damage: Vec::new(),
            registries: Vec::new(),
            wanted: Vec::new(),
        }
    }

    fn line(&mut self, at: usize, said: &str) -> Result<(), Damage> {
        let body = said.trim_start_matches(' ');
        let indent = said.len() - body.len();
        if body.is_empty() {
            return Ok(());
        }
        if indent == 0 {
            let known = SOURCES.iter().chain(&OTHERS).find(|s| **s == body).copied();
            // Bundler passes over what it does not know, so that it can read newer lockfiles.
            let newer = body.chars().all(|c| c.is_ascii_uppercase() || c == ' ').then_some(NEWER);
            let Some(section) = known.or(newer) else {
                return Err(self.lines.unparsable(at, "expected the head of a section"));
            };
            (self.section, self.remote, self.revision) = (section, String::new(), String::new());
            self.specs = false;
            self.sections.insert(section);
            return Ok(());
        }
        match (self.section, indent) {
            ("", _) => Err(self.lines.unparsable(at, "expected the head of a section")),
            (section, 2) if SOURCES.contains(&section) => self.option(at, body),
            (section, 4) if SOURCES.contains(&section) => self.spec(at + indent, body),
            (section, 6) if SOURCES.contains(&section) => self.dependency(at + indent, body),
            ("CHECKSUMS", 2) => self.checksum(at + indent, body),
            ("DEPENDENCIES", 2) => {
                let (name, rest) = name_and_rest(body.trim_end_matches('!'));
                if !(rest.is_empty() || is_range(rest)) {
                    return Err(self.cut_or(at + indent, body, "expected a gem with its range"));
                }
                self.wanted.push(dependency(name, rest));
                Ok(())
            }
            // What the `Gemfile` asks for on other platforms only is not locked.
            ("DEPENDENCIES" | "PLATFORMS" | "RUBY VERSION" | "BUNDLED WITH" | NEWER, _) => Ok(()),
            _ => Err(self.lines.unparsable(at + indent, "an indentation that does not fit its section")),
        }
    }

    /// `remote: …`, `revision: …`, `specs:` and the like.
    fn option(&mut self, at: usize, body: &str) -> Result<(), Damage> {
        let Some((key, value)) = body.split_once(':') else {
            return Err(self.lines.unparsable(at, "expected a setting of the source"));
        };
        let value = value.trim();
        match key {
            "specs" if value.is_empty() => self.specs = true,
            "remote" if self.section == "GEM" && !is_url(value) => {
                return Err(self.cut_or(at, body, "expected the URL of a registry"));
            }
            "remote" => {
                self.remote = value.to_owned();
                if self.section == "GEM" {
                    self.registries.push(Registry { url: value.to_owned(), line: self.lines.line(at) });
                }
            }
            "revision" => self.revision = value.to_owned(),
            _ => {}
        }
        Ok(())
    }

    fn spec(&mut self, at: usize, body: &str) -> Result<(), Damage> {
        if !self.specs {
            return Err(self.lines.unparsable(at, "gems before `specs:`"));
        }
        let (name, rest) = name_and_rest(body);
        let Some(version) = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')) else {
            return Err(self.cut_or(at, body, "expected a gem with its version"));
        };
        if !is_version(version.split('-').next().unwrap_or_default()) {
            return Err(self.lines.unparsable(at, "what stands in brackets is no version"));
        }
        let line = self.lines.line(at);
        let mut entry = Entry { version: Some(version.to_owned()), ..Entry::new(body, name, line) };
        match self.section {
            "PATH" => entry.local = true,
            "GIT" => {
                entry.source = Some(format!("git+{}#{}", self.remote, self.revision));
                entry.unproved = true;
            }
            _ => entry.source = Some(self.remote.clone()).filter(|r| !r.is_empty()),
        }
        // One version of a gem for each platform.
        let platform = |version: &str| version.split_once('-').map(|(_, p)| p.to_owned());
        match self.gems.entry((name.to_owned(), platform(version))) {
            MapEntry::Occupied(first) => {
                let (first_line, entry) = (*first.get(), entry.title());
                self.damage.push(Damage::DuplicateEntry { line, first_line, entry });
            }
            MapEntry::Vacant(first) => _ = first.insert(line),
        }
        self.places.insert(body.to_owned(), self.entries.len());
        self.entries.push(entry);
        Ok(())
    }

    fn dependency(&mut self, at: usize, body: &str) -> Result<(), Damage> {
        let (name, rest) = name_and_rest(body);
        if !(rest.is_empty() || is_range(rest)) {
            return Err(self.cut_or(at, body, "expected a gem with its range"));
        }
        let Some(entry) = self.entries.last_mut() else {
            return Err(self.lines.unparsable(at, "a dependency without a gem"));
        };
        entry.dependencies.push(dependency(name.trim_end_matches('!'), rest));
        Ok(())
    }

    /// `name (version) sha256=…,…`
    fn checksum(&mut self, at: usize, body: &str) -> Result<(), Damage> {
        let Some((gem, sums)) = body.split_once(')') else {
            return Err(self.cut_or(at, body, "expected a gem with its checksum"));
        };
        let place = format!("{gem})");
        let line = self.lines.line(at);
        let Some(entry) = self.places.get(&place).and_then(|n| self.entries.get_mut(*n)) else {
            let entry = format!("the checksum of {}", place.replace(['(', ')'], ""));
            self.damage.push(Damage::MissingEntry { line, entry, needs: "its gem".to_owned() });
            return Ok(());
        };
        let words = sums.split([' ', ',']).filter(|w| !w.is_empty());
        for word in words {
            let start = at + (word.as_ptr() as usize - body.as_ptr() as usize);
            self.damage.extend(entry.add_checksum(FORMAT, word, start..start + word.len(), line));
        }
        Ok(())
    }

    fn cut_or(&self, at: usize, body: &str, why: &str) -> Damage {
        let line = self.lines.line(at + body.len());
        match line >= self.lines.last() {
            true => Damage::Truncated { line },
            false => self.lines.unparsable(at, why),
        }
    }

    fn resolve(&mut self) {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for entry in &self.entries {
            names.entry(entry.name.clone()).or_insert_with(|| entry.place.clone());
        }
        for entry in &mut self.entries {
            let (line, title) = (entry.line, entry.title());
            for dependency in &mut entry.dependencies {
                dependency.place = names.get(&dependency.name).cloned();
                // Bundler itself is never locked.
                if dependency.place.is_none() && dependency.name != "bundler" {
                    let needs = dependency.name.clone();
                    self.damage.push(Damage::MissingEntry { line, entry: title.clone(), needs });
                }
            }
            entry.dependencies.sort();
        }
    }
}

fn dependency(name: &str, range: &str) -> Dependency {
    let requirement = (!range.is_empty()).then(|| range.trim_matches(['(', ')']).to_owned());
    Dependency { name: name.to_owned(), requirement, place: None, optional: false }
}

fn name_and_rest(body: &str) -> (&str, &str) {
    let (name, rest) = body.split_once(' ').unwrap_or((body, ""));
    (name, rest.trim())
}

/// `(~> 1.0, != 1.2)`
fn is_range(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) else { return false };
    inner.split(',').all(|clause| {
        let clause = clause.trim();
        let signs = ["~>", ">=", "<=", "!=", "=", ">", "<"];
        let version = signs.iter().find_map(|sign| clause.strip_prefix(sign)).unwrap_or(clause);
        is_version(version.trim().split('-').next().unwrap_or_default())
    })
}

/// As `Gem::Version::VERSION_PATTERN` has it, without what stands behind a hyphen.
fn is_version(text: &str) -> bool {
    let mut parts = text.split('.');
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let letters = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric());
    parts.next().is_some_and(digits) && parts.all(letters)
}

fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    // What no URI has unescaped: Ruby refuses it.
    let odd = |c: char| c.is_whitespace() || c.is_control() || "\\\"<>{}|^`".contains(c);
    !text.contains(odd)
        && scheme.is_some_and(|s| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+'))
}
