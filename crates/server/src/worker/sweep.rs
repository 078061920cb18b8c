//! Failures that no hook told: every failed run of a repository is listed, and what is known already is known.

use std::time::{SystemTime, UNIX_EPOCH};

use regreen_engine::{EndedRun, EngineError};
use regreen_forge::{Conclusion, ForgeError, Repository, RunRef, Status, hook::Sender};

use super::{Ended, Worker, since_1970};
use crate::{
    happening::Happening,
    task::{Listed, Task},
};

impl Worker {
    /// Lists every failed run that nobody told, and whatever is known already is known.
    pub(super) async fn sweep(&self, sender: Sender, repository: &Repository) -> Result<Ended, EngineError> {
        let Some(fleet) = self.fleets.get(&sender) else {
            return Ok(Ended::Done("no-credential".to_owned(), Vec::new()));
        };
        let since = SystemTime::now().checked_sub(self.pace.look_back).unwrap_or(UNIX_EPOCH);
        let (mut from, mut found, mut fresh) = (None, 0usize, 0usize);
        loop {
            let page = match fleet.forge.failed_runs_since(repository, since, from.as_ref()).await {
                Ok(page) => page,
                Err(e @ ForgeError::RateLimited { until, .. }) => {
                    return Ok(Ended::Stumbled(since_1970(until), e.to_string()));
                }
                Err(e) => {
                    let why = format!("sweep of {repository}: {e}");
                    self.log.tell(&Happening::WorkUnavailable { why });
                    // The next slot looks back as far.
                    return Ok(Ended::Done("unreachable".to_owned(), Vec::new()));
                }
            };
            let ended = page.runs.iter().filter(|run| {
                run.status == Status::Completed && run.conclusion.is_some_and(Conclusion::failed)
            });
            let listed: Vec<Listed> = ended
                .map(|run| {
                    let run_ref = RunRef { repository: repository.clone(), run_id: run.reference.run_id };
                    let ended = EndedRun { run: run_ref, attempt: Some(run.attempt) };
                    Task::Run { sender, ended }.listed((self.clock)())
                })
                .collect();
            found += listed.len();
            let work: Vec<_> = listed.iter().map(Listed::work).collect();
            fresh += self.ledger.enqueue(&work).await?.into_iter().filter(|is_new| *is_new).count();
            match page.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        self.log.tell(&Happening::Swept { repository: repository.to_string(), found, fresh });
        if fresh > 0 {
            self.bell.notify_one();
        }
        Ok(Ended::Done("swept".to_owned(), Vec::new()))
    }
}
