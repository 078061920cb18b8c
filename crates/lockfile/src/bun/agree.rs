//! `package.json` against the lockfile, by what `bun install --frozen-lockfile` would refuse.

use crate::package_json::asks;
use crate::{Agreement, Lockfile, Manifest};

/// The lockfile repeats each project's ranges word for word.
pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let asks = match asks(manifest, &[]) {
        Ok(asks) => asks,
        Err(why) => return Agreement::NotChecked(why),
    };
    let mut drift = Vec::new();
    for ask in &asks {
        let place = format!("workspace:{}", ask.folder);
        let Some(project) = lockfile.entries.iter().find(|e| e.place == place) else {
            drift.push(format!("{}, the lockfile doesn't know this project", ask.said()));
            continue;
        };
        match project.dependencies.iter().find(|d| d.name == ask.name) {
            None => drift.push(format!("{}, the lockfile has none", ask.said())),
            Some(found) => match found.requirement.as_deref() {
                Some(range) if range != ask.range => {
                    drift.push(format!("{}, the lockfile was made for {range}", ask.said()));
                }
                _ => {}
            },
        }
    }
    let root = std::iter::once("");
    let folders = root.chain(manifest.members.iter().map(|(folder, _)| folder.trim_start_matches("./")));
    for folder in folders.map(|folder| folder.trim_end_matches('/')) {
        let place = format!("workspace:{folder}");
        let project = lockfile.entries.iter().find(|e| e.place == place);
        for held in project.into_iter().flat_map(|project| &project.dependencies) {
            if !asks.iter().any(|ask| ask.folder == folder && ask.name == held.name) {
                let whose = if folder.is_empty() { "package.json" } else { folder };
                drift.push(format!("the lockfile has {} for {whose}, which does not ask for it", held.name));
            }
        }
    }
    Agreement::of(drift)
}
