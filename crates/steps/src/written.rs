//! Files of the workspace that a step wrote, as its receipt says: what a patch shows, and what is put back.

use std::path::Path;

use regreen_lockfile::Format;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::files::SavedFile;

/// A file before and after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Below the workspace.
    pub path: String,
    /// SHA-256 of its bytes before, `None` where there was none.
    pub from: Option<String>,
    /// SHA-256 of its bytes after.
    pub to: Option<String>,
    /// The name under which its copy is kept, see [`crate::state_copy`].
    pub copy: String,
}

/// What a step wrote, by what is on record of it.
pub fn written(step: &str, before: &Value, receipt: &Value) -> Vec<Written> {
    if let Some(files) = receipt.get("files") {
        return serde_json::from_value(files.clone()).unwrap_or_default();
    }
    let text = |key: &str| receipt.get(key).and_then(Value::as_str).map(str::to_owned);
    let saved = before.get("saved").and_then(|saved| SavedFile::deserialize(saved).ok());
    match (text("path"), text("sha256"), saved) {
        (Some(path), Some(to), Some(saved)) => {
            vec![Written { path, from: saved.sha256, to: Some(to), copy: step.to_owned() }]
        }
        _ => Vec::new(),
    }
}

/// The paths that receipts name as written.
pub(crate) fn paths_in<'r>(receipts: impl Iterator<Item = &'r Value>) -> Vec<String> {
    let mut paths = Vec::new();
    for receipt in receipts {
        paths.extend(receipt.get("path").and_then(Value::as_str).map(str::to_owned));
        let files = receipt.get("files").and_then(|files| Vec::<Written>::deserialize(files).ok());
        paths.extend(files.into_iter().flatten().map(|file| file.path));
    }
    paths
}

/// Whether this is the name of a lockfile.
pub(crate) fn is_lockfile(path: &str) -> bool {
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| Format::of_file_name(name).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_kinds_of_receipts_name_what_was_written() {
        let before = json!({ "path": "lock", "saved": { "sha256": "a", "mode": 420, "modified": 1 } });
        let of_one = json!({ "path": "lock", "sha256": "b", "summary": "", "said": "" });
        let file = |copy: &str| Written {
            path: "lock".to_owned(),
            from: Some("a".to_owned()),
            to: Some("b".to_owned()),
            copy: copy.to_owned(),
        };
        assert_eq!(written("s", &before, &of_one), [file("s")]);
        let of_several = json!({ "code": 0, "files": [file("s.0")] });
        assert_eq!(written("s", &Value::Null, &of_several), [file("s.0")]);
        assert_eq!(paths_in([&of_one, &of_several].into_iter()), ["lock", "lock"]);
        assert_eq!(written("s", &Value::Null, &json!({ "code": 0 })), []);
    }
}
