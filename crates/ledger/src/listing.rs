//! Incidents as lists, newest first, a page at a time.

use regreen_domain::{FailureClass, Outcome};

use crate::{
    Ledger, LedgerError,
    incident::find,
    shape::{Incident, State},
};

/// Which incidents, and how many.
#[derive(Debug, Clone, Default)]
pub struct IncidentFilter {
    /// Those that ended like this.
    pub outcome: Option<Outcome>,
    /// Those of this class.
    pub class: Option<FailureClass>,
    /// Those in this state.
    pub state: Option<State>,
    /// Those after this one: the page before ended there.
    pub after: Option<Cursor>,
    /// At most so many; 0 means 100.
    pub limit: u32,
}

/// The place of an incident in a list. New incidents do not move it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When the incident was opened.
    pub opened_at: i64,
    /// Its id.
    pub id: String,
}

impl Incident {
    /// Its place in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { opened_at: self.opened_at, id: self.id.clone() }
    }
}

impl Ledger {
    /// One incident.
    ///
    /// # Errors
    /// Where the ledger, or the record, can't be read.
    pub async fn incident(&self, id: &str) -> Result<Option<Incident>, LedgerError> {
        Ok(find(&mut *self.read().await?, id).await?.map(|(incident, _)| incident))
    }

    /// A page of incidents, newest first.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, LedgerError> {
        let after = filter.after.clone().unwrap_or(Cursor { opened_at: i64::MAX, id: "~".to_owned() });
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT record, owner FROM incidents
             WHERE (opened_at, id) < ($1, $2) AND ($3 IS NULL OR outcome = $3) AND ($4 IS NULL OR class = $4)
               AND ($5 IS NULL OR state = $5)
             ORDER BY opened_at DESC, id DESC LIMIT $6",
        )
        .bind(after.opened_at)
        .bind(after.id)
        .bind(filter.outcome.map(Outcome::id))
        .bind(filter.class.map(FailureClass::id))
        .bind(filter.state.map(State::id))
        .bind(if filter.limit == 0 { 100 } else { i64::from(filter.limit) })
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// This ledger's own incidents that are not over and wait for nobody, oldest first: what a resume goes on with.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn open_incidents(&self) -> Result<Vec<Incident>, LedgerError> {
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT record, owner FROM incidents WHERE state = 'open' AND owner IS NOT NULL
             ORDER BY opened_at, id",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter().map(read).collect()
    }
}

fn read((record, owner): (String, Option<String>)) -> Result<Incident, LedgerError> {
    Ok(Incident { imported: owner.is_none(), ..Incident::parse(&record)? })
}
