//! The fields of a pattern file as a JSON schema, for editors. One table stands for all of it; the tests hold it against
//! the parser, key by key.

use regreen_domain::FailureClass;
use serde_json::{Map, Value, json};

use crate::matcher::{FURTHEST, FURTHEST_DETAIL};

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
    Count(u32),
    Within(u32),
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
const STRENGTH: &[&str] = &["code-final", "cause", "symptom"];
const SIDE: &[&str] = &["before", "after", "around"];
const HOLES: &[&str] = &["host", "package", "path", "cache-key", "text"];
const COMMANDS: &[&str] = &["install", "build", "test", "deploy", "opaque"];

const PATTERN: &[Field] = &[
    must("id", Kind::Id, "The file's name without `.toml`: never renamed, never reused."),
    must("class", Kind::Class, "What it means."),
    may("also", Kind::Classes, "Classes that the same line can mean, where only the workspace can tell."),
    must("title", Kind::Text, "What happened, in one line, for people."),
    must("since", Kind::Text, "The version that brought it."),
    must(
        "status",
        Kind::OneOf(STATUS),
        "`draft`: shown, never acted on. `stable`: counts; needs a real example.",
    ),
    may("tools", Kind::Tools, "Whose words the line is, the usual one first; empty: any program's."),
    may(
        "commands",
        Kind::Commands,
        "In which kinds of command it can be the tool's own words; empty: every kind.",
    ),
    may("resource", Kind::OneOf(RESOURCE), "What was used up, in the class `resource-exhausted`."),
    must("strength", Kind::OneOf(STRENGTH), "What the line proves."),
    may("explains", Kind::Texts, "Ids of patterns whose lines follow from this cause."),
    must("explain", Kind::Text, "What happened, for people."),
    must("fix", Kind::Text, "What a person can do."),
    may("see", Kind::Texts, "Where to read on."),
    must("match", Kind::Table(MATCH), "When a line is this pattern's."),
    may("holes", Kind::Holes, "The type of each named capture."),
    may("measured", Kind::Table(MEASURED), "How often it was right on labelled logs."),
    may("example", Kind::Tables(EXAMPLE), "Logs in which it must be found."),
    may("counterexample", Kind::Tables(COUNTEREXAMPLE), "Logs in which it must not be found."),
];

const MATCH: &[Field] = &[
    must(
        "line",
        Kind::Text,
        "A regular expression over one line without colours and time stamps, Unicode off; it must hold a literal text of three bytes or more.",
    ),
    may("near", Kind::Tables(CONTEXT), "Each of these must stand around it."),
    may("unless", Kind::Tables(CONTEXT), "None of these may stand around it."),
    may(
        "detail",
        Kind::Tables(DETAIL),
        "Of a line that sums up: how a line reads that describes the failure.",
    ),
];

const RESOURCE: &[&str] = &["disk", "memory", "heap", "handles"];

const CONTEXT: &[Field] = &[
    must("line", Kind::Text, "A regular expression over another line."),
    may("side", Kind::OneOf(SIDE), "Where that line stands; `around` where nothing is said."),
    may(
        "within",
        Kind::Within(FURTHEST),
        "At most so many lines away; anywhere in the window where nothing is said.",
    ),
];

const DETAIL: &[Field] = &[
    must("line", Kind::Text, "A regular expression over the line that describes the failure."),
    may("side", Kind::OneOf(SIDE), "Where that line stands; `around` where nothing is said."),
    may("within", Kind::Within(FURTHEST_DETAIL), "At most so many lines away."),
];

const MEASURED: &[Field] = &[
    must("hits", Kind::Count(0), "Logs in which it spoke."),
    must("right", Kind::Count(0), "Of those, logs whose label it named."),
    must("n", Kind::Count(0), "Labelled logs that were read."),
    may("by", Kind::Text, "What measured it."),
];

const EXAMPLE: &[Field] = &[
    must("name", Kind::Text, "What it shows."),
    must(
        "origin",
        Kind::Text,
        "`recorded: TOOL VERSION, how`, `source: PACKAGE VERSION, FILE` or `invented`.",
    ),
    must("log", Kind::Text, "The lines that matter."),
    must("expect", Kind::Table(EXPECT), "Where it must be found."),
];

const EXPECT: &[Field] = &[
    must("line", Kind::Count(0), "The line of `log`, counted from 1."),
    may("detail", Kind::Count(0), "The line of `log` that a `detail` must find."),
    may("captures", Kind::Captures, "What the named captures must hold."),
];

const COUNTEREXAMPLE: &[Field] = &[
    must("name", Kind::Text, "What it shows."),
    must("why", Kind::Text, "Why the pattern would be wrong there."),
    must("log", Kind::Text, "The log."),
];

/// The JSON schema (draft 2020-12) of a pattern file, for editors that check TOML against one.
pub fn pattern_schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A pattern of Regreen",
        "description": "How one failure of one tool shows in a log, what it means, and the proof. See docs/catalog.md.",
    });
    if let (Some(schema), Value::Object(table)) = (schema.as_object_mut(), table(PATTERN)) {
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
            Kind::Tools => texts(json!({ "type": "string", "pattern": "^[a-z0-9-]+$" })),
            Kind::Commands => texts(one_of(COMMANDS)),
            Kind::OneOf(values) => one_of(values),
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

fn classes() -> Vec<&'static str> {
    FailureClass::ALL
        .iter()
        .filter(|class| **class != FailureClass::Unknown)
        .map(|class| class.id())
        .collect()
}
