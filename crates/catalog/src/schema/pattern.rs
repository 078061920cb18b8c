//! The keys of a pattern file.

use serde_json::Value;

use super::{Field, Kind, RESOURCE, STATUS, may, must, whole};
use crate::matcher::{FURTHEST, FURTHEST_DETAIL};

const STRENGTH: &[&str] = &["code-final", "cause", "symptom"];
const SIDE: &[&str] = &["before", "after", "around"];

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
    whole(
        "A pattern of Regreen",
        "How one failure of one tool shows in a log, what it means, and the proof.",
        PATTERN,
    )
}
