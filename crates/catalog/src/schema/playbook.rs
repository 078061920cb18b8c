//! The keys of a playbook file.

use regreen_domain::{FailureClass, HealableClass, Outcome, Refusal};
use serde_json::{Value, json};

use super::{Field, Kind, RESOURCE, STATUS, TOOL, may, must, one_of, table, whole};
use crate::playbook::{BREAKS, DECISIONS, MOST_ATTEMPTS, MOST_PRIOR};

const NEEDS: &[&str] = &["confirmed"];
const RISK: &[&str] = &["low", "medium", "high"];
const STANDING: &[&str] = &["confirms", "refutes", "cannot-tell", "forbids"];
const UNDO: &[&str] = &["fails"];
/// A number and s, m or h.
const DURATION: &str = "^[0-9]{1,9}[smh]$";
/// More than nothing; that it is an hour at most, only the parser knows.
const TIME: &str = "^0*[1-9][0-9]{0,3}[smh]$";
const NAME: &str = "^[a-z0-9-]{1,60}$";
/// Relative, without `..`, and with no hole but those of the parser.
const PATH: &str = r"^(?!/)(?!(.*/)?\.\.(/|$))([^{}]|\{tool\}|\{lockfile\})+$";

const PLAYBOOK: &[Field] = &[
    must("id", Kind::Id, "The file's name without `.toml`."),
    must("title", Kind::Text, "What had happened, in one line, for people."),
    must("since", Kind::Text, "The version that brought it."),
    must("status", Kind::OneOf(STATUS), "`stable`: it may be used."),
    must("explain", Kind::Text, "What it does and why that heals, for people."),
    must("heals", Kind::SomeKnown(healable), "The classes that it heals."),
    may("resource", Kind::OneOf(RESOURCE), "What must have been used up, where it is made for that only."),
    may("tools", Kind::Tools, "The tools whose failures it heals; empty: any."),
    may("needs", Kind::Some(NEEDS), "What a diagnosis must bring along."),
    may(
        "paths",
        Kind::AllLike(PATH),
        "Files of the workspace that it may write, `{lockfile}` for the tool's own; nothing else may change.",
    ),
    must("guard", Kind::Table(GUARD), "How far it may go."),
    may("fallback", Kind::Texts, "What is tried after it, in this order and nothing else."),
    must("step", Kind::Tables(STEP), "What is done, in this order."),
    may("example", Kind::Tables(EXAMPLE), "Decisions that the default policy must take, in a CI job."),
    may("rehearsal", Kind::Tables(REHEARSAL), "What must be left where a step breaks."),
];

const GUARD: &[Field] = &[
    must("risk", Kind::OneOf(RISK), "The most that it can spoil."),
    must("attempts", Kind::Within(MOST_ATTEMPTS), "Attempts per commit and job."),
    must("cooldown", Kind::Like(DURATION), "The least time between two incidents that use it."),
    may("ci-only", Kind::Flag, "It takes away what it can't put back."),
    may("prior", Kind::Table(PRIOR), "What is thought of it before there are outcomes."),
];

const PRIOR: &[Field] = &[
    must("healed", Kind::UpTo(MOST_PRIOR), "So many healed."),
    must("tried", Kind::UpTo(MOST_PRIOR), "Of so many."),
];

const STEP: &[Field] = &[
    must("id", Kind::Like(NAME), "Unique within the playbook."),
    may("use", Kind::Text, "The step kind; see `regreen explain KIND`."),
    may("playbook", Kind::Text, "Instead of `use`: a playbook whose steps take this place."),
    may("with", Kind::Arguments, "The arguments of the step kind; `{tool}` is the only hole."),
    may("when", Kind::Condition, "The step runs only where this holds."),
    may("timeout", Kind::Like(TIME), "The longest that one look, one act or one check may take."),
    may("attempts", Kind::Within(MOST_ATTEMPTS), "How often it is tried."),
    may("pause", Kind::Like(TIME), "The time between two tries."),
    may("group", Kind::Like(NAME), "Neighbours with the same name run side by side."),
];

const EXAMPLE: &[Field] = &[
    must("name", Kind::Text, "What it shows."),
    must("given", Kind::Table(GIVEN), "The diagnosis and what was tried."),
    must("expect", Kind::Table(DECIDED), "The decision."),
];

const GIVEN: &[Field] = &[
    must("class", Kind::Known(every_class), "The class."),
    may("tool", Kind::Like(TOOL), "The tool."),
    must("confidence", Kind::Probability, "How sure the diagnosis is."),
    must("confirmed", Kind::Flag, "Whether a probe confirmed it."),
    must("attempts", Kind::Count(0), "Attempts so far."),
];

const DECIDED: &[Field] = &[
    must("decision", Kind::OneOf(DECISIONS), "What is decided."),
    may("because", Kind::Known(refusals), "What stands in the way."),
];

const REHEARSAL: &[Field] = &[
    must("name", Kind::Text, "What it shows."),
    must("break", Kind::Table(BREAK), "What breaks."),
    must("expect", Kind::Table(LEFT), "What must be left."),
];

const BREAK: &[Field] = &[
    must("step", Kind::Text, "The step's id; `part/step` for one of a sub-playbook."),
    must("how", Kind::OneOf(BREAKS), "Whether something may have happened."),
    may("times", Kind::Count(1), "Only its first acts break, so many."),
    may("undo", Kind::OneOf(UNDO), "Its undo breaks too."),
];

const LEFT: &[Field] = &[
    must("outcome", Kind::Known(outcomes), "How the incident ends."),
    may("undone", Kind::Texts, "The steps that were undone, in the order of undoing."),
    may("needs-human", Kind::Flag, "Whether a person is called."),
];

const FINDING: &[Field] =
    &[must("probe", Kind::Text, "The probe."), must("standing", Kind::OneOf(STANDING), "What it answered.")];

const RECEIPT: &[Field] = &[
    must("step", Kind::Text, "An earlier step."),
    must("field", Kind::Text, "A field of its receipt."),
    may("equals", Kind::Text, "It is this text."),
    may("at-least", Kind::Number, "It is so many or more."),
    may("exists", Kind::OnlyTrue, "It is there."),
];

/// The JSON schema (draft 2020-12) of a playbook file, for editors that check TOML against one. Step kinds and probes are
/// code: the caller names those that there are.
pub fn playbook_schema(step_kinds: &[&str], probes: &[&str]) -> Value {
    let mut schema = whole(
        "A playbook of Regreen",
        "What heals a class of failure, how far it may go, and the proof.",
        PLAYBOOK,
    );
    let step = &mut schema["properties"]["step"]["items"];
    step["properties"]["use"]["enum"] = json!(step_kinds);
    step["dependentRequired"] = json!({ "pause": ["attempts"] });
    let alone: Vec<Value> = ["use", "with", "timeout", "attempts", "pause", "group"]
        .map(|key| json!({ "required": [key] }))
        .to_vec();
    step["oneOf"] = json!([
        { "required": ["use"], "not": { "required": ["playbook"] } },
        { "required": ["playbook"], "not": { "anyOf": alone } },
    ]);
    schema["$defs"] = json!({ "condition": condition(probes) });
    schema
}

/// A condition: a table with exactly one of these.
fn condition(probes: &[&str]) -> Value {
    let own = || json!({ "$ref": "#/$defs/condition" });
    let several = || json!({ "type": "array", "minItems": 1, "items": own() });
    let mut finding = table(FINDING);
    finding["properties"]["probe"]["enum"] = json!(probes);
    let mut receipt = table(RECEIPT);
    receipt["oneOf"] = json!(["equals", "at-least", "exists"].map(|test| json!({ "required": [test] })));
    json!({
        "description": "Exactly one of these.",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
        "properties": {
            "all": several(),
            "any": several(),
            "not": own(),
            "finding": finding,
            "pattern": { "type": "string" },
            "class": one_of(&healable()),
            "tool": { "type": "array", "minItems": 1, "items": { "type": "string", "pattern": TOOL } },
            "receipt": receipt,
        },
    })
}

fn healable() -> Vec<&'static str> {
    FailureClass::ALL.iter().filter_map(|class| class.healable()).map(HealableClass::id).collect()
}

fn every_class() -> Vec<&'static str> {
    FailureClass::ALL.iter().map(|class| class.id()).collect()
}

fn refusals() -> Vec<&'static str> {
    Refusal::ALL.iter().map(|refusal| refusal.id()).collect()
}

fn outcomes() -> Vec<&'static str> {
    Outcome::ALL.iter().map(|outcome| outcome.id()).collect()
}
