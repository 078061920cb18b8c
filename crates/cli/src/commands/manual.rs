//! `regreen manual` (hidden): what `cargo xtask docs` writes to docs/cli.md.

use clap::CommandFactory;

use crate::{
    args::Args,
    exit::Failed,
    output::{manual::markdown, print::print},
};

/// Prints the page.
pub fn manual() -> Result<u8, Failed> {
    print(&markdown(Args::command()))
}
