//! The merge: every range by itself, and ranges that are answered alike under one head again.

use std::collections::BTreeSet;

use crate::Lockfile;
use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::blocks;
use crate::merge::node::{Frame, Head, Node, Order};

/// How it is laid out: as `src/lockfile/stringify.js` of Yarn 1 has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: false, contradictions: |_| Vec::new() };

fn outline(text: &str, lockfile: &Lockfile, _: &Several) -> Result<Node, String> {
    let comments: usize = (text.split_inclusive('\n'))
        .take_while(|line| line.starts_with('#') || line.trim().is_empty())
        .map(str::len)
        .sum();
    let (head, rest) = text.split_at(comments);
    let (_, blocks) = blocks(rest, 0);
    if blocks.len() != lockfile.entries.len() {
        return Err("comments between its entries".to_owned());
    }
    let patterns: BTreeSet<&str> = lockfile.entries.iter().flat_map(|e| e.place.split(", ")).collect();
    let mut children = Vec::new();
    for (block, entry) in blocks.iter().zip(&lockfile.entries) {
        let body = block.split_once('\n').map_or("", |(_, body)| body).trim_end_matches('\n');
        let asked =
            entry.dependencies.iter().filter_map(|d| Some(format!("{}@{}", d.name, d.requirement.as_ref()?)));
        let needs: Vec<String> = asked.filter(|p| patterns.contains(p.as_str())).collect();
        for pattern in entry.place.split(", ") {
            children.push(Node::leaf(pattern, body).package(pattern).needing(needs.clone()));
        }
    }
    children.sort_by(|a, b| a.key.cmp(&b.key));
    let frame = Frame {
        open: head.to_owned(),
        between: "\n\n".to_owned(),
        close: "\n".to_owned(),
        ..Frame::default()
    };
    Ok(Node::branch("", frame, Order::Shared(Head::YarnClassic), children))
}
