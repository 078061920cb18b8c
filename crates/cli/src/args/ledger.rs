//! What can be typed about the ledger as a whole.

use std::path::PathBuf;

use clap::{Subcommand, value_parser};

use super::{Format, WhichLedger};

/// What `ledger` does.
#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Write all of it to one file, while others go on
    #[command(after_help = "Examples:\n  regreen ledger backup regreen.backup.gz\n  \
                            regreen ledger backup fleet.backup.gz --ledger postgres://regreen@db.example/regreen\n\n\
                            The file is as the ledger was at one moment, and goes into SQLite and PostgreSQL alike. Its text\n\
                            is masked as the ledger's is.")]
    Backup {
        /// The file; one that is there is replaced
        file: PathBuf,
        #[command(flatten)]
        at: WhichLedger,
    },
    /// Fill an empty ledger from a backup, all of it or nothing
    #[command(
        after_help = "Example:\n  regreen ledger restore fleet.backup.gz --ledger postgres://regreen@db.example/regreen\n\n\
                            What was in the middle goes on; who worked on it then can write nothing any more. Exit code: 0\n\
                            restored, 3 nothing to read, 14 the ledger is not empty, 18 the file does not add up and nothing\n\
                            of it was restored."
    )]
    Restore {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        at: WhichLedger,
    },
    /// Take out what was over long ago; the audit chain stays whole
    #[command(after_help = "Example:\n  regreen ledger prune --keep-days 365\n\n\
                            Closed and imported incidents with their journals and labels, breaker events, lifted pauses, what\n\
                            done work needed, and the bodies of deliveries. The audit log keeps the digest of each and names\n\
                            what was taken out; that a delivery came, and that its work is done, is kept for good.")]
    Prune {
        /// Keep what was not over so many days ago
        #[arg(long, value_name = "DAYS", value_parser = value_parser!(u32).range(1..=36_500))]
        keep_days: u32,
        #[command(flatten)]
        at: WhichLedger,
    },
    /// Check the schema, the audit chain, every document, and that nothing acknowledged can be lost
    #[command(after_help = "Example:\n  regreen ledger check --head HASH\n\n\
                            Exit code: 0 nothing is wrong, 18 something is.")]
    Check {
        /// A head that was printed earlier
        #[arg(long)]
        head: Option<String>,
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
        #[command(flatten)]
        at: WhichLedger,
    },
}
