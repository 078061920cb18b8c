//! Somebody's own pattern files let in beside the built-in ones: read, checked and proved, alone and in company.

use regreen_catalog::{Catalog, CatalogError, PatternSource};

use crate::prove::Proof;

/// A catalogue with somebody's own patterns, and what is wrong with those that were not let in.
#[derive(Debug)]
pub struct Admitted {
    /// What to diagnose with.
    pub catalog: Catalog,
    /// By file: the first thing that is wrong with it.
    pub refused: Vec<CatalogError>,
}

/// Lets in every file, (name, text), that is valid and proves itself among all others. What is wrong with one takes no
/// other down.
pub fn admit(catalog: Catalog, source: PatternSource, files: &[(String, String)]) -> Admitted {
    if files.is_empty() {
        return Admitted { catalog, refused: Vec::new() };
    }
    let texts = files.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    let before = catalog.clone();
    let known = before.patterns().len();
    let (mut with, mut refused) = catalog.with_custom(source, texts);
    // Who goes may have been what another one's proof rested on.
    loop {
        let ids: Vec<String> = with.patterns().iter().skip(known).map(|p| p.id.clone()).collect();
        let proof = Proof::new(&before, &with);
        let problems = ids.iter().filter_map(|id| Some((id, proof.of(id).into_iter().next()?)));
        let wrong: Vec<_> = problems.map(|(id, problem)| (id.clone(), problem)).collect();
        if wrong.is_empty() {
            break;
        }
        let mut gone = Vec::new();
        for (id, problem) in wrong {
            let (file, text) = file_of(files, &id);
            let line = problem.line_in(text);
            refused.push(CatalogError {
                file: file.to_owned(),
                line,
                column: usize::from(line > 0),
                what: problem.says,
                help: problem.help.to_owned(),
            });
            gone.push(id);
        }
        // What explains somebody who goes can't stay.
        loop {
            let explains = |p: &&regreen_catalog::Pattern| p.explains.iter().any(|id| gone.contains(id));
            let next = with.patterns().iter().skip(known).filter(explains).find(|p| !gone.contains(&p.id));
            let Some(next) = next else { break };
            refused.push(CatalogError {
                file: file_of(files, &next.id).0.to_owned(),
                line: 0,
                column: 0,
                what: "it explains a pattern that was not let in".to_owned(),
                help: "correct that one first".to_owned(),
            });
            gone.push(next.id.clone());
        }
        with = with.without_custom(&gone);
    }
    Admitted { catalog: with, refused }
}

/// A pattern's file is named after it.
fn file_of<'f>(files: &'f [(String, String)], id: &'f str) -> (&'f str, &'f str) {
    let named = |file: &str| file.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")) == Some(id);
    files.iter().find(|(file, _)| named(file)).map_or((id, ""), |(file, text)| (file, text))
}
