//! The keys of pattern and playbook files as JSON schemas, for editors. One table stands for each file; the tests hold them
//! against the parser, key by key.

mod pattern;
mod playbook;

use regreen_domain::FailureClass;
use serde_json::{Map, Value, json};

pub use pattern::pattern_schema;
pub use playbook::playbook_schema;

/// A key of a table.
struct Field {
    name: &'static str,
    required: bool,
    kind: Kind,
    says: &'static str,
}

/// What a key holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Texts,
    Id,
    Class,
    Classes,
    Tools,
    Commands,
    OneOf(&'static [&'static str]),
    /// One of what the parser itself knows.
    Known(fn() -> Vec<&'static str>),
    /// Some of that.
    SomeKnown(fn() -> Vec<&'static str>),
    Count(u32),
    Within(u32),
    UpTo(u32),
    Number,
    Flag,
    OnlyTrue,
    /// Some of these.
    Some(&'static [&'static str]),
    Probability,
    /// A text of this form.
    Like(&'static str),
    /// Texts of this form.
    AllLike(&'static str),
    Condition,
    /// The arguments of a step.
    Arguments,
    Captures,
    Holes,
    Table(&'static [Field]),
    Tables(&'static [Field]),
}

const fn must(name: &'static str, kind: Kind, says: &'static str) -> Field {
    Field { name, required: true, kind, says }
}

const fn may(name: &'static str, kind: Kind, says: &'static str) -> Field {
    Field { name, required: false, kind, says }
}

const STATUS: &[&str] = &["draft", "stable", "retired"];
const HOLES: &[&str] = &["host", "package", "path", "cache-key", "text"];
const COMMANDS: &[&str] = &["install", "build", "test", "deploy", "opaque"];
const RESOURCE: &[&str] = &["disk", "memory", "heap", "handles"];

/// The schema of a file whose top level these keys are.
fn whole(title: &str, description: &str, fields: &[Field]) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
    });
    if let (Some(schema), Value::Object(table)) = (schema.as_object_mut(), table(fields)) {
        schema.extend(table);
    }
    schema
}

fn table(fields: &[Field]) -> Value {
    let property = |field: &Field| {
        let mut shape = field.kind.shape();
        shape["description"] = json!(field.says);
        (field.name.to_owned(), shape)
    };
    let required: Vec<&str> = fields.iter().filter(|f| f.required).map(|f| f.name).collect();
    json!({
        "type": "object",
        "properties": fields.iter().map(property).collect::<Map<String, Value>>(),
        "required": required,
        "additionalProperties": false,
    })
}

impl Kind {
    fn shape(self) -> Value {
        let texts = |item: Value| json!({ "type": "array", "items": item });
        let text = || json!({ "type": "string" });
        match self {
            Kind::Text => text(),
            Kind::Texts => texts(text()),
            Kind::Id => json!({ "type": "string", "pattern": "^[a-z0-9-]{1,60}$" }),
            Kind::Class => one_of(&classes()),
            Kind::Classes => texts(one_of(&classes())),
            Kind::Tools => texts(json!({ "type": "string", "pattern": TOOL })),
            Kind::Commands => texts(one_of(COMMANDS)),
            Kind::OneOf(values) => one_of(values),
            Kind::Known(values) => one_of(&values()),
            Kind::SomeKnown(values) => texts(one_of(&values())),
            Kind::UpTo(most) => json!({ "type": "integer", "minimum": 0, "maximum": most }),
            Kind::Number => json!({ "type": "integer" }),
            Kind::OnlyTrue => json!({ "const": true }),
            Kind::Some(values) => texts(one_of(values)),
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::Probability => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
            Kind::Like(form) => json!({ "type": "string", "pattern": form }),
            Kind::AllLike(form) => texts(json!({ "type": "string", "pattern": form })),
            Kind::Condition => json!({ "$ref": "#/$defs/condition" }),
            Kind::Arguments => json!({
                "type": "object",
                "additionalProperties": { "anyOf": [text(), texts(text())] },
            }),
            Kind::Count(least) => json!({ "type": "integer", "minimum": least }),
            Kind::Within(most) => json!({ "type": "integer", "minimum": 1, "maximum": most }),
            Kind::Captures => json!({ "type": "object", "additionalProperties": text() }),
            Kind::Holes => json!({ "type": "object", "additionalProperties": one_of(HOLES) }),
            Kind::Table(fields) => table(fields),
            Kind::Tables(fields) => texts(table(fields)),
        }
    }
}

fn one_of(values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values })
}

/// The name of a tool.
const TOOL: &str = "^[a-z0-9-]+$";

fn classes() -> Vec<&'static str> {
    FailureClass::ALL
        .iter()
        .filter(|class| **class != FailureClass::Unknown)
        .map(|class| class.id())
        .collect()
}
