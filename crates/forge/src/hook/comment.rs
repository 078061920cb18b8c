//! Commands in comments: the first line that begins with `/regreen`.

/// What a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Let an incident be healed that waits for a person; the only one that waits, where none is named.
    Approve {
        /// Its id.
        incident: Option<String>,
    },
    /// Don't.
    Deny {
        /// Its id.
        incident: Option<String>,
    },
    /// Look at the latest failure again.
    Retry,
    /// Take back what was done.
    Rollback {
        /// Its id.
        incident: Option<String>,
    },
    /// Do nothing more in this repository.
    Pause,
    /// Say what was found.
    Explain,
}

/// Longest id of an incident, in characters.
const LONGEST_ID: usize = 64;

impl Command {
    /// The stable word.
    pub const fn word(&self) -> &'static str {
        match self {
            Command::Approve { .. } => "approve",
            Command::Deny { .. } => "deny",
            Command::Retry => "retry",
            Command::Rollback { .. } => "rollback",
            Command::Pause => "pause",
            Command::Explain => "explain",
        }
    }
}

impl Command {
    /// The incident that it names.
    pub fn incident(&self) -> Option<&str> {
        match self {
            Command::Approve { incident } | Command::Deny { incident } | Command::Rollback { incident } => {
                incident.as_deref()
            }
            Command::Retry | Command::Pause | Command::Explain => None,
        }
    }

    /// The command with this word, about this incident; `None` where there is none such.
    pub fn from_words(word: &str, incident: Option<String>) -> Option<Command> {
        match (word, incident) {
            ("approve", incident) => Some(Command::Approve { incident }),
            ("deny", incident) => Some(Command::Deny { incident }),
            ("rollback", incident) => Some(Command::Rollback { incident }),
            ("retry", None) => Some(Command::Retry),
            ("pause", None) => Some(Command::Pause),
            ("explain", None) => Some(Command::Explain),
            _ => None,
        }
    }
}

/// The command in a comment: `None` where there is none, an error where it is not one.
///
/// Quoted lines don't begin with the word, and what stands in a block of code is an example.
pub(super) fn command(body: &str) -> Option<Result<Command, &'static str>> {
    let mut code: Option<&str> = None;
    for line in body.lines() {
        let line = line.trim_end();
        let fence = ["```", "~~~"].into_iter().find(|fence| line.trim_start().starts_with(fence));
        match (code, fence) {
            (None, Some(fence)) => code = Some(fence),
            (Some(open), Some(fence)) if open == fence => code = None,
            (Some(_), _) => {}
            (None, None) => {
                let rest = line.strip_prefix("/regreen");
                if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) {
                    return Some(read(rest));
                }
            }
        }
    }
    None
}

fn read(rest: &str) -> Result<Command, &'static str> {
    const HELP: &str = "say one of: approve, deny, retry, rollback, pause, explain";
    let mut words = rest.split_whitespace();
    let word = words.next().ok_or(HELP)?;
    let incident = words.next().map(|id| {
        let fits = id.len() <= LONGEST_ID && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits { Ok(id.to_owned()) } else { Err("this is no id of an incident") }
    });
    let incident = incident.transpose()?;
    if words.next().is_some() {
        return Err("nothing may follow the id of the incident");
    }
    let alone = incident.is_some() && matches!(word, "retry" | "pause" | "explain");
    Command::from_words(word, incident).ok_or(if alone { "nothing may follow this word" } else { HELP })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_a_line_of_their_own() {
        let id = Some("0193ab-1f-1".to_owned());
        for (body, want) in [
            ("/regreen approve", Command::Approve { incident: None }),
            ("/regreen approve 0193ab-1f-1", Command::Approve { incident: id.clone() }),
            ("thanks!\r\n/regreen deny 0193ab-1f-1  \r\n", Command::Deny { incident: id.clone() }),
            ("/regreen rollback 0193ab-1f-1", Command::Rollback { incident: id }),
            ("/regreen\tretry", Command::Retry),
            ("/regreen pause\n/regreen retry", Command::Pause),
            ("```\n/regreen pause\n```\n/regreen explain", Command::Explain),
        ] {
            assert_eq!(command(body), Some(Ok(want)), "{body}");
        }
    }

    #[test]
    fn quotes_examples_and_other_words_are_no_commands() {
        for body in [
            "",
            "> /regreen approve",
            "please /regreen approve",
            "`/regreen approve`",
            "    /regreen approve",
            "/regreens approve",
            "/REGREEN approve",
            "~~~\n/regreen approve\n```\n/regreen approve\n~~~",
            "```\n/regreen approve",
        ] {
            assert_eq!(command(body), None, "{body}");
        }
    }

    #[test]
    fn what_is_no_command_is_said() {
        for body in
            ["/regreen", "/regreen heal", "/regreen retry now", "/regreen approve a b", "/regreen deny ../x"]
        {
            assert!(matches!(command(body), Some(Err(_))), "{body}");
        }
    }
}
