//! A job has failed in a run that goes on. Nothing can be done about the run before its end; but where the job failed at a
//! service that others use too, that is known from now on, and not only when the slowest job of the run has ended.

use regreen_forge::{JobRef, RunRef, Status};

use super::{EndedRun, Fleet, Hand, Next, incident_id, settled};
use crate::error::EngineError;

impl Fleet {
    /// Looks at a job that failed, and puts on record at which service. May be called again at any time.
    ///
    /// # Errors
    /// [`EngineError`]: worth trying again.
    pub async fn hear_job(&self, hand: &Hand<'_>, of: &EndedRun, job: u64) -> Result<Next, EngineError> {
        let nothing = |why: &str| Ok(settled(None, None, why.to_owned()));
        if self.config.outage.services.is_empty() {
            return nothing("no service is known that could be down");
        }
        let run = RunRef { repository: of.run.repository.folded(), run_id: of.run.run_id };
        let found = match self.forge.run(&run).await {
            Ok(found) => found,
            Err(e) => return Ok(self.stumbled(&e, (hand.now)())),
        };
        if found.status == Status::Completed || of.attempt.is_some_and(|attempt| attempt != found.attempt) {
            return nothing("that attempt has ended, and is looked at as a whole");
        }
        if found.from_fork {
            return nothing("what a fork prints counts for nothing");
        }
        if self.is_own(&found) {
            return nothing("it is a run of Regreen's own workflow");
        }
        // The one that the run's end will open: what is seen twice counts once.
        let incident = incident_id(self.sender, &run, found.attempt);
        if !hand.ledger.sightings_of(&incident).await?.is_empty() {
            return nothing("another job of the run has said so");
        }
        let log = match self.forge.job_log(&JobRef { repository: run.repository.clone(), job_id: job }).await
        {
            Ok(log) => log,
            Err(e) => return Ok(self.stumbled(&e, (hand.now)())),
        };
        let detection = self.read(log.bytes, log.left_out).await?;
        let services = self.sight_jobs(hand, &run.repository, vec![(None, &detection)], &incident).await?;
        match services.first() {
            Some(service) => nothing(&format!("it failed at {service}")),
            None => nothing("it failed at no service that is known"),
        }
    }
}
