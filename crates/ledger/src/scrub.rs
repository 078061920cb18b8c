//! Port to the masker: the last wall between a secret and the disk.

use serde_json::Value;

/// Takes secrets out of text. Must leave already scrubbed text as it is.
pub trait Scrub: Send + Sync {
    /// The text without secrets.
    fn scrub(&self, text: &str) -> String;
}

/// Changes nothing: for callers that hold no secrets, such as tests.
#[derive(Debug, Clone, Copy)]
pub struct AsIs;

impl Scrub for AsIs {
    fn scrub(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Scrubs the text in place.
pub(crate) fn scrub_text(scrub: &dyn Scrub, text: &mut String) {
    *text = scrub.scrub(text);
}

/// Scrubs every string and every key of a document.
pub(crate) fn scrub_value(scrub: &dyn Scrub, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(scrub.scrub(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(|v| scrub_value(scrub, v)).collect()),
        Value::Object(map) => Value::Object(
            map.into_iter().map(|(key, v)| (scrub.scrub(&key), scrub_value(scrub, v))).collect(),
        ),
        other => other,
    }
}
