//! What can be typed about drafts of patterns: `patterns new`, `patterns suggest`.

use std::path::PathBuf;

use clap::{Parser, builder::NonEmptyStringValueParser, value_parser};
use regreen_domain::FailureClass;

use super::{WhichLedger, WhichPatterns, which::beside_the_fleet};

/// Arguments of `patterns new`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen patterns new build.log > widget-registry-away.toml\n  \
                  regreen patterns new build.log --line 812 --output .regreen/patterns/widget-away.toml\n\n\
                  The line is the one that a diagnosis takes for the cause, unless --line names another. Numbers,\n\
                  paths, hosts, hashes and versions in it are left open; secrets are masked. What a person has to\n\
                  say stands as FILL IN. Exit code: 0 the draft proves itself (as `patterns test` says), 18 it does not yet.")]
pub struct NewArgs {
    /// The log: a file, or `-` for standard input
    #[arg(value_name = "LOG")]
    pub log: PathBuf,
    /// The line that is the cause, counted from 1
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u64).range(1..))]
    pub line: Option<u64>,
    /// What it means (default: as it is diagnosed)
    #[arg(long, value_parser = class)]
    pub class: Option<FailureClass>,
    /// The pattern's id (default: the output's name, or words of the line)
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub id: Option<String>,
    /// Write it to this file, which must not be there yet (default: standard output)
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub which: WhichPatterns,
}

/// Arguments of `patterns suggest`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen patterns suggest logs/\n  regreen patterns suggest 'runs/**/*.log.gz' --output drafts/\n  \
                  regreen patterns suggest               from the incidents on record in this workspace\n\n\
                  Failures that no signature names are grouped by the template of their lines; each template that\n\
                  stands in two logs or more becomes a draft with its examples, masked, the most frequent first."
)]
pub struct SuggestArgs {
    /// Logs to read: files, folders, patterns such as 'logs/*.log'; without any, the ledger of this workspace
    #[arg(value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// In how many logs a template must stand
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = value_parser!(u32).range(1..))]
    pub least: u32,
    /// Write each draft to a file in this folder; none that is there is overwritten (default: standard output)
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub which: WhichPatterns,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// A class that a pattern can have.
fn class(text: &str) -> Result<FailureClass, String> {
    FailureClass::parse(text).filter(|class| *class != FailureClass::Unknown).ok_or_else(|| {
        let known: Vec<&str> =
            FailureClass::ALL.map(FailureClass::id).into_iter().filter(|id| *id != "unknown").collect();
        format!("use one of {}", known.join(", "))
    })
}

/// Arguments of `patterns accept`.
#[derive(Debug, Parser)]
#[command(mut_arg("ledger", beside_the_fleet))]
#[command(after_help = "Examples:\n  regreen patterns accept drafts/widget-registry-away.toml\n  \
                  regreen patterns accept widget-registry-away.toml --ledger postgres://regreen@db/regreen\n  \
                  regreen patterns accept widget-registry-away.toml --config /etc/regreen/config.toml\n\n\
                  Every node of `regreen serve` and `regreen worker` beside this ledger names such failures by it from\n\
                  then on, where none of the program's own patterns speaks. It only names: nothing is ever healed by it.\n\
                  The dashboard's *Patterns* does the same with a form.\n\
                  Exit code: 0 it stands, 18 it is invalid, does not prove itself or can't stand, 3 it can't be read.")]
pub struct AcceptArgs {
    /// The completed draft, named after its id
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub at: WhichLedger,
    /// The operator's configuration (default: regreen/config.toml in the user's configuration folder); as for `serve`, the
    /// patterns that it names, or REGREEN_PATTERNS, are known beside this one
    #[arg(long, value_name = "FILE", env = "REGREEN_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Arguments of `patterns take-back`.
#[derive(Debug, Parser)]
#[command(mut_arg("ledger", beside_the_fleet))]
#[command(
    after_help = "Example:\n  regreen patterns take-back widget-registry-away\n\nWhat it named stays on record."
)]
pub struct TakeBackArgs {
    /// Its id
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub id: String,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// Arguments of `patterns import`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen patterns import build-failure-analyzer.xml --output drafts/\n  \
                  regreen patterns import ruleset.toml\n\n\
                  Read are the XML and JSON of Jenkins' Build Failure Analyzer, and TOML with [[rule]] tables that\n\
                  have name and pattern, as PyTorch's test-infra has. A rule whose expression Regreen's engine\n\
                  can't do as it was meant (look-around, back-references, possessive quantifiers, several lines)\n\
                  is named and skipped.\n\
                  Exit code: 0 every rule is a draft, 18 some were skipped, 4 it is no such file."
)]
pub struct ImportArgs {
    /// The file of rules
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What all of them mean (default: guessed from each rule's words)
    #[arg(long, value_parser = class)]
    pub class: Option<FailureClass>,
    /// Write each draft to a file in this folder; none that is there is overwritten (default: standard output)
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub which: WhichPatterns,
}
