//! The merge: every gem of every source, and every line of the other sections, by itself.

use std::collections::BTreeMap;

use super::name_and_rest;
use crate::Lockfile;
use crate::merge::by_entry::{Layout, Several};
use crate::merge::layout::{blocks, lines};
use crate::merge::node::Node;

/// How it is laid out: as `lockfile_generator.rb` of Bundler has it.
pub(crate) const LAYOUT: Layout = Layout { outline, rooted: true, contradictions: |_| Vec::new() };

fn outline(text: &str, lockfile: &Lockfile, _: &Several) -> Result<Node, String> {
    let (head, sections) = blocks(text, 0);
    // A gem has one entry for each platform.
    let mut ids: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in &lockfile.entries {
        ids.entry(&entry.name).or_default().push(id(&entry.place));
    }
    let of = |name: &str| ids.get(name).cloned().unwrap_or_default();
    Ok(lines("", head, &sections, "\n\n", |section| {
        let title = section.lines().next().unwrap_or_default();
        match title {
            "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE" => {
                let (open, gems) = blocks(section, 4);
                // The head holds its settings, of which the remote tells it from its like.
                let remotes = open.lines().filter(|l| l.trim_start().starts_with("remote:"));
                let key = format!("{title} {}", remotes.collect::<String>());
                let newline = if gems.is_empty() { section } else { open };
                lines(key, newline, &gems, "\n", |gem| {
                    let said = gem.lines().next().unwrap_or_default().trim();
                    let mut needs: Vec<String> = blocks(gem, 6)
                        .1
                        .iter()
                        .flat_map(|d| of(name_and_rest(d.trim()).0.trim_end_matches('!')))
                        .collect();
                    needs.push(format!("checksum of {said}"));
                    Node::leaf(id(said), gem).package(id(said)).needing(needs)
                })
            }
            "PLATFORMS" | "DEPENDENCIES" | "CHECKSUMS" => {
                let (open, items) = blocks(section, 2);
                lines(title, open, &items, "\n", |item| {
                    let said = item.trim();
                    let name = name_and_rest(said).0.trim_end_matches('!');
                    match title {
                        "DEPENDENCIES" => Node::leaf(name, item).needing(of(name)),
                        "CHECKSUMS" => {
                            let gem = said.split_once(')').map_or(said, |(gem, _)| gem);
                            Node::leaf(gem, item).package(format!("checksum of {gem})"))
                        }
                        _ => Node::leaf(said, item),
                    }
                })
            }
            _ => Node::leaf(title, section),
        }
    }))
}

/// The gem's name and platform, whatever its version.
fn id(said: &str) -> String {
    let (name, rest) = name_and_rest(said);
    let version = rest.trim_matches(['(', ')']);
    match version.split_once('-') {
        Some((_, platform)) => format!("{name} {platform}"),
        None => name.to_owned(),
    }
}
