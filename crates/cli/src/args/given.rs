//! How an argument came: a flag that says what holds anyway is a flag all the same.

use std::collections::BTreeMap;

use clap::{ArgMatches, Command, parser::ValueSource};

/// Flags and variables that were given, by the long name of the flag.
#[derive(Debug, Clone, Default)]
pub struct Given(BTreeMap<String, String>);

impl Given {
    /// Of the command that was typed.
    pub fn of(program: &Command, matches: &ArgMatches) -> Given {
        let Some((name, matches)) = matches.subcommand() else { return Given::default() };
        let arguments = program.find_subcommand(name).into_iter().flat_map(Command::get_arguments);
        let given = arguments.filter_map(|of| {
            let (flag, id) = (of.get_long()?, of.get_id().as_str());
            let how = match (matches.value_source(id), of.get_env()) {
                (Some(ValueSource::CommandLine), _) => format!("flag --{flag}"),
                (Some(ValueSource::EnvVariable), Some(name)) => {
                    format!("variable {}", name.to_string_lossy())
                }
                _ => return None,
            };
            Some((flag.to_owned(), how))
        });
        Given(given.collect())
    }

    /// By what the value of this flag was given; `None` where it was not.
    pub fn how(&self, flag: &str) -> Option<&str> {
        self.0.get(flag).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Args;

    #[test]
    fn what_was_typed_is_told_from_what_holds_anyway() {
        let typed = ["regreen", "serve", "--listen", "127.0.0.1:8787", "--read-here", "--lease=1m"];
        let given = Given::of(&Args::command(), &Args::command().get_matches_from(typed));
        for (flag, how) in [
            ("listen", Some("flag --listen")),
            ("read-here", Some("flag --read-here")),
            ("lease", Some("flag --lease")),
            ("no-work", None),
            ("at-once", None),
            ("watch", None),
        ] {
            assert_eq!(given.how(flag), how, "{flag}");
        }
    }
}
