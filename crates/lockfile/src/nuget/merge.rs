//! The merge: every package of every framework by itself.

use std::collections::BTreeMap;

use crate::json;
use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{around, member, object};
use crate::merge::node::Node;
use crate::position::Lines;
use crate::{Entry, Lockfile};

/// How it is laid out: as `PackagesLockFileFormat` of NuGet has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: true, contradictions: |_| Vec::new() };

fn outline(text: &str, lockfile: &Lockfile, _: &Several) -> Result<Node, String> {
    let lines = Lines::new(text);
    let root = json::read_json(text, &lines, "a NuGet lockfile").map_err(|d| d.to_string())?;
    let places: BTreeMap<String, &Entry> =
        lockfile.entries.iter().map(|e| (e.place.to_lowercase(), e)).collect();
    let tree = object(text, "", root.span.start, &root, |section| match &*section.key {
        "dependencies" => object(text, &*section.key, section.at, &section.value, |framework| {
            object(text, &*framework.key, framework.at, &framework.value, |package| {
                let place = format!("{} {}", framework.key, package.key).to_lowercase();
                let asked = places.get(&place).map(|e| e.dependencies.as_slice()).unwrap_or_default();
                let needs = asked.iter().filter_map(|d| d.place.as_deref().map(str::to_lowercase)).collect();
                let node = member(text, package).needing(needs);
                // What the project itself asks for is not there because something needs it.
                let transitive =
                    package.value.text("type").is_some_and(|t| t.eq_ignore_ascii_case("transitive"));
                if transitive { node.package(place) } else { node }
            })
        }),
        _ => member(text, section),
    });
    Ok(around(text, &root, tree))
}
