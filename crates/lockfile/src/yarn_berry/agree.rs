//! `package.json` against the lockfile, by what `yarn install --immutable` would refuse.

use crate::package_json::asks;
use crate::{Agreement, Lockfile, Manifest};

/// The lockfile repeats each project's ranges, with `npm:` in front where none of its kind stands there.
pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let asks = match asks(manifest, &["resolutions"]) {
        Ok(asks) => asks,
        Err(why) => return Agreement::NotChecked(why),
    };
    let mut drift = Vec::new();
    for ask in asks {
        let folder = if ask.folder.is_empty() { "." } else { ask.folder };
        let end = format!("@workspace:{folder}");
        let Some(project) =
            lockfile.entries.iter().find(|e| e.place.split(", ").any(|key| key.ends_with(&end)))
        else {
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
    Agreement::of(drift)
}
