//! The recovery journal of one incident: each fact durable when its append returns, and one writer at a time.

use regreen_saga::{BoxFuture, Fact, Journal, JournalError, StepEvent};
use serde_json::Value;
use sqlx::AnyConnection;

use crate::{
    Ledger, LedgerError,
    audit::Change,
    incident::{owned, require},
    row::Row,
    rows,
    scrub::{scrub_text, scrub_value},
    shape::State,
};

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// Counts from 1.
    pub seq: i64,
    /// When it was written.
    pub at: i64,
    /// What happened.
    pub fact: Fact,
}

/// A journal in the ledger, written under a fencing token.
pub struct SqlJournal {
    ledger: Ledger,
    incident: String,
    owner: String,
    clock: Box<dyn Fn() -> i64 + Send>,
    /// The next entry's number, once it is known. Another writer's entry under this number ends this one's right.
    next: Option<i64>,
}

impl Ledger {
    /// The journal of `incident`, for the process that holds the token `owner`.
    ///
    /// It refuses to append for a stale owner, beside a second writer, to an incident that is not open, and a
    /// `Before` or receipt that masking would change: an undo could not work from it. Reasons are masked.
    pub fn journal(
        &self,
        incident: &str,
        owner: &str,
        clock: impl Fn() -> i64 + Send + 'static,
    ) -> SqlJournal {
        SqlJournal {
            ledger: self.clone(),
            incident: incident.to_owned(),
            owner: owner.to_owned(),
            clock: Box::new(clock),
            next: None,
        }
    }

    /// Every entry of an incident's journal, oldest first.
    ///
    /// # Errors
    /// Where the ledger, or an entry, can't be read.
    pub async fn facts(&self, incident: &str) -> Result<Vec<JournalEntry>, LedgerError> {
        let rows: Vec<(i64, i64, String)> =
            sqlx::query_as("SELECT seq, at, fact FROM facts WHERE incident = $1 ORDER BY seq")
                .bind(incident)
                .fetch_all(&mut *self.read().await?)
                .await?;
        rows.into_iter()
            .map(|(seq, at, text)| {
                let what = || format!("entry {seq} of the journal of incident `{incident}`");
                let fact = serde_json::from_str(&text)
                    .map_err(|source| LedgerError::Shape { what: what(), source })?;
                Ok(JournalEntry { seq, at, fact })
            })
            .collect()
    }
}

impl SqlJournal {
    async fn write(&mut self, fact: &Fact) -> Result<(), LedgerError> {
        let fact = self.fit_to_store(fact)?;
        let text = serde_json::to_string(&fact)
            .map_err(|source| LedgerError::Shape { what: "a journal entry".to_owned(), source })?;
        let at = (self.clock)();
        let mut work = self.ledger.write().await?;
        let incident = owned(&mut work, &self.incident, &self.owner).await?;
        require(&incident, State::Open, "worked on")?;
        let last = last_seq(&mut work, &self.incident).await?;
        let seq = self.next.unwrap_or(last + 1);
        if seq != last + 1 {
            return Err(LedgerError::Conflict { incident: self.incident.clone(), seq });
        }
        let row = Row::Fact { incident: self.incident.clone(), seq, at, fact: text };
        let change = Change {
            at,
            kind: "fact-recorded",
            details: &[("event", fact.event.name()), ("step", &fact.step)],
        };
        rows::put(&mut work, &row, &change).await?;
        self.ledger.commit(work).await?;
        self.next = Some(seq + 1);
        Ok(())
    }

    async fn all(&mut self) -> Result<Vec<Fact>, LedgerError> {
        let entries = self.ledger.facts(&self.incident).await?;
        self.next = Some(entries.last().map_or(0, |e| e.seq) + 1);
        Ok(entries.into_iter().map(|e| e.fact).collect())
    }

    /// The fact with its reasons masked; what an undo works from must not need masking.
    fn fit_to_store(&self, fact: &Fact) -> Result<Fact, LedgerError> {
        let scrub = self.ledger.scrubber();
        let exact = |what: &str, value: &Value| {
            let same = scrub_value(scrub, value.clone()) == *value;
            let what = || format!("{what} of step `{}`", scrub.scrub(&fact.step));
            same.then_some(()).ok_or_else(|| LedgerError::Unmasked { what: what() })
        };
        exact("the name", &Value::from(fact.step.as_str()))?;
        let mut fact = fact.clone();
        match &mut fact.event {
            StepEvent::Prepared { before } => exact("the state before", before)?,
            StepEvent::Applied { receipt } => exact("the receipt", receipt)?,
            StepEvent::Skipped { why }
            | StepEvent::NotVerified { why }
            | StepEvent::Failed { why, .. }
            | StepEvent::UndoFailed { why } => scrub_text(scrub, why),
            StepEvent::Undone { says: Some(says) } => scrub_text(scrub, says),
            StepEvent::Started
            | StepEvent::Verified
            | StepEvent::TryAgain
            | StepEvent::UndoStarted
            | StepEvent::Undone { says: None } => {}
        }
        Ok(fact)
    }
}

impl Journal for SqlJournal {
    fn append<'a>(&'a mut self, fact: &'a Fact) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.write(fact).await.map_err(|e| JournalError { doing: "write", source: Box::new(e) })
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<Fact>, JournalError>> {
        Box::pin(
            async move { self.all().await.map_err(|e| JournalError { doing: "read", source: Box::new(e) }) },
        )
    }
}

async fn last_seq(db: &mut AnyConnection, incident: &str) -> Result<i64, LedgerError> {
    let last: Option<i64> = sqlx::query_scalar("SELECT max(seq) FROM facts WHERE incident = $1")
        .bind(incident)
        .fetch_one(db)
        .await?;
    Ok(last.unwrap_or(0))
}
