//! What `lockfile check` says of one lockfile. Everything in it is masked and harmless.

pub mod json;
pub mod plain;
pub mod repaired;
pub mod sarif;
pub mod watched;

use regreen_lockfile::{Agreement, Finding, Format, Lockfile, Rule, SemanticDiff, Severity};
use regreen_mask::Masker;
use regreen_show::harmless::{harmless, short};

/// Longest excerpt of a line, in characters.
const EXCERPT: usize = 200;

/// A lockfile with what was found in it.
pub struct Checked {
    /// Its path as it was given.
    pub input: String,
    /// Its format.
    pub format: Format,
    /// The version of its format, where it has one.
    pub version: Option<u64>,
    /// How many packages it holds; `None` where it can't be read.
    pub entries: Option<usize>,
    /// What was found, by line.
    pub findings: Vec<Found>,
    /// What the comparison with the manifest gave; `None` where the lockfile can't be read.
    pub agreement: Option<Agreement>,
    /// What changed since another commit, where that was asked.
    pub compared: Option<Compared>,
}

/// One finding and the line that it points to.
pub struct Found {
    /// What was found.
    pub finding: Finding,
    /// The line, without what stands around it; empty where it is blank or must not be shown.
    pub excerpt: String,
}

/// What became of a lockfile since a commit.
pub struct Compared {
    /// The commit, branch or tag as it was typed.
    pub typed: String,
    /// The commit that was compared with.
    pub commit: String,
    /// What changed.
    pub changes: Changes,
}

/// What changed.
pub enum Changes {
    /// The lockfile is new.
    New,
    /// It can't be told, and why.
    Not(String),
    /// What changed, and what was found in that.
    Since(Box<SemanticDiff>, Vec<Finding>),
}

impl Checked {
    /// Masks what is to be shown.
    #[allow(clippy::too_many_arguments, reason = "all that is known of one lockfile; it is called once")]
    pub fn new(
        input: String,
        format: Format,
        lockfile: Option<&Lockfile>,
        text: &str,
        findings: Vec<Finding>,
        agreement: Option<Agreement>,
        compared: Option<Compared>,
        masker: &Masker,
    ) -> Checked {
        let say = |text: &str| harmless(&masker.mask(text));
        let lines: Vec<&str> = text.split('\n').collect();
        let found = |finding: Finding| {
            let at = usize::try_from(finding.line).unwrap_or(usize::MAX).saturating_sub(1);
            // A manifest that disagrees is on no line; what is in a URL stays there.
            let shown = !matches!(finding.rule, Rule::ManifestDrift | Rule::Credentials);
            let line = lines.get(at).filter(|_| shown).map_or("", |line| line.trim());
            let excerpt = short(&say(line), EXCERPT);
            Found { finding: Finding { message: say(&finding.message), ..finding }, excerpt }
        };
        let agreement = agreement.map(|agreement| match agreement {
            Agreement::Agrees => Agreement::Agrees,
            Agreement::Drift(reasons) => Agreement::Drift(reasons.iter().map(|r| say(r)).collect()),
            Agreement::NotChecked(why) => Agreement::NotChecked(say(&why)),
        });
        let compared = compared.map(|of| Compared {
            typed: say(&of.typed),
            changes: match of.changes {
                Changes::Not(why) => Changes::Not(say(&why)),
                changes => changes,
            },
            ..of
        });
        Checked {
            input,
            format,
            version: lockfile.and_then(|l| l.version),
            entries: lockfile.map(|l| l.entries.len()),
            findings: findings.into_iter().map(found).collect(),
            agreement,
            compared,
        }
    }

    /// The weight of the heaviest finding.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|f| f.finding.severity).max()
    }

    /// How many findings have this weight.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|f| f.finding.severity == severity).count()
    }
}
