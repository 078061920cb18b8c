//! What could be done about a diagnosis.

use regreen_bench::THRESHOLD;
use regreen_domain::{Diagnosis, FailureClass, InfraClass};

/// What could be done about a diagnosis.
#[derive(Debug, Clone, Copy)]
pub struct Cure<'a> {
    /// `heal`, `suggest` or `none`.
    pub action: &'static str,
    /// The playbook.
    pub playbook: Option<&'a str>,
    /// Its risk.
    pub risk: Option<&'static str>,
}

/// What would be done: only what a signature names and the model agrees with is healed, and only at the threshold.
pub fn action(diagnosis: &Diagnosis, has_playbook: bool) -> &'static str {
    let sure = diagnosis.confidence.value() >= THRESHOLD;
    let signed = diagnosis.pattern.is_some() || diagnosis.confirmed;
    match diagnosis.class {
        FailureClass::Infra(InfraClass::Healable(_)) if has_playbook && sure && signed => "heal",
        FailureClass::Infra(_) => "suggest",
        FailureClass::Code(_) | FailureClass::Unknown => "none",
    }
}
