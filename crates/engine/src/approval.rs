//! What was considered for one attempt: the decision with all it was made from, and the approval that it leans on.

use regreen_decide::{Case, Policy, decide};
use regreen_domain::{Decision, Mode, Outcome, Refusal};
use regreen_ledger::{BreakerKey, BreakerOutcome, InputsV1, Ledger};
use regreen_saga::BoxFuture;
use regreen_steps::{Answer, Approvals};

use crate::{
    attempt::{Attempt, Run},
    error::EngineError,
    event::Event,
    handle::now,
    inputs::stored,
};

/// Asks the people who read the ledger.
pub(crate) struct Asked {
    pub(crate) ledger: Ledger,
    pub(crate) incident: String,
    pub(crate) owner: String,
}

impl Approvals for Asked {
    fn ask<'a>(&'a self, step: &'a str, question: &'a str) -> BoxFuture<'a, Result<Option<Answer>, String>> {
        Box::pin(async move {
            let answer = self.ledger.ask(&self.incident, &self.owner, step, question, now()).await;
            let answer = answer.map_err(|e| format!("nobody can be asked: {e}"))?;
            Ok(answer.map(|a| Answer { granted: a.granted, by: a.actor, reason: a.reason }))
        })
    }
}

/// What belongs to a decision besides its plan.
pub(crate) struct Considered {
    /// The circuit breaker that stands before the plan.
    pub(crate) breaker: BreakerKey,
    /// What was decided from.
    pub(crate) inputs: InputsV1,
}

impl Run<'_> {
    /// Decides; where nothing but a person's word is missing and it was given, decides again with it. The word lifts
    /// the mode and nothing else. It is only looked at here: [`Run::use_approval`] uses it up.
    pub(crate) async fn decide_with_approval(
        &self,
        case: &Case<'_>,
        breaker: BreakerKey,
    ) -> Result<(Decision, Considered), EngineError> {
        let decision = decide(case);
        let asked = match &decision {
            Decision::Suggest { plan, because: Refusal::ModeApprove | Refusal::Demoted } => {
                Some(&plan.playbook)
            }
            _ => None,
        };
        let approval = match asked {
            Some(playbook) => {
                let fingerprint = case.diagnosis.fingerprint.as_str();
                self.ledger.approval_for(fingerprint, playbook, &self.place.workspace, now()).await?
            }
            None => None,
        };
        let Some(approval) = approval else {
            return Ok((decision, Considered { breaker, inputs: stored(case, None) }));
        };
        let policy = Policy { mode: Mode::Auto, approved: true, ..case.policy.clone() };
        let case = Case { policy: &policy, ..*case };
        let inputs = stored(&case, Some(&approval));
        Ok((decide(&case), Considered { breaker, inputs }))
    }

    /// Uses up the approval that the decision leans on, when its plan is about to begin. `Some` where it no longer
    /// counts: another run has used it, it was taken back, or its day is over.
    pub(crate) async fn use_approval(&self, considered: &Considered) -> Result<Option<Attempt>, EngineError> {
        let Some(approved) = &considered.inputs.approved_as else { return Ok(None) };
        if self.ledger.hand_over(approved, self.incident, self.owner, now()).await? {
            return Ok(None);
        }
        let breaker = &considered.breaker;
        self.ledger.breaker_outcome(breaker, self.incident, BreakerOutcome::Abandoned, now()).await?;
        let text = format!("the approval of incident {approved} no longer counts; another is needed");
        self.engine.voice.tell(Event::Warning(&text));
        self.ledger.await_approval(self.incident, self.owner, now()).await?;
        Ok(Some(Attempt::Over(Outcome::AwaitingApproval, Some(Refusal::ModeApprove))))
    }
}
