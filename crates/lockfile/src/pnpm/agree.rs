//! `package.json` against the lockfile, by what `pnpm install --frozen-lockfile` would refuse.

use crate::package_json::asks;
use crate::{Agreement, Lockfile, Manifest};

/// The lockfile repeats each project's ranges word for word.
pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    if lockfile.ranges_rewritten {
        return Agreement::NotChecked("the lockfile has `overrides`".to_owned());
    }
    let asks = match asks(manifest, &["resolutions", "overrides", "pnpm.overrides"]) {
        Ok(asks) => asks,
        Err(why) => return Agreement::NotChecked(why),
    };
    let mut drift = Vec::new();
    for ask in asks {
        let Some(project) = lockfile.entries.iter().find(|e| e.local && e.place == ask.folder) else {
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
    let manifests = [("", manifest.root)].into_iter().chain(manifest.members.iter().copied());
    for (folder, text) in manifests {
        let Some(project) = lockfile.entries.iter().find(|e| e.local && e.place == folder) else { continue };
        // Peers are installed too, so that a name counts wherever the manifest has it.
        let strangers = project.dependencies.iter().filter(|d| !text.contains(&format!("\"{}\"", d.name)));
        drift.extend(
            strangers.map(|d| format!("the lockfile has {}, which the manifest does not ask for", d.name)),
        );
    }
    Agreement::of(drift)
}
