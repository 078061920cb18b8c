//! `regreen patterns test FILE…`: pattern files proved by their own examples and against every built-in pattern.

use std::{fs, io::Read, path::Path};

use regreen_catalog::Catalog;
use regreen_detect::{Problem, prove};

use crate::{
    commands::report,
    context::Context,
    exit::{FINE, Failed, INVALID, NOTHING_TO_READ, PROBLEMS},
    output::print::print,
};

/// Largest pattern file.
const LARGEST: u64 = 1 << 20;

/// Tests every file. One that is wrong does not stop the rest.
pub fn test(context: &Context, builtin: &Catalog, files: &[std::path::PathBuf]) -> Result<u8, Failed> {
    let mut codes = Vec::new();
    for path in files {
        match one(builtin, path) {
            Ok(said) => {
                print(&said)?;
            }
            Err(failures) => codes.extend(failures.iter().map(|failed| report(context, failed))),
        }
    }
    Ok([NOTHING_TO_READ, INVALID, PROBLEMS].into_iter().find(|code| codes.contains(code)).unwrap_or(FINE))
}

fn one(builtin: &Catalog, path: &Path) -> Result<String, Vec<Failed>> {
    let shown = path.display();
    let text = read(path).map_err(|e| vec![Failed::new(NOTHING_TO_READ, format!("{shown}: {e}"))])?;
    // The folder of a pattern is its class; a path without folders has one all the same.
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let named = if path.components().count() > 1 { path } else { &whole };
    let catalog = builtin.with_pattern(&named.to_string_lossy(), &text).map_err(|e| {
        let place = if e.line == 0 { String::new() } else { format!(":{}:{}", e.line, e.column) };
        vec![Failed::new(INVALID, format!("{shown}{place}: {}", e.what)).help(e.help.clone())]
    })?;
    let id = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let problems = prove(builtin, &catalog, &id);
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

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}

fn failed(file: &str, text: &str, problem: &Problem) -> Failed {
    let here =
        |line: &&str| !problem.example.is_empty() && line.contains(&format!("\"{}\"", problem.example));
    let line = text.lines().position(|line| here(&line)).map_or(String::new(), |at| format!(":{}", at + 1));
    Failed::new(PROBLEMS, format!("{file}{line}: {}", problem.says)).help(problem.help)
}
