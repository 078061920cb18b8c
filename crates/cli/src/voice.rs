//! Regreen's own words, on standard error.

use std::{
    ffi::OsStr,
    io::{self, IsTerminal, Write},
    sync::Arc,
};

use owo_colors::{OwoColorize, Style};
use regreen_domain::{Decision, Diagnosis, Refusal, Verdict};
use regreen_engine::{Event, Voice};
use regreen_mask::Masker;
use regreen_show::{Named, advice, harmless::harmless};

use crate::context::Context;

/// Tells a person at a terminal, or a CI log, what happens. Everything is masked and made harmless on its way out.
pub struct Terminal {
    colour: bool,
    masker: Arc<Masker>,
    /// Say the evidence too.
    verbose: bool,
}

impl Terminal {
    /// A voice on standard error.
    pub fn new(context: &Context) -> Self {
        Terminal { colour: context.colour_stderr(), masker: context.masker(), verbose: true }
    }

    fn line(&self, style: Style, mark: &str, text: &str) {
        let text = harmless_lines(&self.masker.mask(text));
        let mark = if self.colour { mark.style(style).to_string() } else { mark.to_owned() };
        say(&format!("{mark} {text}"));
    }

    fn diagnosed(&self, diagnosis: &Diagnosis) {
        if !diagnosis.failed {
            return;
        }
        let verdict = diagnosis.class.verdict();
        let style =
            if verdict == Verdict::Infrastructure { Style::new().yellow() } else { Style::new().red() };
        let sure = format!("{} (confidence {})", diagnosis.class, diagnosis.confidence);
        let what = match verdict {
            Verdict::Infrastructure => format!("the infrastructure failed: {sure}"),
            Verdict::Code => format!("the project's own code failed: {sure}"),
            Verdict::Unknown => "the cause is not known".to_owned(),
        };
        self.line(style, "regreen:", &format!("{what}; {}", harmless(&diagnosis.reason)));
        if self.verbose {
            for evidence in diagnosis.evidence.iter().take(3) {
                self.line(
                    Style::new().dimmed(),
                    "       |",
                    &format!("line {}: {}", evidence.line, harmless(&evidence.text)),
                );
            }
            self.advised(diagnosis);
        }
    }

    /// What a person can look at, where that is all there is to be done.
    fn advised(&self, diagnosis: &Diagnosis) {
        let named = Named { tool: diagnosis.tool.clone(), ..Named::default() };
        let Some(advice) = advice(diagnosis.class, &named) else { return };
        for (n, check) in advice.checks.iter().enumerate() {
            self.line(Style::new(), "       = look:", &format!("{}. {check}", n + 1));
        }
        self.line(Style::new(), "       = whom:", &advice.who);
    }

    fn decided(&self, decision: &Decision) {
        let (because, plan) = match decision {
            Decision::Heal(_) => return,
            Decision::Suggest { plan, because } => (*because, Some(plan)),
            Decision::Nothing { because } => (*because, None),
        };
        let style = Style::new().bold();
        let words = match plan {
            Some(plan) if because != Refusal::ManifestDrift => {
                format!(
                    "not healed ({}): {}; the playbook `{}` would heal it",
                    because.id(),
                    because.explain(),
                    plan.playbook
                )
            }
            _ => format!("nothing was done ({}): {}", because.id(), because.explain()),
        };
        self.line(style, "regreen:", &words);
    }
}

impl Voice for Terminal {
    fn tell(&self, event: Event<'_>) {
        let (plain, good, bad) =
            (Style::new().dimmed(), Style::new().green().bold(), Style::new().red().bold());
        match event {
            Event::Progress(text) => self.line(plain, "regreen:", &harmless(text)),
            Event::Warning(text) => self.line(Style::new().yellow(), "regreen: warning:", text),
            Event::Diagnosed(diagnosis) => self.diagnosed(diagnosis),
            Event::Decided(decision) => self.decided(decision),
            Event::PassedOver { playbook, why } => {
                self.line(plain, "regreen:", &format!("the playbook `{playbook}` can't help here: {why}"));
            }
            Event::Healing { playbook, incident, attempt } => {
                let text =
                    format!("healing by the playbook `{playbook}` (incident {incident}, attempt {attempt})");
                self.line(Style::new().cyan(), "regreen:", &text);
            }
            Event::Healed { incident, wrong, done, patch } => {
                self.line(good, "regreen: healed:", wrong);
                let patch = patch.map(|p| format!("; patch: {p}")).unwrap_or_default();
                self.line(good, "regreen: healed:", &format!("{done}{patch}; incident {incident}"));
            }
            Event::RolledBack { incident, why } => {
                let text =
                    format!("it did not hold ({why}); what Regreen wrote is as before; incident {incident}");
                self.line(bad, "regreen: rolled back:", &text);
            }
            Event::Stuck { incident, why } => {
                let text = format!("{why}; a person must look; incident {incident}");
                self.line(bad, "regreen: stuck:", &text);
            }
        }
    }
}

/// How far long work is: one line that is written over, on a terminal only, and gone at the end.
pub struct Counter {
    shown: bool,
}

impl Counter {
    /// For work that begins now.
    pub fn new(context: &Context) -> Counter {
        let dumb = context.env.get(OsStr::new("TERM")).is_none_or(|term| term == "dumb");
        Counter { shown: io::stderr().is_terminal() && !dumb }
    }

    /// Writes over what stands there.
    pub fn show(&self, text: &str) {
        if self.shown {
            let _closed = write!(io::stderr().lock(), "\r\x1b[K{}", harmless(text));
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.show("");
    }
}

/// What was done.
pub fn progress(context: &Context, text: &str) {
    say(&format!("regreen: {}", harmless(&context.masker().mask(text))));
}

/// Something is not as it should be, and Regreen goes on without it.
pub fn warning(context: &Context, text: &str) {
    let mark = "regreen: warning:";
    let mark = if context.colour_stderr() { mark.yellow().to_string() } else { mark.to_owned() };
    say(&format!("{mark} {}", harmless(&context.masker().mask(text))));
}

/// An error of Regreen's own.
pub fn error(context: &Context, text: &str) {
    let mark = "regreen: error:";
    let mark = if context.colour_stderr() { mark.red().bold().to_string() } else { mark.to_owned() };
    say(&format!("{mark} {}", harmless_lines(text)));
}

/// Text that may quote a log or a hostile file, harmless line by line.
fn harmless_lines(text: &str) -> String {
    text.split('\n').map(harmless).collect::<Vec<_>>().join("\n")
}

/// A closed standard error is no reason to fail.
fn say(line: &str) {
    let _closed = writeln!(io::stderr().lock(), "{line}");
}
