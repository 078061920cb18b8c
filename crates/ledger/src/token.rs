//! Who may read and act over HTTP: tokens by their digests, and the browsers in which somebody showed one.
//!
//! Making and taking away is in the audit log. The text of a token never comes here.

use sqlx::{FromRow, any::AnyRow};

use crate::{
    Ledger, LedgerError,
    audit::{Change, append},
    incident::check_id,
};

/// What a token says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id: the part of its text that is no secret.
    pub id: String,
    /// By which people know it.
    pub name: String,
    /// What it may do.
    pub role: String,
    /// The repository, in lower case, of which alone a job may speak that shows it; empty for whoever is no job.
    pub repository: String,
    /// SHA-256 of its secret part, in hexadecimal digits.
    pub digest: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// When it ends; `None`: when it is taken away.
    pub expires_at: Option<i64>,
    /// When it was last used, to the hour.
    pub last_used_at: Option<i64>,
    /// When it was taken away.
    pub revoked_at: Option<i64>,
}

/// A token that is made.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'a> {
    /// Its id.
    pub id: &'a str,
    /// By which people know it.
    pub name: &'a str,
    /// What it may do.
    pub role: &'a str,
    /// Of which repository alone a job may speak that shows it, in lower case; empty for whoever is no job.
    pub repository: &'a str,
    /// SHA-256 of its secret part, in hexadecimal digits.
    pub digest: &'a str,
    /// When it ends.
    pub expires_at: Option<i64>,
}

/// A browser in which somebody showed a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of its secret part, in hexadecimal digits.
    pub digest: String,
    /// When it ends, in milliseconds since 1970.
    pub expires_at: i64,
    /// Which token was shown.
    pub token: Token,
}

impl Token {
    /// Whether it counts at `now`.
    pub fn counts(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

const TOKEN: &str =
    "SELECT id, name, role, repository, digest, created_at, expires_at, last_used_at, revoked_at FROM tokens";
/// Last use is kept to the hour: else every reading would be a writing.
const COARSE_MS: i64 = 60 * 60 * 1000;

impl Ledger {
    /// Puts a token on record; `false` where another one that was not taken away has its name.
    ///
    /// # Errors
    /// `BadId`, or the ledger's own.
    pub async fn create_token(&self, new: &NewToken<'_>, actor: &str, now: i64) -> Result<bool, LedgerError> {
        check_id(new.id)?;
        let (name, actor) = (self.name(new.name), self.clean(actor));
        let mut work = self.write().await?;
        let made = sqlx::query(
            "INSERT INTO tokens (id, name, role, repository, digest, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(new.id)
        .bind(&name)
        .bind(new.role)
        .bind(self.clean(new.repository))
        .bind(new.digest)
        .bind(now)
        .bind(new.expires_at)
        .execute(&mut *work)
        .await?;
        if made.rows_affected() == 0 {
            return Ok(false);
        }
        let mut details =
            vec![("actor", actor.as_str()), ("name", &name), ("role", new.role), ("token", new.id)];
        details.extend((!new.repository.is_empty()).then_some(("repository", new.repository)));
        append(&mut work, &Change { at: now, kind: "token-created", details: &details }).await?;
        self.commit(work).await?;
        Ok(true)
    }

    /// Every token that was ever made, by name.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn tokens(&self) -> Result<Vec<Token>, LedgerError> {
        let sql = sqlx::AssertSqlSafe(format!("{TOKEN} ORDER BY name, created_at, id"));
        Ok(sqlx::query_as(sql).fetch_all(&mut *self.read().await?).await?)
    }

    /// The token with this id.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn token(&self, id: &str) -> Result<Option<Token>, LedgerError> {
        let sql = sqlx::AssertSqlSafe(format!("{TOKEN} WHERE id = $1"));
        Ok(sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.read().await?).await?)
    }

    /// The ids of all tokens and sessions that may count now.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn token_ids(&self, now: i64) -> Result<Vec<String>, LedgerError> {
        let ids: Vec<(String,)> = sqlx::query_as(
            "SELECT id FROM tokens WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)
             UNION ALL SELECT id FROM sessions WHERE expires_at > $1",
        )
        .bind(now)
        .fetch_all(&mut *self.read().await?)
        .await?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }

    /// Takes the token with this id or name away, and with it everybody who signed in by it; `None` where there is none
    /// that could be.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn revoke_token(
        &self,
        which: &str,
        actor: &str,
        now: i64,
    ) -> Result<Option<Token>, LedgerError> {
        let actor = self.clean(actor);
        let mut work = self.write().await?;
        let sql = sqlx::AssertSqlSafe(format!(
            "{TOKEN} WHERE revoked_at IS NULL AND (id = $1 OR name = $2) ORDER BY id LIMIT 1"
        ));
        let found: Option<Token> =
            sqlx::query_as(sql).bind(which).bind(self.name(which)).fetch_optional(&mut *work).await?;
        let Some(token) = found else { return Ok(None) };
        sqlx::query("UPDATE tokens SET revoked_at = $2 WHERE id = $1")
            .bind(&token.id)
            .bind(now)
            .execute(&mut *work)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE token = $1").bind(&token.id).execute(&mut *work).await?;
        let details = [("actor", actor.as_str()), ("name", &token.name), ("token", &token.id)];
        append(&mut work, &Change { at: now, kind: "token-revoked", details: &details }).await?;
        self.commit(work).await?;
        Ok(Some(Token { revoked_at: Some(now), ..token }))
    }

    /// A token was used. Remembered to the hour.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn token_used(&self, token: &Token, now: i64) -> Result<(), LedgerError> {
        let hour = now - now.rem_euclid(COARSE_MS);
        if token.last_used_at.is_some_and(|at| at >= hour) {
            return Ok(());
        }
        let query = sqlx::query_as(
            "UPDATE tokens SET last_used_at = $2
             WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2) RETURNING id",
        );
        let _used: Vec<(String,)> = self.at_once(query.bind(&token.id).bind(hour)).await?;
        Ok(())
    }

    /// Somebody showed this token in a browser. Sessions that have ended go.
    ///
    /// # Errors
    /// `BadId`, or the ledger's own.
    pub async fn sign_in(
        &self,
        id: &str,
        token: &str,
        digest: &str,
        expires_at: i64,
        now: i64,
    ) -> Result<(), LedgerError> {
        check_id(id)?;
        let mut work = self.write_aside().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now).execute(&mut *work).await?;
        sqlx::query("INSERT INTO sessions (id, token, digest, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(token)
            .bind(digest)
            .bind(expires_at)
            .execute(&mut *work)
            .await?;
        self.commit_aside(work).await
    }

    /// The session with this id, with its token.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn session(&self, id: &str) -> Result<Option<Session>, LedgerError> {
        let mut db = self.read().await?;
        let found: Option<(String, String, i64)> =
            sqlx::query_as("SELECT token, digest, expires_at FROM sessions WHERE id = $1")
                .bind(id)
                .fetch_optional(&mut *db)
                .await?;
        let Some((token, digest, expires_at)) = found else { return Ok(None) };
        let sql = sqlx::AssertSqlSafe(format!("{TOKEN} WHERE id = $1"));
        let token: Option<Token> = sqlx::query_as(sql).bind(token).fetch_optional(&mut *db).await?;
        Ok(token.map(|token| Session { digest, expires_at, token }))
    }

    /// The session ends.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn sign_out(&self, id: &str) -> Result<(), LedgerError> {
        let query = sqlx::query_as("DELETE FROM sessions WHERE id = $1 RETURNING id");
        let _ended: Vec<(String,)> = self.at_once(query.bind(id)).await?;
        Ok(())
    }
}

impl FromRow<'_, AnyRow> for Token {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        type Cells = (String, String, String, String, String, i64, Option<i64>, Option<i64>, Option<i64>);
        let (id, name, role, repository, digest, created_at, expires_at, last_used_at, revoked_at): Cells =
            FromRow::from_row(row)?;
        Ok(Token { id, name, role, repository, digest, created_at, expires_at, last_used_at, revoked_at })
    }
}
