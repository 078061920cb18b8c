//! Gradle's `gradle.lockfile`: `group:artifact:version=configuration,…`, one a line; `empty=` lists configurations
//! without any. It holds no checksums: those are in `verification-metadata.xml`.

mod merge;

use std::collections::BTreeMap;

use crate::checksum::Style;
use crate::format::Facts;
use crate::position::Lines;
use crate::{Algorithm, Damage, Entry, Format, Lockfile};

pub(crate) use merge::merge;

const FORMAT: Format = Format::GradleLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "gradle-lock",
    tool: "gradle",
    file_names: &["gradle.lockfile", "buildscript-gradle.lockfile", "settings-gradle.lockfile"],
    manifest: Err("the manifest is code"),
    default_hosts: &[],
    style: Style::Hex(Algorithm::Sha256),
    may_be_empty: false,
    silent_default: false,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let (mut entries, mut damage) = (Vec::new(), Vec::new());
    let mut first: BTreeMap<String, u64> = BTreeMap::new();
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        let start = at;
        at += whole.len();
        let said = whole.trim();
        if said.is_empty() || said.starts_with('#') {
            continue;
        }
        let line = lines.line(start);
        let cut = |why: &str| match line >= lines.last() {
            true => Damage::Truncated { line },
            false => lines.unparsable(start, why),
        };
        let Some((module, _)) = said.split_once('=') else {
            return Err(cut("expected a module and its configurations"));
        };
        if module == "empty" {
            continue;
        }
        let parts: Vec<&str> = module.split(':').collect();
        let [group, artifact, version] = parts.as_slice() else {
            return Err(lines.unparsable(start, "expected `group:artifact:version`"));
        };
        let name = format!("{group}:{artifact}");
        let entry = Entry { version: Some((*version).to_owned()), ..Entry::new(module, name, line) };
        match first.get(module) {
            Some(first_line) => {
                let (first_line, entry) = (*first_line, entry.title());
                damage.push(Damage::DuplicateEntry { line, first_line, entry });
            }
            None => _ = first.insert(module.to_owned(), line),
        }
        entries.push(entry);
    }
    Ok(Lockfile::new(FORMAT, None, entries, damage))
}
