//! The kill switch: while a scope is paused, nothing in it is healed.

use crate::{
    Ledger, LedgerError,
    audit::Change,
    row::{Row, content_id},
    rows,
};

/// A kill switch that is thrown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Its id.
    pub id: String,
    /// What is paused: a workspace.
    pub scope: String,
    /// Since when.
    pub at: i64,
    /// By whom.
    pub actor: String,
    /// Why.
    pub reason: String,
}

impl Ledger {
    /// Pauses a scope. One that is paused stays as it is.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn pause(&self, scope: &str, actor: &str, reason: &str, now: i64) -> Result<(), LedgerError> {
        let (scope, actor, reason) = (self.clean(scope), self.clean(actor), self.clean(reason));
        let mut work = self.write().await?;
        if !standing(&mut work, &scope).await?.is_empty() {
            return self.commit(work).await;
        }
        let (head, _) = crate::audit::last(&mut work).await?;
        let row = Row::Pause {
            id: content_id(&[&scope, &actor, &reason, &now.to_string(), &head.to_string()]),
            scope,
            at: now,
            actor: actor.clone(),
            reason: reason.clone(),
            ended_at: None,
            ended_by: None,
        };
        let change = Change { at: now, kind: "paused", details: &[("actor", &actor), ("reason", &reason)] };
        rows::put(&mut work, &row, &change).await?;
        self.commit(work).await
    }

    /// Whether this person has paused the scope for this reason, ever; it may have ended.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn was_paused(&self, scope: &str, actor: &str, reason: &str) -> Result<bool, LedgerError> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT id FROM pauses WHERE scope = $1 AND actor = $2 AND reason = $3 LIMIT 1",
        )
        .bind(self.clean(scope))
        .bind(self.clean(actor))
        .bind(self.clean(reason))
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(found.is_some())
    }

    /// Ends the pause of a scope; `false` where there is none.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn unpause(&self, scope: &str, actor: &str, now: i64) -> Result<bool, LedgerError> {
        let (scope, actor) = (self.clean(scope), self.clean(actor));
        let mut work = self.write().await?;
        let standing = standing(&mut work, &scope).await?;
        let ended = !standing.is_empty();
        // More than one, where an import brought another.
        for pause in standing {
            let row = Row::Pause {
                id: pause.id,
                scope: pause.scope,
                at: pause.at,
                actor: pause.actor,
                reason: pause.reason,
                ended_at: Some(now),
                ended_by: Some(actor.clone()),
            };
            let change = Change { at: now, kind: "unpaused", details: &[("actor", &actor)] };
            rows::put(&mut work, &row, &change).await?;
        }
        self.commit(work).await?;
        Ok(ended)
    }

    /// The pause of a scope, where it stands.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn paused(&self, scope: &str) -> Result<Option<Pause>, LedgerError> {
        let scope = self.clean(scope);
        Ok(standing(&mut *self.read().await?, &scope).await?.into_iter().next())
    }
}

impl Ledger {
    /// Whether any of these scopes is paused, as of one moment.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn paused_in(&self, scopes: &[String; 4]) -> Result<bool, LedgerError> {
        let [a, b, c, d] = scopes;
        let found: Option<String> = sqlx::query_scalar(
            "SELECT id FROM pauses WHERE scope IN ($1, $2, $3, $4) AND ended_at IS NULL LIMIT 1",
        )
        .bind(self.clean(a))
        .bind(self.clean(b))
        .bind(self.clean(c))
        .bind(self.clean(d))
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(found.is_some())
    }

    /// Every pause that stands, the latest first, at most so many.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn pauses(&self, most: u32) -> Result<Vec<Pause>, LedgerError> {
        self.pauses_after(None, most).await
    }

    /// As [`Ledger::pauses`], those after the one that began at that time and has that id.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn pauses_after(
        &self,
        after: Option<(i64, &str)>,
        most: u32,
    ) -> Result<Vec<Pause>, LedgerError> {
        // What sorts behind every id.
        let (at, id) = after.unwrap_or((i64::MAX, "\u{10ffff}"));
        let rows: Vec<(String, String, i64, String, String)> = sqlx::query_as(
            "SELECT id, scope, at, actor, reason FROM pauses WHERE ended_at IS NULL AND (at, id) < ($1, $2)
             ORDER BY at DESC, id DESC LIMIT $3",
        )
        .bind(at)
        .bind(id)
        .bind(i64::from(most))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let pause = |(id, scope, at, actor, reason)| Pause { id, scope, at, actor, reason };
        Ok(rows.into_iter().map(pause).collect())
    }
}

async fn standing(db: &mut sqlx::AnyConnection, scope: &str) -> Result<Vec<Pause>, LedgerError> {
    let rows: Vec<(String, i64, String, String)> = sqlx::query_as(
        "SELECT id, at, actor, reason FROM pauses WHERE scope = $1 AND ended_at IS NULL ORDER BY at, id",
    )
    .bind(scope)
    .fetch_all(db)
    .await?;
    let pause = |(id, at, actor, reason)| Pause { id, scope: scope.to_owned(), at, actor, reason };
    Ok(rows.into_iter().map(pause).collect())
}
