//! The merge of two npm lockfiles.
//!
//! The project's own entry and those of its workspaces are merged field by field, so that both sides'
//! dependencies survive. An installed package is one value (its manifest's fields belong to its version); the
//! flags that tell why it is there are another.

mod fields;
mod install;
mod package;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Value};

use self::install::Install;
use super::tree;
use crate::merge::{Three, ordered_union, registry_order};
use crate::{MergeConflict, Side, Unmergeable};

/// An object of the lockfile.
type Object = Map<String, Value>;

/// Merges the texts, each of which has been read before.
pub(crate) fn merge(texts: Three<&str>) -> Result<(String, Vec<MergeConflict>), Unmergeable> {
    let documents = Three {
        base: texts.base.map(|t| object(Side::Base, t)).transpose()?,
        ours: texts.ours.map(|t| object(Side::Ours, t)).transpose()?,
        theirs: texts.theirs.map(|t| object(Side::Theirs, t)).transpose()?,
    };
    let versions = documents.map(|d| Some(d.get("lockfileVersion").and_then(Value::as_u64).unwrap_or(1)));
    if let (Some(ours), Some(theirs)) = (versions.ours, versions.theirs)
        && ours != theirs
    {
        return Err(Unmergeable::Versions { ours, theirs });
    }
    let mut conflicts = Vec::new();
    let documents = Three {
        base: documents.base.as_ref(),
        ours: documents.ours.as_ref(),
        theirs: documents.theirs.as_ref(),
    };
    let merged = document(documents, &mut conflicts);
    Ok((write(&merged, texts.ours.unwrap_or_default()), conflicts))
}

fn object(side: Side, text: &str) -> Result<Object, Unmergeable> {
    let unknown = |what: String| Unmergeable::Unknown { side, what };
    serde_json::from_str(text).map_err(|e| unknown(format!("a value out of range ({e})")))
}

fn document(documents: Three<&Object>, conflicts: &mut Vec<MergeConflict>) -> Object {
    let packages = documents.map(|d| d.get("packages").and_then(Value::as_object));
    let nested = documents.map(|d| d.get("dependencies").and_then(Value::as_object));
    let has = |three: &Three<&Object>| three.ours.is_some() || three.theirs.is_some();

    let installed = has(&packages).then(|| Install::of_packages(packages).merge(conflicts));
    let mut merged = Object::new();
    for key in keys(documents.ours, documents.theirs, |_, _| Ordering::Less) {
        let value = match key.as_str() {
            "packages" => installed.as_ref().map(|tree| {
                let paths = keys(packages.ours, packages.theirs, registry_order);
                let kept =
                    paths.into_iter().filter_map(|p| Some((p.clone(), Value::Object(tree.get(&p)?.clone()))));
                Value::Object(kept.collect())
            }),
            "dependencies" if has(&nested) => {
                let legacy = Install::of_nested(nested);
                // Where `packages` is there too, it has decided which packages are.
                let legacy = match &installed {
                    Some(tree) => legacy.merge_following(tree, packages, conflicts),
                    None => legacy.merge(conflicts),
                };
                Some(Value::Object(nest("", nested.ours, nested.theirs, &legacy)))
            }
            _ => fields::merge(&key, documents.map(|d| d.get(&key)), conflicts),
        };
        merged.extend(value.map(|v| (key, v)));
    }
    merged
}

/// The keys of both objects, in order.
fn keys(
    ours: Option<&Object>,
    theirs: Option<&Object>,
    compare: impl Fn(&str, &str) -> Ordering,
) -> Vec<String> {
    let list = |o: Option<&Object>| -> Vec<String> { o.into_iter().flat_map(Map::keys).cloned().collect() };
    ordered_union(&list(ours), &list(theirs), |a, b| compare(a, b))
}

/// Puts flat places back into version 1's nesting. Recursion is bounded by the reader's limit.
fn nest(
    parent: &str,
    ours: Option<&Object>,
    theirs: Option<&Object>,
    packages: &BTreeMap<String, Object>,
) -> Object {
    let mut nested = Object::new();
    for name in keys(ours, theirs, registry_order) {
        let path = tree::child(parent, &name);
        let below = nest(&path, inner(ours, &name), inner(theirs, &name), packages);
        let Some(package) = packages.get(&path) else { continue };
        let mut package = package.clone();
        if !below.is_empty() {
            package.insert("dependencies".to_owned(), Value::Object(below));
        }
        nested.insert(name, Value::Object(package));
    }
    nested
}

fn inner<'o>(nested: Option<&'o Object>, name: &str) -> Option<&'o Object> {
    nested?.get(name)?.get("dependencies")?.as_object()
}

/// Writes JSON as npm does, with the indent that `like` has.
fn write(document: &Object, like: &str) -> String {
    let after = like.split_once('\n').map_or("", |(_, rest)| rest);
    let indent: String = after.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let end = if like.ends_with('\n') { "\n" } else { "" };
    let mut bytes = Vec::new();
    let written = if after.trim().is_empty() {
        serde_json::to_writer(&mut bytes, document)
    } else {
        let pretty = PrettyFormatter::with_indent(indent.as_bytes());
        serde::Serialize::serialize(document, &mut serde_json::Serializer::with_formatter(&mut bytes, pretty))
    };
    written.expect("an object with string keys can be written to memory");
    String::from_utf8(bytes).expect("JSON is UTF-8") + end
}
