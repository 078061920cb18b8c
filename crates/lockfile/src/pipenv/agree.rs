//! `Pipfile` against the lockfile, by the hash that Pipenv keeps of it.
//!
//! As in `plette.Pipfile.get_hash` and, since 2026, `Pipfile.calculate_hash` of Pipenv, which writes names in one way:
//! SHA-256 of the sorted JSON.

use sha2::{Digest, Sha256};

use crate::json::{self, Json, Member, Value, Writer};
use crate::position::Lines;
use crate::python::normalised;
use crate::{Agreement, Lockfile, Manifest};

/// What is no category of packages.
const SECTIONS: [&str; 9] =
    ["source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv", "default", "develop"];

pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let Some(locked) = &lockfile.content_hash else {
        return Agreement::NotChecked("the lockfile has no hash of the Pipfile".to_owned());
    };
    let root = match json::read_toml(manifest.root, &Lines::new(manifest.root)) {
        Ok(root) => root,
        Err(damage) => return Agreement::NotChecked(format!("Pipfile: {damage}")),
    };
    if root.get("source").is_none() {
        return Agreement::NotChecked("the Pipfile names no source, so Pipenv took its own".to_owned());
    }
    let hashes: Option<Vec<String>> = [true, false].map(|one_way| hash(&root, one_way)).into_iter().collect();
    match hashes {
        None => {
            Agreement::NotChecked("the Pipfile holds numbers or dates that are not compared here".to_owned())
        }
        Some(hashes) if hashes.contains(locked) => Agreement::Agrees,
        Some(_) => {
            Agreement::Drift(vec!["the Pipfile has changed since the lockfile was written (hash)".to_owned()])
        }
    }
}

fn hash(root: &Json<'_>, one_way: bool) -> Option<String> {
    let section = |key: &str| root.get(key).map_or(Value::Object(Vec::new()), |v| v.value.clone());
    let meta = vec![member("sources", section("source")), member("requires", section("requires"))];
    let mut content = vec![
        member("_meta", Value::Object(meta)),
        member("default", packages(section("packages"), one_way)),
        member("develop", packages(section("dev-packages"), one_way)),
    ];
    for category in root.members().iter().filter(|m| !SECTIONS.contains(&&*m.key)) {
        let value = packages(category.value.value.clone(), one_way);
        content.push(Member { value: Json { span: 0..0, value }, ..category.clone() });
    }
    let text =
        Writer::Python { item: ",", key: ":" }.text(&Json { span: 0..0, value: Value::Object(content) })?;
    Some(Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect())
}

/// A category with its names written in one way, or as they are.
fn packages(value: Value<'_>, one_way: bool) -> Value<'_> {
    match value {
        Value::Object(members) if one_way => Value::Object(members.into_iter().map(renamed).collect()),
        other => other,
    }
}

fn member<'t>(key: &'static str, value: Value<'t>) -> Member<'t> {
    Member { key: key.into(), at: 0, value: Json { span: 0..0, value } }
}

fn renamed(member: Member<'_>) -> Member<'_> {
    Member { key: normalised(&member.key).into(), ..member }
}
