//! What people are told at the CI host: one issue for each subject, and one piece of work that keeps it up to date.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow, any::AnyRow};

use crate::{
    Ledger, LedgerError,
    digest::sha256_of,
    shape::Incident,
    work::{self, NewWork},
};

/// An issue that is kept up to date, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Its id.
    pub id: String,
    /// At which host, such as `github`.
    pub forge: String,
    /// In which repository.
    pub repository: String,
    /// What it is about: a fingerprint, or a service.
    pub subject: String,
    /// The latest incident, or the outage.
    pub incident: String,
    /// When the latest one was, in milliseconds since 1970.
    pub changed_at: i64,
    /// The issue's number, once there is one.
    pub issue: Option<u64>,
    /// When what it is about was last seen to work again.
    pub green_at: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<i64>,
}

/// Something that people must see.
#[derive(Debug, Clone, Copy)]
pub struct NewEscalation<'a> {
    /// At which host.
    pub forge: &'a str,
    /// In which repository.
    pub repository: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// The incident, or the outage.
    pub incident: &'a str,
    /// When it was, in milliseconds since 1970.
    pub at: i64,
}

const ALL: &str = "SELECT id, forge, repository, subject, incident, changed_at, issue, green_at, closed_at FROM escalations";

impl Ledger {
    /// People are to be told: the work that does it, of this kind, is put on the list, or woken. `tend` makes its key and payload
    /// of the escalation's id. `false` where it was said already, or is older than the end of the last one of this subject.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn escalate(
        &self,
        new: &NewEscalation<'_>,
        tend: impl Fn(&str) -> (String, String) + Send,
        kind: &str,
        now: i64,
    ) -> Result<bool, LedgerError> {
        let (repository, subject) = (self.name(new.repository), self.name(new.subject));
        let mut db = self.write_aside().await?;
        let over: Option<i64> = sqlx::query_scalar(
            "SELECT max(closed_at) FROM escalations
             WHERE forge = $1 AND repository = $2 AND subject = $3 AND closed_at IS NOT NULL",
        )
        .bind(new.forge)
        .bind(&repository)
        .bind(&subject)
        .fetch_one(&mut *db)
        .await?;
        if over.is_some_and(|over| new.at <= over) {
            return Ok(false);
        }
        let id = sha256_of(&[new.forge, &repository, &subject, new.incident]);
        let id = id.get(..16).unwrap_or(&id);
        let made = sqlx::query(
            "INSERT INTO escalations (id, forge, repository, subject, incident, opened_at, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(new.forge)
        .bind(&repository)
        .bind(&subject)
        .bind(self.name(new.incident))
        .bind(now)
        .bind(new.at)
        .execute(&mut *db)
        .await?;
        let fresh = made.rows_affected() > 0;
        let newer: Option<String> = sqlx::query_scalar(
            "UPDATE escalations SET incident = $4, changed_at = $5
             WHERE forge = $1 AND repository = $2 AND subject = $3 AND closed_at IS NULL AND changed_at < $5
             RETURNING id",
        )
        .bind(new.forge)
        .bind(&repository)
        .bind(&subject)
        .bind(self.name(new.incident))
        .bind(new.at)
        .fetch_optional(&mut *db)
        .await?;
        if fresh {
            let (key, payload) = tend(id);
            let work = NewWork { kind, key: &key, payload: &payload, created_at: now, due_at: now };
            work::insert(self, &mut db, &[&work]).await?;
        }
        self.commit_aside(db).await?;
        if let Some(id) = &newer {
            self.wake(&tend(id).0, now).await?;
        }
        Ok(fresh || newer.is_some())
    }

    /// The escalation with this id.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn escalation(&self, id: &str) -> Result<Option<Escalation>, LedgerError> {
        let sql = AssertSqlSafe(format!("{ALL} WHERE id = $1"));
        Ok(sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.read().await?).await?)
    }

    /// Those that are not closed: of a repository, or all of them.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn escalations(
        &self,
        forge: &str,
        repository: Option<&str>,
    ) -> Result<Vec<Escalation>, LedgerError> {
        let sql = AssertSqlSafe(format!(
            "{ALL} WHERE forge = $1 AND repository = coalesce($2, repository) AND closed_at IS NULL
             ORDER BY opened_at, id"
        ));
        let repository = repository.map(|name| self.name(name));
        Ok(sqlx::query_as(sql).bind(forge).bind(repository).fetch_all(&mut *self.read().await?).await?)
    }

    /// The issue has this number.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn escalation_told(&self, id: &str, issue: u64) -> Result<(), LedgerError> {
        let mut db = self.write_aside().await?;
        sqlx::query("UPDATE escalations SET issue = $2 WHERE id = $1")
            .bind(id)
            .bind(i64::try_from(issue).unwrap_or(i64::MAX))
            .execute(&mut *db)
            .await?;
        self.commit_aside(db).await
    }

    /// What a subject is about was seen to work again at `at`; the work that looks after it is woken, by the key that `tend` makes.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn escalation_green(
        &self,
        id: &str,
        tend: impl Fn(&str) -> (String, String) + Send,
        at: i64,
        now: i64,
    ) -> Result<(), LedgerError> {
        let mut db = self.write_aside().await?;
        sqlx::query(
            "UPDATE escalations SET green_at = $2
             WHERE id = $1 AND closed_at IS NULL AND (green_at IS NULL OR green_at < $2)",
        )
        .bind(id)
        .bind(at)
        .execute(&mut *db)
        .await?;
        self.commit_aside(db).await?;
        self.wake(&tend(id).0, now).await.map(|_| ())
    }

    /// It is over, unless something newer than `seen` was said meanwhile: then `false`.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn close_escalation(&self, id: &str, seen: i64, now: i64) -> Result<bool, LedgerError> {
        let mut db = self.write_aside().await?;
        let closed = sqlx::query(
            "UPDATE escalations SET closed_at = $3 WHERE id = $1 AND closed_at IS NULL AND changed_at <= $2",
        )
        .bind(id)
        .bind(seen)
        .bind(now)
        .execute(&mut *db)
        .await?;
        self.commit_aside(db).await?;
        Ok(closed.rows_affected() > 0)
    }

    /// The latest incidents of a class and pattern in a repository, newest first, of this fleet alone.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn met(
        &self,
        repository: &str,
        class: &str,
        pattern: Option<&str>,
        most: u32,
    ) -> Result<Vec<Incident>, LedgerError> {
        let records = records(&mut *self.read().await?, repository, class, pattern, most).await?;
        records.iter().map(|record| Incident::parse(record)).collect()
    }
}

async fn records(
    db: &mut AnyConnection,
    repository: &str,
    class: &str,
    pattern: Option<&str>,
    most: u32,
) -> Result<Vec<String>, LedgerError> {
    Ok(sqlx::query_scalar(
        "SELECT record FROM incidents
         WHERE repository = $1 AND class = $2 AND pattern IS NOT DISTINCT FROM $3 AND owner IS NOT NULL
         ORDER BY opened_at DESC, id DESC LIMIT $4",
    )
    .bind(repository)
    .bind(class)
    .bind(pattern)
    .bind(i64::from(most))
    .fetch_all(db)
    .await?)
}

impl FromRow<'_, AnyRow> for Escalation {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        type Cells = (String, String, String, String, String, i64, Option<i64>, Option<i64>, Option<i64>);
        let (id, forge, repository, subject, incident, changed_at, issue, green_at, closed_at): Cells =
            FromRow::from_row(row)?;
        let issue = issue.and_then(|number| u64::try_from(number).ok());
        Ok(Escalation { id, forge, repository, subject, incident, changed_at, issue, green_at, closed_at })
    }
}
