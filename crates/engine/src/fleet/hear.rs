//! A job has failed in a run that goes on. Nothing can be done about the run before its end; but where the job failed at a
//! service that others use too, that is known from now on, and not only when the slowest job of the run has ended.

use regreen_domain::FailureClass;
use regreen_forge::{Conclusion, RunRef, Status};

use super::{EndedRun, Fleet, Hand, Next, incident_id, settled};
use crate::error::EngineError;

/// So many logs of a run are read at most.
const MOST: usize = 3;

impl Fleet {
    /// Looks at the jobs of a run that have failed by now, and puts on record at which service. The first that failed by its
    /// own code ends that: what is left is seen at the run's end. May be called again at any time.
    ///
    /// # Errors
    /// [`EngineError`]: worth trying again.
    pub async fn hear(&self, hand: &Hand<'_>, of: &EndedRun) -> Result<Next, EngineError> {
        let nothing = |why: &str| Ok(settled(None, None, why.to_owned()));
        if self.config.outage.services.is_empty() {
            return nothing("no service is known that could be down");
        }
        self.catalog.look(hand.ledger).await?;
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
        // Those of this attempt, each with when it ended: a hook can be late, and about the attempt before.
        let mut failed = match self.forge.jobs(&run, found.attempt).await {
            Ok(jobs) => jobs,
            Err(e) => return Ok(self.stumbled(&e, (hand.now)())),
        };
        failed.retain(|job| job.completed_at.is_some() && job.conclusion.is_some_and(Conclusion::failed));
        failed.sort_by_key(|job| (job.completed_at, job.reference.job_id));
        let mut read = Vec::new();
        for job in failed.iter().take(MOST) {
            let log = match self.forge.job_log(&job.reference).await {
                Ok(log) => log,
                Err(e) if e.has_to_wait() => return Ok(self.stumbled(&e, (hand.now)())),
                Err(_) => continue,
            };
            let detection = self.read(log.bytes, log.left_out).await?;
            let by_code = matches!(detection.diagnosis.class, FailureClass::Code(_));
            read.push((job.completed_at, detection));
            if by_code {
                break;
            }
        }
        // The incident that the run's end will open: what is seen twice counts once.
        let incident = incident_id(self.sender, &run, found.attempt);
        let jobs = read.iter().map(|(ended, detection)| (*ended, detection)).collect();
        let services = self.sight_jobs(hand, &run.repository, jobs, &incident).await?;
        match services.first() {
            Some(service) => nothing(&format!("it failed at {service}")),
            None => nothing("it failed at no service that is known"),
        }
    }
}
