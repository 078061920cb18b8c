//! Arguments of a playbook's steps: text with holes of a closed set, so that nothing else of a log gets in.

use regreen_domain::{Host, PackageName, Tool};
use serde::{Deserialize, Serialize};

/// Text with holes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template(Vec<Part>);

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// Text as it stands.
    Literal(String),
    /// `{tool}`: the tool that failed.
    Tool,
    /// `{evidence.host}`: the host that the deciding line names.
    EvidenceHost,
    /// `{evidence.package}`: the package that the deciding line names.
    EvidencePackage,
}

/// What may fill the holes: checked types only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filling<'a> {
    /// For `{tool}`.
    pub tool: Option<&'a Tool>,
    /// For `{evidence.host}`.
    pub host: Option<&'a Host>,
    /// For `{evidence.package}`.
    pub package: Option<&'a PackageName>,
}

/// A hole for which nothing was found: the plan can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing fills the hole `{{{hole}}}`")]
pub struct Unfilled {
    /// The hole's name.
    pub hole: &'static str,
}

/// The closed set.
const HOLES: [(&str, Part); 3] = [
    ("tool", Part::Tool),
    ("evidence.host", Part::EvidenceHost),
    ("evidence.package", Part::EvidencePackage),
];

impl Template {
    /// Parses the text; an error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(open);
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            let inner = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((name, after)) = inner else { return Err(format!("an unpaired brace in `{text}`")) };
            let hole = HOLES.iter().find(|(known, _)| *known == name);
            let Some((_, hole)) = hole else { return Err(format!("`{{{name}}}` is no hole")) };
            parts.push(hole.clone());
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Template(parts))
    }

    /// Its parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The text with its holes filled.
    ///
    /// # Errors
    /// [`Unfilled`] where a hole has nothing to fill it: an empty target is never "everything".
    pub fn fill(&self, filling: &Filling<'_>) -> Result<String, Unfilled> {
        let mut text = String::new();
        for part in &self.0 {
            let (value, hole) = match part {
                Part::Literal(literal) => (Some(literal.as_str()), ""),
                Part::Tool => (filling.tool.map(Tool::as_str), "tool"),
                Part::EvidenceHost => (filling.host.map(Host::as_str), "evidence.host"),
                Part::EvidencePackage => (filling.package.map(PackageName::as_str), "evidence.package"),
            };
            text.push_str(value.ok_or(Unfilled { hole })?);
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    #[test]
    fn holes_are_a_closed_set() {
        for bad in ["{evidence.url}", "{tool", "tool}", "{}", "{{tool}}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            Template::parse("cache:{tool}").unwrap().parts(),
            [Part::Literal("cache:".into()), Part::Tool]
        );
    }

    #[test]
    fn an_unfilled_hole_is_an_error_and_never_nothing() {
        let template = Template::parse("https://{evidence.host}/").unwrap();
        assert_eq!(template.fill(&Filling::default()), Err(Unfilled { hole: "evidence.host" }));
        let host = Host::parse("registry.example:443").unwrap();
        let filling = Filling { host: Some(&host), ..Filling::default() };
        assert_eq!(template.fill(&filling).unwrap(), "https://registry.example:443/");
    }
}
