//! The merge, where both sides were locked for the same `Pipfile`.

use crate::Lockfile;
use crate::json;
use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{around, member, object};
use crate::merge::node::Node;
use crate::position::Lines;

/// How it is laid out: as Python's `json.dumps(…, indent=4, sort_keys=True)` has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: false, contradictions: |_| Vec::new() };

fn outline(text: &str, _: &Lockfile, _: &Several) -> Result<Node, String> {
    let lines = Lines::new(text);
    let root = json::read_json(text, &lines, "a Pipfile.lock").map_err(|d| d.to_string())?;
    let tree = object(text, "", root.span.start, &root, |section| match section.value.is_object() {
        false => member(text, section),
        true => object(text, &*section.key, section.at, &section.value, |package| member(text, package)),
    });
    Ok(around(text, &root, tree))
}
