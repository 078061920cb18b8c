//! One catalogue file as text: parsing with errors that name the place, and checks shared by all kinds of files.

use std::ops::Range;

use regreen_domain::{CommandKind, FailureClass, Resource, Tool};
use serde::de::DeserializeOwned;
use toml::Spanned;

use crate::expression::BadExpression;
use crate::{CatalogError, Expression};

/// A file of the catalogue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'t> {
    /// Path below the catalogue's root, with `/`.
    pub(crate) file: &'t str,
    pub(crate) text: &'t str,
}

impl<'t> Source<'t> {
    pub(crate) fn parse<T: DeserializeOwned>(self) -> Result<T, CatalogError> {
        toml::from_str(self.text).map_err(|e| {
            let help = if e.message().starts_with("unknown field") {
                "take the field out or correct its name"
            } else {
                "correct the file; `regreen patterns schema` and `regreen playbooks schema` describe its fields"
            };
            self.error(e.span(), e.message().trim_end(), help)
        })
    }

    pub(crate) fn error(
        self,
        span: Option<Range<usize>>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> CatalogError {
        CatalogError::at(self.file, self.text, span, what, help)
    }

    /// The file's name without folder and extension.
    pub(crate) fn stem(self) -> &'t str {
        let name = self.file.rsplit('/').next().unwrap_or(self.file);
        name.strip_suffix(".toml").unwrap_or(name)
    }

    /// The folder that holds the file.
    pub(crate) fn folder(self) -> &'t str {
        self.file.rsplit('/').nth(1).unwrap_or("")
    }

    /// The id, which is the file's name in kebab-case.
    pub(crate) fn id(self, id: &Spanned<String>) -> Result<String, CatalogError> {
        let text = id.get_ref();
        let kebab = !text.is_empty()
            && text.len() <= 60
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !kebab {
            return Err(self.error(
                Some(id.span()),
                format!("the id `{text}` is not kebab-case"),
                "use a-z, 0-9 and `-`",
            ));
        }
        if text != self.stem() {
            let what = format!("the id `{text}` differs from the file's name `{}`", self.stem());
            return Err(self.error(Some(id.span()), what, "name the file after the id"));
        }
        Ok(text.clone())
    }

    pub(crate) fn class(self, class: &Spanned<String>) -> Result<FailureClass, CatalogError> {
        FailureClass::parse(class.get_ref()).filter(|class| *class != FailureClass::Unknown).ok_or_else(
            || {
                let known: Vec<_> = FailureClass::ALL
                    .iter()
                    .filter(|c| **c != FailureClass::Unknown)
                    .map(|c| c.id())
                    .collect();
                let what = format!("`{}` is no failure class", class.get_ref());
                self.error(Some(class.span()), what, format!("use one of {}", known.join(", ")))
            },
        )
    }

    /// As [`Source::class`], and `unknown` is one too.
    pub(crate) fn class_or_unknown(self, class: &Spanned<String>) -> Result<FailureClass, CatalogError> {
        if class.get_ref() == FailureClass::Unknown.id() {
            Ok(FailureClass::Unknown)
        } else {
            self.class(class)
        }
    }

    pub(crate) fn resource(self, id: &Spanned<String>) -> Result<Resource, CatalogError> {
        Resource::parse(id.get_ref()).ok_or_else(|| {
            let what = format!("`{}` is nothing that a machine runs out of", id.get_ref());
            self.error(
                Some(id.span()),
                what,
                format!("use one of {}", Resource::ALL.map(Resource::id).join(", ")),
            )
        })
    }

    pub(crate) fn tools(self, tools: &[Spanned<String>]) -> Result<Vec<Tool>, CatalogError> {
        let tool = |name: &Spanned<String>| {
            Tool::new(name.get_ref()).ok_or_else(|| {
                let what = format!("`{}` is no tool name", name.get_ref());
                self.error(Some(name.span()), what, "use a-z, 0-9 and `-`")
            })
        };
        tools.iter().map(tool).collect()
    }

    pub(crate) fn commands(self, kinds: &[Spanned<String>]) -> Result<Vec<CommandKind>, CatalogError> {
        let kind = |id: &Spanned<String>| {
            CommandKind::parse(id.get_ref()).ok_or_else(|| {
                let what = format!("`{}` is no kind of command", id.get_ref());
                self.error(Some(id.span()), what, "use install, build, test, deploy or opaque")
            })
        };
        kinds.iter().map(kind).collect()
    }

    pub(crate) fn expression(self, text: &Spanned<String>) -> Result<Expression, CatalogError> {
        Expression::parse(text.get_ref()).map_err(|bad| self.bad_expression(text, bad))
    }

    pub(crate) fn searchable(self, text: &Spanned<String>) -> Result<Expression, CatalogError> {
        Expression::parse_searchable(text.get_ref()).map_err(|bad| self.bad_expression(text, bad))
    }

    fn bad_expression(self, text: &Spanned<String>, bad: BadExpression) -> CatalogError {
        self.error(Some(text.span()), bad.what, bad.help)
    }
}
