//! Rules of PyTorch's log classifier (`pytorch/test-infra`, `aws/lambda/log-classifier/ruleset.toml`): tables `[[rule]]` with
//! `name` and `pattern`, in the syntax of the same regex engine as Regreen's.

use serde::Deserialize;

use super::{Rule, Unimportable};

#[derive(Debug, Deserialize)]
struct File {
    rule: Vec<Entry>,
}

/// Other keys of a rule say nothing that a pattern holds.
#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    pattern: String,
}

/// The rules of the file.
pub(super) fn toml(text: &str) -> Result<Vec<Rule>, Unimportable> {
    let file: File = toml::from_str(text).map_err(|e| {
        Unimportable(format!(
            "it is no file of rules: {}; what can be read: XML or JSON of Jenkins' Build Failure Analyzer, \
                              TOML with [[rule]] tables that have name and pattern",
            e.message()
        ))
    })?;
    let rule = |entry: Entry| Rule {
        name: entry.name,
        says: String::new(),
        categories: Vec::new(),
        expression: Ok(entry.pattern.clone()),
        theirs: entry.pattern,
    };
    Ok(file.rule.into_iter().map(rule).collect())
}
