//! TOML as the same tree.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Json, Member, Value};
use crate::Damage;
use crate::position::Lines;

/// Reads one TOML document; a key that stands twice is an error of the reader's own.
pub(crate) fn read_toml<'t>(text: &'t str, lines: &Lines<'_>) -> Result<Json<'t>, Damage> {
    match super::fast_toml::read(text) {
        Some(root) => Ok(root),
        None => read_whole(text, lines),
    }
}

/// Reads one TOML document that is written as tools do, giving away each item of the list `name` as it comes: of lists
/// with tens of thousands only one is held at a time. `None` says nothing of the text.
pub(crate) fn read_toml_each<'t>(
    text: &'t str,
    name: &str,
    each: impl FnMut(Json<'t>) -> Option<()>,
) -> Option<Json<'t>> {
    super::fast_toml::read_each(text, name, each)
}

pub(super) fn read_whole<'t>(text: &'t str, lines: &Lines<'_>) -> Result<Json<'t>, Damage> {
    let table = DeTable::parse(text).map_err(|e| syntax(text, lines, &e))?;
    let value = of_table(text, table.get_ref());
    Ok(Json { span: 0..text.len(), value })
}

/// An error that reaches the end of the text, or one after which nothing is closed and no key begins, is that of a
/// text that was cut off.
pub(crate) fn syntax(text: &str, lines: &Lines<'_>, error: &toml::de::Error) -> Damage {
    let span = error.span().unwrap_or(0..0);
    let end = text.trim_end().len();
    let rest = text.get(span.start..).unwrap_or_default();
    if span.end >= end || !rest.contains([']', '=']) {
        return Damage::Truncated { line: lines.last() };
    }
    lines.unparsable(span.start, error.message())
}

fn of_table<'t>(text: &'t str, table: &DeTable<'t>) -> Value<'t> {
    let members = table.iter().map(|(key, value)| Member {
        key: key.get_ref().clone(),
        at: key.span().start,
        value: of_value(text, value),
    });
    Value::Object(members.collect())
}

// Recursion is bounded by the TOML reader's own limit on nesting.
fn of_value<'t>(text: &'t str, value: &Spanned<DeValue<'t>>) -> Json<'t> {
    let span = value.span();
    let value = match value.get_ref() {
        DeValue::String(text) => Value::String(text.clone()),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| of_value(text, item)).collect()),
        DeValue::Table(table) => of_table(text, table),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => {
            Value::Number(text.get(span.clone()).unwrap_or_default())
        }
    };
    Json { span, value }
}
