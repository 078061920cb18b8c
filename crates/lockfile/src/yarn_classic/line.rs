//! The lines of a yarn 1 lockfile: blocks of keys with fields, by indentation.
//!
//! As yarn's own reader has it (`src/lockfile/parse.js`): a key or value is a JSON string, or a bare word of letters,
//! digits and signs that ends at a colon, a comma or white space.

use std::borrow::Cow;
use std::ops::Range;

use crate::Damage;
use crate::position::Lines;

/// One entry of the lockfile.
#[derive(Debug)]
pub(super) struct Block<'t> {
    /// The patterns it answers, with where each begins.
    pub(super) keys: Vec<Word<'t>>,
    pub(super) fields: Vec<Field<'t>>,
}

#[derive(Debug)]
pub(super) struct Field<'t> {
    pub(super) key: Word<'t>,
    pub(super) value: FieldValue<'t>,
}

#[derive(Debug)]
pub(super) enum FieldValue<'t> {
    Text(Word<'t>),
    /// Names with their ranges.
    List(Vec<(Word<'t>, Word<'t>)>),
}

/// A key or value, and where it stands, without quotes.
#[derive(Debug, Clone)]
pub(super) struct Word<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) span: Range<usize>,
}

impl<'t> Block<'t> {
    pub(super) fn at(&self) -> usize {
        self.keys.first().map_or(0, |k| k.span.start)
    }

    /// The last field of this name, as in every reader.
    pub(super) fn text(&self, key: &str) -> Option<&Word<'t>> {
        self.fields.iter().rev().find(|f| f.key.text == key).and_then(|f| match &f.value {
            FieldValue::Text(word) => Some(word),
            FieldValue::List(_) => None,
        })
    }

    pub(super) fn list(&self, key: &str) -> &[(Word<'t>, Word<'t>)] {
        let found = self.fields.iter().rev().find(|f| f.key.text == key);
        match found.map(|f| &f.value) {
            Some(FieldValue::List(list)) => list,
            _ => &[],
        }
    }
}

/// What one line says.
struct Line<'t> {
    keys: Vec<Word<'t>>,
    /// `None` where a colon opens what is indented below.
    value: Option<Word<'t>>,
}

pub(super) fn blocks<'t>(text: &'t str, lines: &Lines<'_>) -> Result<Vec<Block<'t>>, Damage> {
    let mut blocks: Vec<Block<'t>> = Vec::new();
    let mut at = 0;
    // How deep the line before lets this one be.
    let mut deepest = 0;
    for whole in text.split_inclusive('\n') {
        let start = at;
        at += whole.len();
        let said = whole.trim_end_matches(['\n', '\r']);
        let body = said.trim_start_matches(' ');
        if body.trim().is_empty() || body.starts_with('#') {
            continue;
        }
        let indent = said.len() - body.len();
        let wrong = |why: &str| lines.unparsable(start + indent, why);
        if indent % 2 != 0 || indent / 2 > deepest {
            return Err(wrong("an indentation that does not fit the line before"));
        }
        let cursor = Cursor { text, at: start + indent, end: start + said.len(), lines };
        let line = cursor.line()?;
        let level = indent / 2;
        let opens = line.value.is_none();
        deepest = level + usize::from(opens);
        let one = |keys: Vec<Word<'t>>| match <[Word<'t>; 1]>::try_from(keys) {
            Ok([key]) => Ok(key),
            Err(_) => Err(wrong("several names where one belongs")),
        };
        match (level, line.value) {
            (0, None) => blocks.push(Block { keys: line.keys, fields: Vec::new() }),
            (1, value) => {
                let key = one(line.keys)?;
                let value = value.map_or(FieldValue::List(Vec::new()), FieldValue::Text);
                let block = blocks.last_mut().ok_or_else(|| wrong("a field without an entry"))?;
                block.fields.push(Field { key, value });
            }
            (2, Some(value)) => {
                let key = one(line.keys)?;
                let field = blocks.last_mut().and_then(|b| b.fields.last_mut());
                match field.map(|f| &mut f.value) {
                    Some(FieldValue::List(list)) => list.push((key, value)),
                    _ => return Err(wrong("a value without a list")),
                }
            }
            _ => return Err(wrong("neither an entry nor a field of one")),
        }
    }
    Ok(blocks)
}

struct Cursor<'t, 'l> {
    text: &'t str,
    at: usize,
    end: usize,
    lines: &'l Lines<'l>,
}

impl<'t> Cursor<'t, '_> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn wrong(&self, why: &str) -> Damage {
        // Nothing but white space comes after it: the text was cut off there.
        match self.text.get(self.end..).is_none_or(|rest| rest.trim().is_empty()) && self.rest().is_empty() {
            true => Damage::Truncated { line: self.lines.last() },
            false => self.lines.unparsable(self.at, why),
        }
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn line(mut self) -> Result<Line<'t>, Damage> {
        let mut keys = vec![self.word()?];
        loop {
            self.skip_blanks();
            if !self.rest().starts_with(',') {
                break;
            }
            self.at += 1;
            self.skip_blanks();
            keys.push(self.word()?);
        }
        if self.rest().starts_with(':') {
            self.at += 1;
            self.ends()?;
            return Ok(Line { keys, value: None });
        }
        let value = self.word()?;
        self.ends()?;
        Ok(Line { keys, value: Some(value) })
    }

    fn ends(&mut self) -> Result<(), Damage> {
        self.skip_blanks();
        match self.rest().is_empty() || self.rest().starts_with('#') {
            true => Ok(()),
            false => Err(self.wrong("something stands after the end of the line's value")),
        }
    }

    fn word(&mut self) -> Result<Word<'t>, Damage> {
        let rest = self.rest();
        if rest.starts_with('"') {
            return self.quoted();
        }
        let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-');
        if !rest.starts_with(bare) {
            return Err(self.wrong("expected a name or a value"));
        }
        let length = rest.find([':', ',', ' ', '\t']).unwrap_or(rest.len());
        let span = self.at..self.at + length;
        self.at = span.end;
        Ok(Word { text: Cow::Borrowed(&rest[..length]), span })
    }

    fn quoted(&mut self) -> Result<Word<'t>, Damage> {
        let rest = self.rest();
        let mut escaped = false;
        let close = rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let Some((close, _)) = close else {
            self.at = self.end;
            return Err(self.wrong("a string without its closing quote"));
        };
        let span = self.at + 1..self.at + close;
        let inner = &rest[1..close];
        let text = match inner.contains('\\') || inner.contains(char::is_control) {
            false => Cow::Borrowed(inner),
            true => Cow::Owned(
                serde_json::from_str(&rest[..=close])
                    .map_err(|_| self.wrong("a string that can't be read"))?,
            ),
        };
        self.at += close + 1;
        Ok(Word { text, span })
    }
}
