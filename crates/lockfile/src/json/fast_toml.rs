//! TOML as lockfiles write it, straight into the tree. Whatever is unusual is left to the whole reader: `None` says nothing
//! of the text.
//!
//! A table that has a header of its own, and a list of such tables, get an empty span; so only what may be extended can be.

use std::borrow::Cow;

use super::{Json, Member, Value};

/// Values within one another.
const MAX_DEPTH: usize = 16;
/// Keys of one table; beyond that, looking for one that stands twice would take too long.
const MAX_KEYS: usize = 4096;

/// Reads a document of plain keys, strings, whole numbers, truth values, lists and tables.
pub(crate) fn read(text: &str) -> Option<Json<'_>> {
    read_each(text, "", |_| Some(()))
}

/// As [`read`], but each item of the list `name` is given away as soon as nothing can be added to it, so that a long
/// list is never held as a whole. The list that is left is empty. Where it says `None`, what was given away counts for nothing.
pub(crate) fn read_each<'t>(
    text: &'t str,
    name: &str,
    mut each: impl FnMut(Json<'t>) -> Option<()>,
) -> Option<Json<'t>> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
    let mut root = Vec::new();
    reader.settings(&mut root)?;
    while reader.peek() == Some(b'[') {
        reader.table(&mut root)?;
        // Headers add to the last table of a list alone.
        if let Some(tables) = list(&mut root, name).filter(|tables| tables.len() > 1) {
            let last = tables.pop()?;
            tables.drain(..).try_for_each(&mut each)?;
            tables.push(last);
        }
    }
    if let Some(tables) = list(&mut root, name) {
        tables.drain(..).try_for_each(&mut each)?;
    }
    (reader.at == text.len()).then_some(Json { span: 0..text.len(), value: Value::Object(root) })
}

fn list<'m, 't>(members: &'m mut [Member<'t>], name: &str) -> Option<&'m mut Vec<Json<'t>>> {
    match members.iter_mut().find(|m| m.key == name).map(|m| &mut m.value.value) {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Blanks, line ends and comments.
    fn space(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n') => self.at += 1,
                Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                Some(b'#') => {
                    let rest = self.bytes.get(self.at..)?;
                    let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    let line = rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]);
                    if has_control(line) {
                        return None;
                    }
                    self.at += length;
                }
                _ => return Some(()),
            }
        }
    }

    /// The rest of a line that says no more.
    fn line_end(&mut self) -> Option<()> {
        self.blanks();
        match self.peek() {
            None | Some(b'\n' | b'#') => Some(()),
            Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => Some(()),
            _ => None,
        }
    }

    fn settings(&mut self, into: &mut Vec<Member<'t>>) -> Option<()> {
        loop {
            self.space()?;
            if matches!(self.peek(), None | Some(b'[')) {
                return Some(());
            }
            let member = self.setting(0)?;
            push(into, member)?;
            self.line_end()?;
        }
    }

    fn setting(&mut self, depth: usize) -> Option<Member<'t>> {
        let (key, at) = self.key()?;
        self.blanks();
        self.eat(b'=')?;
        self.blanks();
        Some(Member { key, at, value: self.value(depth)? })
    }

    fn key(&mut self) -> Option<(Cow<'t, str>, usize)> {
        let at = self.at;
        if self.peek() == Some(b'"') {
            return Some((self.string()?, at));
        }
        while self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
            self.at += 1;
        }
        (self.at > at).then(|| (Cow::Borrowed(&self.text[at..self.at]), at))
    }

    fn value(&mut self, depth: usize) -> Option<Json<'t>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let start = self.at;
        let value = match self.peek()? {
            b'"' => Value::String(self.string()?),
            b'\'' => Value::String(self.literal()?),
            b'[' => Value::Array(self.list(depth)?),
            b'{' => Value::Object(self.inline(depth)?),
            _ => self.word()?,
        };
        Some(Json { span: start..self.at, value })
    }

    fn string(&mut self) -> Option<Cow<'t, str>> {
        self.eat(b'"')?;
        let start = self.at;
        let found = start + memchr::memchr2(b'"', b'\\', self.bytes.get(start..)?)?;
        if self.bytes[found] == b'\\' {
            return self.escaped();
        }
        let inner = &self.bytes[start..found];
        self.at = found + 1;
        // Three of them begin a string of several lines.
        let triple = inner.is_empty() && self.peek() == Some(b'"');
        if triple || has_control(inner) {
            return None;
        }
        Some(Cow::Borrowed(&self.text[start..found]))
    }

    /// A string from behind its opening quote, with plain escapes.
    fn escaped(&mut self) -> Option<Cow<'t, str>> {
        let mut out = String::new();
        loop {
            let from = self.at;
            let rest = self.bytes.get(from..)?;
            let found = from + memchr::memchr2(b'"', b'\\', rest)?;
            if has_control(&self.bytes[from..found]) {
                return None;
            }
            out.push_str(&self.text[from..found]);
            self.at = found + 1;
            if self.bytes[found] == b'"' {
                return Some(Cow::Owned(out));
            }
            out.push(match self.peek()? {
                b'"' => '"',
                b'\\' => '\\',
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                _ => return None,
            });
            self.at += 1;
        }
    }

    fn literal(&mut self) -> Option<Cow<'t, str>> {
        self.eat(b'\'')?;
        let start = self.at;
        let end = start + memchr::memchr(b'\'', self.bytes.get(start..)?)?;
        self.at = end + 1;
        let triple = end == start && self.peek() == Some(b'\'');
        let plain = !triple && !has_control(&self.bytes[start..end]);
        plain.then(|| Cow::Borrowed(&self.text[start..end]))
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Json<'t>>> {
        self.eat(b'[')?;
        let mut items = Vec::new();
        loop {
            self.space()?;
            if self.eat(b']').is_some() {
                return Some(items);
            }
            items.push(self.value(depth + 1)?);
            self.space()?;
            if self.eat(b',').is_none() {
                self.eat(b']')?;
                return Some(items);
            }
        }
    }

    fn inline(&mut self, depth: usize) -> Option<Vec<Member<'t>>> {
        self.eat(b'{')?;
        let mut members = Vec::new();
        self.blanks();
        if self.eat(b'}').is_some() {
            return Some(members);
        }
        loop {
            self.blanks();
            let member = self.setting(depth + 1)?;
            push(&mut members, member)?;
            self.blanks();
            if self.eat(b',').is_none() {
                self.eat(b'}')?;
                return Some(members);
            }
        }
    }

    /// `true`, `false` or a whole number.
    fn word(&mut self) -> Option<Value<'t>> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'_' | b'.' | b':'))
        {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        match word {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => {
                let digits = word.bytes().all(|b| b.is_ascii_digit());
                let whole =
                    digits && (1..=18).contains(&word.len()) && (word == "0" || !word.starts_with('0'));
                whole.then_some(Value::Number(word))
            }
        }
    }

    /// A header, and the settings below it.
    fn table(&mut self, root: &mut Vec<Member<'t>>) -> Option<()> {
        let header = self.at;
        self.eat(b'[')?;
        let several = self.eat(b'[').is_some();
        let mut into = root;
        loop {
            self.blanks();
            let (key, at) = self.key()?;
            self.blanks();
            if self.eat(b'.').is_some() {
                into = below(into, &key)?;
                continue;
            }
            self.eat(b']')?;
            if several {
                self.eat(b']')?;
            }
            self.line_end()?;
            let mut members = Vec::with_capacity(8);
            self.settings(&mut members)?;
            let table = Json { span: header..header, value: Value::Object(members) };
            let known = into.iter().rposition(|m| m.key == key);
            return match (known.and_then(|n| into.get_mut(n)), several) {
                (None, true) => {
                    let value = Json { span: header..header, value: Value::Array(vec![table]) };
                    into.push(Member { key, at, value });
                    (into.len() <= MAX_KEYS).then_some(())
                }
                (None, false) => {
                    into.push(Member { key, at, value: table });
                    (into.len() <= MAX_KEYS).then_some(())
                }
                (Some(Member { value: Json { span, value: Value::Array(tables) }, .. }), true)
                    if span.start == span.end =>
                {
                    tables.push(table);
                    Some(())
                }
                (Some(_), _) => None,
            };
        }
    }
}

/// The table of this name, or the last of those of this name, where it has a header of its own.
fn below<'m, 't>(members: &'m mut [Member<'t>], key: &str) -> Option<&'m mut Vec<Member<'t>>> {
    let found = members.iter_mut().rev().find(|m| m.key == key)?;
    let of_headers = |span: &std::ops::Range<usize>| span.start == span.end;
    let Json { span, value } = &mut found.value;
    match value {
        Value::Object(members) if of_headers(span) => Some(members),
        Value::Array(tables) if of_headers(span) => match &mut tables.last_mut()?.value {
            Value::Object(members) => Some(members),
            _ => None,
        },
        _ => None,
    }
}

/// A key may stand once.
fn push<'t>(members: &mut Vec<Member<'t>>, member: Member<'t>) -> Option<()> {
    if members.iter().any(|m| m.key == member.key) {
        return None;
    }
    members.push(member);
    (members.len() <= MAX_KEYS).then_some(())
}

/// Whether one of the bytes is a control character that TOML does not allow; all are looked at, many at once.
fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, b| found | ((*b < b' ') & (*b != b'\t')) | (*b == 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::from_toml::read_whole;
    use crate::position::Lines;
    use proptest::prelude::*;

    /// Without the order of keys and the spans of tables, in which the readers differ.
    fn plain(json: &Json<'_>) -> String {
        match &json.value {
            Value::Object(members) => {
                let mut parts: Vec<String> =
                    members.iter().map(|m| format!("{:?}@{}: {}", m.key, m.at, plain(&m.value))).collect();
                parts.sort();
                format!("{{{}}}", parts.join(", "))
            }
            Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
            value => format!("{value:?}@{:?}", json.span),
        }
    }

    const TEXTS: [&str; 7] = [
        include_str!("../../tests/data/cargo/base.lock"),
        include_str!("../../tests/data/cargo/v1.lock"),
        include_str!("../../tests/data/poetry/base.lock"),
        include_str!("../../tests/data/poetry/both.lock"),
        include_str!("../../tests/data/uv/base.lock"),
        include_str!("../../tests/data/uv/both.lock"),
        "a = 'x' # c\r\nb = [1, [true], {c = \"\\\"\\\\\"}]\n[d]\ne = {}\n[[d.f]]\n[d.f.g]\nh = 0\n[[d.f]]\n",
    ];

    #[test]
    fn lockfiles_are_read_alike() {
        for text in TEXTS {
            let whole = read_whole(text, &Lines::new(text)).unwrap();
            assert_eq!(plain(&read(text).unwrap()), plain(&whole));
        }
    }

    /// What is given away of the list of this name, and what is left, if it is read so at all.
    fn given_away(text: &str, name: &str) -> Option<(Vec<String>, Vec<String>)> {
        let mut items = Vec::new();
        let rest = read_each(text, name, |item| {
            items.push(plain(&item));
            Some(())
        })?;
        Some((items, others(&rest, name)))
    }

    fn others(root: &Json<'_>, name: &str) -> Vec<String> {
        let mut others: Vec<String> = root
            .members()
            .iter()
            .filter(|m| m.key != name)
            .map(|m| m.key.to_string() + &plain(&m.value))
            .collect();
        others.sort();
        others
    }

    /// The same, of what is read as a whole.
    fn apart(root: &Json<'_>, name: &str) -> (Vec<String>, Vec<String>) {
        let items = match root.get(name).map(|list| &list.value) {
            Some(Value::Array(items)) => items.iter().map(plain).collect(),
            _ => Vec::new(),
        };
        (items, others(root, name))
    }

    #[test]
    fn items_are_given_away_whole_and_in_order() {
        let odd = ["package = [1, 2]\n", "[[package]]\na = 1\n[x]\n[package.b]\nc = 2\n"];
        for text in TEXTS.into_iter().chain(odd) {
            for name in ["package", "metadata", "d"] {
                let whole = read_whole(text, &Lines::new(text)).unwrap();
                assert_eq!(given_away(text, name).unwrap(), apart(&whole, name));
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_alike(
            which in 0usize..7, at in any::<prop::sample::Index>(), length in 0usize..4, new in "([a-z\"'=\\[\\]{},.#\\\\ 0-9-]|\n|\r\n|\t|é){0,6}",
        ) {
            let mut text = TEXTS[which].to_owned();
            let start = text.floor_char_boundary(at.index(text.len()));
            let end = text.floor_char_boundary((start + length).min(text.len())).max(start);
            text.replace_range(start..end, &new);
            if let Some(fast) = read(&text) {
                let whole = read_whole(&text, &Lines::new(&text));
                prop_assert!(whole.is_ok(), "{:?}\n{}", whole, text);
                let whole = whole.unwrap();
                prop_assert_eq!(plain(&fast), plain(&whole));
                prop_assert_eq!(given_away(&text, "package"), Some(apart(&whole, "package")));
            }
        }
    }
}
