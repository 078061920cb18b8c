//! What can be typed about what Regreen knows: `patterns`, `playbooks`, `explain`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::{AcceptArgs, Format, ImportArgs, NewArgs, SuggestArgs, TakeBackArgs};

/// Where somebody's own patterns are.
#[derive(Debug, Clone, Default, Parser)]
pub struct OwnPatterns {
    /// A folder of your own patterns, beside the built-in ones and those in the repository's .regreen/patterns (default:
    /// `patterns` in the operator's configuration)
    #[arg(long, value_name = "DIR", env = "REGREEN_PATTERNS")]
    pub patterns: Option<PathBuf>,
}

/// Where somebody's own patterns are, and the file that says so where nothing else does.
#[derive(Debug, Clone, Default, Parser)]
pub struct WhichPatterns {
    #[command(flatten)]
    pub own: OwnPatterns,
    /// The operator's configuration (default: regreen/config.toml in the user's configuration folder)
    #[arg(long, value_name = "FILE", env = "REGREEN_CONFIG")]
    pub config: Option<PathBuf>,
}

/// What `playbooks` does.
#[derive(Debug, Subcommand)]
pub enum Playbooks {
    /// Every playbook with its risk
    #[command(after_help = "Example:\n  regreen playbooks list --format json")]
    List {
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
    },
    /// Rehearse playbooks without a world: what they declare of themselves, and the laws of every recovery
    ///
    /// Every step is played by a stand-in that is undone and resumed as its kind is. Played are the decisions that the
    /// policy must take, what must be left where a step breaks, and at every step and every crash point: broken anywhere
    /// it is as before, killed anywhere it comes to the same end, every undo can be repeated, nothing is touched before
    /// it is on record, and a journal that refuses turns the run back. Nothing outside is looked at or changed.
    #[command(
        after_help = "Examples:\n  regreen playbooks rehearse\n  regreen playbooks rehearse repair-lockfile --full\n\n\
                            Exit code: 0 all of it holds, 18 something does not, 3 there is no such playbook,\n\
                            4 one of the operator's own can't be used and was left out."
    )]
    Rehearse {
        /// Ids of playbooks (default: all)
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// Also a second crash during recovery, and every combination of steps that conditions leave out
        #[arg(long)]
        full: bool,
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
    },
    /// Print the JSON schema of a playbook file, for editors
    #[command(after_help = "Example:\n  regreen playbooks schema > playbook.schema.json")]
    Schema,
    /// What a playbook heals, by which steps, and how far it may go
    #[command(after_help = "Example:\n  regreen playbooks show repair-lockfile")]
    Show {
        /// Its id
        id: String,
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
    },
}

/// What `patterns` does.
#[derive(Debug, Subcommand)]
pub enum Patterns {
    /// Every pattern with its class
    #[command(
        after_help = "Examples:\n  regreen patterns list --format json\n  regreen patterns list --patterns /etc/regreen/patterns\n\n\
                            The source of a pattern says how far it is believed: built-in; operator, from a folder outside the\n\
                            checkout; repository, from .regreen/patterns of the trusted commit, which never leads to a healing.\n\
                            Exit code: 0 all of them can be used, 4 one can't and was left out."
    )]
    List {
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
        #[command(flatten)]
        which: WhichPatterns,
    },
    /// What a pattern looks for, what it means, and how often it was right
    #[command(after_help = "Example:\n  regreen patterns show npm-lockfile-unreadable")]
    Show {
        /// Its id
        id: String,
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
        #[command(flatten)]
        which: WhichPatterns,
    },
    /// Prove pattern files: by their own examples and counterexamples, and against every other pattern
    #[command(
        after_help = "Examples:\n  regreen patterns test .regreen/patterns/*.toml\n  regreen patterns test catalog/patterns/network-timeout/my-pattern.toml\n\n\
                            A file below catalog/patterns takes the place of the built-in pattern with the same\n\
                            id. Exit code: 0 all of it holds, 18 something does not, 4 a file is invalid, 3 a file can't be read."
    )]
    Test {
        /// Pattern files, named after their ids; a folder that is named after a class must be theirs
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        which: WhichPatterns,
    },
    /// Draft a pattern from the log of a failure
    New(NewArgs),
    /// Draft patterns for failures that recur and that no signature names
    Suggest(SuggestArgs),
    /// Draft patterns from the rules of other tools
    Import(ImportArgs),
    /// Accept a completed draft beside a fleet: it names such failures on every node
    Accept(AcceptArgs),
    /// Take an accepted pattern back
    TakeBack(TakeBackArgs),
    /// Print the JSON schema of a pattern file, for editors
    #[command(after_help = "Example:\n  regreen patterns schema > pattern.schema.json")]
    Schema,
}

/// Arguments of `explain`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen explain lockfile-corruption\n  regreen explain not-confirmed\n  regreen explain 14"
)]
pub struct ExplainArgs {
    /// Its id, or an exit code
    pub code: String,
}
