//! GitHub's own examples, with facts put in.

use std::{sync::LazyLock, time::SystemTime};

use serde_json::Value;

static EXAMPLES: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// The example of that name with these fields in place of its own, or beside them.
pub(super) fn sample(name: &str, facts: Value) -> Value {
    with(EXAMPLES.get(name).cloned().unwrap_or_default(), facts)
}

/// A value with these fields in place of its own, or beside them.
pub(super) fn with(mut value: Value, facts: Value) -> Value {
    if let (Value::Object(all), Value::Object(facts)) = (&mut value, facts) {
        all.extend(facts);
    }
    value
}

/// A time as GitHub writes it.
pub(super) fn time(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}
