//! `pyproject.toml` against the lockfile, which repeats the specifiers of each project's own dependencies.

use crate::json::{self, Json};
use crate::position::Lines;
use crate::python::{clauses, items, normalised};
use crate::{Agreement, Lockfile, Manifest};

pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let mut drift = Vec::new();
    let root = [("", manifest.root)];
    for (folder, text) in root.into_iter().chain(manifest.members.iter().copied()) {
        let file =
            if folder.is_empty() { "pyproject.toml".to_owned() } else { format!("{folder}/pyproject.toml") };
        let root = match json::read_toml(text, &Lines::new(text)) {
            Ok(root) => root,
            Err(damage) => return Agreement::NotChecked(format!("{file}: {damage}")),
        };
        // A workspace's root may be no project itself.
        let Some(project) = root.get("project") else { continue };
        if items(project.get("dynamic")).iter().any(|d| d.as_str() == Some("dependencies")) {
            return Agreement::NotChecked(format!("{file}: the dependencies are made by code"));
        }
        compare(&file, project, lockfile, &mut drift);
    }
    Agreement::of(drift)
}

fn compare(file: &str, project: &Json<'_>, lockfile: &Lockfile, drift: &mut Vec<String>) {
    let name = normalised(project.text("name").unwrap_or_default());
    let Some(entry) = lockfile.entries.iter().find(|e| e.local && e.name == name) else {
        drift.push(format!("the lockfile doesn't know the project {name} of {file}"));
        return;
    };
    let asked = items(project.get("dependencies")).iter().filter_map(Json::as_str).map(asked);
    let mut names = Vec::new();
    for (name, specifier) in asked {
        let locked: Vec<&str> = (entry.dependencies.iter())
            .filter(|d| d.name == name)
            .filter_map(|d| d.requirement.as_deref())
            .collect();
        let said = format!("{file} asks for {name} {}", specifier.as_deref().unwrap_or("(any version)"));
        match (locked.as_slice(), &specifier) {
            ([], _) => drift.push(format!("{said}, the lockfile has none for it")),
            // A URL has no version to compare.
            (_, None) if locked.contains(&"") => {}
            (locked, Some(wanted)) if locked.iter().any(|l| clauses(l) == clauses(wanted)) => {}
            (_, Some(wanted)) if wanted.starts_with('@') => {}
            (locked, _) => drift.push(format!("{said}, the lockfile was made for {}", locked.join(" and "))),
        }
        names.push(name);
    }
    let extra = |d: &&crate::Dependency| d.requirement.is_some() && !d.optional && !names.contains(&d.name);
    for gone in entry.dependencies.iter().filter(extra) {
        drift.push(format!("{file} no longer asks for {}, which the lockfile still has for it", gone.name));
    }
}

/// Name and specifier of a requirement (PEP 508), without extras and marker.
fn asked(requirement: &str) -> (String, Option<String>) {
    let said = requirement.split(';').next().unwrap_or_default().trim();
    let end = said
        .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))
        .unwrap_or(said.len());
    let (name, rest) = said.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('[').and_then(|r| r.split_once(']')).map_or(rest, |(_, rest)| rest).trim();
    (normalised(name), (!rest.is_empty()).then(|| rest.to_owned()))
}
