//! A question in the middle of a run, and the answer that another process writes.

use crate::{
    Ledger, LedgerError,
    audit::Change,
    incident::{owned, require, store},
    shape::{Approval, Incident, Question, State},
};

impl Ledger {
    /// Puts the question of a step on record, once; the answer, where a person has given one.
    ///
    /// # Errors
    /// `UnknownIncident`, `StaleOwner`, `WrongState`, or the ledger's own.
    pub async fn ask(
        &self,
        id: &str,
        owner: &str,
        step: &str,
        text: &str,
        now: i64,
    ) -> Result<Option<Approval>, LedgerError> {
        let asked = |incident: &Incident| incident.question.clone().filter(|q| q.step == step);
        // Looked at first: whoever waits looks often, and must not hold up those who write.
        if let Some(question) = self.incident(id).await?.as_ref().and_then(asked) {
            return Ok(question.answer);
        }
        let mut work = self.write().await?;
        let mut incident = owned(&mut work, id, owner).await?;
        require(&incident, State::Open, "asked about")?;
        let (step, text) = (self.clean(step), self.clean(text));
        let change = Change { at: now, kind: "approval-asked", details: &[("step", &step), ("ask", &text)] };
        incident.question = Some(Question { step: step.clone(), text: text.clone(), at: now, answer: None });
        incident.changed_at = now;
        store(&mut work, &incident, &change).await?;
        self.commit(work).await?;
        Ok(None)
    }
}
