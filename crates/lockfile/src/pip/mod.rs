//! pip's `requirements.txt`: requirements, pinned or not, with or without `--hash`, and option lines.

mod line;
mod merge;
mod option;
mod requirement;

use std::collections::BTreeMap;

use crate::checksum::Style;
use crate::format::Facts;
use crate::lockfile::Registry;
use crate::position::Lines;
use crate::{Algorithm, Damage, Entry, Format, Lockfile};

pub(crate) use merge::merge;

use line::{Logical, Word};
use requirement::Requirement;

const FORMAT: Format = Format::PipRequirements;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "pip-requirements",
    tool: "pip",
    file_names: &["requirements.txt"],
    manifest: Err("a requirements.txt doesn't tell which manifest it was compiled from"),
    default_hosts: &["pypi.org", "files.pythonhosted.org"],
    // pip refuses md5 and sha1: its STRONG_HASHES begin at sha256.
    style: Style::Named { weakest: Algorithm::Sha256 },
    may_be_empty: true,
    silent_default: true,
};

/// Reads the text of a requirements file.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let (mut entries, mut damage, mut registries): (Vec<Entry>, _, _) = (Vec::new(), Vec::new(), Vec::new());
    let mut first_lines: BTreeMap<String, u64> = BTreeMap::new();
    for logical in line::logical_lines(text) {
        if logical.unfinished {
            return Err(Damage::Truncated { line: lines.last() });
        }
        // The last line of a file that was cut ends anywhere.
        let may_be_cut = logical.span.end == text.len() && !text.ends_with('\n');
        let statement = Statement::read(&logical, &lines).map_err(|damage| match damage {
            Damage::Unparsable { .. } if may_be_cut => Damage::Truncated { line: lines.last() },
            other => other,
        })?;
        match statement {
            None => {}
            Some(Statement::Option { url }) => {
                let line = lines.line(logical.words.first().map_or(logical.span.start, |w| w.at));
                registries.extend(url.map(|url| Registry { url, line }));
            }
            Some(Statement::Requirement(requirement, hashes, _)) => {
                let entry = entry(&requirement, &hashes, &lines, &logical, &mut damage);
                if let Some(first_line) = first_lines.get(&entry.place) {
                    let (line, entry) = (entry.line, entry.title());
                    damage.push(Damage::DuplicateEntry { line, first_line: *first_line, entry });
                }
                first_lines.entry(entry.place.clone()).or_insert(entry.line);
                entries.push(entry);
            }
        }
    }
    Ok(Lockfile { registries, ..Lockfile::new(FORMAT, None, entries, damage) })
}

/// What one logical line says.
enum Statement<'t> {
    /// An option for the whole file, with the URL it names, if any.
    Option { url: Option<String> },
    /// A requirement, the words after `--hash`, and those of its other options (`--config-settings`).
    Requirement(Requirement, Vec<Word<'t>>, Vec<&'t str>),
}

impl<'t> Statement<'t> {
    /// `None` for a line with nothing but comment and white space.
    fn read(logical: &Logical<'t>, lines: &Lines<'_>) -> Result<Option<Self>, Damage> {
        let Some(first) = logical.words.first() else { return Ok(None) };
        let editable = matches!(first.text, "-e" | "--editable") || first.text.starts_with("--editable=");
        let open = |at| lines.unparsable(at, "a quotation that is never closed");
        if first.text.starts_with('-') && !editable {
            if !option::closed(&logical.words) {
                return Err(open(first.at));
            }
            let value = first.text.split_once('=').map(|(_, v)| v).or(logical.words.get(1).map(|w| w.text));
            let names_url = ["-i", "--index-url", "--extra-index-url", "-f", "--find-links"];
            let url = value.filter(|_| names_url.contains(&first.text.split('=').next().unwrap_or_default()));
            return Ok(Some(Statement::Option { url: url.map(str::to_owned) }));
        }
        let options = logical.words.iter().skip(1).position(|w| w.text.starts_with('-'));
        let (said, options) = logical.words.split_at(options.map_or(logical.words.len(), |n| n + 1));
        let text = said.iter().map(|w| w.text).collect::<Vec<_>>().join(" ");
        let requirement = Requirement::read(&text)
            .ok_or_else(|| lines.unparsable(first.at, "neither a requirement nor an option"))?;
        if let Some(word) = options.first().filter(|_| !option::closed(options)) {
            return Err(open(word.at));
        }
        let (hashes, others) = option::split(options)
            .map_err(|word| lines.unparsable(word.at, "pip knows no such option of a requirement"))?;
        Ok(Some(Statement::Requirement(requirement, hashes, others)))
    }
}

fn entry(
    requirement: &Requirement,
    hashes: &[Word<'_>],
    lines: &Lines<'_>,
    logical: &Logical<'_>,
    damage: &mut Vec<Damage>,
) -> Entry {
    let line = lines.line(logical.words.first().map_or(logical.span.start, |w| w.at));
    let mut entry = Entry {
        version: requirement.version.clone(),
        requirement: requirement.asks.clone(),
        source: requirement.source.clone(),
        local: requirement.local,
        ..Entry::new(requirement.place(), &requirement.name, line)
    };
    for hash in hashes {
        let span = hash.at..hash.at + hash.text.len();
        damage.extend(entry.add_checksum(FORMAT, hash.text, span, lines.line(hash.at)));
    }
    entry
}
