//! SHA-256 in hex, and the canonical form of a JSON document.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Lower-case hex of the SHA-256 of the parts, each ended by a newline so that no two lists of parts run together.
///
/// All parts but the last must hold no newline themselves.
pub(crate) fn sha256_of(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The document with its keys in order, without white space.
pub(crate) fn canonical(value: Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().map(|(key, v)| (key, sorted(v))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        assert_eq!(
            canonical(json!({"b": [{"z": 1, "a": 2}], "a": null})),
            r#"{"a":null,"b":[{"a":2,"z":1}]}"#
        );
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(sha256_of(&["a", "b"]), sha256_of(&["ab", ""]));
        assert_eq!(
            sha256_of(&["abc"]),
            "edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb" // printf 'abc\n' | sha256sum
        );
    }
}
