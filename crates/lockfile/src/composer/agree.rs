//! `composer.json` against the lockfile, by the hash that Composer keeps of what matters in it.
//!
//! As in `Composer\Package\Locker::getContentHash` of Composer 2.5: MD5 of the JSON of some keys, sorted.

use md5::{Digest, Md5};

use crate::json::{self, Json, Member, Value, Writer};
use crate::{Agreement, Lockfile, Manifest};

const RELEVANT: [&str; 11] = [
    "name",
    "version",
    "require",
    "require-dev",
    "conflict",
    "replace",
    "provide",
    "minimum-stability",
    "prefer-stable",
    "repositories",
    "extra",
];

pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let Some(locked) = &lockfile.content_hash else {
        return Agreement::NotChecked("the lockfile has no content-hash".to_owned());
    };
    let root = match json::read(manifest.root) {
        Ok(root) => root,
        Err(e) => return Agreement::NotChecked(format!("composer.json: {}", e.why)),
    };
    match content_hash(&root) {
        None => Agreement::NotChecked("composer.json holds numbers that are not compared here".to_owned()),
        Some(hash) if hash == *locked => Agreement::Agrees,
        Some(_) => Agreement::Drift(vec![
            "composer.json has changed since the lockfile was written (content-hash)".to_owned(),
        ]),
    }
}

fn content_hash(root: &Json<'_>) -> Option<String> {
    let mut content: Vec<Member<'_>> =
        root.members().iter().filter(|m| RELEVANT.contains(&&*m.key)).cloned().collect();
    if let Some(platform) = root.at_path("config.platform").filter(|p| p.value != Value::Null) {
        let member =
            |key: &'static str, value| Member { key: key.into(), at: 0, value: Json { span: 0..0, value } };
        content.push(member("config", Value::Object(vec![member("platform", platform.value.clone())])));
    }
    content.sort_by(|a, b| a.key.cmp(&b.key));
    let text = Writer::Php.text(&Json { span: 0..0, value: Value::Object(content) })?;
    Some(Md5::digest(text).iter().map(|b| format!("{b:02x}")).collect())
}
