//! The merge, where both sides were locked for the same manifest.

use std::collections::BTreeMap;

use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{lines, settings, tables, toml_key};
use crate::merge::node::Node;
use crate::{Entry, Lockfile};

/// How it is laid out: as `poetry/packages/locker.py` has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: false, contradictions: |_| Vec::new() };

fn outline(text: &str, lockfile: &Lockfile, several: &Several) -> Result<Node, String> {
    let (head, tables) = tables(text);
    let places: BTreeMap<&str, &Entry> = lockfile.entries.iter().map(|e| (e.place.as_str(), e)).collect();
    let mut entries = lockfile.entries.iter();
    let tree = lines("", head, &tables, "\n\n", |table| {
        let name = table.lines().next().unwrap_or_default();
        match name {
            "[[package]]" => match entries.next() {
                Some(entry) => {
                    let id = several.id(entry);
                    Node::leaf(&id, table).package(id).needing(several.needs_among(entry, &places))
                }
                None => Node::leaf(name, table),
            },
            "[metadata]" | "[metadata.files]" => {
                let (open, rest) =
                    table.split_once('\n').map_or((table, ""), |_| table.split_at(name.len() + 1));
                lines(name, open, &settings(rest), "\n", |setting| Node::leaf(toml_key(setting), setting))
            }
            _ => Node::leaf(name, table),
        }
    });
    match entries.next() {
        None => Ok(tree),
        Some(_) => Err("packages that are not tables of their own".to_owned()),
    }
}
