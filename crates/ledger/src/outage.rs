//! Services that jobs could not use, and who waits for them: shared by all nodes, and kept through every crash.
//!
//! Which failures are one outage, and when what waited may go, is the caller's to say (`regreen-decide`); here it is made
//! durable, and done once.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, FromRow, any::AnyRow};

use crate::{
    Ledger, LedgerError,
    digest::sha256_of,
    work::{self, NewWork},
};

/// A failure at a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The service's host.
    pub service: String,
    /// Id of the class.
    pub class: String,
    /// The repository whose job failed.
    pub repository: String,
    /// When it ended, in milliseconds since 1970.
    pub at: i64,
}

/// A service that does not answer, or did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// Its id.
    pub id: String,
    /// The service's host.
    pub service: String,
    /// Id of the class as which it was noticed.
    pub class: String,
    /// When it began, as far as jobs show it.
    pub began_at: i64,
    /// Since when it is known that several repositories met it.
    pub known_at: Option<i64>,
    /// When the service was last asked.
    pub probed_at: Option<i64>,
    /// How often it answered in a row, up to then.
    pub answers: u32,
    /// When it was over.
    pub ended_at: Option<i64>,
}

/// The place of an outage in the list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutagePlace {
    /// Whether it is over.
    pub over: bool,
    /// When it began.
    pub began_at: i64,
    /// Its id.
    pub id: String,
}

impl Outage {
    /// Its place in the list.
    pub fn place(&self) -> OutagePlace {
        OutagePlace { over: self.ended_at.is_some(), began_at: self.began_at, id: self.id.clone() }
    }
}

/// A service that seems to be down.
#[derive(Debug, Clone, Copy)]
pub struct NewOutage<'a> {
    /// The service's host.
    pub service: &'a str,
    /// Id of the class.
    pub class: &'a str,
    /// When it began.
    pub began_at: i64,
    /// Whether several repositories have met it.
    pub known: bool,
}

/// An incident that waits for a service, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// For the end of which outage.
    pub outage: String,
    /// When it first had to wait, in milliseconds since 1970.
    pub since: i64,
    /// When it may go; `None` while the service is down.
    pub go_at: Option<i64>,
}

/// What was let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Released {
    /// Incidents that waited.
    pub incidents: usize,
    /// Repositories that had met it.
    pub repositories: usize,
}

const OUTAGE: &str =
    "SELECT id, service, class, began_at, known_at, probed_at, answers, ended_at FROM outages";

impl Ledger {
    /// Records that an incident's job failed at these services. Said twice it is as once.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn sighted(&self, incident: &str, seen: &[Sighting]) -> Result<(), LedgerError> {
        let mut db = self.write_aside().await?;
        for one in seen {
            sqlx::query(
                "INSERT INTO sightings (incident, service, class, repository, at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT DO NOTHING",
            )
            .bind(incident)
            .bind(self.name(&one.service))
            .bind(self.name(&one.class))
            .bind(self.name(&one.repository))
            .bind(one.at)
            .execute(&mut *db)
            .await?;
        }
        self.commit_aside(db).await
    }

    /// At which services an incident's job failed.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn sightings_of(&self, incident: &str) -> Result<Vec<Sighting>, LedgerError> {
        Ok(sqlx::query_as(
            "SELECT service, class, repository, at FROM sightings WHERE incident = $1 ORDER BY service, class",
        )
        .bind(incident)
        .fetch_all(&mut *self.read().await?)
        .await?)
    }

    /// What was seen of a service since then, but not what belongs to an outage that is over. Of each repository and class
    /// the latest.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn sightings(&self, service: &str, since: i64) -> Result<Vec<Sighting>, LedgerError> {
        Ok(sqlx::query_as(
            "SELECT service, class, repository, max(at) FROM sightings
             WHERE service = $1 AND at >= $2
               AND at > coalesce((SELECT max(ended_at) FROM outages WHERE service = $1 AND ended_at IS NOT NULL), $2 - 1)
             GROUP BY service, class, repository ORDER BY class, repository",
        )
        .bind(self.name(service))
        .bind(since)
        .fetch_all(&mut *self.read().await?)
        .await?)
    }

    /// The outage of a service that is not over.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn outage_at(&self, service: &str) -> Result<Option<Outage>, LedgerError> {
        open_one(&mut *self.read().await?, &self.name(service)).await
    }

    /// The outage with this id.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn outage(&self, id: &str) -> Result<Option<Outage>, LedgerError> {
        let sql = sqlx::AssertSqlSafe(format!("{OUTAGE} WHERE id = $1"));
        Ok(sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.read().await?).await?)
    }

    /// The latest outages, those that are not over first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn outages(&self, most: u32) -> Result<Vec<Outage>, LedgerError> {
        self.outages_after(None, most).await
    }

    /// The same, after that place in the list. One that ends meanwhile may be seen twice, and none is left out.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn outages_after(
        &self,
        after: Option<&OutagePlace>,
        most: u32,
    ) -> Result<Vec<Outage>, LedgerError> {
        let begin = OutagePlace { over: false, began_at: i64::MAX, id: String::new() };
        let after = after.unwrap_or(&begin);
        const OVER: &str = "CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END";
        let sql = sqlx::AssertSqlSafe(format!(
            "{OUTAGE} WHERE {OVER} > $1 OR ({OVER} = $1 AND (began_at < $2 OR (began_at = $2 AND id > $3)))
             ORDER BY {OVER}, began_at DESC, id LIMIT $4"
        ));
        let query = sqlx::query_as(sql).bind(i64::from(after.over)).bind(after.began_at).bind(&after.id);
        Ok(query.bind(i64::from(most)).fetch_all(&mut *self.read().await?).await?)
    }

    /// The service is down from now on; the one that is on record where it is so already. `tend` makes, of its id, the work
    /// of looking after it, which is put on the list with it.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn begin_outage(
        &self,
        new: &NewOutage<'_>,
        tend: impl Fn(&str) -> (String, String) + Send,
        kind: &str,
        now: i64,
    ) -> Result<Outage, LedgerError> {
        let service = self.name(new.service);
        let mut db = self.write_aside().await?;
        let id = sha256_of(&[&service, &new.began_at.to_string(), &now.to_string()]);
        let id = id.get(..16).unwrap_or(&id);
        let made = sqlx::query(
            "INSERT INTO outages (id, service, class, began_at, known_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(&service)
        .bind(self.name(new.class))
        .bind(new.began_at)
        .bind(new.known.then_some(now))
        .execute(&mut *db)
        .await?;
        if made.rows_affected() > 0 {
            let (key, payload) = tend(id);
            let work = NewWork { kind, key: &key, payload: &payload, created_at: now, due_at: now };
            work::insert(self, &mut db, &[&work]).await?;
        }
        let open = open_one(&mut db, &service).await?;
        self.commit_aside(db).await?;
        open.ok_or_else(|| LedgerError::corrupt("an outage is there and is not"))
    }

    /// Several repositories have met it since `began_at`. Said twice it is as once.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn know_outage(&self, id: &str, began_at: i64, now: i64) -> Result<(), LedgerError> {
        let query = sqlx::query_as::<_, (String,)>(
            "UPDATE outages SET known_at = $3, began_at = CASE WHEN began_at < $2 THEN began_at ELSE $2 END
             WHERE id = $1 AND known_at IS NULL RETURNING id",
        );
        self.change(query.bind(id).bind(began_at).bind(now)).await.map(|_| ())
    }

    /// Whether it is for the caller to tell that it began: of several that ask, for one.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn tell_outage(&self, id: &str, now: i64) -> Result<bool, LedgerError> {
        let query = sqlx::query_as::<_, (String,)>(
            "UPDATE outages SET told_at = $2 WHERE id = $1 AND known_at IS NOT NULL AND told_at IS NULL RETURNING id",
        );
        self.change(query.bind(id).bind(now)).await
    }

    /// The service was asked; how often it has answered in a row by now.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn probed(&self, id: &str, answered: bool, now: i64) -> Result<u32, LedgerError> {
        let mut db = self.write_aside().await?;
        let answers: Option<i64> = sqlx::query_scalar(
            "UPDATE outages SET probed_at = $2, answers = CASE WHEN $3 = 1 THEN answers + 1 ELSE 0 END
             WHERE id = $1 RETURNING answers",
        )
        .bind(id)
        .bind(now)
        .bind(i64::from(answered))
        .fetch_optional(&mut *db)
        .await?;
        self.commit_aside(db).await?;
        Ok(answers.and_then(|n| u32::try_from(n).ok()).unwrap_or(0))
    }

    /// It is over: whatever waits for it is told when it may go, and its work is due then. `drain` says when, for each
    /// incident in order.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn end_outage(
        &self,
        id: &str,
        drain: impl FnOnce(&[&str]) -> Vec<i64> + Send,
        now: i64,
    ) -> Result<Released, LedgerError> {
        let mut db = self.write_aside().await?;
        let waiting: Vec<(String, Option<i64>)> = sqlx::query_as(
            "SELECT incident, work FROM waits WHERE outage = $1 AND go_at IS NULL ORDER BY incident",
        )
        .bind(id)
        .fetch_all(&mut *db)
        .await?;
        let names: Vec<&str> = waiting.iter().map(|(incident, _)| incident.as_str()).collect();
        let times = drain(&names);
        for ((incident, work), at) in waiting.iter().zip(times) {
            sqlx::query("UPDATE waits SET go_at = $2 WHERE incident = $1")
                .bind(incident)
                .bind(at)
                .execute(&mut *db)
                .await?;
            sqlx::query(
                "UPDATE work SET ready_at = CASE WHEN owner IS NULL THEN $2 ELSE ready_at END,
                                 woken_at = CASE WHEN owner IS NULL THEN woken_at ELSE $2 END
                 WHERE id = $1 AND done_at IS NULL",
            )
            .bind(work)
            .bind(at)
            .execute(&mut *db)
            .await?;
        }
        let over: Option<(String, i64)> = sqlx::query_as(
            "UPDATE outages SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING service, began_at",
        )
        .bind(id)
        .bind(now)
        .fetch_optional(&mut *db)
        .await?;
        let mut repositories = BTreeSet::new();
        if let Some((service, began)) = over {
            let met: Vec<String> = sqlx::query_scalar(
                "SELECT DISTINCT repository FROM sightings WHERE service = $1 AND at >= $2",
            )
            .bind(service)
            .bind(began)
            .fetch_all(&mut *db)
            .await?;
            repositories.extend(met);
        }
        self.commit_aside(db).await?;
        Ok(Released { incidents: waiting.len(), repositories: repositories.len() })
    }

    /// Makes an incident wait for the end of an outage; the work under whose claim this is said is woken then. One that
    /// waits already goes on waiting since when it did.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn wait_for(&self, incident: &str, outage: &str, now: i64) -> Result<Wait, LedgerError> {
        let mut db = self.write_aside().await?;
        let since: i64 = sqlx::query_scalar(
            "INSERT INTO waits (incident, outage, work, since) VALUES ($1, $2, $3, $4)
             ON CONFLICT (incident) DO UPDATE SET outage = excluded.outage, work = excluded.work, go_at = NULL
             RETURNING since",
        )
        .bind(incident)
        .bind(outage)
        .bind(self.work())
        .bind(now)
        .fetch_one(&mut *db)
        .await?;
        self.commit_aside(db).await?;
        Ok(Wait { outage: outage.to_owned(), since, go_at: None })
    }

    /// An incident waits no longer, whatever becomes of the outage.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn wait_over(&self, incident: &str, now: i64) -> Result<(), LedgerError> {
        let query = sqlx::query_as::<_, (String,)>(
            "UPDATE waits SET go_at = $2 WHERE incident = $1 AND go_at IS NULL RETURNING incident",
        );
        self.change(query.bind(incident).bind(now)).await.map(|_| ())
    }

    /// What an incident waits for, or waited.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn wait_of(&self, incident: &str) -> Result<Option<Wait>, LedgerError> {
        let row: Option<(String, i64, Option<i64>)> =
            sqlx::query_as("SELECT outage, since, go_at FROM waits WHERE incident = $1")
                .bind(incident)
                .fetch_optional(&mut *self.read().await?)
                .await?;
        Ok(row.map(|(outage, since, go_at)| Wait { outage, since, go_at }))
    }

    /// How many incidents wait for the end of an outage.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn waiting_for(&self, outage: &str) -> Result<u64, LedgerError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM waits WHERE outage = $1 AND go_at IS NULL")
            .bind(outage)
            .fetch_one(&mut *self.read().await?)
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Whether a change of one statement changed anything.
    async fn change(&self, query: work::Query<'_, (String,)>) -> Result<bool, LedgerError> {
        let mut db = self.write_aside().await?;
        let changed = query.fetch_optional(&mut *db).await?.is_some();
        self.commit_aside(db).await?;
        Ok(changed)
    }
}

async fn open_one(db: &mut AnyConnection, service: &str) -> Result<Option<Outage>, LedgerError> {
    let sql = sqlx::AssertSqlSafe(format!("{OUTAGE} WHERE service = $1 AND ended_at IS NULL"));
    Ok(sqlx::query_as(sql).bind(service).fetch_optional(db).await?)
}

impl FromRow<'_, AnyRow> for Sighting {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let (service, class, repository, at) = FromRow::from_row(row)?;
        Ok(Sighting { service, class, repository, at })
    }
}

impl FromRow<'_, AnyRow> for Outage {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        type Cells = (String, String, String, i64, Option<i64>, Option<i64>, i64, Option<i64>);
        let (id, service, class, began_at, known_at, probed_at, answers, ended_at): Cells =
            FromRow::from_row(row)?;
        let answers = u32::try_from(answers).unwrap_or(0);
        Ok(Outage { id, service, class, began_at, known_at, probed_at, answers, ended_at })
    }
}
