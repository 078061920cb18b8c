//! What would be done about a run, without doing or recording any of it: the same looks and the same decision.

use regreen_domain::{Decision, Diagnosis};
use regreen_forge::RunRef;
use regreen_ledger::{Incident, Ledger};

use super::{
    EndedRun, Fleet, Hand,
    examine::{Examined, Found},
    incident_id, place,
};
use crate::error::EngineError;

/// What a run would lead to.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreseen {
    /// An incident.
    Incident(Box<Prospect>),
    /// It is on record already.
    Known(Box<Incident>),
    /// Nothing, for this reason.
    Nothing(String),
    /// The host can't be asked now, for this reason.
    Stumbled(String),
}

/// An incident that would be opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    /// The id that it would have.
    pub incident: String,
    /// The names of the jobs that failed, masked.
    pub jobs: Vec<String>,
    /// The diagnosis that decides.
    pub diagnosis: Diagnosis,
    /// What would be done.
    pub decision: Decision,
}

impl Fleet {
    /// What [`Fleet::handle`] would do about a run now. The host and the ledger are read; neither is changed, whatever the mode,
    /// except that logs are kept where the configuration says so. Whether a service is down is not asked.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn foresee(&self, hand: &Hand<'_>, ended: &EndedRun) -> Result<Foreseen, EngineError> {
        self.catalog.look(hand.ledger).await?;
        let run = RunRef { repository: ended.run.repository.folded(), run_id: ended.run.run_id };
        let attempt = match ended.attempt {
            Some(attempt) => attempt,
            None => match self.forge.run(&run).await {
                Ok(run) => run.attempt,
                Err(e) if e.has_to_wait() => return Ok(Foreseen::Stumbled(self.said(&e.to_string()))),
                Err(e) => return Ok(Foreseen::Nothing(self.said(&e.to_string()))),
            },
        };
        let id = incident_id(self.sender, &run, attempt);
        if let Some(incident) = hand.ledger.incident(&id).await? {
            return Ok(Foreseen::Known(Box::new(incident)));
        }
        match self.examine(hand, &id, &run, attempt, ended.attempt.is_some()).await? {
            Examined::Found(found) => self.prospect(hand, &found, id).await,
            Examined::Nothing { why, .. } => Ok(Foreseen::Nothing(self.said(&why))),
            Examined::Later(e) => Ok(Foreseen::Stumbled(self.said(&e.to_string()))),
            Examined::Lags(why) => Ok(Foreseen::Stumbled(why)),
        }
    }

    /// Whether this attempt of a run is on record.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn knows(&self, ledger: &Ledger, ended: &EndedRun) -> Result<bool, EngineError> {
        let Some(attempt) = ended.attempt else { return Ok(false) };
        let run = RunRef { repository: ended.run.repository.folded(), run_id: ended.run.run_id };
        Ok(ledger.incident(&incident_id(self.sender, &run, attempt)).await?.is_some())
    }

    async fn prospect(&self, hand: &Hand<'_>, found: &Found, id: String) -> Result<Foreseen, EngineError> {
        let (decision, _inputs) = self.decide(hand, found, &place(found), &id, false).await?;
        Ok(Foreseen::Incident(Box::new(Prospect {
            incident: id,
            jobs: found.job_names().into_iter().map(|name| self.said(name)).collect(),
            diagnosis: found.decisive().diagnosis.clone(),
            decision,
        })))
    }

    fn said(&self, text: &str) -> String {
        self.masker.mask(text).into_owned()
    }
}
