//! Patterns that people accepted beside the fleet: their files, and until when each stood.

use sqlx::AnyConnection;

use crate::{
    Ledger, LedgerError,
    audit::Change,
    row::{Row, content_id},
    rows,
};

/// An accepted pattern that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedPattern {
    /// The pattern's own id.
    pub name: String,
    /// Its file.
    pub text: String,
    /// Since when, in milliseconds since 1970.
    pub at: i64,
    /// By whom.
    pub actor: String,
}

/// What came of accepting one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It stands.
    Accepted,
    /// The very same file stands already.
    Stood,
    /// Another file of this name stands.
    Taken,
    /// So many stand already.
    Full,
    /// It may not be stored as it is: it holds a secret, or what is no text.
    Secret,
}

impl Ledger {
    /// Most that stand at a time.
    pub const MOST_ACCEPTED: usize = 100;

    /// Accepts a pattern's file under its name. Whether it proves itself is for the caller to know.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn accept_pattern(
        &self,
        name: &str,
        text: &str,
        actor: &str,
        now: i64,
    ) -> Result<Acceptance, LedgerError> {
        if self.clean(text) != text || self.clean(name) != name {
            return Ok(Acceptance::Secret);
        }
        let actor = self.clean(actor);
        let mut work = self.write().await?;
        let standing = standing(&mut work).await?;
        let refused = match standing.iter().find(|(_, one)| one.name == name) {
            Some((_, one)) if one.text == text => Some(Acceptance::Stood),
            Some(_) => Some(Acceptance::Taken),
            None => (standing.len() >= Self::MOST_ACCEPTED).then_some(Acceptance::Full),
        };
        if let Some(refused) = refused {
            self.commit(work).await?;
            return Ok(refused);
        }
        let (head, _) = crate::audit::last(&mut work).await?;
        let row = Row::Pattern {
            id: content_id(&[name, text, &actor, &now.to_string(), &head.to_string()]),
            name: name.to_owned(),
            text: text.to_owned(),
            at: now,
            actor: actor.clone(),
            ended_at: None,
            ended_by: None,
        };
        let details = [("actor", actor.as_str()), ("pattern", name)];
        rows::put(&mut work, &row, &Change { at: now, kind: "pattern-accepted", details: &details }).await?;
        self.commit(work).await?;
        Ok(Acceptance::Accepted)
    }

    /// Takes an accepted pattern back; `false` where none of this name stands.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn take_pattern_back(&self, name: &str, actor: &str, now: i64) -> Result<bool, LedgerError> {
        let actor = self.clean(actor);
        let mut work = self.write().await?;
        let standing = standing(&mut work).await?;
        let mut ended = false;
        // More than one, where an import brought another.
        for (id, one) in standing.into_iter().filter(|(_, one)| one.name == name) {
            let row = Row::Pattern {
                id,
                name: one.name,
                text: one.text,
                at: one.at,
                actor: one.actor,
                ended_at: Some(now),
                ended_by: Some(actor.clone()),
            };
            let details = [("actor", actor.as_str()), ("pattern", name)];
            let change = Change { at: now, kind: "pattern-taken-back", details: &details };
            rows::put(&mut work, &row, &change).await?;
            ended = true;
        }
        self.commit(work).await?;
        Ok(ended)
    }

    /// Every accepted pattern that stands, in the order in which they were accepted.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn accepted_patterns(&self) -> Result<Vec<AcceptedPattern>, LedgerError> {
        let standing = standing(&mut *self.read().await?).await?;
        Ok(standing.into_iter().map(|(_, one)| one).collect())
    }

    /// Names this very set of accepted patterns: it is another whenever one was accepted or taken back.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn accepted_edition(&self) -> Result<Vec<String>, LedgerError> {
        let ids = sqlx::query_scalar("SELECT id FROM patterns WHERE ended_at IS NULL ORDER BY at, id");
        Ok(ids.fetch_all(&mut *self.read().await?).await?)
    }
}

/// Whether no more can stand.
pub(crate) async fn is_full(db: &mut AnyConnection) -> Result<bool, LedgerError> {
    let standing: i64 =
        sqlx::query_scalar("SELECT count(*) FROM patterns WHERE ended_at IS NULL").fetch_one(db).await?;
    Ok(standing >= Ledger::MOST_ACCEPTED as i64)
}

async fn standing(db: &mut AnyConnection) -> Result<Vec<(String, AcceptedPattern)>, LedgerError> {
    let rows: Vec<(String, String, String, i64, String)> = sqlx::query_as(
        "SELECT id, name, text, at, actor FROM patterns WHERE ended_at IS NULL ORDER BY at, id",
    )
    .fetch_all(db)
    .await?;
    let one = |(id, name, text, at, actor)| (id, AcceptedPattern { name, text, at, actor });
    Ok(rows.into_iter().map(one).collect())
}
