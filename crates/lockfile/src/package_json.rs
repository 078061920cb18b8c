//! What a `package.json` asks for, for the lockfiles that repeat it word for word.

use crate::Manifest;
use crate::json::{self, Json, Value};

/// One dependency that a manifest asks for.
pub(crate) struct Ask<'m> {
    /// The manifest's path from the lockfile's folder.
    pub(crate) file: String,
    /// The member's folder; `""` for the root.
    pub(crate) folder: &'m str,
    /// `dependencies`, `devDependencies` or `optionalDependencies`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) range: String,
}

/// Every dependency of the root and of the given members that an install locks. Where a name stands in both plain and
/// optional ones, the optional one counts.
///
/// # Errors
/// Why a comparison would mean nothing: a manifest that can't be read, or one of `keys` that rewrites ranges.
pub(crate) fn asks<'m>(manifest: &Manifest<'m>, keys: &[&str]) -> Result<Vec<Ask<'m>>, String> {
    let mut found = Vec::new();
    let root = [("", manifest.root)];
    for (folder, text) in root.into_iter().chain(manifest.members.iter().copied()) {
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        let file =
            if folder.is_empty() { "package.json".to_owned() } else { format!("{folder}/package.json") };
        let json =
            json::read(text.trim_start_matches('\u{feff}')).map_err(|e| format!("{file}: {}", e.why))?;
        if !json.is_object() {
            return Err(format!("{file}: it is no object"));
        }
        for key in keys {
            let holds_something = |value: &Json<'_>| match &value.value {
                Value::Array(items) => !items.is_empty(),
                _ => !value.members().is_empty(),
            };
            if json.at_path(key).is_some_and(holds_something) {
                return Err(format!("{file} has `{key}`"));
            }
        }
        let optional = |name: &str| json.get("optionalDependencies").and_then(|o| o.get(name)).is_some();
        for kind in ["dependencies", "devDependencies", "optionalDependencies"] {
            for member in json.get(kind).map(Json::members).unwrap_or_default() {
                if kind == "dependencies" && optional(&member.key) {
                    continue;
                }
                let (name, range) =
                    (member.key.to_string(), member.value.as_str().unwrap_or_default().to_owned());
                found.push(Ask { file: file.clone(), folder, kind, name, range });
            }
        }
    }
    Ok(found)
}

impl Ask<'_> {
    /// The beginning of a sentence.
    pub(crate) fn said(&self) -> String {
        format!("{} asks for {}@{} ({})", self.file, self.name, self.range, self.kind)
    }
}
