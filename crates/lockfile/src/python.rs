//! What the lockfiles of Python's tools share.

use crate::json::{Json, Value};
use crate::{Dependency, Entry};

/// Gives each entry its dependencies again.
pub(crate) fn put_back(entries: &mut [Entry], lists: Vec<Vec<Dependency>>) {
    for (entry, dependencies) in entries.iter_mut().zip(lists) {
        entry.dependencies = dependencies;
    }
}

/// PEP 503: one way to write a name.
pub(crate) fn normalised(name: &str) -> String {
    // Lockfiles write it so already.
    let mut dash = false;
    let plain = |b: u8| {
        let second = dash && b == b'-';
        dash = b == b'-';
        !second && (b.is_ascii_lowercase() || b.is_ascii_digit() || dash)
    };
    if name.bytes().all(plain) {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// The clauses of a version specifier without blanks, sorted: `>=1,<2` and `<2, >=1` ask for the same.
pub(crate) fn clauses(specifier: &str) -> Vec<String> {
    let inner = specifier.trim().trim_start_matches('(').trim_end_matches(')');
    let mut clauses: Vec<String> = inner
        .split(',')
        .map(|c| c.chars().filter(|c| !c.is_whitespace()).collect::<String>())
        .filter(|c| !c.is_empty())
        .collect();
    clauses.sort();
    clauses
}

/// The members of a list, or none.
pub(crate) fn items<'j, 't>(of: Option<&'j Json<'t>>) -> &'j [Json<'t>] {
    match of.map(|json| &json.value) {
        Some(Value::Array(items)) => items,
        _ => &[],
    }
}
