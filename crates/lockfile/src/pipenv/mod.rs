//! Pipenv's `Pipfile.lock`, specification 6.

mod agree;
mod merge;

use crate::checksum::Style;
use crate::format::Facts;
use crate::json::{self, Json};
use crate::lockfile::Registry;
use crate::position::Lines;
use crate::python::{items, normalised};
use crate::{Algorithm, Damage, Entry, Format, Lockfile};

pub(crate) use agree::agrees;
pub(crate) use merge::LAYOUT;

const FORMAT: Format = Format::PipfileLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "pipfile-lock",
    tool: "pipenv",
    file_names: &["Pipfile.lock"],
    manifest: Ok("Pipfile"),
    default_hosts: &["pypi.org", "files.pythonhosted.org"],
    // pip, which installs from it, refuses md5 and sha1.
    style: Style::Named { weakest: Algorithm::Sha256 },
    may_be_empty: false,
    silent_default: true,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let root = json::read_json(text, &lines, "a Pipfile.lock")?;
    let Some(meta) = root.get("_meta").filter(|m| m.is_object()) else {
        return Err(lines.unparsable(root.span.start, "expected `_meta` in a Pipfile.lock"));
    };
    let version = match meta.get("pipfile-spec").map(|v| &v.value) {
        Some(json::Value::Number("6")) => 6,
        _ => {
            let line = lines.line(meta.span.start);
            return Err(Damage::Unsupported { line, why: "a Pipfile.lock of this specification".to_owned() });
        }
    };
    let mut damage = root.duplicate_keys(&lines);
    let mut entries = Vec::new();
    for category in root.members().iter().filter(|m| m.key != "_meta") {
        for member in category.value.members() {
            let package = &member.value;
            if !package.is_object() {
                return Err(
                    lines.unparsable(package.span.start, format!("expected an object as `{}`", member.key))
                );
            }
            let name = normalised(&member.key);
            let mut entry = Entry::new(format!("{} {name}", category.key), name, lines.line(member.at));
            let written = package.text("version");
            entry.version = written.map(|v| v.trim_start_matches('=').to_owned());
            if let Some(repository) = package.text("git") {
                entry.source = Some(format!("git+{repository}#{}", package.text("ref").unwrap_or_default()));
                entry.unproved = true;
            }
            let file = package.text("file").or(package.text("path"));
            entry.local = package.is_true("editable") || file.is_some_and(|f| !f.contains("://"));
            entry.source = entry.source.or(file.filter(|f| f.contains("://")).map(str::to_owned));
            for hash in items(package.get("hashes")) {
                damage.extend(entry.add_checksums(FORMAT, hash, text, &lines));
            }
            entries.push(entry);
        }
    }
    let url = |source: &Json<'_>| {
        let url = source.get("url")?;
        Some(Registry { url: url.as_str()?.to_owned(), line: lines.line(url.span.start) })
    };
    let registries = items(meta.get("sources")).iter().filter_map(url).collect();
    let content_hash = meta.at_path("hash.sha256").and_then(Json::as_str).map(str::to_owned);
    let lockfile = Lockfile::new(FORMAT, Some(version), entries, damage);
    Ok(Lockfile { content_hash, registries, ..lockfile })
}
