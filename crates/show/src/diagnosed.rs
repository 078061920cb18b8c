//! An input with its diagnosis and what can be done, as every format needs it.

use regreen_catalog::Pattern;
use regreen_detect::Hang;
use regreen_domain::{Diagnosis, Verdict};

use crate::{
    Advice, Cure, Named, advice,
    harmless::{harmless, short},
};

/// One input with its diagnosis.
#[derive(Debug)]
pub struct Diagnosed<'c> {
    /// The input's name, masked and harmless.
    pub input: String,
    /// Why it failed.
    pub diagnosis: Diagnosis,
    /// What could be done.
    pub cure: Cure<'c>,
    /// The pattern that decided.
    pub pattern: Option<&'c Pattern>,
    /// The job was ended while it was silent, or took too long.
    pub hang: Option<Hang>,
    /// What the deciding line names.
    pub named: Named,
}

impl<'c> Diagnosed<'c> {
    /// What it is, in a few words.
    pub fn headline(&self) -> String {
        match self.diagnosis.class.verdict() {
            _ if !self.diagnosis.failed => "no failure was found".to_owned(),
            Verdict::Unknown => "not diagnosed".to_owned(),
            verdict => format!("{verdict}: {}", self.diagnosis.class),
        }
    }

    /// The pattern's id, or the class.
    pub fn rule(&self) -> &str {
        self.diagnosis.pattern.as_deref().unwrap_or(self.diagnosis.class.id())
    }

    /// What a person can do.
    pub fn fix(&self) -> Option<String> {
        self.pattern.map(|pattern| harmless(pattern.fix.trim()))
    }

    /// What to look at, and whose it is, where nothing heals it by itself.
    pub fn advice(&self) -> Option<Advice> {
        advice(self.diagnosis.class, &self.named)
    }

    /// The last line of a job that hung.
    pub fn last_line(&self) -> Option<String> {
        let hang = self.hang.as_ref()?;
        let text = harmless(&hang.text);
        hang.line.map(|line| format!("line {line}: {}", short(text.trim(), 200)))
    }

    /// How sure it is, and what else it may be.
    pub fn sure(&self) -> String {
        let d = &self.diagnosis;
        let others: Vec<String> =
            d.alternatives.iter().map(|a| format!("{} {}", a.class, a.confidence)).collect();
        let next = if others.is_empty() { String::new() } else { format!("; next: {}", others.join(", ")) };
        format!("confidence {} in {}{next}", d.confidence, d.class)
    }
}
