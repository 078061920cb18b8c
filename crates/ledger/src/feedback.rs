//! What people say an incident's class was: the labels that detection is measured by.

use regreen_domain::FailureClass;

use crate::{
    Ledger, LedgerError,
    audit::Change,
    incident::find,
    row::{Row, content_id},
    rows,
};

/// One label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Id of the class.
    pub class: String,
    /// Whose word.
    pub actor: String,
    /// Anything else that was said.
    pub note: Option<String>,
    /// When.
    pub at: i64,
}

impl Ledger {
    /// Stores a label. The newest one counts; the same one twice is one.
    ///
    /// # Errors
    /// `UnknownIncident`, or the ledger's own.
    pub async fn feedback(
        &self,
        id: &str,
        class: FailureClass,
        actor: &str,
        note: Option<&str>,
        now: i64,
    ) -> Result<(), LedgerError> {
        let (actor, note) = (self.clean(actor), note.map(|text| self.clean(text)));
        let mut work = self.write().await?;
        if find(&mut work, id).await?.is_none() {
            return Err(LedgerError::UnknownIncident { id: id.to_owned() });
        }
        let parts = [id, class.id(), &actor, note.as_deref().unwrap_or(""), &now.to_string()];
        let row = Row::Feedback {
            id: content_id(&parts),
            incident: id.to_owned(),
            class: class.id().to_owned(),
            actor: actor.clone(),
            note,
            at: now,
        };
        if rows::same_key(&mut work, &row).await?.is_some() {
            return self.commit(work).await;
        }
        let change =
            Change { at: now, kind: "feedback-given", details: &[("actor", &actor), ("class", class.id())] };
        rows::put(&mut work, &row, &change).await?;
        self.commit(work).await
    }

    /// Every label of an incident, oldest first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn feedback_of(&self, id: &str) -> Result<Vec<Feedback>, LedgerError> {
        let rows: Vec<(String, String, Option<String>, i64)> =
            sqlx::query_as("SELECT class, actor, note, at FROM feedback WHERE incident = $1 ORDER BY at, id")
                .bind(id)
                .fetch_all(&mut *self.read().await?)
                .await?;
        Ok(rows.into_iter().map(|(class, actor, note, at)| Feedback { class, actor, note, at }).collect())
    }
}
