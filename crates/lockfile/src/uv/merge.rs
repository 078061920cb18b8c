//! The merge: of the projects every dependency and every requirement by itself, packages as they are.

use std::collections::BTreeMap;

use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{lines, settings, tables, toml_key};
use crate::merge::node::{Empty, Frame, Node, Order};
use crate::python::normalised;
use crate::{Entry, Lockfile};

/// How it is laid out: as `crates/uv-resolver/src/lock/mod.rs` has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: true, contradictions: |_| Vec::new() };

fn outline(text: &str, lockfile: &Lockfile, several: &Several) -> Result<Node, String> {
    let (head, tables) = tables(text);
    let places: BTreeMap<&str, &Entry> = lockfile.entries.iter().map(|e| (e.place.as_str(), e)).collect();
    let mut entries = lockfile.entries.iter();
    let tree = lines("", head, &tables, "\n\n", |table| {
        let name = table.lines().next().unwrap_or_default();
        match (name, entries.as_slice().first()) {
            ("[[package]]", Some(entry)) => {
                entries.next();
                let (id, needs) = (several.id(entry), several.needs_among(entry, &places));
                match entry.local {
                    true => project(id, table, entry, &places, several),
                    false => Node::leaf(&id, table).package(id).needing(needs),
                }
            }
            _ => Node::leaf(name, table),
        }
    });
    match entries.next() {
        None => Ok(tree),
        Some(_) => Err("packages that are not tables of their own".to_owned()),
    }
}

/// A package of the workspace: its own table and those below it, each setting by itself.
fn project(
    id: String,
    table: &str,
    entry: &Entry,
    places: &BTreeMap<&str, &Entry>,
    several: &Several,
) -> Node {
    let mut starts = vec![0];
    starts.extend(table.match_indices("\n[package.").map(|(at, _)| at + 1));
    let ends = starts.iter().skip(1).copied().chain([table.len()]);
    let parts: Vec<&str> = starts.iter().zip(ends).map(|(start, end)| &table[*start..end]).collect();
    // What is asked for by name, or by name and version where there are several.
    let needs = |item: &str| -> Vec<String> {
        let Some(name) = quoted(item, "name").map(normalised) else { return Vec::new() };
        let version = quoted(item, "version");
        let asked = entry.dependencies.iter().filter(|d| d.name == name);
        let found = asked.filter_map(|d| places.get(d.place.as_deref()?));
        found
            .filter(|e| version.is_none_or(|v| e.version.as_deref() == Some(v)))
            .map(|e| several.id(e))
            .collect()
    };
    lines(id, "", &parts, "\n\n", |part| {
        let name = part.lines().next().unwrap_or_default();
        let open = part.len().min(name.len() + 1);
        // Lists of one requirement stand on one line, those of dependencies never do.
        let one_line = name.starts_with("[package.metadata");
        lines(name, &part[..open], &settings(&part[open..]), "\n", |setting| list(setting, one_line, &needs))
    })
}

/// A setting; a list of tables item by item.
fn list(setting: &str, one_line: bool, needs: &impl Fn(&str) -> Vec<String>) -> Node {
    let key = toml_key(setting);
    let inner = setting.strip_prefix(key).and_then(|s| s.strip_prefix(" = ["));
    let many = inner.and_then(|s| s.strip_prefix("\n    ")).and_then(|s| s.strip_suffix(",\n]"));
    let one = inner
        .and_then(|s| s.strip_suffix(']'))
        .filter(|s| one_line && !s.contains('\n') && !s.contains("}, {"));
    let items: Vec<&str> = match (many, one) {
        (Some(many), _) => many.split(",\n    ").collect(),
        (None, Some(one)) => vec![one],
        (None, None) => return Node::leaf(key, setting),
    };
    if !items.iter().all(|item| item.starts_with('{') && item.ends_with('}')) {
        return Node::leaf(key, setting);
    }
    let frame = Frame {
        open: format!("{key} = [\n    "),
        between: ",\n    ".to_owned(),
        close: ",\n]".to_owned(),
        alone: one_line.then(|| (format!("{key} = ["), "]".to_owned())),
        empty: Empty::Gone,
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let children = items.into_iter().map(|item| {
        let name = quoted(item, "name").unwrap_or_default().to_owned();
        let nth = seen.entry(name.clone()).or_default();
        *nth += 1;
        Node::leaf(format!("{name} {nth}"), item).needing(needs(item))
    });
    let children = children.collect();
    Node::branch(key, frame, Order::Bytes, children)
}

/// The value of `key = "…"` in an inline table.
fn quoted<'t>(item: &'t str, key: &str) -> Option<&'t str> {
    let inner = item.strip_prefix("{ ")?;
    let at = match inner.starts_with(&format!("{key} = \"")) {
        true => key.len() + 4,
        false => inner.find(&format!(", {key} = \""))? + key.len() + 6,
    };
    inner.get(at..)?.split('"').next()
}
