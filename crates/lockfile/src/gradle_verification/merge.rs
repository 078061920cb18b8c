//! The merge: every component by itself.

use crate::Lockfile;
use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{blocks, lines};
use crate::merge::node::Node;

/// How it is laid out: as `DependencyVerificationsXmlWriter` of Gradle has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: false, contradictions: |_| Vec::new() };

fn outline(text: &str, lockfile: &Lockfile, _: &Several) -> Result<Node, String> {
    let open = text.find("<components>\n").map(|at| at + "<components>\n".len());
    let Some((head, rest)) = open.map(|at| text.split_at(at)) else { return Err("no components".to_owned()) };
    let indent = rest.len() - rest.trim_start_matches(' ').len();
    let Some(end) = rest.find("\n   </components>") else {
        return Err("components without an end".to_owned());
    };
    let (components, tail) = rest.split_at(end + 1);
    let (_, components) = blocks(components, indent);
    if components.len() != lockfile.entries.len() {
        return Err("comments between its components".to_owned());
    }
    let mut entries = lockfile.entries.iter();
    let tree = lines("components", "", &components, "\n", |component| {
        Node::leaf(entries.next().map(|e| e.place.clone()).unwrap_or_default(), component)
    });
    let parts = vec![Node::leaf("head", head), tree, Node::leaf("tail", tail)];
    Ok(Node::branch("", Default::default(), crate::merge::node::Order::Bytes, parts))
}
