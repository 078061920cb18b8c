//! An incident in one line.

use regreen_ledger::Incident;

use super::{
    badge::Badge,
    params::segment,
    words::{When, between, percent, plain, shown},
};

/// An incident in one line.
pub(super) struct Row {
    pub(super) href: String,
    pub(super) badge: Badge,
    pub(super) class: String,
    pub(super) what: String,
    pub(super) repository: String,
    pub(super) job: String,
    pub(super) sure: u8,
    pub(super) opened: When,
    /// How long it took, once it is over.
    pub(super) took: String,
}

impl Row {
    pub(super) fn new(incident: &Incident, now: i64) -> Row {
        let (place, diagnosis) = (&incident.place, &incident.diagnosis);
        let repository = place.repository.as_deref().unwrap_or_default();
        let what = diagnosis.pattern.clone().unwrap_or_else(|| "no known pattern".to_owned());
        Row {
            href: format!("/incidents/{}", segment(&incident.id)),
            badge: Badge::of(incident),
            class: plain(&diagnosis.class),
            what: shown(&what),
            repository: if repository.is_empty() { shown(&place.workspace) } else { shown(repository) },
            job: shown(place.job.as_deref().unwrap_or_default()),
            sure: percent(diagnosis.confidence),
            opened: When::new(incident.opened_at, now),
            took: incident.closed_at.map(|at| between(incident.opened_at, at)).unwrap_or_default(),
        }
    }
}
