//! What people are told of a run where they work: in a comment on its pull request, and beside its commit.
//!
//! The text is made anew each time from what is on record, and the same record makes the same text. Everything that is quoted
//! comes from outside: it is shown as code or escaped, so that it mentions nobody, links nowhere and commands nothing.

use std::fmt::Write;

use crate::{
    harmless::{harmless, short},
    markdown::{code, escaped},
};

/// Most characters of a line of evidence, a sentence or the names of jobs.
const QUOTED: usize = 300;
/// Most characters of a heading.
const TITLE: usize = 120;

/// How it stands with a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was decided, and nothing has been done yet.
    Waits,
    /// A person is asked.
    Asks,
    /// What was decided is under way.
    UnderWay,
    /// It worked.
    Healed,
    /// It did not work.
    RolledBack,
    /// It did not work, and could not be taken back.
    Stuck,
    /// What could be done was said, and not done.
    Suggested,
    /// Nothing was done.
    LeftAlone,
}

impl Standing {
    /// In a few words. A healed run never reads like one that was green at once.
    pub const fn headline(self) -> &'static str {
        match self {
            Standing::Waits => "not healed yet",
            Standing::Asks => "a person's word is waited for",
            Standing::UnderWay => "being healed",
            Standing::Healed => "healed, not plain green",
            Standing::RolledBack => "tried, not healed",
            Standing::Stuck => "stuck, a person must look",
            Standing::Suggested => "not healed, left to people",
            Standing::LeftAlone => "left alone",
        }
    }

    const fn came_of_it(self) -> &'static str {
        match self {
            Standing::Waits => "nothing has been done yet",
            Standing::Asks => "nothing is done before somebody says so, within 24 hours",
            Standing::UnderWay => "the jobs that failed run again; what comes of it will stand here",
            Standing::Healed => {
                "every job that had failed ended well when it ran again. It failed before that for the reason above, which may \
                 come back: this run is healed, not plain green"
            }
            Standing::RolledBack => "it did not help or was taken back, and nothing more is done by itself",
            Standing::Stuck => "it could not be taken back: a person must look at it",
            Standing::Suggested | Standing::LeftAlone => "nothing was done",
        }
    }
}

/// An earlier attempt of the same run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Which, from 1.
    pub attempt: u32,
    /// Id of its failure's class.
    pub class: String,
    /// How it stands with it.
    pub standing: Standing,
}

/// Everything that is told of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told<'a> {
    /// The latest attempt that is on record, from 1.
    pub attempt: u32,
    /// The jobs that failed in it.
    pub jobs: &'a [String],
    /// Whose fault it is, in a word.
    pub verdict: &'a str,
    /// Id of the class.
    pub class: &'a str,
    /// Id of the pattern that decided.
    pub pattern: Option<&'a str>,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Why, in a sentence.
    pub reason: &'a str,
    /// The line that says so most.
    pub evidence: Option<&'a str>,
    /// How it stands.
    pub standing: Standing,
    /// What would be done, or is.
    pub playbook: Option<&'a str>,
    /// Why it is not done by itself, in a sentence.
    pub because: Option<&'a str>,
    /// Who said yes (`true`) or no.
    pub word: Option<(&'a str, bool)>,
    /// What was checked in the end, in a sentence.
    pub checked: Option<&'a str>,
    /// Earlier attempts, the latest first.
    pub earlier: &'a [Earlier],
    /// The incident's id.
    pub incident: &'a str,
    /// Whether commands in comments are obeyed there.
    pub commands: bool,
}

impl Told<'_> {
    /// A heading, as plain text.
    pub fn title(&self) -> String {
        short(&format!("{}: {}", harmless(self.class), self.standing.headline()), TITLE)
    }

    /// The text, in Markdown.
    pub fn body(&self) -> String {
        let sentence = |text: &str| escaped(&short(&harmless(text.trim_end_matches('.')), QUOTED));
        let quoted = |text: &str| code(&short(&harmless(text), QUOTED));
        let jobs = match self.jobs {
            [] => "A job".to_owned(),
            [one] => quoted(one),
            several => format!("{} ({} jobs)", quoted(&several.join(", ")), several.len()),
        };
        let by = self.pattern.map_or(String::new(), |pattern| format!(", by {}", quoted(pattern)));
        let mut text = format!(
            "**Regreen: {}**\n\n{jobs} failed in attempt {}: **{}: {}** (confidence {:.2}{by}). {}.\n",
            self.standing.headline(),
            self.attempt,
            sentence(self.verdict),
            sentence(self.class),
            self.confidence,
            sentence(self.reason)
        );
        if let Some(line) = self.evidence.filter(|line| !line.trim().is_empty()) {
            let _infallible = write!(text, "\n> {}\n", quoted(line.trim()));
        }
        let _infallible = write!(text, "\n- Decided: {}", self.decided(quoted));
        if let Some(because) = self.because {
            let _infallible = write!(text, ", because {}", sentence(because));
        }
        if let Some((who, yes)) = self.word {
            let _infallible = write!(text, "; {} said {}", quoted(who), if yes { "yes" } else { "no" });
        }
        let _infallible = write!(text, ".\n- Came of it: {}", self.standing.came_of_it());
        // Of what is healed it says the same once more.
        if let Some(checked) = self.checked.filter(|_| self.standing != Standing::Healed) {
            let _infallible = write!(text, " ({})", sentence(checked));
        }
        text.push_str(".\n");
        for Earlier { attempt, class, standing } in self.earlier {
            let (class, headline) = (sentence(class), standing.headline());
            let _infallible = writeln!(text, "- Attempt {attempt} before it: {class}, {headline}.");
        }
        text.push_str(&self.how_to_act());
        text
    }

    fn decided(&self, quoted: impl Fn(&str) -> String) -> String {
        match (self.playbook, self.standing) {
            (
                Some(playbook),
                Standing::Waits
                | Standing::UnderWay
                | Standing::Healed
                | Standing::RolledBack
                | Standing::Stuck,
            ) => format!("to act by the playbook {}", quoted(playbook)),
            (Some(playbook), Standing::Asks | Standing::Suggested) => {
                format!("to act by the playbook {} only if a person wants it", quoted(playbook))
            }
            _ => "to do nothing".to_owned(),
        }
    }

    fn how_to_act(&self) -> String {
        let id = harmless(self.incident).replace('`', "");
        let asks = self.standing == Standing::Asks;
        if !self.commands {
            let more = if asks { "; `regreen approve` or `regreen deny` answers" } else { "" };
            return format!(
                "\nIncident `{id}`: `regreen incidents show {id}` shows all of it, where the fleet's ledger is{more}.\n"
            );
        }
        let mut text = format!(
            "\nIncident `{id}`. Who may change this repository can act by a comment that begins with one of these:\n\n"
        );
        let commands: &[&str] = match self.standing {
            Standing::Asks => &["approve", "deny"],
            Standing::UnderWay => &["rollback"],
            _ => &[],
        };
        for command in commands {
            let _infallible = writeln!(text, "    /regreen {command} {id}");
        }
        text.push_str("    /regreen explain\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(standing: Standing) -> Told<'static> {
        Told {
            attempt: 1,
            jobs: &[],
            verdict: "infrastructure",
            class: "network-timeout",
            pattern: None,
            confidence: 0.97,
            reason: "The registry did not answer.",
            evidence: None,
            standing,
            playbook: Some("rerun-failed-jobs"),
            because: None,
            word: None,
            checked: None,
            earlier: &[],
            incident: "4d-1-0a1b2c3d",
            commands: true,
        }
    }

    #[test]
    fn it_says_what_failed_what_was_done_and_what_came_of_it() {
        let jobs = ["build".to_owned()];
        let earlier = [Earlier { attempt: 1, class: "disk-full".to_owned(), standing: Standing::RolledBack }];
        let told = Told {
            attempt: 2,
            jobs: &jobs,
            pattern: Some("npm-econnreset"),
            evidence: Some("npm error code ECONNRESET"),
            word: Some(("github:ann", true)),
            checked: Some("every failed job ended well in the next attempt"),
            earlier: &earlier,
            ..told(Standing::Healed)
        };
        assert_eq!(told.title(), "network-timeout: healed, not plain green");
        let body = told.body();
        for part in [
            "**Regreen: healed, not plain green**",
            "`build` failed in attempt 2: **infrastructure: network-timeout** (confidence 0.97, by `npm-econnreset`). The \
             registry did not answer.",
            "> `npm error code ECONNRESET`",
            "- Decided: to act by the playbook `rerun-failed-jobs`; `github:ann` said yes.",
            "this run is healed, not plain green.",
            "- Attempt 1 before it: disk-full, tried, not healed.",
            "    /regreen explain",
        ] {
            assert!(body.contains(part), "{part}\n\n{body}");
        }
        assert!(!body.contains("approve") && !body.contains("rollback"), "{body}");
    }

    #[test]
    fn only_what_can_be_said_now_is_offered() {
        for (standing, offered) in [
            (Standing::Asks, &["approve", "deny", "explain"][..]),
            (Standing::UnderWay, &["rollback", "explain"]),
            (Standing::Suggested, &["explain"]),
        ] {
            let body = told(standing).body();
            for command in ["approve", "deny", "rollback", "explain"] {
                let there = body.contains(&format!("    /regreen {command}"));
                assert_eq!(there, offered.contains(&command), "{standing:?} {command}");
            }
        }
        let body = Told { commands: false, ..told(Standing::Asks) }.body();
        assert!(!body.contains("/regreen") && body.contains("`regreen approve`"), "{body}");
    }

    #[test]
    fn what_is_quoted_mentions_nobody_and_stays_on_its_line() {
        let jobs = ["`x`\n/close\n    /regreen approve 1 @all".to_owned()];
        let told = Told {
            jobs: &jobs,
            reason: "@team see https://evil.example\n/regreen approve",
            evidence: Some("a ``` b\n\n/regreen approve\n<img src=x>\u{202e} @all"),
            checked: Some("<!-- regreen-at 9 -->"),
            because: Some("![x](https://evil.example)"),
            word: Some(("x`\n/assign @me", false)),
            incident: "1`\n/regreen approve 2",
            ..told(Standing::LeftAlone)
        };
        let body = told.body();
        let commands: Vec<&str> = body.lines().filter(|line| line.trim().starts_with('/')).collect();
        assert_eq!(commands, ["    /regreen explain"], "{body}");
        assert!(body.contains("\\@&#8203;team see https:&#8203;//evil.example"), "{body}");
        assert!(body.contains("\\<\\!-- regreen-at 9 --\\>") && !body.contains('\u{202e}'), "{body}");
        assert!(body.contains("> ```` a ``` b") || body.contains("> ````a ``` b"), "{body}");
    }
}
