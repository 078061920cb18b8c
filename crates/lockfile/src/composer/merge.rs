//! The merge, where both sides were locked for the same `composer.json`.

use std::collections::BTreeMap;

use crate::json::{self, Value};
use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{around, array, member, object};
use crate::merge::node::Node;
use crate::position::Lines;
use crate::{Entry, Lockfile};

/// How it is laid out: as `Composer\\Json\\JsonFile::encode` has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: false, contradictions: |_| Vec::new() };

fn outline(text: &str, lockfile: &Lockfile, several: &Several) -> Result<Node, String> {
    let lines = Lines::new(text);
    let root = json::read_json(text, &lines, "a composer lockfile").map_err(|d| d.to_string())?;
    let places: BTreeMap<&str, &Entry> = lockfile.entries.iter().map(|e| (e.place.as_str(), e)).collect();
    let tree =
        object(text, "", root.span.start, &root, |section| match (&*section.key, &section.value.value) {
            ("packages" | "packages-dev", Value::Array(_)) => {
                array(text, &*section.key, section.at, &section.value, |package| {
                    let name = package.text("name").unwrap_or_default().to_lowercase();
                    let needs = places
                        .get(name.as_str())
                        .map(|e| several.needs_among(e, &places))
                        .unwrap_or_default();
                    Node::leaf(&name, text.get(package.span.clone()).unwrap_or_default())
                        .package(&name)
                        .needing(needs)
                })
            }
            ("stability-flags" | "platform" | "platform-dev" | "platform-overrides", Value::Object(_)) => {
                object(text, &*section.key, section.at, &section.value, |flag| member(text, flag))
            }
            _ => member(text, section),
        });
    Ok(around(text, &root, tree))
}
