//! The merge: every range by itself, and ranges that are answered alike under one head again; of the projects every
//! dependency by itself.

use std::collections::BTreeSet;

use crate::Lockfile;
use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{blocks, lines, yaml_key, yaml_value};
use crate::merge::node::{Frame, Head, Node, Order};

/// How it is laid out: as `packages/yarnpkg-parsers/sources/syml.ts` of Yarn 4 has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: true, contradictions: |_| Vec::new() };

fn outline(text: &str, lockfile: &Lockfile, _: &Several) -> Result<Node, String> {
    let comments: usize = (text.split_inclusive('\n'))
        .take_while(|line| line.starts_with('#') || line.trim().is_empty())
        .map(str::len)
        .sum();
    let (_, blocks) = blocks(&text[comments..], 0);
    let Some((metadata, blocks)) = blocks.split_first().filter(|(m, _)| m.starts_with("__metadata:")) else {
        return Err("entries before `__metadata`".to_owned());
    };
    if blocks.len() != lockfile.entries.len() {
        return Err("comments between its entries".to_owned());
    }
    let head = &text[..comments + metadata.len()];
    let patterns: BTreeSet<&str> = lockfile.entries.iter().flat_map(|e| e.place.split(", ")).collect();
    let answered = |name: &str, range: &str| {
        let written = [format!("{name}@{range}"), format!("{name}@npm:{range}")];
        written.into_iter().find(|p| patterns.contains(p.as_str()))
    };
    let mut children = Vec::new();
    for (block, entry) in blocks.iter().zip(&lockfile.entries) {
        let body = block.split_once('\n').map_or("", |(_, body)| body).trim_end_matches('\n');
        let asked = entry.dependencies.iter().filter(|d| !d.optional);
        let needs: Vec<String> = asked.filter_map(|d| answered(&d.name, d.requirement.as_deref()?)).collect();
        for pattern in entry.place.split(", ") {
            children.push(match entry.local {
                true => project(pattern, body, &answered),
                false => Node::leaf(pattern, body).package(pattern).needing(needs.clone()),
            });
        }
    }
    children.sort_by(|a, b| a.key.cmp(&b.key));
    let frame = Frame {
        open: head.to_owned(),
        between: "\n\n".to_owned(),
        close: "\n".to_owned(),
        ..Frame::default()
    };
    Ok(Node::branch("", frame, Order::Shared(Head::YarnBerry), children))
}

fn project(pattern: &str, body: &str, answered: &impl Fn(&str, &str) -> Option<String>) -> Node {
    let (open, fields) = blocks(body, 2);
    lines(pattern, open, &fields, "\n", |field| {
        let (_, items) = blocks(field, 4);
        let key = yaml_key(field);
        if items.is_empty() {
            return Node::leaf(key, field);
        }
        let open = &field[..field.len() - items.concat().len()];
        lines(key, open, &items, "\n", |item| {
            let name = yaml_key(item);
            Node::leaf(name, item).needing(answered(name, yaml_value(item)).into_iter().collect())
        })
    })
}
