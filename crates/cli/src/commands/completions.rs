//! `regreen completions SHELL`.

use clap::CommandFactory;

use crate::{args::Args, exit::Failed, output::print::print};

/// Prints the script that completes the command line.
pub fn completions(shell: clap_complete::Shell) -> Result<u8, Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "regreen", &mut script);
    print(&String::from_utf8_lossy(&script))
}
