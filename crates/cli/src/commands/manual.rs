//! `regreen manual` (hidden): what `cargo xtask docs` writes to docs/cli.md, and makes docs/api-reference.md from; and the man
//! pages that packages carry.

use std::path::Path;

use clap::{Command, CommandFactory};

use crate::{
    args::Args,
    exit::{BUG, FINE, Failed, NOTHING_TO_READ},
    output::{manual::markdown, print::print},
};

/// Prints the page.
pub fn manual() -> Result<u8, Failed> {
    print(&markdown(Args::command()))
}

/// Prints what the JSON API says of itself.
pub fn api() -> Result<u8, Failed> {
    let description = regreen_server::description().map_err(|e| Failed::new(BUG, e))?;
    print(&format!("{description:#}\n"))
}

/// Writes `regreen.1` and a page for each command into a folder.
pub fn man(folder: &Path) -> Result<u8, Failed> {
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        let mut command = Args::command().disable_help_subcommand(true);
        command.build();
        clap_mangen::generate_to(with_usage(command), folder)
    });
    written.map_err(|e| Failed::new(NOTHING_TO_READ, format!("{}: {e}", folder.display())))?;
    Ok(FINE)
}

/// The usage as `--help` says it, for each command: a page's own would leave out the options' values and the `--` before a command.
fn with_usage(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    command.mut_subcommands(with_usage).override_usage(usage.trim_start_matches("Usage: ").to_owned())
}
