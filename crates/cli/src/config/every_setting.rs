//! The settings page leaves nothing out: whatever docs/config.schema.json has that holds beside the fleet is seen there when it is changed.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{collections::BTreeSet, fs, path::Path};

use regreen_server::Value as Row;
use serde_json::Value as Json;
use toml::{Table, Value};

use super::{Config, parse, sources::Sources};

/// Every key, with other values than hold by themselves.
const ONE: &str = r#"
confidence-threshold = 0.9
max-recovery-attempts = 4
circuit-breaker-threshold = 5
circuit-breaker-cooldown = "20m"
max-risk = "low"
deny = ["tool:npm"]
[promotion]
to = "approve"
at = 0.7
[budget]
per-hour = 31
attempts-per-day = 32
minutes-per-day = 33
money-per-day = 34.5
cost-per-minute = 0.35
[metrics]
minutes-per-failure = 12.5
cost-per-minute = 0.75
[serve]
keep-days = 90
mode = "suggest"
[[serve.rule]]
host = "github"
repository = "octo/shop"
class = "network-timeout"
playbook = "rerun-failed-jobs"
mode = "auto"
[serve.comments]
enabled = true
[serve.jobs]
mode = "suggest"
[[serve.jobs.rule]]
repository = "octo/jobs"
class = "network-timeout"
playbook = "rerun-command"
mode = "approve"
[serve.budget]
per-hour = 41
attempts-per-day = 42
minutes-per-day = 43
money-per-day = 44.5
cost-per-minute = 0.45
api-calls-per-hour = 46
[serve.budget.organisation]
per-hour = 51
attempts-per-day = 52
minutes-per-day = 53
money-per-day = 54.5
api-calls-per-hour = 56
[serve.proxy]
user-header = "x-user"
groups-header = "x-groups"
trusted = ["10.0.0.7"]
role = "viewer"
[[serve.proxy.rule]]
group = "ops"
role = "operator"
[[serve.proxy.rule]]
user = "ann"
role = "operator"
[serve.otlp]
endpoint = "https://one.example"
every = "2m"
[serve.control]
fraction = 0.1
[serve.outage]
enabled = true
repositories = 5
within = "11m"
answers = 3
per-minute = 301
probe-every = "16s"
wait-at-most = "5h"
[[serve.service]]
url = "https://one.example/ping"
tools = ["npm"]
[serve.escalation]
issues = true
repository = "octo/ops"
host = "github"
codeowners = true
assignees = ["ann"]
[serve.told]
pull-requests = true
check-runs = true
[[notify.sink]]
name = "mail"
kind = "email"
host = "one.example"
port = 26
encryption = "tls"
user = "one"
secret-file = "one"
from = "one@example.com"
to = ["ann@example.com"]
quiet = "22:00-07:00"
zone = "Europe/Berlin"
per-hour = 21
once-in = "2h"
digest = "1day"
[[notify.sink]]
name = "hook"
kind = "slack"
address-file = "one"
[[notify.rule]]
sinks = ["mail"]
events = ["healed"]
repository = "octo/shop"
class = "network-timeout"
"#;

/// Another value of a key; `None` where others would have to change with it, and it is tried elsewhere in the file.
fn other(path: &str, of: &Value) -> Option<Value> {
    let text = |text: &str| Value::String(text.to_owned());
    let other = match (path.rsplit('.').next().unwrap(), of) {
        ("max-risk", _) => text("high"),
        ("class", _) => text("rate-limited"),
        ("host", Value::String(host)) if host == "github" => text("gitlab"),
        ("role", _) => text("admin"),
        ("encryption", _) => text("starttls"),
        ("zone", _) => text("UTC"),
        ("quiet", _) => text("21:00-07:00"),
        ("kind", Value::String(kind)) if kind == "slack" => text("teams"),
        ("kind" | "name", Value::String(of)) if of == "email" || of == "mail" => return None,
        ("mode" | "to", Value::String(_)) => text("observe"),
        ("trusted", _) => Value::Array(vec![text("10.0.0.8")]),
        ("deny", _) => Value::Array(vec![text("tool:pip")]),
        ("events", _) => Value::Array(vec![text("stuck")]),
        ("sinks", _) => Value::Array(vec![text("hook")]),
        (_, Value::Array(_)) => Value::Array(vec![text("bob")]),
        (_, Value::Boolean(is)) => Value::Boolean(!is),
        (_, Value::Integer(n)) => Value::Integer(n + 1),
        (_, Value::Float(n)) => Value::Float(n + 0.05),
        (_, Value::String(span)) if humantime::parse_duration(span).is_ok() => text("3m"),
        (_, Value::String(name)) if name.contains("one") => text(&name.replace("one", "two")),
        (_, Value::String(name)) => text(&format!("{name}x")),
        _ => panic!("{path}"),
    };
    Some(other)
}

fn rows(table: &Table) -> Vec<Row> {
    let text = toml::to_string(table).unwrap();
    let mut config = Config::default();
    let file = parse("c.toml", &text).unwrap();
    config.take("c.toml", &text, &file).unwrap_or_else(|e| panic!("{e}\n{text}"));
    config.sources = Sources::of("c.toml", &text);
    config.effective().into_iter().flat_map(|of| of.values).collect()
}

/// The keys of a table and of those below it, with the way to each: a name, or a place in a list.
fn keys(table: &Table, way: &[String], found: &mut Vec<(String, Vec<String>)>) {
    for (name, value) in table {
        let way: Vec<String> = way.iter().cloned().chain([name.clone()]).collect();
        match value {
            Value::Table(below) => keys(below, &way, found),
            Value::Array(of) if of.iter().all(Value::is_table) => {
                for (i, one) in of.iter().enumerate() {
                    let way: Vec<String> = way.iter().cloned().chain([i.to_string()]).collect();
                    keys(one.as_table().unwrap(), &way, found);
                }
            }
            _ => {
                let named = way.iter().filter(|part| part.parse::<usize>().is_err());
                found.push((named.cloned().collect::<Vec<_>>().join("."), way));
            }
        }
    }
}

fn at<'t>(table: &'t mut Table, way: &[String]) -> &'t mut Value {
    let (first, rest) = way.split_first().unwrap();
    rest.iter().fold(table.get_mut(first).unwrap(), |value, part| match part.parse::<usize>() {
        Ok(i) => value.get_mut(i).unwrap(),
        Err(_) => value.get_mut(part.as_str()).unwrap(),
    })
}

/// The keys of the schema, tables and lists of tables followed.
fn described(schema: &Json, path: &str, found: &mut BTreeSet<String>) {
    for (name, of) in schema["properties"].as_object().unwrap() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match (&of["type"], &of["items"]["type"]) {
            (Json::String(kind), _) if kind == "object" => described(of, &path, found),
            (_, Json::String(kind)) if kind == "object" => described(&of["items"], &path, found),
            _ => _ = found.insert(path),
        }
    }
}

/// What holds for `regreen run` alone, and what the process shows where variables and flags count too.
fn is_elsewhere(key: &str) -> bool {
    let apart = [
        "mode",
        "recovery-timeout",
        "patterns",
        "playbooks",
        "allow-commands",
        "serve.logs.store",
        // Refused there: jobs do not say at which host they run.
        "serve.jobs.rule.host",
    ];
    apart.contains(&key) || key.starts_with("mirror.") || key.starts_with("lockfile.")
}

#[test]
fn every_setting_is_shown_and_seen_to_change() {
    let one: Table = toml::from_str(ONE).unwrap();
    let mut all = Vec::new();
    keys(&one, &[], &mut all);
    let named: BTreeSet<String> = all.iter().map(|(key, _)| key.clone()).collect();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.schema.json");
    let mut known = BTreeSet::new();
    described(&serde_json::from_slice(&fs::read(top).unwrap()).unwrap(), "", &mut known);
    known.retain(|key| !is_elsewhere(key));
    assert_eq!(named, known);

    for (key, way) in all {
        let mut base = one.clone();
        if key.starts_with("budget.") {
            base["serve"].as_table_mut().unwrap().remove("budget");
        }
        let mut changed = base.clone();
        let value = at(&mut changed, &way);
        let Some(another) = other(&key, value) else { continue };
        *value = another;
        let of = |table: &Table| rows(table).into_iter().map(|row| row.value).collect::<Vec<_>>();
        assert_ne!(of(&base), of(&changed), "{key} is not shown");
    }
}

#[test]
fn nothing_that_the_file_says_is_called_a_default() {
    let one: Table = toml::from_str(ONE).unwrap();
    let inherited = |row: &Row| row.name == "public services";
    let silent: Vec<Row> =
        rows(&one).into_iter().filter(|row| !row.source.starts_with("c.toml:") && !inherited(row)).collect();
    assert!(silent.is_empty(), "{silent:?}");
    let said = rows(&Table::new());
    assert!(said.iter().all(|row| row.source == super::DEFAULT), "{said:?}");
}
