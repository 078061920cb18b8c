//! Patterns that are not part of the program: an operator's own, and a repository's. Same format, tighter bounds.
//!
//! What is wrong with one file never takes the others down, nor the built-in ones: it is named and left out.

use serde::Deserialize;
use toml::Spanned;

use crate::source::Source;
use crate::{Catalog, CatalogError, Pattern, PatternSource, Status};

/// Most bytes of one file.
pub const LARGEST_CUSTOM_FILE: usize = 64 * 1024;

/// Most files of one folder.
pub const MOST_CUSTOM_FILES: usize = 100;

/// The most that one compiled expression of such a file may take, in bytes: each candidate line pays for it.
const SIZE_LIMIT: usize = 1 << 16;

/// Longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// Longest explanation, advice or address, in characters.
const LONGEST_TEXT: usize = 4000;

impl Pattern {
    /// Whether something stands behind it, so that it may raise a confidence: a built-in one that is stable, an
    /// operator's that is stable and was measured, a repository's or one that was accepted never.
    pub fn is_vouched(&self) -> bool {
        let stable = self.status == Status::Stable;
        match self.source {
            PatternSource::BuiltIn => stable,
            PatternSource::Operator => stable && self.measured.counts().hits > 0,
            PatternSource::Repository | PatternSource::Accepted => false,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Named {
    id: Spanned<String>,
}

/// The id that a pattern's file says it has; `None` where it is no such file.
pub fn id_in(text: &str) -> Option<String> {
    Source { file: "", text }.parse::<Named>().ok().map(|named| named.id.into_inner())
}

impl Catalog {
    /// This catalogue with the patterns of more files, (name, text), which are all of one source. What is wrong with the
    /// rest is handed back. A pattern keeps to its own id, and names in `explains` only what there is.
    #[must_use]
    pub fn with_custom<'t>(
        mut self,
        source: PatternSource,
        files: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> (Catalog, Vec<CatalogError>) {
        let mut wrong = Vec::new();
        let mut read: Vec<(Source<'t>, Pattern)> = Vec::new();
        for (file, text) in files {
            let of_file = Source { file, text };
            let parsed = self.custom(of_file, source, read.iter().map(|(_, p)| p));
            match parsed {
                Ok(pattern) => read.push((of_file, pattern)),
                Err(e) => wrong.push(e),
            }
        }
        // A file that goes may be the one that another explains.
        loop {
            let names = |id: &String| self.pattern(id).is_some() || read.iter().any(|(_, p)| p.id == *id);
            let stranger = read.iter().enumerate().find_map(|(at, (_, pattern))| {
                pattern.explains.iter().find(|id| !names(id)).map(|id| (at, id.clone()))
            });
            let Some((at, id)) = stranger else { break };
            let (of_file, _) = read.remove(at);
            let what = format!("it explains `{id}`, which is no pattern");
            wrong.push(CatalogError::whole(of_file.file, what, "name the id of a pattern"));
        }
        self.patterns.extend(read.into_iter().map(|(_, pattern)| pattern));
        (self, wrong)
    }

    /// This catalogue with one more custom file; a custom pattern with the same id makes room for it.
    ///
    /// # Errors
    /// Where the file is invalid, with the place in it.
    pub fn with_custom_again(
        mut self,
        source: PatternSource,
        file: &str,
        text: &str,
    ) -> Result<Catalog, CatalogError> {
        let of_file = Source { file, text };
        let ours = |p: &&Pattern| p.source != PatternSource::BuiltIn && p.id == of_file.stem();
        let id = self.patterns.iter().find(ours).map(|p| p.id.clone());
        self = self.without_custom(id.as_slice());
        let (catalog, wrong) = self.with_custom(source, [(file, text)]);
        wrong.into_iter().next().map_or(Ok(catalog), Err)
    }

    /// This catalogue without its custom patterns of these ids.
    #[must_use]
    pub fn without_custom(mut self, ids: &[String]) -> Catalog {
        self.patterns.retain(|p| p.source == PatternSource::BuiltIn || !ids.contains(&p.id));
        self
    }

    fn custom<'p>(
        &self,
        file: Source<'_>,
        source: PatternSource,
        mut others: impl Iterator<Item = &'p Pattern>,
    ) -> Result<Pattern, CatalogError> {
        if file.text.len() > LARGEST_CUSTOM_FILE {
            let what = format!("the file is larger than {} KiB", LARGEST_CUSTOM_FILE >> 10);
            return Err(CatalogError::whole(file.file, what, "cut its examples to the lines that matter"));
        }
        let mut pattern = Pattern::parse_anywhere(file)?;
        pattern.source = source;
        let id = &pattern.id;
        let named = |what: String, help: String| {
            let span = file.parse::<Named>().ok().map(|named| named.id.span());
            file.error(span, what, help)
        };
        let known = self.pattern(id).map(|p| p.source.id());
        let known = known.or(others.any(|p| p.id == *id).then_some(source.id()));
        let known = known.map(|source| format!("a pattern ({source})"));
        let elsewhere = self.banners().iter().any(|b| b.id == *id) || self.playbook(id).is_some();
        if let Some(by) = known.or(elsewhere.then(|| "the catalogue (built-in)".to_owned())) {
            return Err(named(
                format!("the id `{id}` is taken by {by}"),
                format!("choose another id, for example `our-{id}`"),
            ));
        }
        pattern.check_bounds().map_err(|(what, help)| named(what, help.to_owned()))?;
        Ok(pattern)
    }
}

impl Pattern {
    /// The bounds within which a stranger's file is believed to be harmless.
    fn check_bounds(&self) -> Result<(), (String, &'static str)> {
        let texts = [
            ("title", &self.title, LONGEST_TITLE),
            ("since", &self.since, LONGEST_TITLE),
            ("explain", &*self.explain, LONGEST_TEXT),
            ("fix", &*self.fix, LONGEST_TEXT),
        ]
        .into_iter()
        .chain(self.see.iter().map(|see| ("see", see, LONGEST_TEXT)));
        for (name, text, most) in texts {
            if text.chars().count() > most {
                return Err((format!("`{name}` is longer than {most} characters"), "say it in fewer words"));
            }
            if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
                return Err((format!("`{name}` holds a control character"), "take it out"));
            }
        }
        let contexts = self.matcher.near.iter().chain(&self.matcher.unless).map(|context| &context.line);
        for expression in std::iter::once(&self.matcher.line).chain(contexts) {
            if !expression.compiles_within(SIZE_LIMIT) {
                let what =
                    format!("`{}` grows past {} KiB when compiled", expression.as_str(), SIZE_LIMIT >> 10);
                return Err((what, "bound its repetitions: `{1,8}` rather than `{1,800}`"));
            }
        }
        Ok(())
    }
}
