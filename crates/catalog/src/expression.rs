//! A regular expression of the catalogue: bytes, Unicode off, bounded in size, compiled when first used.

use std::sync::OnceLock;

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::Hir;
use serde::{Deserialize, Serialize};

use crate::Later;
use crate::literals::{needs, required};
use crate::packed::Bytes;

/// The most that one compiled expression may take: far above what a line pattern needs, far below what hurts.
const SIZE_LIMIT: usize = 1 << 20;

/// The shortest literal that may choose candidate lines; a shorter one would choose most of a log.
const SHORTEST_LITERAL: usize = 3;

/// An expression that was parsed and checked; matching is linear in the line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Expression {
    source: String,
    literals: Vec<Bytes>,
    /// What a text must hold, as [`needs`] says; asked only until the expression is compiled.
    needs: Later<Vec<Vec<Vec<Vec<u8>>>>>,
    captures: Vec<String>,
    #[serde(skip)]
    compiled: OnceLock<Regex>,
}

/// Why a text is no expression for the catalogue.
pub(crate) struct BadExpression {
    pub(crate) what: String,
    pub(crate) help: &'static str,
}

impl Expression {
    /// Checks the expression. Only what is matched against candidates of a scan needs a literal.
    pub(crate) fn parse(source: &str) -> Result<Expression, BadExpression> {
        let hir = hir(source)?;
        let literals = required(&hir).unwrap_or_default();
        let captures = names(&hir);
        Ok(Expression {
            source: source.to_owned(),
            literals: literals.into_iter().map(Bytes::from).collect(),
            needs: needs(&hir).into(),
            captures,
            compiled: OnceLock::new(),
        })
    }

    /// As [`Expression::parse`], and each match must hold one of a few literals, so that a scan can find it.
    pub(crate) fn parse_searchable(source: &str) -> Result<Expression, BadExpression> {
        let expression = Expression::parse(source)?;
        let long_enough = expression.literals.iter().all(|literal| literal.len() >= SHORTEST_LITERAL);
        if expression.literals.is_empty() || !long_enough {
            return Err(BadExpression {
                what: format!("`{source}` requires no literal text of at least {SHORTEST_LITERAL} bytes"),
                help: "write out a word that every matching line holds, outside of (?i) and optional parts",
            });
        }
        Ok(expression)
    }

    /// As it stands in the file.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Every match holds one of these; empty where nothing is required.
    pub fn literals(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.literals.iter().map(|literal| &**literal)
    }

    /// The names of its captures.
    pub fn captures(&self) -> &[String] {
        &self.captures
    }

    /// The compiled expression. `None` only where it grew past the size limit, which `Catalog::prove` reports.
    pub fn regex(&self) -> Option<&Regex> {
        if self.compiled.get().is_none() {
            let regex = RegexBuilder::new(&self.source).unicode(false).size_limit(SIZE_LIMIT).build().ok()?;
            return Some(self.compiled.get_or_init(|| regex));
        }
        self.compiled.get()
    }

    /// Whether it is at most so many bytes large once it is compiled, which it then is.
    pub(crate) fn compiles_within(&self, bytes: usize) -> bool {
        match RegexBuilder::new(&self.source)
            .unicode(false)
            .size_limit(bytes)
            .dfa_size_limit(16 * bytes)
            .build()
        {
            Ok(regex) => {
                self.compiled.get_or_init(|| regex);
                true
            }
            Err(_) => false,
        }
    }

    /// Whether the text holds a match.
    pub fn is_match(&self, text: &str) -> bool {
        let text = text.as_bytes();
        // Compiling costs a thousand times what a search for a few words does.
        (self.compiled.get().is_some() || self.may_match(text))
            && self.regex().is_some_and(|regex| regex.is_match(text))
    }

    fn may_match(&self, text: &[u8]) -> bool {
        let holds = |set: &Vec<Vec<u8>>| set.iter().any(|literal| memmem::find(text, literal).is_some());
        self.needs.is_empty() || self.needs.iter().any(|sets| sets.iter().all(holds))
    }
}

fn hir(source: &str) -> Result<Hir, BadExpression> {
    regex_syntax::ParserBuilder::new().unicode(false).utf8(false).nest_limit(50).build().parse(source).map_err(|e| {
        let reason = match &e {
            regex_syntax::Error::Parse(e) => e.kind().to_string(),
            regex_syntax::Error::Translate(e) => e.kind().to_string(),
            _ => e.to_string(),
        };
        BadExpression {
            what: format!("`{source}` is no regular expression: {reason}"),
            help: "use the syntax of the regex crate, without Unicode classes, look-around and back-references",
        }
    })
}

fn names(hir: &Hir) -> Vec<String> {
    use regex_syntax::hir::HirKind;
    match hir.kind() {
        HirKind::Capture(capture) => {
            let mut all: Vec<String> = capture.name.iter().map(|name| name.to_string()).collect();
            all.extend(names(&capture.sub));
            all
        }
        HirKind::Repetition(repetition) => names(&repetition.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}
