//! JSON with places: npm's lockfiles must be pointed at by line and edited by byte, and a key that stands
//! twice must be seen, none of which a deserialiser tells.

mod fast_toml;
mod fast_yaml;
mod from_toml;
mod from_yaml;
mod read;
mod write;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use from_toml::{read_toml, read_toml_each, syntax};
pub(crate) use from_yaml::read_yaml;
pub(crate) use read::read;
pub(crate) use write::Writer;

use crate::Damage;
use crate::names::Names;
use crate::position::Lines;

/// Reads the object that a lockfile is.
pub(crate) fn read_json<'t>(text: &'t str, lines: &Lines<'_>, what: &str) -> Result<Json<'t>, Damage> {
    object(read(text), lines, what)
}

/// As [`read_json`], where a comma may stand before a closing bracket.
pub(crate) fn read_with_trailing_commas<'t>(
    text: &'t str,
    lines: &Lines<'_>,
    what: &str,
) -> Result<Json<'t>, Damage> {
    object(read::read_with_trailing_commas(text), lines, what)
}

fn object<'t>(
    read: Result<Json<'t>, read::SyntaxError>,
    lines: &Lines<'_>,
    what: &str,
) -> Result<Json<'t>, Damage> {
    let root = read.map_err(|e| match e.at_end {
        true => Damage::Truncated { line: lines.last() },
        false => lines.unparsable(e.offset, e.why),
    })?;
    match root.is_object() {
        true => Ok(root),
        false => Err(lines.unparsable(root.span.start, format!("expected the object of {what}"))),
    }
}

/// A value and the bytes it stands on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Json<'t> {
    /// For a string, the quotes included.
    pub(crate) span: Range<usize>,
    pub(crate) value: Value<'t>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'t> {
    Null,
    Bool(bool),
    /// As written.
    Number(&'t str),
    String(Cow<'t, str>),
    Array(Vec<Json<'t>>),
    /// In the order of the text, duplicates included.
    Object(Vec<Member<'t>>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member<'t> {
    pub(crate) key: Cow<'t, str>,
    /// Offset of the key's opening quote.
    pub(crate) at: usize,
    pub(crate) value: Json<'t>,
}

/// A key that stands twice in one object.
pub(crate) struct Duplicate {
    pub(crate) key: String,
    pub(crate) first: usize,
    pub(crate) second: usize,
}

impl<'t> Json<'t> {
    /// The member with this key; the last one where it stands twice, as in every JSON reader.
    pub(crate) fn get(&self, key: &str) -> Option<&Json<'t>> {
        self.members().iter().rev().find(|m| m.key == key).map(|m| &m.value)
    }

    /// The members of an object; none for anything else.
    pub(crate) fn members(&self) -> &[Member<'t>] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(|v| v.value == Value::Bool(true))
    }

    /// The member at a path of keys, joined by dots.
    pub(crate) fn at_path(&self, path: &str) -> Option<&Json<'t>> {
        path.split('.').try_fold(self, |at, key| at.get(key))
    }

    /// The bytes of a string without its quotes.
    pub(crate) fn inner(&self, text: &str) -> Range<usize> {
        let quoted = text.get(self.span.clone()).is_some_and(|t| t.len() >= 2 && t.starts_with(['"', '\'']));
        if quoted { self.span.start + 1..self.span.end - 1 } else { self.span.clone() }
    }

    /// Every key that stands twice, as damage.
    pub(crate) fn duplicate_keys(&self, lines: &Lines<'_>) -> Vec<Damage> {
        let duplicates = self.duplicates().into_iter();
        let damage = |d: Duplicate| Damage::DuplicateEntry {
            line: lines.line(d.second),
            first_line: lines.line(d.first),
            entry: format!("the key `{}`", d.key),
        };
        duplicates.map(damage).collect()
    }

    /// Every key that stands twice, in the order of the text.
    pub(crate) fn duplicates(&self) -> Vec<Duplicate> {
        let mut found = Vec::new();
        self.collect_duplicates(&mut found);
        found.sort_by_key(|d| d.second);
        found
    }

    // Recursion is bounded by the reader's limit on nesting.
    fn collect_duplicates(&self, found: &mut Vec<Duplicate>) {
        match &self.value {
            Value::Array(items) => items.iter().for_each(|item| item.collect_duplicates(found)),
            Value::Object(members) => {
                let few = members.len() <= 8;
                let mut seen: Names<'_, usize> = Names::new();
                for (n, member) in members.iter().enumerate() {
                    let first = match few {
                        true => members[..n].iter().rev().find(|m| m.key == member.key).map(|m| m.at),
                        false => seen.insert(&member.key, member.at),
                    };
                    if let Some(first) = first {
                        found.push(Duplicate { key: member.key.to_string(), first, second: member.at });
                    }
                    member.value.collect_duplicates(found);
                }
            }
            _ => {}
        }
    }
}
