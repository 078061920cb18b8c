//! `package.json` against the lockfile, by what `yarn install --immutable` would refuse.

use crate::package_json::asks;
use crate::{Agreement, Entry, Lockfile, Manifest};

/// The lockfile repeats each project's ranges, with `npm:` in front where none of its kind stands there.
pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let asks = match asks(manifest, &["resolutions"]) {
        Ok(asks) => asks,
        Err(why) => return Agreement::NotChecked(why),
    };
    let mut drift = Vec::new();
    for ask in asks {
        let Some(project) = project(lockfile, ask.folder) else {
            drift.push(format!("{}, the lockfile doesn't know this project", ask.said()));
            continue;
        };
        match project.dependencies.iter().find(|d| d.name == ask.name && !d.optional) {
            None => drift.push(format!("{}, the lockfile has none", ask.said())),
            Some(found) => {
                let locked = found.requirement.as_deref().unwrap_or_default();
                let same = locked == ask.range || locked.strip_prefix("npm:") == Some(&ask.range);
                // A repository or archive is written in another way than it is asked for.
                if !same && !ask.range.contains([':', '/', '#']) {
                    drift.push(format!("{}, the lockfile was made for {locked}", ask.said()));
                }
            }
        }
    }
    let manifests = [("", manifest.root)].into_iter().chain(manifest.members.iter().copied());
    for (folder, text) in manifests {
        let Some(project) = project(lockfile, folder) else { continue };
        let asked_no_more = |name: &str| !text.contains(&format!("\"{name}\""));
        let strangers = project.dependencies.iter().filter(|d| !d.optional && asked_no_more(&d.name));
        drift.extend(
            strangers.map(|d| format!("the lockfile has {}, which the manifest does not ask for", d.name)),
        );
    }
    Agreement::of(drift)
}

/// The entry of the project in this folder.
fn project<'l>(lockfile: &'l Lockfile, folder: &str) -> Option<&'l Entry> {
    let folder = if folder.is_empty() { "." } else { folder };
    let end = format!("@workspace:{folder}");
    lockfile.entries.iter().find(|e| e.place.split(", ").any(|key| key.ends_with(&end)))
}
