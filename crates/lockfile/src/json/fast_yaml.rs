//! YAML as lockfiles write it, straight into the tree: mappings and lists by indentation, values of one line. Whatever is
//! unusual is left to the whole reader: `None` says nothing of the text.

use std::borrow::Cow;

use super::{Json, Member, Value};

/// Mappings and lists within one another.
const MAX_DEPTH: usize = 24;

/// Reads a document.
pub(crate) fn read(text: &str) -> Option<Json<'_>> {
    let odd = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}')
    };
    let plain = match text.is_ascii() {
        true => !text.bytes().any(|b| (b < b' ' && b != b'\n') || b == 0x7f),
        false => !text.contains(odd),
    };
    if !plain {
        return None;
    }
    let mut reader = Reader { text, at: 0, line: None };
    reader.advance()?;
    let first = reader.line?;
    let root = reader.block(first.indent, 0)?;
    (first.indent == 0 && reader.line.is_none()).then_some(root)
}

/// A line that says something.
#[derive(Debug, Clone, Copy)]
struct Line {
    indent: usize,
    /// Where its first word begins, and where its last ends.
    start: usize,
    end: usize,
}

struct Reader<'t> {
    text: &'t str,
    /// Where the next line begins.
    at: usize,
    /// The line that is looked at.
    line: Option<Line>,
}

impl<'t> Reader<'t> {
    /// Goes to the next line that says something.
    fn advance(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        loop {
            if self.at >= bytes.len() {
                self.line = None;
                return Some(());
            }
            let from = self.at;
            let end = memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |n| from + n);
            self.at = end + 1;
            let said = self.text[from..end].trim_end_matches(' ');
            let body = said.trim_start_matches(' ');
            if body.is_empty() || body.starts_with('#') {
                continue;
            }
            let indent = said.len() - body.len();
            if indent == 0 && (body.starts_with("---") || body.starts_with("...") || body.starts_with('%')) {
                return None;
            }
            self.line = Some(Line { indent, start: from + indent, end: from + said.len() });
            return Some(());
        }
    }

    fn block(&mut self, indent: usize, depth: usize) -> Option<Json<'t>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let line = self.line?;
        match self.text[line.start..line.end].starts_with('-') {
            true => self.list(indent),
            false => self.map(indent, depth),
        }
    }

    fn list(&mut self, indent: usize) -> Option<Json<'t>> {
        let start = self.line?.start;
        let mut end = start;
        let mut items = Vec::new();
        while let Some(line) = self.line.filter(|l| l.indent == indent) {
            if !self.text[line.start..line.end].starts_with("- ") {
                break;
            }
            let item = self.text[line.start + 2..line.end].trim_start_matches(' ');
            items.push(self.one_line(line.end - item.len(), line.end)?);
            end = line.end;
            self.advance()?;
        }
        // What is indented further goes on with the value before.
        let ends = self.line.is_none_or(|l| {
            l.indent < indent || (l.indent == indent && !self.text[l.start..].starts_with('-'))
        });
        ends.then_some(Json { span: start..end, value: Value::Array(items) })
    }

    fn map(&mut self, indent: usize, depth: usize) -> Option<Json<'t>> {
        let start = self.line?.start;
        let mut end = start;
        let mut members = Vec::new();
        while let Some(line) = self.line.filter(|l| l.indent == indent) {
            let (key, rest) = self.key(line)?;
            let said = self.text[rest..line.end].trim_start_matches(' ');
            let from = line.end - said.len();
            self.advance()?;
            let next = self.line.filter(|l| l.indent > indent);
            let listed =
                self.line.filter(|l| l.indent == indent && self.text[l.start..l.end].starts_with("- "));
            let value = match (said.is_empty(), next, listed) {
                (true, Some(below), _) => self.block(below.indent, depth + 1)?,
                (true, None, Some(_)) => self.list(indent)?,
                (true, None, None) => Json { span: rest..rest, value: Value::Null },
                (false, None, None) => self.one_line(from, line.end)?,
                // A value of several lines.
                (false, ..) => return None,
            };
            end = value.span.end;
            members.push(Member { key, at: line.start, value });
        }
        let ends = self.line.is_none_or(|l| l.indent < indent);
        ends.then_some(Json { span: start..end, value: Value::Object(members) })
    }

    /// The key of a line, and where what stands behind its colon begins.
    fn key(&self, line: Line) -> Option<(Cow<'t, str>, usize)> {
        let text = &self.text[line.start..line.end];
        if text.starts_with(['\'', '"']) {
            let (key, length) = quoted(text)?;
            let rest = text[length..].strip_prefix(':')?;
            return (rest.is_empty() || rest.starts_with(' ')).then_some((key, line.start + length + 1));
        }
        let length = match text.find(": ") {
            Some(at) => at,
            None => text.len() - text.strip_suffix(':').map(|_| 1)?,
        };
        let key = &text[..length];
        let plain = key.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.'))
            && !key.contains(" #")
            && !key.ends_with([' ', ':']);
        plain.then_some((Cow::Borrowed(key), line.start + length + 1))
    }

    /// A value that ends with its line.
    fn one_line(&self, start: usize, end: usize) -> Option<Json<'t>> {
        let text = &self.text[start..end];
        if text.starts_with(['{', '[']) {
            let mut flow = Flow { text: self.text, at: start, end };
            let value = flow.value(0)?;
            return (flow.at == end).then_some(value);
        }
        if text.starts_with(['\'', '"']) {
            let (value, length) = quoted(text)?;
            return (length == text.len()).then_some(Json { span: start..end, value: Value::String(value) });
        }
        let plain =
            begins_plainly(text) && !text.contains(": ") && !text.contains(" #") && !text.ends_with(':');
        plain.then(|| Json { span: start..end, value: scalar(text) })
    }
}

/// `{a: b, c: [d]}` on one line.
struct Flow<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

impl<'t> Flow<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..self.end]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    fn eat(&mut self, sign: char) -> Option<()> {
        self.rest().starts_with(sign).then(|| self.at += 1)
    }

    fn value(&mut self, depth: usize) -> Option<Json<'t>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let start = self.at;
        let value = match self.rest().chars().next()? {
            '{' => {
                self.at += 1;
                let mut members = Vec::new();
                self.blanks();
                while self.eat('}').is_none() {
                    let at = self.at;
                    let key = match self.word()?.value {
                        Value::String(key) => key,
                        _ => return None,
                    };
                    self.eat(':')?;
                    self.eat(' ')?;
                    self.blanks();
                    let value = self.value(depth + 1)?;
                    members.push(Member { key, at, value });
                    self.between('}')?;
                }
                Value::Object(members)
            }
            '[' => {
                self.at += 1;
                let mut items = Vec::new();
                self.blanks();
                while self.eat(']').is_none() {
                    items.push(self.value(depth + 1)?);
                    self.between(']')?;
                }
                Value::Array(items)
            }
            _ => return self.word(),
        };
        Some(Json { span: start..self.at, value })
    }

    /// A comma with something behind it, or the end.
    fn between(&mut self, close: char) -> Option<()> {
        self.blanks();
        if self.rest().starts_with(close) {
            return Some(());
        }
        self.eat(',')?;
        self.blanks();
        (!self.rest().starts_with(close)).then_some(())
    }

    fn word(&mut self) -> Option<Json<'t>> {
        let (start, text) = (self.at, self.rest());
        if text.starts_with(['\'', '"']) {
            let (value, length) = quoted(text)?;
            self.at += length;
            return Some(Json { span: start..self.at, value: Value::String(value) });
        }
        let length = text.find([',', '{', '}', '[', ']', ':', '#']).unwrap_or(text.len());
        let word = text[..length].trim_end_matches(' ');
        let ends = text[length..].starts_with([',', '}', ']']) || text[length..].starts_with(": ");
        self.at += word.len();
        (ends && begins_plainly(word)).then(|| Json { span: start..self.at, value: scalar(word) })
    }
}

/// A quoted text without escapes, and how long it is with its quotes.
fn quoted(text: &str) -> Option<(Cow<'_, str>, usize)> {
    let quote = text.chars().next()?;
    let inner = &text[1..];
    let end = inner.find(quote)?;
    let said = &inner[..end];
    let again = quote == '\'' && inner[end + 1..].starts_with('\'');
    let escaped = quote == '"' && said.contains('\\');
    (!again && !escaped).then_some((Cow::Borrowed(said), end + 2))
}

/// What certainly begins a value without quotes.
fn begins_plainly(text: &str) -> bool {
    text.starts_with(|c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '^' | '~' | '=' | '<' | '(' | '+' | '_')
    })
}

fn scalar(text: &str) -> Value<'_> {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "~" | "null" => Value::Null,
        _ => Value::String(Cow::Borrowed(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::from_yaml::read_whole;
    use crate::position::Lines;
    use proptest::prelude::*;

    /// Without the spans of what is not a value, in which the readers differ.
    fn plain(json: &Json<'_>) -> String {
        match &json.value {
            Value::Object(members) => {
                let parts = members.iter().map(|m| format!("{:?}@{}: {}", m.key, m.at, plain(&m.value)));
                format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
            }
            Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
            Value::Null => "null".to_owned(),
            value => format!("{value:?}@{:?}", json.span),
        }
    }

    const TEXTS: [&str; 6] = [
        include_str!("../../tests/data/pnpm-v5/base.yaml"),
        include_str!("../../tests/data/pnpm-v6/base.yaml"),
        include_str!("../../tests/data/pnpm-v9/both.yaml"),
        include_str!("../../tests/data/yarn-berry/base.lock"),
        include_str!("../../tests/data/yarn-berry/both.lock"),
        "# c\na: {b: 'x y', c: true}\nd:\n  - 1.2\n  - \"q\"\ne:\n- x\n- [y, {z: w}]\nf:\ng: ~\nh: null\n",
    ];

    #[test]
    fn lockfiles_are_read_alike() {
        for text in TEXTS {
            let whole = read_whole(text, &Lines::new(text)).unwrap();
            assert_eq!(plain(&read(text).unwrap()), plain(&whole));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_alike(
            which in 0usize..6, at in any::<prop::sample::Index>(), length in 0usize..4, new in "([a-z\"':\\[\\]{},.#&*!|>?~@%\\\\ 0-9-]|\n|  |\t|é){0,6}",
        ) {
            let mut text = TEXTS[which].to_owned();
            let start = text.floor_char_boundary(at.index(text.len()));
            let end = text.floor_char_boundary((start + length).min(text.len())).max(start);
            text.replace_range(start..end, &new);
            if let Some(fast) = read(&text) {
                let whole = read_whole(&text, &Lines::new(&text));
                prop_assert!(whole.is_ok(), "{:?}\n{}", whole, text);
                prop_assert_eq!(plain(&fast), plain(&whole.unwrap()), "{}", text);
            }
        }
    }
}
