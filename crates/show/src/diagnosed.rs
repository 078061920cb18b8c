//! An input with its diagnosis and what can be done, as every format needs it.

use regreen_catalog::Pattern;
use regreen_domain::{Diagnosis, Verdict};

use crate::{Cure, harmless::harmless};

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

    /// How sure it is, and what else it may be.
    pub fn sure(&self) -> String {
        let d = &self.diagnosis;
        let others: Vec<String> =
            d.alternatives.iter().map(|a| format!("{} {}", a.class, a.confidence)).collect();
        let next = if others.is_empty() { String::new() } else { format!("; next: {}", others.join(", ")) };
        format!("confidence {} in {}{next}", d.confidence, d.class)
    }
}
