//! `regreen patterns test FILE…`: pattern files proved by their own examples and against every other pattern.

use std::{fs, io::Read, path::Path};

use regreen_catalog::{Catalog, PatternSource};
use regreen_detect::{Problem, prove};

use crate::{
    commands::report,
    context::Context,
    custom::IN_REPOSITORY,
    exit::{FINE, Failed, INVALID, NOTHING_TO_READ, PROBLEMS},
    output::print::print,
};

/// Largest pattern file.
const LARGEST: u64 = 1 << 20;

/// Tests every file. One that is wrong does not stop the rest. A file of a repository's own folder is held to what such
/// files may do, one of the program's catalogue takes the place of its namesake, and any other is an operator's.
pub fn test(context: &Context, known: &Catalog, files: &[std::path::PathBuf]) -> Result<u8, Failed> {
    let mut codes = Vec::new();
    for path in files {
        match one(known, path) {
            Ok(said) => {
                print(&said)?;
            }
            Err(failures) => codes.extend(failures.iter().map(|failed| report(context, failed))),
        }
    }
    Ok([NOTHING_TO_READ, INVALID, PROBLEMS].into_iter().find(|code| codes.contains(code)).unwrap_or(FINE))
}

fn one(known: &Catalog, path: &Path) -> Result<String, Vec<Failed>> {
    let shown = path.display();
    let text = read(path).map_err(|e| vec![Failed::new(NOTHING_TO_READ, format!("{shown}: {e}"))])?;
    // The folder of a pattern is its class; a path without folders has one all the same.
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let named = if path.components().count() > 1 { path } else { &whole };
    let file = named.to_string_lossy();
    let folder = whole.parent();
    let catalog = if folder.is_some_and(in_repository) {
        known.clone().with_custom_again(PatternSource::Repository, &file, &text)
    } else if folder.and_then(Path::parent).is_some_and(|folder| folder.ends_with("catalog/patterns")) {
        known.with_pattern(&file, &text)
    } else {
        known.clone().with_custom_again(PatternSource::Operator, &file, &text)
    };
    let catalog = catalog.map_err(|e| {
        let place = if e.line == 0 { String::new() } else { format!(":{}:{}", e.line, e.column) };
        vec![Failed::new(INVALID, format!("{shown}{place}: {}", e.what)).help(e.help.clone())]
    })?;
    let id = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let problems = prove(known, &catalog, &id);
    if !problems.is_empty() {
        return Err(problems.iter().map(|problem| failed(&shown.to_string(), &text, problem)).collect());
    }
    let pattern = catalog.pattern(&id);
    let (for_it, against) = pattern.map_or((0, 0), |p| (p.examples.len(), p.counterexamples.len()));
    let others = catalog.patterns().len().saturating_sub(1);
    Ok(format!(
        "{shown}: proved by {for_it} example(s), {against} counterexample(s) and {others} other patterns\n"
    ))
}

/// Whether it is a repository's own folder of patterns, or one of a class in it.
fn in_repository(folder: &Path) -> bool {
    folder.ends_with(IN_REPOSITORY) || folder.parent().is_some_and(|parent| parent.ends_with(IN_REPOSITORY))
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}

fn failed(file: &str, text: &str, problem: &Problem) -> Failed {
    let line = match problem.line_in(text) {
        0 => String::new(),
        line => format!(":{line}"),
    };
    Failed::new(PROBLEMS, format!("{file}{line}: {}", problem.says)).help(problem.help)
}
