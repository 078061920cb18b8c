//! A lockfile's text as a tree of parts that can be put together anew: what its tool sorts and separates in one way.
//!
//! Every part keeps its own bytes; only what stands between the parts of one list is written again. A text that does not
//! come out of its own tree byte for byte was not laid out by its tool, and is not merged.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// One part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// What tells it from its neighbours; the same on every side.
    pub(crate) key: String,
    /// What others need it by, where it is a package that is there because something needs it.
    pub(crate) package: Option<String>,
    /// The packages that it needs.
    pub(crate) needs: Vec<String>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// Taken from one side or the other, as it is.
    Leaf(String),
    /// Merged part by part.
    Branch(Branch),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) frame: Frame,
    pub(crate) order: Order,
    pub(crate) children: Vec<Node>,
}

/// What stands around and between the parts of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Frame {
    pub(crate) open: String,
    pub(crate) between: String,
    pub(crate) close: String,
    /// `open` and `close` where there is one part alone, if that is written another way.
    pub(crate) alone: Option<(String, String)>,
    pub(crate) empty: Empty,
}

/// How a list without parts is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Empty {
    /// Not at all.
    #[default]
    Gone,
    /// `open` and `close` without the blanks and the comma between them.
    Closed,
}

/// How the parts of a list are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the bytes of their keys.
    Bytes,
    /// Those with fewer `/` first, a scope's not counted, then by bytes.
    Depth,
    /// By bytes, and parts that say the same share one head, which lists their keys.
    Shared(Head),
}

/// How a head that several keys share is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// `a@^1, "@s/b@2":`
    YarnClassic,
    /// `"a@npm:^1, a@npm:^2":`
    YarnBerry,
}

impl Node {
    pub(crate) fn leaf(key: impl Into<String>, text: impl Into<String>) -> Node {
        Node { key: key.into(), package: None, needs: Vec::new(), body: Body::Leaf(text.into()) }
    }

    pub(crate) fn branch(key: impl Into<String>, frame: Frame, order: Order, children: Vec<Node>) -> Node {
        let body = Body::Branch(Branch { frame, order, children });
        Node { key: key.into(), package: None, needs: Vec::new(), body }
    }

    /// The same, as the package of this id.
    pub(crate) fn package(self, id: impl Into<String>) -> Node {
        Node { package: Some(id.into()), ..self }
    }

    /// The same, with what it needs.
    pub(crate) fn needing(self, needs: Vec<String>) -> Node {
        Node { needs, ..self }
    }

    /// `None` where nothing is left of it.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.body {
            Body::Leaf(text) => Some(text.clone()),
            Body::Branch(branch) => branch.text(),
        }
    }

    pub(crate) fn children(&self) -> &[Node] {
        match &self.body {
            Body::Leaf(_) => &[],
            Body::Branch(branch) => &branch.children,
        }
    }

    /// Itself and everything below it.
    pub(crate) fn visit<'n>(&'n self, see: &mut impl FnMut(&'n Node)) {
        see(self);
        self.children().iter().for_each(|child| child.visit(see));
    }
}

impl Branch {
    fn text(&self) -> Option<String> {
        let texts: Vec<(&str, String)> =
            self.children.iter().filter_map(|c| Some((c.key.as_str(), c.text()?))).collect();
        let texts: Vec<String> = match self.order {
            Order::Shared(head) => shared(head, &texts),
            _ => texts.into_iter().map(|(_, text)| text).collect(),
        };
        let Frame { open, between, close, alone, empty } = &self.frame;
        Some(match (texts.as_slice(), alone, empty) {
            ([], _, Empty::Gone) => return None,
            ([], _, Empty::Closed) => {
                let close = close.trim_start_matches([',', ' ', '\t', '\n']);
                format!("{}{close}", open.trim_end_matches([' ', '\t', '\n']))
            }
            ([one], Some((open, close)), _) => format!("{open}{one}{close}"),
            (texts, _, _) => format!("{open}{}{close}", texts.join(between)),
        })
    }
}

/// Parts with the same text below one head, sorted by the first of its keys.
fn shared(head: Head, parts: &[(&str, String)]) -> Vec<String> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, text) in parts {
        groups.entry(text).or_default().push(key);
    }
    let mut groups: Vec<(Vec<&str>, &str)> = groups.into_iter().map(|(text, keys)| (keys, text)).collect();
    groups.iter_mut().for_each(|(keys, _)| keys.sort_unstable());
    groups.sort_unstable();
    groups.into_iter().map(|(keys, text)| format!("{}{text}", head.text(&keys))).collect()
}

impl Head {
    fn text(self, keys: &[&str]) -> String {
        match self {
            Head::YarnClassic => {
                let keys: Vec<String> = keys.iter().map(|k| classic_word(k)).collect();
                format!("{}:\n", keys.join(", "))
            }
            Head::YarnBerry => format!("\"{}\":\n", keys.join(", ")),
        }
    }
}

/// As `shouldWrapKey` of Yarn 1's `src/lockfile/stringify.js` has it.
fn classic_word(word: &str) -> String {
    let letter = word.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = letter
        && !word.starts_with("true")
        && !word.starts_with("false")
        && !word
            .contains(|c: char| c.is_ascii_whitespace() || matches!(c, ':' | '\\' | '"' | ',' | '[' | ']'));
    if plain { word.to_owned() } else { format!("\"{word}\"") }
}

impl Order {
    pub(crate) fn compare(self, a: &str, b: &str) -> Ordering {
        let depth =
            |key: &str| key.matches('/').count() - key.matches('@').count().min(key.matches('/').count());
        match self {
            Order::Bytes | Order::Shared(_) => a.cmp(b),
            Order::Depth => depth(a).cmp(&depth(b)).then_with(|| a.cmp(b)),
        }
    }
}
