//! Where each value of the operator's file stands: whoever is shown a setting is told who said so.

use std::collections::BTreeMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Config, position};

/// Stands where nobody said anything.
pub const DEFAULT: &str = "default";

/// The keys of a file, each with its place: `serve.mode`; of what stands several times `serve.rule[0]`, and the first's place for
/// all of them together.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Where the file lies; `None` where there is none.
    file: Option<String>,
    at: BTreeMap<String, String>,
}

impl Sources {
    /// Of a file that was read already.
    pub(super) fn of(place: &str, text: &str) -> Sources {
        let mut sources = Sources { file: Some(place.to_owned()), ..Sources::default() };
        if let Ok(table) = DeTable::parse(text) {
            sources.table("", table.get_ref(), &|at| {
                let at = position(text, at);
                let line = at.trim_start_matches(':').split(':').next().unwrap_or_default();
                format!("{place}:{line}")
            });
        }
        sources
    }

    fn table(&mut self, path: &str, table: &DeTable<'_>, place: &dyn Fn(usize) -> String) {
        for (key, value) in table {
            let name = key.get_ref();
            let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            self.value(path, value, place);
        }
    }

    fn value(&mut self, path: String, value: &Spanned<DeValue<'_>>, place: &dyn Fn(usize) -> String) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(&path, table, place),
            DeValue::Array(of) => {
                for (i, one) in of.iter().enumerate() {
                    self.value(format!("{path}[{i}]"), one, place);
                    self.at.insert(format!("{path}[{i}]"), place(one.span().start));
                }
            }
            _ => {}
        }
        let first = self.at.get(&format!("{path}[0]")).cloned();
        self.at.insert(path, first.unwrap_or_else(|| place(value.span().start)));
    }

    /// Whether the file has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.at.contains_key(key)
    }

    /// Where the setting of this key stands, or where it is silent the first of the others that says the same.
    pub(super) fn of_key(&self, key: &str, others: &[&str]) -> String {
        if let Some(place) = self.at.get(key) {
            return place.clone();
        }
        let other = others.iter().find_map(|other| Some((other, self.at.get(*other)?)));
        other.map_or_else(|| DEFAULT.to_owned(), |(other, place)| format!("{other} in {place}"))
    }
}

impl Config {
    /// Where the operator's file has this key; [`DEFAULT`] where it does not.
    pub fn source(&self, key: &str) -> String {
        self.sources.of_key(key, &[])
    }

    /// The operator's file, where there is one.
    pub fn operators_file(&self) -> Option<&str> {
        self.sources.file.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_line() {
        let text = "mode = \"auto\"\nbudget.per-hour = 60\n\n[serve]\nmode = \"observe\"\n[[serve.rule]]\nmode = \"auto\"\n\
                    [[serve.rule]]\nmode = \"approve\"\nhost = \"gitlab\"\n[serve.control]\nfraction = 0.1\n";
        let sources = Sources::of("/etc/r.toml", text);
        for (key, line) in [
            ("mode", 1),
            ("budget.per-hour", 2),
            ("serve.mode", 5),
            ("serve.rule", 6),
            ("serve.rule[0]", 6),
            ("serve.rule[1]", 8),
            ("serve.rule[1].host", 10),
            ("serve.control.fraction", 12),
        ] {
            assert_eq!(sources.of_key(key, &[]), format!("/etc/r.toml:{line}"), "{key}");
        }
        assert_eq!(sources.of_key("max-risk", &[]), DEFAULT);
        let inherited = sources.of_key("serve.budget.per-hour", &["budget.per-hour"]);
        assert_eq!(inherited, "budget.per-hour in /etc/r.toml:2");
    }
}
