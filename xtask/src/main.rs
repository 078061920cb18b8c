//! Workshop tasks: `cargo xtask tidy | docs [--check] | dist | picture | measure | train | soak`.

mod dist;
mod docs;
mod measure;
mod mentions;
mod messages;
mod pages;
mod picture;
mod soak;
mod tidy;
mod train;

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["docs", rest @ ..] => docs::docs(rest),
        ["dist", rest @ ..] => dist::dist(rest),
        ["picture"] => picture::picture(),
        ["tidy"] => tidy::tidy(),
        ["measure", rest @ ..] => measure::measure(rest),
        ["train", rest @ ..] => train::train(rest),
        ["soak", rest @ ..] => soak::soak(rest),
        _ => Err(
            "usage: cargo xtask tidy | docs [--check] | dist [--binary FILE [--runner PROGRAM]] | picture | measure [--corpus DIR] [--lab FILE] [--write [--new]] | train --corpus DIR [--folds DIR] | soak [SUITE] [--seed N]"
                .to_owned(),
        ),
    };
    match done {
        Ok(said) => {
            print(&said);
            ExitCode::SUCCESS
        }
        Err(why) => {
            print(&format!("error: {why}"));
            ExitCode::FAILURE
        }
    }
}

/// The workshop's own output.
#[expect(clippy::print_stdout, reason = "a task speaks to the person who started it")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}

/// Cargo, as a person would start it.
pub(crate) fn cargo() -> Command {
    as_typed(Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())))
}

/// Without what `cargo run` says of this package: the build script of `ring` listens to it, and all that is linked with that would be
/// compiled anew, and once more afterwards.
pub(crate) fn as_typed(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let is_of_this = |prefix: &str| name.as_encoded_bytes().starts_with(prefix.as_bytes());
        if is_of_this("CARGO_PKG_") || is_of_this("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The repository's top folder. Cargo says at run time where it is: a build folder may have been copied.
pub(crate) fn top() -> std::path::PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    std::path::Path::new(&here).parent().map_or_else(|| ".".into(), Into::into)
}
