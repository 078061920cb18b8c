//! NuGet's `packages.lock.json`, versions 1 and 2: packages by target framework.

mod merge;

use std::collections::BTreeSet;

use crate::checksum::Style;
use crate::format::Facts;
use crate::json::{self, Json, Value};
use crate::position::Lines;
use crate::{Algorithm, Damage, Dependency, Entry, Format, Lockfile};

pub(crate) use merge::LAYOUT;

const FORMAT: Format = Format::NugetLock;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "nuget-lock",
    tool: "nuget",
    file_names: &["packages.lock.json"],
    manifest: Err("the manifest is code"),
    default_hosts: &[],
    style: Style::Base64(Algorithm::Sha512),
    may_be_empty: false,
    silent_default: true,
};

/// Reads the text of a lockfile.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    let root = json::read_json(text, &lines, "a NuGet lockfile")?;
    let version = match root.get("version").map(|v| (&v.value, v.span.start)) {
        Some((Value::Number(number), at)) => match number.parse() {
            Ok(version @ (1 | 2)) => version,
            _ => {
                let why = format!("NuGet lockfile version {number}");
                return Err(Damage::Unsupported { line: lines.line(at), why });
            }
        },
        _ => return Err(lines.unparsable(root.span.start, "expected `version` in a NuGet lockfile")),
    };
    let Some(frameworks) = root.get("dependencies").filter(|d| d.is_object()) else {
        return Err(lines.unparsable(root.span.start, "expected `dependencies` in a NuGet lockfile"));
    };
    let mut damage = root.duplicate_keys(&lines);
    let mut entries = Vec::new();
    for framework in frameworks.members() {
        let packages = framework.value.members();
        let names: BTreeSet<String> = packages.iter().map(|m| m.key.to_lowercase()).collect();
        for member in packages {
            let package = &member.value;
            if !package.is_object() {
                return Err(
                    lines.unparsable(package.span.start, format!("expected an object as `{}`", member.key))
                );
            }
            let place = format!("{} {}", framework.key, member.key);
            let mut entry = Entry::new(place, &*member.key, lines.line(member.at));
            entry.version = package.text("resolved").map(str::to_owned);
            entry.requirement =
                package.text("requested").map(str::to_owned).filter(|_| entry.version.is_none());
            entry.local = package.text("type").is_some_and(|t| t.eq_ignore_ascii_case("project"));
            if let Some(hash) = package.get("contentHash") {
                damage.extend(entry.add_checksums(FORMAT, hash, text, &lines));
            }
            for dependency in package.get("dependencies").map(Json::members).unwrap_or_default() {
                let name = dependency.key.to_string();
                // What the framework itself brings may be left out.
                let there = names.contains(&name.to_lowercase());
                let requirement = dependency.value.as_str().map(str::to_owned);
                let place = there.then(|| format!("{} {name}", framework.key));
                entry.dependencies.push(Dependency { name, requirement, place, optional: false });
            }
            entry.dependencies.sort();
            entries.push(entry);
        }
    }
    Ok(Lockfile::new(FORMAT, Some(version), entries, damage))
}
