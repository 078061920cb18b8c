//! The merge: of the projects every dependency by itself, packages by their place in the tree.

use std::collections::BTreeMap;

use crate::json::{self, Json};
use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{around, member, object};
use crate::merge::node::{Node, Order};
use crate::position::Lines;
use crate::{Entry, Lockfile};

/// How it is laid out: as `src/install/lockfile/bun.lock.zig` has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: true, contradictions: |_| Vec::new() };

fn outline(text: &str, lockfile: &Lockfile, _: &Several) -> Result<Node, String> {
    let lines = Lines::new(text);
    let root = json::read_with_trailing_commas(text, &lines, "a bun lockfile").map_err(|d| d.to_string())?;
    let entries: BTreeMap<&str, &Entry> = lockfile.entries.iter().map(|e| (e.place.as_str(), e)).collect();
    let needs = |place: &str, only: Option<&str>| -> Vec<String> {
        let dependencies = entries.get(place).map(|e| e.dependencies.as_slice()).unwrap_or_default();
        let asked = dependencies.iter().filter(|d| only.is_none_or(|name| name == d.name));
        asked.filter_map(|d| d.place.clone()).collect()
    };
    let tree = object(text, "", root.span.start, &root, |section| match &*section.key {
        "packages" => object(text, "packages", section.at, &section.value, |package| {
            member(text, package).package(&*package.key).needing(needs(&package.key, None))
        })
        .ordered(Order::Depth),
        "workspaces" => object(text, "workspaces", section.at, &section.value, |workspace| {
            object(text, &*workspace.key, workspace.at, &workspace.value, |field| {
                match field.value.is_object() {
                    false => member(text, field),
                    true => object(text, &*field.key, field.at, &field.value, |asked| {
                        let place = format!("workspace:{}", workspace.key);
                        member(text, asked).needing(needs(&place, Some(&asked.key)))
                    })
                    .vanishing(),
                }
            })
        }),
        _ => member(text, section),
    });
    let between = root.get("packages").map(Json::members).filter(|p| p.len() == 1);
    match between {
        // Between packages is an empty line, which one alone does not show.
        Some(_) => Err("a single package".to_owned()),
        None => Ok(around(text, &root, tree)),
    }
}
