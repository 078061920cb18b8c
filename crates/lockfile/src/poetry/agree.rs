//! `pyproject.toml` against the lockfile, by the hash that Poetry keeps of what matters in it.
//!
//! As in `poetry/packages/locker.py` of Poetry 2.5 (`_get_content_hash`): SHA-256 of the sorted JSON.

use sha2::{Digest, Sha256};

use crate::json::{self, Json, Member, Value, Writer};
use crate::position::Lines;
use crate::{Agreement, Lockfile, Manifest};

const LEGACY: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];
const PROJECT: [&str; 3] = ["requires-python", "dependencies", "optional-dependencies"];

pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let Some(locked) = &lockfile.content_hash else {
        return Agreement::NotChecked("the lockfile has no content-hash".to_owned());
    };
    let root = match json::read_toml(manifest.root, &Lines::new(manifest.root)) {
        Ok(root) => root,
        Err(damage) => return Agreement::NotChecked(format!("pyproject.toml: {damage}")),
    };
    // Lockfiles from before dependency groups were counted are as good.
    let hashes: Option<Vec<String>> =
        [true, false].map(|groups| content_hash(&root, groups)).into_iter().collect();
    match hashes {
        None => Agreement::NotChecked(
            "pyproject.toml holds numbers or dates that are not compared here".to_owned(),
        ),
        Some(hashes) if hashes.contains(locked) => Agreement::Agrees,
        Some(_) => Agreement::Drift(vec![
            "pyproject.toml has changed its dependencies since the lockfile was written (content-hash)"
                .to_owned(),
        ]),
    }
}

fn content_hash(root: &Json<'_>, with_groups: bool) -> Option<String> {
    let poetry = root.at_path("tool.poetry");
    let project: Vec<Member<'_>> = picked(root.get("project"), &PROJECT);
    let groups = root.get("dependency-groups").filter(|g| with_groups && !g.members().is_empty());
    let modern = !project.is_empty() || groups.is_some();
    let mut own = picked(poetry, &LEGACY);
    own.extend(picked(poetry, &["group"]));
    if !modern {
        let missing = LEGACY.iter().filter(|key| !own.iter().any(|m| m.key == **key)).collect::<Vec<_>>();
        own.extend(missing.into_iter().map(|key| member(key, Value::Null)));
    }
    let content = match modern {
        false => own,
        true => {
            let mut content = Vec::new();
            if !project.is_empty() {
                content.push(member("project", Value::Object(project)));
            }
            if let Some(groups) = groups {
                content.push(member("dependency-groups", groups.value.clone()));
            }
            content.push(member("tool", Value::Object(vec![member("poetry", Value::Object(own))])));
            content
        }
    };
    let text =
        Writer::Python { item: ", ", key: ": " }.text(&Json { span: 0..0, value: Value::Object(content) })?;
    Some(Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect())
}

fn picked<'t>(of: Option<&Json<'t>>, keys: &[&str]) -> Vec<Member<'t>> {
    of.map(Json::members).unwrap_or_default().iter().filter(|m| keys.contains(&&*m.key)).cloned().collect()
}

fn member<'t>(key: &'static str, value: Value<'t>) -> Member<'t> {
    Member { key: key.into(), at: 0, value: Json { span: 0..0, value } }
}
