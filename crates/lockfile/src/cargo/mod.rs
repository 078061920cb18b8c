//! Cargo's `Cargo.lock`, versions 1 to 4.
//!
//! Version 1 keeps the checksums in `[metadata]` and writes every dependency in full; version 2 puts the
//! checksum beside the package and shortens dependencies as far as they stay unambiguous; versions 3 and 4
//! change how git sources are written.

mod agree;
mod document;
mod graph;
mod merge;
mod write;

use std::collections::BTreeMap;

use crate::lockfile::Site;
use crate::position::Lines;
use crate::{Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::merge;

use document::Package;
use graph::Index;

const FORMAT: Format = Format::CargoLock;

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let document = document::read(text, &lines)?;
    let mut damage = Vec::new();
    let index = Index::new(&document.packages);
    let mut entries = Vec::with_capacity(document.packages.len());
    let mut first_lines: BTreeMap<String, u64> = BTreeMap::new();
    for package in &document.packages {
        let entry = entry(package, &index, &document.packages, &lines, &mut damage);
        if let Some(first_line) = first_lines.get(&entry.place) {
            let (line, entry) = (entry.line, entry.title());
            damage.push(Damage::DuplicateEntry { line, first_line: *first_line, entry });
        }
        first_lines.entry(entry.place.clone()).or_insert(entry.line);
        entries.push(entry);
    }
    Ok(Lockfile {
        format: FORMAT,
        version: Some(document.version),
        entries,
        damage,
        mirror: Vec::new(),
        registries: Vec::new(),
    })
}

/// The package's full id, as version 1 writes it.
fn place(package: &Package) -> String {
    match &package.source {
        Some(source) => format!("{} {} ({source})", package.name, package.version),
        None => format!("{} {}", package.name, package.version),
    }
}

fn entry(
    package: &Package,
    index: &Index<'_>,
    packages: &[Package],
    lines: &Lines<'_>,
    damage: &mut Vec<Damage>,
) -> Entry {
    let line = lines.line(package.at);
    let mut entry = Entry {
        place: place(package),
        name: package.name.clone(),
        version: Some(package.version.clone()),
        requirement: None,
        source: package.source.clone(),
        local: package.source.is_none(),
        checksums: Vec::new(),
        line,
        dependencies: Vec::new(),
        sites: Vec::new(),
    };
    if let Some(checksum) = &package.checksum {
        let (site, verdict) = Site::read(FORMAT, &checksum.text, checksum.span.clone());
        if let Err(why) = verdict {
            let line = lines.line(checksum.span.start);
            damage.push(Damage::BadChecksum { line, entry: entry.title(), why });
        }
        entry.checksums.extend(site.checksum.clone());
        entry.sites.push(site);
    }
    for written in &package.dependencies {
        let found = index.find(written);
        // What a `[replace]` took away may be missing.
        if found.is_none() && package.replace.is_none() {
            damage.push(Damage::MissingEntry { line, entry: entry.title(), needs: written.clone() });
        }
        entry.dependencies.push(Dependency {
            name: written.split(' ').next().unwrap_or(written).to_owned(),
            requirement: None,
            place: found.map(|n| place(&packages[n])),
            optional: false,
        });
    }
    entry
}
