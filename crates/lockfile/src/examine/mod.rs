//! Everything that an examiner can say of a lockfile: of its text alone, of where its packages come from, of its
//! manifest, and of what became of an older version of it.

mod changes;
mod rule;
mod sources;
mod version;

pub use changes::examine_changes;
pub use rule::{Rule, Severity};
pub use sources::AllowedHost;

use crate::{Agreement, Damage, Format, Lockfile, Problem, check, parse};

/// One finding. Lines and columns count from 1, columns in Unicode scalars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked for.
    pub rule: Rule,
    /// What it weighs; a rule's own weight, or more where the configuration says so.
    pub severity: Severity,
    /// The line it points to.
    pub line: u64,
    /// The column, where one can be told.
    pub column: Option<u64>,
    /// A sentence for people. Names and versions in it are as the lockfile has them: they are text from outside. No
    /// URL is ever in it.
    pub message: String,
}

/// A lockfile with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// What it holds; `None` where it can't be read.
    pub lockfile: Option<Lockfile>,
    /// What was found, by line.
    pub findings: Vec<Finding>,
}

/// Reads a lockfile and says everything that its own text tells. With a list of `allowed` hosts, any other host than
/// those and the tool's default registry is an error; without one it is a note.
pub fn examine(format: Format, bytes: &[u8], allowed: Option<&[AllowedHost]>) -> Examined {
    let lockfile = match parse(format, bytes) {
        Ok(lockfile) => lockfile,
        Err(damage) => return Examined { lockfile: None, findings: vec![of_damage(&damage)] },
    };
    let mut findings: Vec<Finding> = check::problems(&lockfile).iter().map(of_problem).collect();
    findings.extend(sources::findings(&lockfile, allowed));
    findings.sort_by_key(|f| f.line);
    Examined { lockfile: Some(lockfile), findings }
}

/// What a comparison with the manifest gave, as findings; nothing where the two agree or were not compared.
pub fn examine_agreement(agreement: &Agreement) -> Vec<Finding> {
    match agreement {
        Agreement::Drift(reasons) => {
            reasons.iter().map(|reason| Finding::new(Rule::ManifestDrift, 1, reason.clone())).collect()
        }
        Agreement::Agrees | Agreement::NotChecked(_) => Vec::new(),
    }
}

impl Finding {
    pub(crate) fn new(rule: Rule, line: u64, message: impl Into<String>) -> Finding {
        Finding { rule, severity: rule.severity(), line, column: None, message: message.into() }
    }
}

fn of_problem(problem: &Problem) -> Finding {
    match problem {
        Problem::Damage(damage) => of_damage(damage),
        Problem::WeakChecksum { line, .. } => Finding::new(Rule::WeakChecksum, *line, said(problem)),
        Problem::NoChecksum { line, .. } => Finding::new(Rule::NoChecksum, *line, said(problem)),
    }
}

fn of_damage(damage: &Damage) -> Finding {
    let rule = match damage {
        Damage::ConflictMarkers { .. } => Rule::ConflictMarkers,
        Damage::Unparsable { .. } => Rule::Unparsable,
        Damage::Truncated { .. } => Rule::Truncated,
        Damage::BadChecksum { .. } => Rule::BadChecksum,
        Damage::DuplicateEntry { .. } => Rule::DuplicateEntry,
        Damage::MissingEntry { .. } => Rule::MissingEntry,
        Damage::Empty => Rule::Empty,
        Damage::NotText { .. } => Rule::NotText,
        Damage::Unsupported { .. } => Rule::Unsupported,
    };
    let column = match damage {
        Damage::Unparsable { column, .. } => Some(*column),
        _ => None,
    };
    Finding { column, ..Finding::new(rule, damage.line(), said(damage)) }
}

/// The sentence without the line in front of it.
fn said(of: &impl ToString) -> String {
    let whole = of.to_string();
    match whole.split_once(": ") {
        Some((place, words)) if place.starts_with("line ") => words.to_owned(),
        _ => whole,
    }
}
