//! Telling people: one issue for each failure that Regreen does not heal by itself, and one for an outage. It is kept up to
//! date by one piece of work, so that no two nodes write to it at once, and closed when what it is about works again.

use regreen_domain::{FailureClass, Mode, Outcome, Refusal};
use regreen_forge::{Conclusion, ForgeError, Issue, IssueText, Repository, RunRef, Status, hook::Sender};
use regreen_ledger::{Escalation, Incident, Ledger, NewEscalation};
use serde::{Deserialize, Serialize};

use crate::{
    error::EngineError,
    fleet::{Fleet, Hand, Next, issue_text::failed_run, jobs::RERUN, owners::owners, paused::is_paused},
};

/// Kind of the work of keeping an issue up to date.
pub const ESCALATION: &str = "escalation";
/// An issue is looked at again after this long without any news, in milliseconds.
const RARELY: i64 = 3_600_000;
/// One that is gone is told of after this long, and whenever what it is about happens again, in milliseconds.
const DAILY: i64 = 24 * RARELY;
/// What the subject of an outage's issue begins with; no fingerprint does.
const SERVICE: &str = "service:";

/// Whether and where issues are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EscalationConfig {
    /// Whether any is.
    pub issues: bool,
    /// Where an outage's is; nowhere if left out.
    pub outages_in: Option<Repository>,
    /// At which host that repository is; `None`: at the only one that is asked.
    pub host: Option<Sender>,
    /// Whether who owns the workflow's file, by the repository's CODEOWNERS, is assigned an issue when it is made.
    pub codeowners: bool,
    /// Who is assigned where that names nobody.
    pub assignees: Vec<String>,
}

/// What came of looking after an issue once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// When to look again; `None` when it is closed.
    pub next: Option<i64>,
    /// Why it could not be written, where a person must see to that; masked.
    pub trouble: Option<String>,
}

/// The document of that work.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueV1 {
    version: u32,
    forge: String,
    escalation: String,
}

/// At which host, and which issue, that work is about; `None` where this version can't read it.
pub fn escalation_of(payload: &str) -> Option<(String, String)> {
    let IssueV1 { version, forge, escalation } = serde_json::from_str(payload).ok()?;
    (version == 1).then_some((forge, escalation))
}

fn tend(forge: &str) -> impl Fn(&str) -> (String, String) + Send + '_ {
    move |id| {
        let document = IssueV1 { version: 1, forge: forge.to_owned(), escalation: id.to_owned() };
        (format!("escalation/{id}"), serde_json::to_string(&document).unwrap_or_default())
    }
}

impl Fleet {
    /// A run was settled: where people must see it, they are to be told; where it is well again, that too.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn tell(&self, hand: &Hand<'_>, forge: &str, incident: &str) -> Result<(), EngineError> {
        self.notify(hand, incident).await?;
        self.tell_there(hand, incident).await?;
        if !self.config.escalation.issues {
            return Ok(());
        }
        let (ledger, now) = (hand.ledger, (hand.now)());
        let Some(incident) = ledger.incident(incident).await? else { return Ok(()) };
        let Some(repository) = incident.place.repository.as_deref() else { return Ok(()) };
        let at = incident.closed_at.unwrap_or(incident.changed_at);
        if incident.outcome() == Some(Outcome::Healed) {
            for open in ledger.escalations(forge, Some(repository)).await? {
                if open.subject == incident.diagnosis.fingerprint {
                    ledger.escalation_green(&open.id, tend(forge), at, now).await?;
                }
            }
            return Ok(());
        }
        if !self.must_be_seen(ledger, &incident).await? {
            return Ok(());
        }
        let new = NewEscalation {
            forge,
            repository,
            subject: &incident.diagnosis.fingerprint,
            incident: &incident.id,
            at,
        };
        ledger.escalate(&new, tend(forge), ESCALATION, now).await?;
        Ok(())
    }

    /// Whether an issue is made of an incident: none of what a fork's log says, whatever it is. In a repository that is only
    /// observed nothing is written.
    async fn must_be_seen(&self, ledger: &Ledger, incident: &Incident) -> Result<bool, EngineError> {
        let repository = incident.place.repository.as_deref().and_then(Repository::parse);
        let (Some(repository), false) = (repository, incident.diagnosis.fingerprint.is_empty()) else {
            return Ok(false);
        };
        if of_a_fork(incident) {
            return Ok(false);
        }
        if self.observed(&repository, incident) {
            return Ok(false);
        }
        let because = incident.decision.as_ref().and_then(|decision| decision.because.as_deref());
        let because = because.and_then(Refusal::parse);
        // An outage has an issue of its own.
        if because == Some(Refusal::ServiceDown)
            && let Some(wait) = ledger.wait_of(&incident.id).await?
            && ledger.outage(&wait.outage).await?.is_some_and(|outage| outage.known_at.is_some())
        {
            return Ok(false);
        }
        Ok(match incident.outcome() {
            Some(Outcome::Suggested | Outcome::RolledBack | Outcome::Stuck | Outcome::AwaitingApproval) => {
                because != Some(Refusal::Paused)
            }
            Some(Outcome::LeftAlone) => matches!(because, Some(Refusal::AdviceOnly | Refusal::Tampering)),
            _ => false,
        })
    }

    /// Whether Regreen only looks there. Where it has acted people are told of it, whatever holds by now.
    pub(super) fn observed(&self, repository: &Repository, incident: &Incident) -> bool {
        if matches!(incident.outcome(), Some(Outcome::Healed | Outcome::RolledBack | Outcome::Stuck)) {
            return false;
        }
        let playbook = incident.plan().map(|plan| plan.playbook).unwrap_or_default();
        self.config.mode(self.sender, repository, incident.class(), &playbook) == Mode::Observe
    }

    /// An outage began, or is over; `forge` is where it is told.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn tell_outage(
        &self,
        hand: &Hand<'_>,
        forge: &str,
        id: &str,
        ended: bool,
    ) -> Result<(), EngineError> {
        let config = &self.config.escalation;
        let Some(repository) = config.outages_in.as_ref().filter(|_| config.issues) else { return Ok(()) };
        let (ledger, now) = (hand.ledger, (hand.now)());
        let Some(outage) = ledger.outage(id).await? else { return Ok(()) };
        let (repository, subject) = (repository.folded(), format!("{SERVICE}{}", outage.service));
        if !ended {
            // Said each time: it is once.
            let at = outage.known_at.unwrap_or(now);
            let new =
                NewEscalation { forge, repository: repository.as_str(), subject: &subject, incident: id, at };
            ledger.escalate(&new, tend(forge), ESCALATION, now).await?;
            return Ok(());
        }
        for open in ledger.escalations(forge, Some(repository.as_str())).await? {
            if open.subject == subject {
                ledger.escalation_green(&open.id, tend(forge), now, now).await?;
            }
        }
        Ok(())
    }

    /// A run ended well: what was escalated of the same workflow, branch and jobs is well again.
    ///
    /// # Errors
    /// [`EngineError`]: worth trying again. A host that can't be asked is one for later, too: when, and what it says.
    pub async fn green(
        &self,
        hand: &Hand<'_>,
        forge: &str,
        run: &RunRef,
        attempt: Option<u32>,
    ) -> Result<Option<(i64, String)>, EngineError> {
        let (ledger, now) = (hand.ledger, (hand.now)());
        let open = ledger.escalations(forge, Some(run.repository.folded().as_str())).await?;
        let mut open: Vec<Escalation> =
            open.into_iter().filter(|one| !one.subject.starts_with(SERVICE)).collect();
        if open.is_empty() {
            return Ok(None);
        }
        let later = |e: &ForgeError| match self.stumbled(e, now) {
            Next::Stumbled { at, why } => Some((at, why)),
            _ => None,
        };
        let seen = match self.forge.run(run).await {
            Ok(seen) => seen,
            Err(e) => return Ok(later(&e)),
        };
        // A fork's branch may have any name, and its jobs may do anything.
        if seen.from_fork {
            return Ok(None);
        }
        let attempt = attempt.unwrap_or(seen.attempt);
        let jobs = match self.forge.jobs(run, attempt).await {
            Ok(jobs) => jobs,
            Err(e) => return Ok(later(&e)),
        };
        let ended = jobs.iter().filter_map(|job| job.completed_at).max();
        let ended = ended.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let ended = ended.and_then(|at| i64::try_from(at.as_millis()).ok()).unwrap_or(now).min(now);
        let workflow = if seen.workflow.is_empty() { &seen.name } else { &seen.workflow };
        open.retain(|one| one.changed_at < ended);
        for one in open {
            let Some(incident) = ledger.incident(&one.incident).await? else { continue };
            if incident.place.job.as_ref() != Some(workflow) {
                continue;
            }
            let good = |name: &String| {
                let named: Vec<_> = jobs.iter().filter(|job| job.name == *name).collect();
                let well = |job: &&regreen_forge::Job| {
                    job.status == Status::Completed && job.conclusion == Some(Conclusion::Success)
                };
                !named.is_empty() && named.iter().all(well)
            };
            if incident.command.is_empty() || !incident.command.iter().all(good) {
                continue;
            }
            // Another branch may do without what failed here.
            let of = failed_run(&incident, &run.repository);
            let branch = match of {
                Some(of) => match self.forge.run(&of).await {
                    Ok(failed) => failed.branch,
                    Err(e) if e.has_to_wait() => return Ok(later(&e)),
                    Err(_) => None,
                },
                None => None,
            };
            if branch.is_some() && branch == seen.branch {
                ledger.escalation_green(&one.id, tend(forge), ended, now).await?;
            }
        }
        Ok(None)
    }

    /// Brings an issue up to date. Done by one node at a time.
    ///
    /// # Errors
    /// [`EngineError`]: worth trying again.
    pub async fn keep_issue(&self, hand: &Hand<'_>, id: &str) -> Result<Kept, EngineError> {
        let (ledger, now) = (hand.ledger, (hand.now)());
        let kept = |next: Option<i64>| Ok(Kept { next, trouble: None });
        let Some(row) = ledger.escalation(id).await?.filter(|row| row.closed_at.is_none()) else {
            return kept(None);
        };
        let Some(repository) = Repository::parse(&row.repository) else { return kept(None) };
        let paused = is_paused(ledger, self.sender, repository.as_str()).await?;
        if paused || !self.config.escalation.issues {
            return kept(Some(now.saturating_add(self.config.look_ms)));
        }
        if let Some(used_up) = self.calls_used_up(ledger, &repository, now).await? {
            return kept(Some(used_up.at));
        }
        let text = if row.subject.starts_with(SERVICE) {
            let outage = ledger.outage(&row.incident).await?;
            let class = outage.and_then(|outage| FailureClass::parse(&outage.class));
            let mode =
                self.config.mode(self.sender, &repository, class.unwrap_or(FailureClass::Unknown), RERUN);
            if mode == Mode::Observe {
                return kept(Some(now.saturating_add(RARELY)));
            }
            self.outage_text(ledger, &row).await?
        } else {
            // The mode may be another by now.
            let incident = ledger.incident(&row.incident).await?;
            if incident.is_some_and(|incident| self.observed(&repository, &incident)) {
                return kept(Some(now.saturating_add(RARELY)));
            }
            self.text(ledger, &row, &repository).await?
        };
        let green = row.green_at.is_some_and(|at| at > row.changed_at);
        let done = match text {
            Some(text) => self.write(&row, &repository, &text, green).await,
            // Nothing to say, or not yet.
            None => Ok(None),
        };
        match done {
            Ok(Some(number)) if row.issue != Some(number) => {
                // Before it is known: who dies here is followed by one who finds the issue, and assigns it again.
                let trouble = match self.assign(ledger, &row, &repository, number, green).await? {
                    Err(e) if e.has_to_wait() => return kept(Some(now.saturating_add(self.config.look_ms))),
                    Err(e) => Some(self.masker.mask(&e.to_string()).into_owned()),
                    Ok(()) => None,
                };
                ledger.escalation_told(id, number).await?;
                if let (Some(why), false) = (trouble, green) {
                    let trouble = Some(format!("issue {number} of {repository} can't be assigned: {why}"));
                    return Ok(Kept { next: Some(now.saturating_add(RARELY)), trouble });
                }
            }
            Ok(_) => {}
            Err(e) if e.is_passing() => return kept(Some(now.saturating_add(self.config.look_ms))),
            // Nobody was told, and that is told.
            Err(e) => {
                let why = self.masker.mask(&e.to_string()).into_owned();
                let trouble = Some(format!("the issue in {repository} can't be written: {why}"));
                let gone = row.issue.is_some() && matches!(e, ForgeError::NotFound { .. });
                let next = now.saturating_add(if gone { DAILY } else { RARELY });
                return Ok(Kept { next: Some(next), trouble });
            }
        }
        if green && ledger.close_escalation(id, row.changed_at, now).await? {
            return kept(None);
        }
        kept(Some(now.saturating_add(RARELY)))
    }

    /// Assigns an issue that was made.
    async fn assign(
        &self,
        ledger: &Ledger,
        row: &Escalation,
        repository: &Repository,
        number: u64,
        green: bool,
    ) -> Result<Result<(), ForgeError>, EngineError> {
        let config = &self.config.escalation;
        let mut people = Vec::new();
        if green || (!config.codeowners && config.assignees.is_empty()) {
            return Ok(Ok(()));
        }
        if config.codeowners && !row.subject.starts_with(SERVICE) {
            let incident = ledger.incident(&row.incident).await?;
            let workflow = incident.and_then(|incident| incident.place.job).unwrap_or_default();
            // GitLab's pipelines have names of their own; what they are made of lies at one place.
            let file = if self.sender == Sender::GitLab { ".gitlab-ci.yml" } else { workflow.as_str() };
            match self.forge.owners(repository).await {
                Ok(text) => {
                    let text = text.unwrap_or_default();
                    people.extend(owners(&text, file).into_iter().map(str::to_owned));
                }
                Err(e) => return Ok(Err(e)),
            }
        }
        if people.is_empty() {
            people.clone_from(&config.assignees);
        }
        if people.is_empty() {
            return Ok(Ok(()));
        }
        Ok(self.forge.assign(repository, number, &people).await)
    }

    /// Puts the text where it belongs, and closes the issue where all is well; its number where there is one.
    async fn write(
        &self,
        row: &Escalation,
        repository: &Repository,
        text: &IssueText,
        green: bool,
    ) -> Result<Option<u64>, ForgeError> {
        // By the number on record: its label and its text are anybody's to change who may sort issues.
        let known = match row.issue {
            Some(number) => self.forge.issue(repository, number).await?,
            None => None,
        };
        let there = match known {
            Some(issue) => Some(issue),
            None => self.forge.find_issue(repository, &text.marker).await?,
        };
        match (there, row.issue) {
            // Nobody was told, and nobody need be.
            (None, _) if green => Ok(None),
            // Somebody wanted it gone.
            (None, Some(number)) => {
                let what = format!("issue {number}, of which no second one is made while this lasts");
                Err(ForgeError::NotFound { what })
            }
            (None, None) => Ok(Some(self.forge.create_issue(repository, text).await?.number)),
            (Some(issue), _) if green => {
                if issue.open {
                    self.forge.close_issue(repository, issue.number).await?;
                }
                Ok(Some(issue.number))
            }
            (Some(issue), _) => {
                // What a person closed stays closed until it happens again.
                let closed_by_hand = !issue.open && row.issue == Some(issue.number);
                if !says(&issue, text) || (!issue.open && !closed_by_hand) {
                    self.forge.update_issue(repository, issue.number, text).await?;
                }
                Ok(Some(issue.number))
            }
        }
    }
}

/// Whether strangers may have written what is on record: the run was a fork's, or nothing says that it was not.
pub(super) fn of_a_fork(incident: &Incident) -> bool {
    incident.inputs.as_ref().is_none_or(|inputs| inputs.setting.untrusted_fork)
}

/// Whether an issue says this already.
fn says(issue: &Issue, text: &IssueText) -> bool {
    let same = |a: &str, b: &str| a.replace("\r\n", "\n").trim_end() == b.trim_end();
    issue.title == text.title && same(&issue.body, &text.marker.mark(&text.body))
}

#[cfg(test)]
mod tests {
    use regreen_forge::Marker;

    use super::*;

    #[test]
    fn an_issue_that_says_it_is_left_alone() {
        let marker = Marker::parse("failure/00").unwrap();
        let text = IssueText { marker, title: "a".to_owned(), body: "b\nc\n".to_owned(), labels: Vec::new() };
        let issue = |title: &str, body: &str| Issue {
            number: 1,
            open: true,
            title: title.to_owned(),
            body: body.to_owned(),
            url: String::new(),
        };
        let same = text.marker.mark(&text.body);
        assert!(says(&issue("a", &same), &text) && says(&issue("a", &same.replace('\n', "\r\n")), &text));
        assert!(!says(&issue("b", &same), &text) && !says(&issue("a", "b"), &text));
    }
}
