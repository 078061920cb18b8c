//! What the issues say, made anew each time from all that is on record.

use regreen_domain::{Outcome, Refusal};
use regreen_forge::{IssueText, Marker, Repository, RunRef};
use regreen_ledger::{Escalation, Incident, Ledger, Outage};
use regreen_show::{
    Cure, Diagnosed, Named,
    escalation::{Escalation as About, Occurrence, OutageIssue, Tried},
};

use crate::{
    error::EngineError,
    fleet::{Fleet, escalate::of_a_fork},
};

/// So many incidents of a failure are read for its issue.
const READ: u32 = 200;

impl Fleet {
    pub(super) async fn text(
        &self,
        ledger: &Ledger,
        row: &Escalation,
        repository: &Repository,
    ) -> Result<Option<IssueText>, EngineError> {
        let Some(latest) = ledger.incident(&row.incident).await? else { return Ok(None) };
        let Some(diagnosis) = latest.diagnosis.to_domain() else { return Ok(None) };
        let of = &latest.diagnosis;
        let all = ledger.met(repository.as_str(), &of.class, of.pattern.as_deref(), READ).await?;
        let all: Vec<Incident> = all
            .into_iter()
            .filter(|one| one.diagnosis.fingerprint == row.subject && !of_a_fork(one))
            .collect();
        let met: Vec<(String, String, String)> = all.iter().map(said).collect();
        // The latest one's page; each would cost a call.
        let page = match failed_run(&latest, repository) {
            Some(run) => self.forge.run(&run).await.ok().map(|run| run.url),
            None => None,
        };
        let occurrences: Vec<Occurrence<'_>> = all
            .iter()
            .zip(&met)
            .map(|(one, (when, job, outcome))| Occurrence {
                repository: repository.as_str(),
                job,
                url: page.as_deref().filter(|_| one.id == latest.id),
                when,
                outcome,
                incident: &one.id,
            })
            .collect();
        let plans: Vec<(String, String)> = all
            .iter()
            .filter(|one| {
                matches!(one.outcome(), Some(Outcome::RolledBack | Outcome::Stuck | Outcome::Healed))
            })
            .filter_map(|one| Some((one.plan()?.playbook, one.outcome.clone()?)))
            .take(5)
            .collect();
        let tried: Vec<Tried<'_>> =
            plans.iter().map(|(playbook, outcome)| Tried { playbook, outcome, why: None }).collect();
        let because = latest.decision.as_ref().and_then(|decision| decision.because.as_deref());
        let because = because.and_then(Refusal::parse).map_or_else(
            || "what was tried did not help, so a person must look".to_owned(),
            |because| because.explain().to_owned(),
        );
        let known = self.catalog.known();
        let pattern = of.pattern.as_deref().and_then(|id| known.catalog.pattern(id));
        let named = Named { tool: diagnosis.tool.clone(), ..Named::default() };
        let cure = Cure { action: "suggest", playbook: None, risk: None };
        let diagnosed = Diagnosed { input: latest.id.clone(), diagnosis, cure, pattern, hang: None, named };
        let about = About { of: &diagnosed, met: &occurrences, more: 0, tried: &tried, because: &because };
        Ok(self.masked(&format!("failure/{}", row.subject), &about.title(), &about.body()))
    }

    /// `None` while nobody has had to wait: then nothing is written.
    pub(super) async fn outage_text(
        &self,
        ledger: &Ledger,
        row: &Escalation,
    ) -> Result<Option<IssueText>, EngineError> {
        let Some(outage) = ledger.outage(&row.incident).await? else { return Ok(None) };
        let waiting = ledger.waiting_for(&outage.id).await?;
        if row.issue.is_none() && (waiting == 0 || outage.ended_at.is_some()) {
            return Ok(None);
        }
        let Outage { service, class, began_at, .. } = &outage;
        let seen = ledger.sightings(service, *began_at).await?;
        let mut repositories: Vec<&str> = seen.iter().map(|one| one.repository.as_str()).collect();
        repositories.sort_unstable();
        repositories.dedup();
        let issue = OutageIssue { service, class, since: &date(*began_at), repositories: &repositories };
        let marker = format!("service/{}", service.replace("--", "-"));
        Ok(self.masked(&marker, &issue.title(), &issue.body()))
    }

    fn masked(&self, marker: &str, title: &str, body: &str) -> Option<IssueText> {
        let text = |text: &str| self.masker.mask(text).into_owned();
        Some(IssueText {
            marker: Marker::parse(marker)?,
            title: text(title),
            body: text(body),
            labels: Vec::new(),
        })
    }
}

/// When, which jobs, and what came of it.
fn said(incident: &Incident) -> (String, String, String) {
    let when = date(incident.opened_at);
    (when, incident.command.join(", "), incident.outcome.clone().unwrap_or_else(|| "open".to_owned()))
}

/// In UTC, to the minute.
fn date(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The run that an incident is of, by the incident's name.
pub(super) fn failed_run(incident: &Incident, repository: &Repository) -> Option<RunRef> {
    let run_id = u64::from_str_radix(incident.id.split('-').next()?, 16).ok()?;
    Some(RunRef { repository: repository.clone(), run_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_utc() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
    }
}
