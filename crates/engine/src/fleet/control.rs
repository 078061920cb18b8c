//! What became of what was drawn to be left alone: seen by the end of the run's next attempt, whoever sent that off.

use regreen_domain::Refusal;
use regreen_forge::RunRef;
use regreen_ledger::{Incident, State};

use crate::{
    error::EngineError,
    fleet::{Fleet, Hand, incident_id},
};

impl Fleet {
    /// An attempt of a run has ended, well or not. Where the one before it was left alone so that it can be compared, that is put
    /// on record.
    pub(super) async fn follow_up(
        &self,
        hand: &Hand<'_>,
        run: &RunRef,
        attempt: u32,
        ended_well: bool,
    ) -> Result<(), EngineError> {
        let Some(before) = attempt.checked_sub(1).filter(|before| *before > 0) else { return Ok(()) };
        let id = incident_id(self.sender, run, before);
        let left_alone = hand.ledger.incident(&id).await?.filter(is_to_be_followed);
        if left_alone.is_some() {
            hand.ledger.follow_up(&id, attempt, ended_well, (hand.now)()).await?;
        }
        Ok(())
    }
}

fn is_to_be_followed(incident: &Incident) -> bool {
    let because = incident.decision.as_ref().and_then(|decision| decision.because.as_deref());
    incident.state == State::Closed
        && incident.followed.is_none()
        && because == Some(Refusal::ControlGroup.id())
}
