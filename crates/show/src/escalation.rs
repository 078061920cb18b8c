//! What an issue says about a failure that people must see: what it is, where it was met, what was tried, what to do.
//!
//! One issue stands for one fingerprint, so its text is made anew from all that is known each time, and the same facts
//! make the same text: who compares it with what stands there sends nothing for nothing.

use std::fmt::Write;

use crate::{
    Diagnosed,
    harmless::{harmless, short},
    markdown::{code, escaped, section},
};

/// So many places are listed; the issue says how many more there are.
const LISTED: usize = 20;
/// Most characters of a body. GitHub takes 65,536 (its answer to a longer one: "body is too long").
const LONGEST: usize = 60_000;
/// Most characters of a title. GitHub takes 256, GitLab 255.
const TITLE: usize = 120;

/// A job that met the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence<'a> {
    /// Whose job.
    pub repository: &'a str,
    /// Its name.
    pub job: &'a str,
    /// Its page; only `https` addresses, and `http` ones of this machine, become a link.
    pub url: Option<&'a str>,
    /// When, as it is to be shown.
    pub when: &'a str,
    /// What came of it, in the words of an outcome.
    pub outcome: &'a str,
    /// The incident's id.
    pub incident: &'a str,
}

/// Something that was tried, or the reason why nothing was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried<'a> {
    /// The playbook.
    pub playbook: &'a str,
    /// What came of it.
    pub outcome: &'a str,
    /// One sentence, where there is one.
    pub why: Option<&'a str>,
}

/// Everything that the issue is made of.
#[derive(Debug)]
pub struct Escalation<'a, 'c> {
    /// What it is, by the latest log.
    pub of: &'a Diagnosed<'c>,
    /// Who met it, the latest first.
    pub met: &'a [Occurrence<'a>],
    /// How many more met it.
    pub more: usize,
    /// What was tried.
    pub tried: &'a [Tried<'a>],
    /// Why nothing (more) is done by itself, in one sentence.
    pub because: &'a str,
}

impl Escalation<'_, '_> {
    /// The title: the class and the pattern, so that a list of issues can be read.
    pub fn title(&self) -> String {
        let tool = self.of.diagnosis.tool.as_ref().map_or(String::new(), |tool| format!(" of {tool}"));
        short(&format!("CI: {}{tool}: {}", self.of.diagnosis.class, self.of.rule()), TITLE)
    }

    /// The text, in Markdown.
    pub fn body(&self) -> String {
        let sentence = |text: &str| escaped(&harmless(text));
        let mut text = section(self.of);
        let _infallible = write!(text, "#### Where\n\n");
        for met in self.met.iter().take(LISTED) {
            let job = match met.url.filter(|url| linkable(url)) {
                Some(url) => format!("[{}]({url})", sentence(met.job)),
                None => code(met.job),
            };
            let _infallible = writeln!(
                text,
                "- {} {}, {job}: {} (incident {})",
                sentence(met.when),
                code(met.repository),
                sentence(met.outcome),
                code(met.incident)
            );
        }
        let more = self.more + self.met.len().saturating_sub(LISTED);
        if more > 0 {
            let _infallible = writeln!(text, "- and {more} more");
        }
        let _infallible = write!(text, "\n#### What was tried\n\n");
        for tried in self.tried {
            let why = tried.why.map_or(String::new(), |why| format!(": {}", sentence(why)));
            let _infallible = writeln!(text, "- {}: {}{why}", code(tried.playbook), sentence(tried.outcome));
        }
        if self.tried.is_empty() {
            text.push_str("- nothing\n");
        }
        let _infallible =
            write!(text, "\n{}.\n\n#### How to act\n\n", sentence(self.because.trim_end_matches('.')));
        if let Some(met) = self.met.first() {
            let incident = code(met.incident);
            let _infallible = write!(
                text,
                "- `regreen incidents show` {incident} shows the evidence and the journal, where the fleet's ledger is\n\
                 - `regreen pause --fleet --repository` {} stops all healing here\n\
                 - is the cause another one? `regreen feedback` {incident} teaches it\n",
                code(met.repository)
            );
        }
        text.push_str("\nThis issue is kept up to date, and closed when the same jobs are green again on the same branch.\n");
        cut(text)
    }
}

/// What the one issue about a service that is down is made of.
#[derive(Debug, Clone, Copy)]
pub struct OutageIssue<'a> {
    /// The service's host.
    pub service: &'a str,
    /// Id of the class as which it was noticed.
    pub class: &'a str,
    /// Since when, as it is to be shown.
    pub since: &'a str,
    /// Repositories that met it, in order.
    pub repositories: &'a [&'a str],
}

impl OutageIssue<'_> {
    /// The title.
    pub fn title(&self) -> String {
        short(&format!("CI: {} is down ({})", harmless(self.service), harmless(self.class)), TITLE)
    }

    /// The text, in Markdown.
    pub fn body(&self) -> String {
        let OutageIssue { service, class, since, repositories } = *self;
        let mut text = format!(
            "Jobs of {} repositories could not use {} ({}), since {}. It is no fault of theirs.\n\n\
             Runs that failed for that alone wait, and go one by one when it is back; so there is nothing to be done about \
             them. Where it is a service of your own, look at it; where it is somebody else's, at its status page.\n\n\
             #### Where\n\n",
            repositories.len(),
            code(service),
            escaped(&harmless(class)),
            escaped(&harmless(since))
        );
        for name in repositories.iter().take(LISTED) {
            let _infallible = writeln!(text, "- {}", code(name));
        }
        if repositories.len() > LISTED {
            let _infallible = writeln!(text, "- and {} more", repositories.len() - LISTED);
        }
        text.push_str("\nThis issue is kept up to date, and closed when the service is back.\n");
        cut(text)
    }
}

/// An address that may become a link: nothing in it ends the link or starts a script.
fn linkable(url: &str) -> bool {
    let here = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"];
    let known = url.starts_with("https://") || here.iter().any(|start| url.starts_with(start));
    known && url.len() <= 2000 && url.bytes().all(|b| b.is_ascii_graphic() && !b"()<>\\\"'`|".contains(&b))
}

/// At most [`LONGEST`] characters. What is quoted of a log comes first and is short, so no fence is cut open.
fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((at, _)) => format!("{}\n\n(cut: it was longer)\n", &text[..at]),
    }
}

#[cfg(test)]
mod tests {
    use super::linkable;

    #[test]
    fn only_a_plain_web_address_is_a_link() {
        assert!(linkable("https://github.com/a/b/actions/runs/1/job/2"));
        assert!(linkable("http://127.0.0.1:8080/a/b"));
        for url in [
            "javascript:alert(1)",
            "http://github.com/a",
            "https://x) [y](z",
            "https://a b",
            "https://a\n",
            "",
        ] {
            assert!(!linkable(url), "{url}");
        }
    }
}
