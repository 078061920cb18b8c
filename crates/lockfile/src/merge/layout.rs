//! From text to parts: by indentation, by the tables of TOML, by the members of JSON.

use super::node::{Body, Branch, Empty, Frame, Node, Order};
use crate::json::{Json, Member, Value};

/// What stands before the first line that is indented by `indent`, and the text from each such line to the next. A line
/// that closes a tag belongs to what it closes.
pub(crate) fn blocks(text: &str, indent: usize) -> (&str, Vec<&str>) {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_start_matches(' ');
        if line.len() - body.len() == indent && !body.trim().is_empty() && !body.starts_with("</") {
            starts.push(at);
        }
        at += line.len();
    }
    let head = starts.first().map_or(text, |first| &text[..*first]);
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    (head, starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect())
}

/// A list whose parts are the `blocks`, each ended by the same newlines; `usual` where there is one alone.
pub(crate) fn lines(
    key: impl Into<String>,
    open: &str,
    blocks: &[&str],
    usual: &str,
    child: impl FnMut(&str) -> Node,
) -> Node {
    let newlines = |block: &str| block[block.trim_end_matches('\n').len()..].to_owned();
    let between = match blocks {
        [first, _, ..] => newlines(first),
        _ => usual.to_owned(),
    };
    let close = blocks.last().map(|last| newlines(last)).unwrap_or_default();
    let children = blocks.iter().map(|block| block.trim_end_matches('\n')).map(child).collect();
    let frame = Frame { open: open.to_owned(), between, close, alone: None, empty: Empty::Gone };
    Node::branch(key, frame, Order::Bytes, children)
}

/// The key of a line such as `'@a/b': 1`, without quotes.
pub(crate) fn yaml_key(block: &str) -> &str {
    let line = block.lines().next().unwrap_or_default().trim_start();
    for quote in ['\'', '"'] {
        if let Some(rest) = line.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or(rest);
        }
    }
    line.split_once(": ").map_or(line.trim_end_matches(':'), |(key, _)| key)
}

/// What stands behind the key on the same line, without quotes.
pub(crate) fn yaml_value(block: &str) -> &str {
    let line = block.lines().next().unwrap_or_default();
    let key = yaml_key(line);
    let rest = line.find(key).map_or("", |at| &line[at + key.len()..]);
    rest.trim_start_matches(['\'', '"']).trim_start_matches(':').trim().trim_matches(['\'', '"'])
}

/// The head of a TOML text, and its tables; a sub-table of a package belongs to it.
pub(crate) fn tables(text: &str) -> (&str, Vec<&str>) {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') && !line.starts_with("[package.") && !line.starts_with("[[package.") {
            starts.push(at);
        }
        at += line.len();
    }
    let head = starts.first().map_or(text, |first| &text[..*first]);
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    (head, starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect())
}

/// The settings of one TOML table: each begins on a line that is not indented and closes nothing.
pub(crate) fn settings(table: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in table.split_inclusive('\n') {
        if !line.starts_with([' ', ']', '}', '\n']) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([table.len()]);
    starts.iter().zip(ends).map(|(start, end)| &table[*start..end]).collect()
}

/// The key of a TOML setting.
pub(crate) fn toml_key(setting: &str) -> &str {
    setting.split(" = ").next().unwrap_or(setting).trim()
}

/// An object from `start` on, which is where its key stands.
pub(crate) fn object<'j, 't>(
    text: &str,
    key: impl Into<String>,
    start: usize,
    json: &'j Json<'t>,
    mut child: impl FnMut(&'j Member<'t>) -> Node,
) -> Node {
    let members = json.members();
    let spans: Vec<(usize, usize)> = members.iter().map(|m| (m.at, m.value.span.end)).collect();
    let children = members.iter().map(&mut child).collect();
    list(text, key, start, json, &spans, children)
}

/// A list of values, each with its key.
pub(crate) fn array<'j, 't>(
    text: &str,
    key: impl Into<String>,
    start: usize,
    json: &'j Json<'t>,
    mut child: impl FnMut(&'j Json<'t>) -> Node,
) -> Node {
    let items: &[Json<'_>] = match &json.value {
        Value::Array(items) => items,
        _ => &[],
    };
    let spans: Vec<(usize, usize)> = items.iter().map(|i| (i.span.start, i.span.end)).collect();
    let children = items.iter().map(&mut child).collect();
    list(text, key, start, json, &spans, children)
}

fn list(
    text: &str,
    key: impl Into<String>,
    start: usize,
    json: &Json<'_>,
    spans: &[(usize, usize)],
    children: Vec<Node>,
) -> Node {
    let cut = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    let end = json.span.end;
    let frame = match (spans.first(), spans.last()) {
        (Some((first, _)), Some((_, last))) => {
            let open = cut(start, *first);
            let between = match spans {
                [(_, end), (next, _), ..] => cut(*end, *next),
                _ => format!(",{}", &open[open.trim_end_matches([' ', '\t', '\n']).len()..]),
            };
            Frame { open, between, close: cut(*last, end), alone: None, empty: Empty::Closed }
        }
        _ => Frame {
            open: cut(start, end - 1),
            close: cut(end - 1, end),
            empty: Empty::Closed,
            ..Frame::default()
        },
    };
    Node::branch(key, frame, Order::Bytes, children)
}

/// A member as it is.
pub(crate) fn member(text: &str, member: &Member<'_>) -> Node {
    Node::leaf(&*member.key, text.get(member.at..member.value.span.end).unwrap_or_default())
}

/// The root of a JSON text with what stands around it.
pub(crate) fn around(text: &str, json: &Json<'_>, root: Node) -> Node {
    match root.body {
        Body::Branch(mut branch) => {
            branch.frame.open.insert_str(0, text.get(..json.span.start).unwrap_or_default());
            branch.frame.close.push_str(text.get(json.span.end..).unwrap_or_default());
            Node { body: Body::Branch(branch), ..root }
        }
        Body::Leaf(_) => root,
    }
}

impl Node {
    /// The same with its list sorted another way.
    pub(crate) fn ordered(self, order: Order) -> Node {
        let body = match self.body {
            Body::Branch(branch) => Body::Branch(Branch { order, ..branch }),
            leaf @ Body::Leaf(_) => leaf,
        };
        Node { body, ..self }
    }

    /// The same with its list gone where nothing is in it.
    pub(crate) fn vanishing(mut self) -> Node {
        if let Body::Branch(branch) = &mut self.body {
            branch.frame.empty = Empty::Gone;
        }
        self
    }
}
