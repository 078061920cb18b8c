//! Field by field: the head of the file, the project and its workspaces.

use serde_json::Value;

use super::{Object, keys};
use crate::MergeConflict;
use crate::merge::{Three, pick, registry_order};

/// Merges one value; objects by their keys, an absent one counting as empty.
pub(super) fn merge(place: &str, three: Three<&Value>, conflicts: &mut Vec<MergeConflict>) -> Option<Value> {
    if let Ok(picked) = pick(three) {
        return picked.cloned();
    }
    let is_map = |v: Option<&Value>| v.is_none_or(Value::is_object);
    if is_map(three.ours) && is_map(three.theirs) {
        let maps = three.map(|v| v.as_object());
        let merged = members(place, maps, conflicts);
        let removed = three.ours.is_none() || three.theirs.is_none();
        return (!(removed && merged.is_empty())).then_some(Value::Object(merged));
    }
    conflicts.push(MergeConflict {
        place: place.to_owned(),
        base: three.base.map(shortly),
        ours: three.ours.map(shortly),
        theirs: three.theirs.map(shortly),
        why: None,
    });
    three.ours.cloned()
}

// Recursion is bounded by the reader's limit on nesting.
fn members(place: &str, maps: Three<&Object>, conflicts: &mut Vec<MergeConflict>) -> Object {
    // npm sorts the names in a list of dependencies, and nothing else here.
    let sorted = place.ends_with("ependencies");
    let order = |a: &str, b: &str| if sorted { registry_order(a, b) } else { std::cmp::Ordering::Less };
    let mut merged = Object::new();
    for key in keys(maps.ours, maps.theirs, order) {
        let value = merge(&format!("{place}.{key}"), maps.map(|m| m.get(&key)), conflicts);
        merged.extend(value.map(|v| (key, v)));
    }
    merged
}

fn shortly(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}
