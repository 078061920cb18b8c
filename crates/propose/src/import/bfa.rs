//! Failure causes of Jenkins' Build Failure Analyzer: its `build-failure-analyzer.xml`, or its JSON as an array, an object
//! with such an array, or one object a line.
//!
//! Source of the names: `FailureCause`, `BuildLogIndication` and `MultilineBuildLogIndication` of
//! `com.sonyericsson.jenkins.plugins.bfa.model` (build-failure-analyzer-plugin).

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

use super::{Rule, Unimportable, java};

/// More elements than this are no knowledge base.
const MOST_NODES: u32 = 400_000;

const CAUSE: &str = "com.sonyericsson.jenkins.plugins.bfa.model.FailureCause";
const MULTILINE: &str = "MultilineBuildLogIndication";

/// The rules of an XML file. A document type is refused, and with it every entity.
pub(super) fn xml(text: &str) -> Result<Vec<Rule>, Unimportable> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|e| Unimportable(format!("it is no XML to read: {e}")))?;
    let is_cause = |node: &Node<'_, '_>| node.has_tag_name(CAUSE) || node.has_tag_name("failureCause");
    let rules: Vec<Rule> = document.descendants().filter(is_cause).flat_map(of_node).collect();
    some(rules)
}

fn some(rules: Vec<Rule>) -> Result<Vec<Rule>, Unimportable> {
    let none = "it holds no failure cause of the Build Failure Analyzer with an indication";
    if rules.is_empty() { Err(Unimportable(none.to_owned())) } else { Ok(rules) }
}

fn of_node(cause: Node<'_, '_>) -> Vec<Rule> {
    let child = |name: &str| cause.children().find(|node| node.has_tag_name(name));
    let text = |name: &str| child(name).and_then(|node| node.text()).unwrap_or_default().trim().to_owned();
    let categories = child("categories").into_iter().flat_map(|node| node.descendants());
    let categories: Vec<String> = categories
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .map(|t| t.trim().to_owned())
        .collect();
    let indications =
        child("indications").into_iter().flat_map(|node| node.children()).filter(Node::is_element);
    let rule = |indication: Node<'_, '_>| {
        let pattern = indication.children().find(|node| node.has_tag_name("pattern"))?.text()?.to_owned();
        let kind = indication.tag_name().name();
        Some(rule(text("name"), text("description"), categories.clone(), kind, pattern))
    };
    indications.filter_map(rule).collect()
}

fn rule(name: String, says: String, categories: Vec<String>, kind: &str, pattern: String) -> Rule {
    let expression = if kind.contains(MULTILINE) {
        Err("it looks at several lines at once, and Regreen's patterns at one (see `near` in `regreen patterns schema`)".to_owned())
    } else {
        java::translated(&pattern).map(|pattern| java::as_a_whole_line(&pattern))
    };
    Rule { name, says, categories, expression, theirs: pattern }
}

/// The rules of a JSON file.
pub(super) fn json(text: &str) -> Result<Vec<Rule>, Unimportable> {
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    let values = values.map_err(|e| Unimportable(format!("it is no JSON to read: {e}")))?;
    let mut rules = Vec::new();
    for value in &values {
        let lists = value.as_object().into_iter().flat_map(|object| object.values());
        let inside = lists.filter_map(Value::as_array).flatten().filter(|v| v.get("indications").is_some());
        let causes: Vec<&Value> = match value {
            Value::Array(all) => all.iter().collect(),
            other if other.get("indications").is_some() => vec![other],
            _ => inside.collect(),
        };
        rules.extend(causes.into_iter().flat_map(of_value));
    }
    some(rules)
}

fn of_value(cause: &Value) -> Vec<Rule> {
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |name: &str| cause.get(name).and_then(Value::as_array).into_iter().flatten();
    let categories: Vec<String> = list("categories").filter_map(Value::as_str).map(str::to_owned).collect();
    let rule = |indication: &Value| {
        let pattern = indication.get("pattern")?.as_str()?.to_owned();
        let kind = ["@class", "_class", "type", "dtype"].map(|name| text(indication, name)).concat();
        Some(rule(text(cause, "name"), text(cause, "description"), categories.clone(), &kind, pattern))
    };
    list("indications").filter_map(rule).collect()
}
