//! Cargo's `Cargo.lock`, versions 1 to 4.
//!
//! Version 1 keeps the checksums in `[metadata]` and writes every dependency in full; version 2 puts the
//! checksum beside the package and shortens dependencies as far as they stay unambiguous; versions 3 and 4
//! change how git sources are written.

mod agree;
mod document;
mod graph;
mod merge;
mod tree;
mod write;

use crate::checksum::Style;
use crate::format::Facts;
use crate::lockfile::twice;
use crate::position::Lines;
use crate::{Algorithm, Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::merge;

use document::Package;
use graph::Index;

const FORMAT: Format = Format::CargoLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "cargo-lock",
    tool: "cargo",
    file_names: &["Cargo.lock"],
    manifest: Ok("Cargo.toml"),
    default_hosts: &["index.crates.io", "static.crates.io"],
    style: Style::Hex(Algorithm::Sha256),
    may_be_empty: false,
    silent_default: false,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let document = document::read(text, &lines)?;
    let mut damage = Vec::new();
    let index = Index::new(&document.packages);
    let packages = &document.packages;
    let entries: Vec<Entry> =
        packages.iter().map(|package| entry(package, &index, packages, &lines, &mut damage)).collect();
    damage.extend(twice(&entries));
    Ok(Lockfile::new(FORMAT, Some(document.version), entries, damage))
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
        version: Some(package.version.clone()),
        source: package.source.clone(),
        local: package.source.is_none(),
        ..Entry::new(place(package), &package.name, line)
    };
    if let Some(checksum) = &package.checksum {
        let line = lines.line(checksum.span.start);
        damage.extend(entry.add_checksum(FORMAT, &checksum.text, checksum.span.clone(), line));
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
