//! YAML as the same tree: what lockfiles need of it. Anchors, aliases and tags are refused, so nothing can be larger
//! than its text.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::{Json, Member, Value};
use crate::Damage;
use crate::position::Lines;

/// Mappings and lists within one another.
const MAX_DEPTH: usize = 127;

/// What no plain scalar begins with; the reader lets some pass behind a tab.
const INDICATORS: [char; 16] =
    [',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`'];

/// What is open.
enum Open<'t> {
    List(Vec<Json<'t>>),
    /// With the key whose value comes next.
    Map(Vec<Member<'t>>, Option<(Cow<'t, str>, usize)>),
}

/// Reads one YAML document.
pub(crate) fn read_yaml<'t>(text: &'t str, lines: &Lines<'_>) -> Result<Json<'t>, Damage> {
    match super::fast_yaml::read(text) {
        Some(root) => Ok(root),
        None => read_whole(text, lines),
    }
}

pub(super) fn read_whole<'t>(text: &'t str, lines: &Lines<'_>) -> Result<Json<'t>, Damage> {
    let offsets = Offsets::new(text);
    // The reader lets them pass, YAML's `c-printable` does not.
    if let Some((at, _)) =
        text.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))
    {
        return Err(lines.unparsable(at, "a control character"));
    }
    let mut open: Vec<(Open<'t>, usize)> = Vec::new();
    let mut root = None;
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| {
            let at = offsets.byte(e.marker().index());
            match at >= text.trim_end().len() {
                true => Damage::Truncated { line: lines.last() },
                false => lines.unparsable(at, e.info()),
            }
        })?;
        let at = offsets.byte(span.start.index());
        let refuse = |what: &str| Err(lines.unparsable(at, format!("{what}, which no such lockfile has")));
        let finished = match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    let line = lines.line(at);
                    return Err(Damage::Unsupported { line, why: "a second YAML document".to_owned() });
                }
                None
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => None,
            Event::Alias(_) => return refuse("a YAML alias"),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                return refuse("a YAML anchor");
            }
            Event::Scalar(.., Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return refuse("a YAML tag");
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == MAX_DEPTH => {
                return Err(lines.unparsable(at, "nested too deeply"));
            }
            Event::SequenceStart(..) => {
                open.push((Open::List(Vec::new()), at));
                None
            }
            Event::MappingStart(..) => {
                open.push((Open::Map(Vec::new(), None), at));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|(container, start)| {
                let value = match container {
                    Open::List(items) => Value::Array(items),
                    Open::Map(members, _) => Value::Object(members),
                };
                Json { span: start..offsets.byte(span.end.index()).max(start), value }
            }),
            Event::Scalar(value, ScalarStyle::Plain, ..) if value.starts_with(INDICATORS) => {
                return Err(
                    lines.unparsable(at, "a value that begins with a sign of YAML's own, without quotes")
                );
            }
            Event::Scalar(value, style, ..) => Some(scalar(text, &offsets, value, style, &span)),
        };
        let Some(json) = finished else { continue };
        match open.last_mut() {
            None => root = Some(json),
            Some((Open::List(items), _)) => items.push(json),
            Some((Open::Map(members, key), _)) => match key.take() {
                Some((key, at)) => members.push(Member { key, at, value: json }),
                None => match json.value {
                    Value::String(name) => *key = Some((name, json.span.start)),
                    // `true:` and `null:` as keys are their own text.
                    Value::Bool(_) | Value::Null => {
                        *key = Some((
                            Cow::Borrowed(text.get(json.span.clone()).unwrap_or_default()),
                            json.span.start,
                        ));
                    }
                    _ => return Err(lines.unparsable(json.span.start, "a key that is no text")),
                },
            },
        }
    }
    root.ok_or(Damage::Empty)
}

fn scalar<'t>(
    text: &'t str,
    offsets: &Offsets<'_>,
    value: Cow<'t, str>,
    style: ScalarStyle,
    span: &Span,
) -> Json<'t> {
    let start = offsets.byte(span.start.index());
    let end = offsets.byte(span.end.index()).max(start);
    let plain = style == ScalarStyle::Plain;
    // The reader's end of a plain scalar may lie behind the blanks after it.
    let end = if plain && text.get(start..).is_some_and(|t| t.starts_with(&*value)) {
        start + value.len()
    } else {
        // So may that of a quoted one.
        start + text.get(start..end).map_or(end - start, |t| t.trim_end_matches(' ').len())
    };
    let value = match &*value {
        "true" if plain => Value::Bool(true),
        "false" if plain => Value::Bool(false),
        "" | "~" | "null" if plain => Value::Null,
        _ => Value::String(value),
    };
    Json { span: start..end, value }
}

/// From the reader's characters to bytes.
struct Offsets<'t> {
    text: &'t str,
    /// Where each character begins; empty where all are one byte long.
    starts: Vec<usize>,
}

impl<'t> Offsets<'t> {
    fn new(text: &'t str) -> Self {
        let starts =
            if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        Offsets { text, starts }
    }

    fn byte(&self, index: usize) -> usize {
        let at = if self.starts.is_empty() {
            index
        } else {
            self.starts.get(index).copied().unwrap_or(usize::MAX)
        };
        at.min(self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Json<'_>, Damage> {
        read_yaml(text, &Lines::new(text))
    }

    #[test]
    fn values_have_their_places() {
        let text = "# é\na: {b: 'x y', c: true}\nd:\n  - 1.2   # c\n  - \"q\\n\"\n";
        let root = read(text).unwrap();
        let b = root.get("a").and_then(|a| a.get("b")).unwrap();
        assert_eq!((b.as_str(), &text[b.span.clone()]), (Some("x y"), "'x y'"));
        assert_eq!(&text[b.inner(text)], "x y");
        assert!(root.get("a").unwrap().is_true("c"));
        let Value::Array(items) = &root.get("d").unwrap().value else { panic!("{root:?}") };
        assert_eq!(&text[items[0].span.clone()], "1.2");
        assert_eq!(items[1].as_str(), Some("q\n"));
    }

    #[test]
    fn bombs_are_refused() {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\n";
        assert!(matches!(read(bomb), Err(Damage::Unparsable { line: 1, .. })), "{:?}", read(bomb));
        assert!(matches!(read("a: !!binary x\n"), Err(Damage::Unparsable { .. })));
        assert!(matches!(read("a: 1\n---\nb: 2\n"), Err(Damage::Unsupported { line: 2 | 3, .. })));
        for open in ["[", "{a: ", "- "] {
            assert!(read(&open.repeat(20_000)).is_err(), "{open}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([a-z{}\\[\\]:,#&*!|>'\"?-]|\n|  |é){0,40}") {
            if let Ok(root) = read(&text) {
                prop_assert!(text.get(root.span.clone()).is_some());
            }
        }
    }
}
