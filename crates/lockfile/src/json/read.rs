//! The reader: RFC 8259, linear, nesting limited as in serde_json.

use std::borrow::Cow;

use super::{Json, Member, Value};

/// Objects and arrays within one another; deeper text is refused so that the stack can't overflow.
const MAX_DEPTH: usize = 127;

/// Where and why reading stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) offset: usize,
    pub(crate) why: &'static str,
    /// The text was right so far, and ended.
    pub(crate) at_end: bool,
}

/// Reads one JSON text.
pub(crate) fn read(text: &str) -> Result<Json<'_>, SyntaxError> {
    whole(text, false)
}

/// Reads one JSON text in which a comma may stand before a closing bracket.
pub(crate) fn read_with_trailing_commas(text: &str) -> Result<Json<'_>, SyntaxError> {
    whole(text, true)
}

fn whole(text: &str, trailing_commas: bool) -> Result<Json<'_>, SyntaxError> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, depth: 0, trailing_commas };
    let value = reader.value()?;
    reader.skip_white();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.error("something stands after the end of the JSON value")),
    }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth: usize,
    trailing_commas: bool,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn error(&self, why: &'static str) -> SyntaxError {
        SyntaxError { offset: self.at, why, at_end: self.at >= self.bytes.len() }
    }

    fn skip_white(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Json<'t>, SyntaxError> {
        self.skip_white();
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return Err(self.error("expected a JSON value")),
        };
        Ok(Json { span: start..self.at, value })
    }

    fn nested(
        &mut self,
        inner: fn(&mut Self) -> Result<Value<'t>, SyntaxError>,
    ) -> Result<Value<'t>, SyntaxError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        self.depth += 1;
        self.at += 1;
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value<'t>, SyntaxError> {
        let mut members = Vec::new();
        self.skip_white();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_white();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key in quotes"));
            }
            let at = self.at;
            let key = self.string()?;
            self.skip_white();
            if self.peek() != Some(b':') {
                return Err(self.error("expected `:` after a key"));
            }
            self.at += 1;
            members.push(Member { key, at, value: self.value()? });
            if self.ends_with(b'}', "expected `,` or `}`")? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn array(&mut self) -> Result<Value<'t>, SyntaxError> {
        let mut items = Vec::new();
        self.skip_white();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.ends_with(b']', "expected `,` or `]`")? {
                return Ok(Value::Array(items));
            }
        }
    }

    /// After an item: whether the list is closed here or goes on after a comma; one may stand before the bracket where
    /// that is allowed.
    fn ends_with(&mut self, close: u8, why: &'static str) -> Result<bool, SyntaxError> {
        self.skip_white();
        let closed = match self.peek() {
            Some(b',') => false,
            Some(b) if b == close => true,
            _ => return Err(self.error(why)),
        };
        self.at += 1;
        if self.trailing_commas && !closed {
            self.skip_white();
            if self.peek() == Some(close) {
                self.at += 1;
                return Ok(true);
            }
        }
        Ok(closed)
    }

    fn word(&mut self, word: &'static str, value: Value<'t>) -> Result<Value<'t>, SyntaxError> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.error("expected a JSON value"));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value<'t>, SyntaxError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Value::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error("expected a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'t, str>, SyntaxError> {
        self.at += 1;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut copied = start;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            // All are looked at, many at once; which one it is counts only where there is one.
            if rest[..plain].iter().fold(false, |found, b| found | (*b < b' ')) {
                self.at += rest.iter().position(|b| *b < b' ').unwrap_or(plain);
                return Err(self.error("a control character within a string"));
            }
            self.at += plain;
            match self.peek() {
                None => return Err(self.error("a string without its closing quote")),
                Some(b'"') => {
                    let tail = &self.text[copied..self.at];
                    self.at += 1;
                    return Ok(match owned {
                        Some(mut text) => {
                            text.push_str(tail);
                            Cow::Owned(text)
                        }
                        None => Cow::Borrowed(tail),
                    });
                }
                Some(_) => {
                    let text = owned.get_or_insert_default();
                    text.push_str(&self.text[copied..self.at]);
                    self.at += 1;
                    let c = self.escape()?;
                    owned.get_or_insert_default().push(c);
                    copied = self.at;
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.error("an unknown escape within a string")),
        };
        self.at += 1;
        Ok(c)
    }

    /// `\uXXXX`, or two of them for what lies beyond the basic plane.
    fn unicode(&mut self) -> Result<char, SyntaxError> {
        const LONE: &str = "half of a surrogate pair within a string";
        let high = self.four_hex()?;
        if !(0xD800..0xE000).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.error(LONE));
        }
        if self.peek() != Some(b'\\') {
            return Err(self.error(LONE));
        }
        self.at += 1;
        if self.peek() != Some(b'u') {
            return Err(self.error(LONE));
        }
        let low = self.four_hex()?;
        if high >= 0xDC00 || !(0xDC00..0xE000).contains(&low) {
            return Err(self.error(LONE));
        }
        char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).ok_or_else(|| self.error(LONE))
    }

    /// The four digits after the `u` that stands here.
    fn four_hex(&mut self) -> Result<u32, SyntaxError> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            code = code << 4 | digit.ok_or_else(|| self.error("expected four hex digits after `\\u`"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(json: &Json<'_>) -> serde_json::Value {
        match &json.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Number(n) => serde_json::from_str(n).unwrap(),
            Value::String(s) => s.as_ref().into(),
            Value::Array(items) => items.iter().map(plain).collect(),
            Value::Object(members) => {
                let map = members.iter().map(|m| (m.key.to_string(), plain(&m.value)));
                serde_json::Value::Object(map.collect())
            }
        }
    }

    fn agrees_with_serde(text: &str) {
        match (read(text), serde_json::from_str::<serde_json::Value>(text)) {
            (Ok(ours), Ok(theirs)) => assert_eq!(plain(&ours), theirs, "{text:?}"),
            // serde_json looks four bytes ahead for `\u`, so only there it says "end" earlier.
            (Err(ours), Err(theirs)) => {
                assert!(
                    !theirs.is_eof() || ours.at_end || text.contains("\\u"),
                    "{text:?}: {ours:?} {theirs}"
                );
            }
            // JavaScript reads such a number as infinity, so it is no syntax error.
            (Ok(_), Err(e)) if e.to_string().contains("number out of range") => {}
            (ours, theirs) => panic!("{text:?}: {ours:?} {theirs:?}"),
        }
    }

    #[test]
    fn nesting_is_limited() {
        for open in ["[", "{\"a\":"] {
            let error = read(&open.repeat(1_000_000)).unwrap_err();
            assert_eq!(error.why, "nested too deeply");
        }
        agrees_with_serde(&format!("{}{}", "[".repeat(127), "]".repeat(127)));
        agrees_with_serde(&format!("{}{}", "[".repeat(128), "]".repeat(128)));
    }

    proptest! {
        #[test]
        fn near_json_is_read_as_serde_reads_it(text in r#"([\[\]{}:, "\\]|[0-9eE+.-]|"[a-z]"|true|null|\\u[dD][89cC]00|\n|é){0,24}"#) {
            agrees_with_serde(&text);
        }

        #[test]
        fn strings_are_read_as_serde_reads_them(inner in r#"([a-zé"]|\\[bfnrtu"/\\x]|\\u00e9|\\ud83d|\\ude00|\\uD83D\\uDE00){0,12}"#) {
            agrees_with_serde(&format!("\"{inner}\""));
        }

        #[test]
        fn every_prefix_of_a_text_ends_early(cut in 1usize..70) {
            let text = r#"{"a": [1, -2.5e3, "x\n\u00e9"], "b": {"c": null, "d": [true, false]}}"#;
            if let Some(prefix) = text.get(..cut).filter(|p| p.len() < text.len()) {
                prop_assert!(read(prefix).unwrap_err().at_end);
            }
        }
    }
}
