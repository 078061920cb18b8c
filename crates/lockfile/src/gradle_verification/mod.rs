//! Gradle's `verification-metadata.xml`: the checksums of every artifact, by component.

mod merge;

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::checksum::Style;
use crate::format::Facts;
use crate::lockfile::Site;
use crate::position::Lines;
use crate::{Algorithm, Checksum, Damage, Entry, Format, Lockfile};

pub(crate) use merge::LAYOUT;

const FORMAT: Format = Format::GradleVerification;

/// What is true of every one of them.
pub(crate) const FACTS: Facts = Facts {
    id: "gradle-verification",
    tool: "gradle",
    file_names: &["verification-metadata.xml"],
    manifest: Err("the manifest is code"),
    default_hosts: &[],
    style: Style::Element,
    may_be_empty: false,
    silent_default: true,
};

/// Elements within one another; deeper text is refused before the reader sees it.
const MAX_DEPTH: usize = 64;

/// Reads the text of the file. A document type, and with it every entity of its own, is refused.
pub(crate) fn read(text: &str) -> Result<Lockfile, Damage> {
    let lines = Lines::new(text);
    if let Some(at) = too_deep(text) {
        return Err(lines.unparsable(at, "nested too deeply"));
    }
    let document = Document::parse(text).map_err(|e| {
        let (position, end) = (e.pos(), text.trim_end().len());
        let offset = offset(text, position.row, position.col);
        let unfinished =
            matches!(e, roxmltree::Error::UnclosedRootNode | roxmltree::Error::UnexpectedEndOfStream);
        match offset >= end || unfinished {
            true => Damage::Truncated { line: lines.last() },
            false => lines.unparsable(offset, e.to_string()),
        }
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "verification-metadata" {
        return Err(lines.unparsable(root.range().start, "expected `verification-metadata`"));
    }
    let components = child(root, "components");
    let mut reader = Reader { lines: &lines, damage: Vec::new(), first: BTreeMap::new() };
    let mut entries = Vec::new();
    let nodes = components.into_iter().flat_map(|c| c.children());
    for node in nodes.filter(|c| c.is_element() && c.tag_name().name() == "component") {
        entries.push(reader.component(node)?);
    }
    Ok(Lockfile::new(FORMAT, None, entries, reader.damage))
}

fn child<'a, 'i>(of: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    // Elements stand in the namespace of Gradle's schema.
    of.children().find(|c| c.is_element() && c.tag_name().name() == name)
}

struct Reader<'r> {
    lines: &'r Lines<'r>,
    damage: Vec<Damage>,
    first: BTreeMap<String, u64>,
}

impl Reader<'_> {
    fn component(&mut self, node: Node<'_, '_>) -> Result<Entry, Damage> {
        let at = node.range().start;
        let part = |name: &str| {
            let missing = || self.lines.unparsable(at, format!("a component without `{name}`"));
            node.attribute(name).ok_or_else(missing)
        };
        let (group, name, version) = (part("group")?, part("name")?, part("version")?);
        let line = self.lines.line(at);
        let place = format!("{group}:{name}:{version}");
        let title = format!("{group}:{name}");
        let mut entry = Entry { version: Some(version.to_owned()), ..Entry::new(&place, title, line) };
        if let Some(first_line) = self.first.get(&place) {
            let (first_line, entry) = (*first_line, entry.title());
            self.damage.push(Damage::DuplicateEntry { line, first_line, entry });
        }
        self.first.entry(place).or_insert(line);
        for artifact in node.children().filter(|c| c.is_element() && c.tag_name().name() == "artifact") {
            let mut proofs = 0;
            for proof in artifact.children().filter(Node::is_element) {
                proofs += 1;
                self.proof(&mut entry, artifact.attribute("name"), proof);
            }
            if proofs == 0 {
                let line = self.lines.line(artifact.range().start);
                let what = artifact.attribute("name").unwrap_or_default().to_owned();
                self.damage.push(Damage::BadChecksum {
                    line,
                    entry: entry.title(),
                    why: format!("{what} has none"),
                });
            }
        }
        // A component that is trusted by its signature needs none.
        entry.unproved = entry.sites.is_empty();
        Ok(entry)
    }

    /// `<sha256 value="…"/>`, with others that are trusted as well inside.
    fn proof(&mut self, entry: &mut Entry, file: Option<&str>, proof: Node<'_, '_>) {
        let Some(algorithm) = Algorithm::parse(proof.tag_name().name()) else { return };
        let also = proof.children().filter(|c| c.is_element() && c.tag_name().name() == "also-trust");
        for node in std::iter::once(proof).chain(also) {
            let Some(attribute) = node.attribute_node("value") else { continue };
            let (span, line) = (attribute.range_value(), self.lines.line(node.range().start));
            let checksum = Checksum::of_hex(algorithm, attribute.value());
            if let Err(why) = &checksum {
                let why = why.to_string();
                self.damage.push(Damage::BadChecksum { line, entry: entry.title(), why });
            }
            let checksum = checksum.ok();
            entry.checksums.extend(checksum.clone());
            entry.sites.push(Site { span, algorithm: Some(algorithm), checksum, file: file.map(Box::from) });
        }
    }
}

/// Byte offset of a 1-based row and column, columns in characters.
fn offset(text: &str, row: u32, column: u32) -> usize {
    let (row, column) =
        (usize::try_from(row).unwrap_or(1).max(1), usize::try_from(column).unwrap_or(1).max(1));
    let start: usize = text.split_inclusive('\n').take(row - 1).map(str::len).sum();
    let line = text.get(start..).unwrap_or_default();
    start + line.char_indices().nth(column - 1).map_or(line.len(), |(at, _)| at)
}

/// Where elements are nested beyond the limit, counted generously: every `<` that opens and does not close.
fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    for at in memchr::memchr_iter(b'<', bytes) {
        match bytes.get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'!' | b'?') | None => {}
            Some(_) => {
                let close = memchr::memchr(b'>', &bytes[at..]).map(|n| at + n);
                let empty = close.is_some_and(|c| bytes[c - 1] == b'/');
                depth += usize::from(!empty);
            }
        }
        if depth > MAX_DEPTH {
            return Some(at);
        }
    }
    None
}
