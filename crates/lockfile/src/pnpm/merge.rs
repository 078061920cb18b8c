//! The merge: of the projects every dependency by itself, packages and snapshots as they are.

use std::collections::BTreeSet;

use super::key;
use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{blocks, lines, yaml_key, yaml_value};
use crate::merge::node::Node;
use crate::{Lockfile, MergeConflict};

/// How it is laid out: as `@pnpm/lockfile-file` has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: true, contradictions };

/// The lists of what a project or a package depends on.
const KINDS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

struct Outline<'o> {
    version: u64,
    packages: BTreeSet<&'o str>,
    snapshots: BTreeSet<&'o str>,
}

fn outline(text: &str, lockfile: &Lockfile, _: &Several) -> Result<Node, String> {
    let (head, sections) = blocks(text, 0);
    let keys = |section: &str| -> BTreeSet<&str> {
        let found = sections.iter().find(|s| yaml_key(s) == section);
        found.map(|s| blocks(s, 2).1.into_iter().map(yaml_key).collect()).unwrap_or_default()
    };
    let outline = Outline {
        version: lockfile.version.unwrap_or_default(),
        packages: keys("packages"),
        snapshots: keys("snapshots"),
    };
    Ok(lines("", head, &sections, "\n\n", |section| {
        let key = yaml_key(section);
        match key {
            "packages" => list(key, section, 2, "\n\n", |item| outline.package(item)),
            "snapshots" => list(key, section, 2, "\n\n", |item| outline.snapshot(item)),
            "importers" => list(key, section, 2, "\n\n", |project| {
                list(yaml_key(project), project, 4, "\n", |kind| outline.kind(kind, 6))
            }),
            _ => outline.kind(section, 2),
        }
    }))
}

/// The parts that are indented by `indent`; without any, the text as it is.
fn list(key: &str, text: &str, indent: usize, between: &str, child: impl FnMut(&str) -> Node) -> Node {
    match blocks(text, indent) {
        (_, items) if items.is_empty() => Node::leaf(key, text),
        (head, items) => lines(key, head, &items, between, child),
    }
}

impl Outline<'_> {
    /// What a project depends on in one way, or something else that is kept whole.
    fn kind(&self, text: &str, indent: usize) -> Node {
        let key = yaml_key(text);
        match key {
            "specifiers" => list(key, text, indent, "\n", |item| Node::leaf(yaml_key(item), item)),
            _ if KINDS.contains(&key) => list(key, text, indent, "\n", |item| {
                let name = yaml_key(item);
                let (_, fields) = blocks(item, indent + 2);
                let gets = fields
                    .iter()
                    .find(|f| yaml_key(f) == "version")
                    .map_or(yaml_value(item), |f| yaml_value(f));
                Node::leaf(name, item).needing(self.found(name, gets).into_iter().collect())
            }),
            _ => Node::leaf(key, text),
        }
    }

    fn package(&self, item: &str) -> Node {
        let key = yaml_key(item);
        let needs = if self.version >= 9 { Vec::new() } else { self.needs(item) };
        Node::leaf(key, item).package(format!("packages {key}")).needing(needs)
    }

    fn snapshot(&self, item: &str) -> Node {
        let key = yaml_key(item);
        let mut needs = self.needs(item);
        needs.push(format!("packages {}", key::without_peers(key)));
        Node::leaf(key, item).package(format!("snapshots {key}")).needing(needs)
    }

    fn needs(&self, item: &str) -> Vec<String> {
        let (_, fields) = blocks(item, 4);
        let lists = fields.into_iter().filter(|f| KINDS.contains(&yaml_key(f)));
        let names = lists.flat_map(|list| blocks(list, 6).1);
        names.filter_map(|d| self.found(yaml_key(d), yaml_value(d))).collect()
    }

    fn found(&self, name: &str, gets: &str) -> Option<String> {
        let (section, keys) = match self.version >= 9 {
            true => ("snapshots", &self.snapshots),
            false => ("packages", &self.packages),
        };
        let candidates = key::candidates(name, gets, self.version);
        candidates.into_iter().find(|c| keys.contains(c.as_str())).map(|key| format!("{section} {key}"))
    }
}

/// Up to version 6 every package says whether only development needs it: an install for production would leave out what
/// both sides together need.
fn contradictions(tree: &Node) -> Vec<MergeConflict> {
    let mut packages = std::collections::BTreeMap::new();
    let mut asking: Vec<&String> = Vec::new();
    tree.visit(&mut |node| {
        if let Some(id) = &node.package {
            packages.insert(id, node);
        } else if node.key == "dependencies" {
            asking.extend(node.children().iter().flat_map(|d| &d.needs));
        }
    });
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(id) = asking.pop() {
        let Some(node) = packages.get(id).filter(|_| seen.insert(id)) else { continue };
        asking.extend(&node.needs);
        if node.text().is_some_and(|t| t.ends_with("\n    dev: true")) {
            found.push(MergeConflict {
                place: node.key.clone(),
                base: None,
                ours: None,
                theirs: None,
                why: Some("together the sides need it not only for development".to_owned()),
            });
        }
    }
    found
}
