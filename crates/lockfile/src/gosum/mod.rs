//! Go's `go.sum`: a hash of each module's files, and one of its `go.mod`.
//!
//! `h1` is base64 of a SHA-256 over the names and SHA-256 sums of the files (`golang.org/x/mod/sumdb/dirhash`).

mod agree;
mod merge;

use crate::checksum::Style;
use crate::format::Facts;
use crate::names::Names;
use crate::position::Lines;
use crate::{Damage, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::merge;

const FORMAT: Format = Format::GoSum;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "go-sum",
    tool: "go",
    file_names: &["go.sum"],
    manifest: Ok("go.mod"),
    default_hosts: &[],
    style: Style::DirHash,
    may_be_empty: true,
    silent_default: true,
};

/// Reads the text of a `go.sum`. A line that stands twice with the same hash is as good as once, as for Go.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let (mut entries, mut damage): (Vec<Entry>, Vec<Damage>) = (Vec::new(), Vec::new());
    let mut first: Names<'_, usize> = Names::new();
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        let start = at;
        at += whole.len();
        let said = whole.trim_end_matches(['\n', '\r']);
        let fields: Vec<&str> = said.split_ascii_whitespace().collect();
        let [module, version, hash] = fields.as_slice() else {
            match fields.is_empty() {
                true => continue,
                // The last line, without its newline, was cut off.
                false if !whole.ends_with('\n') && fields.len() < 3 => {
                    return Err(Damage::Truncated { line: lines.last() });
                }
                false => return Err(lines.unparsable(start, "expected module, version and hash")),
            }
        };
        let bare = version.strip_suffix("/go.mod").unwrap_or(version);
        if !bare.starts_with('v') || module.contains(['@', ':']) {
            return Err(lines.unparsable(start, "expected a module and its version"));
        }
        let offset = |word: &str| start + (word.as_ptr() as usize - whole.as_ptr() as usize);
        let key = &text[offset(module)..offset(version) + version.len()];
        let mut entry = Entry {
            version: Some((*version).to_owned()),
            ..Entry::new(format!("{module} {version}"), *module, lines.line(start))
        };
        damage.extend(entry.add_checksum(FORMAT, hash, offset(hash)..offset(hash) + hash.len(), entry.line));
        match first.get(key).and_then(|n| entries.get(*n)) {
            Some(before) if before.checksums == entry.checksums => {}
            Some(before) => {
                let (line, first_line) = (entry.line, before.line);
                damage.push(Damage::DuplicateEntry { line, first_line, entry: entry.title() });
            }
            None => {
                first.insert(key, entries.len());
                entries.push(entry);
            }
        }
    }
    Ok(Lockfile::new(FORMAT, None, entries, damage))
}
