//! The tree as other programs would write it, where they hash what they wrote.

use super::{Json, Value};

/// Whose way of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// Python's `json.dumps(…, sort_keys=True)`, with its separators between items and after keys.
    Python { item: &'static str, key: &'static str },
    /// PHP's `json_encode` of what `json_decode(…, true)` gave.
    Php,
}

impl Writer {
    /// The text; `None` where it depends on more than is known here (numbers that are not plain).
    pub(crate) fn text(self, json: &Json<'_>) -> Option<String> {
        let mut out = String::new();
        self.value(json, &mut out)?;
        Some(out)
    }

    // Recursion is bounded by the readers' limit on nesting.
    fn value(self, json: &Json<'_>, out: &mut String) -> Option<()> {
        match &json.value {
            Value::Null => out.push_str("null"),
            Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
            Value::Number(number) => {
                let digits = number.strip_prefix('-').unwrap_or(number);
                let plain =
                    digits.len() < 18 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                let canonical = plain && (*number == "0" || !digits.starts_with('0'));
                out.push_str(canonical.then_some(number)?);
            }
            Value::String(text) => self.string(text, out),
            Value::Array(items) => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    out.push_str(if n > 0 { self.item() } else { "" });
                    self.value(item, out)?;
                }
                out.push(']');
            }
            Value::Object(members) => {
                // PHP makes lists of what has no keys, or numbers for keys.
                if self == Writer::Php && members.iter().any(|m| m.key.parse::<i64>().is_ok()) {
                    return None;
                }
                if self == Writer::Php && members.is_empty() {
                    out.push_str("[]");
                    return Some(());
                }
                let mut members: Vec<_> = members.iter().collect();
                if self != Writer::Php {
                    members.sort_by(|a, b| a.key.cmp(&b.key));
                }
                out.push('{');
                for (n, member) in members.iter().enumerate() {
                    out.push_str(if n > 0 { self.item() } else { "" });
                    self.string(&member.key, out);
                    out.push_str(match self {
                        Writer::Python { key, .. } => key,
                        Writer::Php => ":",
                    });
                    self.value(&member.value, out)?;
                }
                out.push('}');
            }
        }
        Some(())
    }

    fn item(self) -> &'static str {
        match self {
            Writer::Python { item, .. } => item,
            Writer::Php => ",",
        }
    }

    fn string(self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '/' if self == Writer::Php => out.push_str("\\/"),
                // Python leaves DEL as it is, and so does PHP.
                ' '..='\u{7f}' => out.push(c),
                c => {
                    let mut units = [0; 2];
                    for unit in c.encode_utf16(&mut units) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            }
        }
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    #[test]
    fn as_python_and_php_write_it() {
        let json = read(r#"{"b": [1, true, null, {}], "a": "ü/😀\n", "": {"x": 0}}"#).unwrap();
        let python = Writer::Python { item: ", ", key: ": " }.text(&json).unwrap();
        assert_eq!(python, r#"{"": {"x": 0}, "a": "\u00fc/\ud83d\ude00\n", "b": [1, true, null, {}]}"#);
        let php = Writer::Php.text(&json).unwrap();
        assert_eq!(php, r#"{"b":[1,true,null,[]],"a":"\u00fc\/\ud83d\ude00\n","":{"x":0}}"#);
        for odd in ["[1.5]", "[1e3]", "[12345678901234567890]"] {
            assert_eq!(Writer::Php.text(&read(odd).unwrap()), None, "{odd}");
        }
        assert_eq!(Writer::Php.text(&read(r#"{"0": 1}"#).unwrap()), None);
    }
}
