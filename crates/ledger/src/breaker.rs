//! Circuit breakers, one for each class × service × repository.

use sqlx::AnyConnection;

use crate::{
    Ledger, LedgerError,
    audit::Change,
    circuit::{BreakerPolicy, BreakerState, Circuit, Event},
    row::{Row, content_id},
    rows,
};

/// Which breaker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BreakerKey {
    /// Id of the failure class.
    pub class: String,
    /// The service that failed, such as a host; empty where the class has none.
    pub service: String,
    /// The repository, or the workspace where there is none.
    pub repository: String,
}

/// Whether a recovery may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Yes.
    Allowed,
    /// Yes, as the one probe: its outcome must be told.
    Probe,
    /// No.
    Refused {
        /// Until when, where that is known; else another incident's probe is under way.
        until: Option<i64>,
    },
}

/// How a recovery that was let in ended, as far as the breaker cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerOutcome {
    /// It worked.
    Success,
    /// It did not.
    Failure,
    /// It was called off before it could tell.
    Abandoned,
}

/// One breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// Which.
    pub key: BreakerKey,
    /// How it stands.
    pub state: BreakerState,
    /// Consecutive failures.
    pub failures: u32,
    /// When something last happened to it.
    pub last_at: i64,
}

impl Ledger {
    /// How the breaker stands. Looks only.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn breaker(
        &self,
        key: &BreakerKey,
        policy: BreakerPolicy,
        now: i64,
    ) -> Result<BreakerState, LedgerError> {
        let key = self.clean_key(key);
        Ok(fold(&mut *self.read().await?, &key, policy).await?.0.state(now))
    }

    /// Asks the breaker to let `incident` in; of a half-open one, the first to ask gets the probe.
    ///
    /// # Errors
    /// Where the ledger can't be read or written.
    pub async fn breaker_enter(
        &self,
        key: &BreakerKey,
        policy: BreakerPolicy,
        incident: &str,
        now: i64,
    ) -> Result<Entry, LedgerError> {
        let key = self.clean_key(key);
        let mut work = self.write().await?;
        match fold(&mut work, &key, policy).await?.0.state(now) {
            BreakerState::Closed => Ok(Entry::Allowed),
            BreakerState::Open { until } => Ok(Entry::Refused { until: Some(until) }),
            BreakerState::HalfOpen { probe: Some(holder) } if holder == incident => Ok(Entry::Probe),
            BreakerState::HalfOpen { probe: Some(_) } => Ok(Entry::Refused { until: None }),
            BreakerState::HalfOpen { probe: None } => {
                record(&mut work, &key, incident, Event::Probe, "", now).await?;
                self.commit(work).await?;
                Ok(Entry::Probe)
            }
        }
    }

    /// Tells the breaker how the recovery of `incident` ended.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn breaker_outcome(
        &self,
        key: &BreakerKey,
        incident: &str,
        outcome: BreakerOutcome,
        now: i64,
    ) -> Result<(), LedgerError> {
        let event = match outcome {
            BreakerOutcome::Success => Event::Success,
            BreakerOutcome::Failure => Event::Failure,
            BreakerOutcome::Abandoned => Event::Abandoned,
        };
        let mut work = self.write().await?;
        record(&mut work, &self.clean_key(key), incident, event, "", now).await?;
        self.commit(work).await
    }

    /// Closes the breaker on a person's word; `false` where there is none, or where nothing has happened since a person closed
    /// it: then nothing is written.
    ///
    /// # Errors
    /// Where the ledger can't be written.
    pub async fn breaker_reset(&self, key: &BreakerKey, actor: &str, now: i64) -> Result<bool, LedgerError> {
        let key = self.clean_key(key);
        let mut work = self.write().await?;
        let last = last_event(&mut work, &key).await?;
        if last.is_none_or(|event| event == Event::Reset.id()) {
            return Ok(false);
        }
        record(&mut work, &key, "", Event::Reset, &self.clean(actor), now).await?;
        self.commit(work).await?;
        Ok(true)
    }

    /// Every breaker, by key.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn breakers(&self, policy: BreakerPolicy, now: i64) -> Result<Vec<Breaker>, LedgerError> {
        let events: Vec<Told> = sqlx::query_as(
            "SELECT class, service, repository, at, incident, event FROM breaker_events
             ORDER BY class, service, repository, at, seq",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        let same = |a: &Told, b: &Told| (&a.0, &a.1, &a.2) == (&b.0, &b.1, &b.2);
        let folded = events.chunk_by(same).filter_map(|of_one| {
            let (class, service, repository, last_at, ..) = of_one.last()?;
            let key =
                BreakerKey { class: class.clone(), service: service.clone(), repository: repository.clone() };
            let told = of_one.iter().map(|(_, _, _, at, incident, event)| (*at, incident, event));
            let circuit = folded(policy, told);
            let (state, failures) = (circuit.state(now), circuit.failures());
            Some(Breaker { key, state, failures, last_at: *last_at })
        });
        Ok(folded.collect())
    }

    pub(crate) fn clean_key(&self, key: &BreakerKey) -> BreakerKey {
        BreakerKey {
            class: key.class.clone(),
            service: self.clean(&key.service),
            repository: self.clean(&key.repository),
        }
    }
}

/// Class, service and repository; when, which incident, and what.
type Told = (String, String, String, i64, String, String);

async fn fold(
    db: &mut AnyConnection,
    key: &BreakerKey,
    policy: BreakerPolicy,
) -> Result<(Circuit, i64), LedgerError> {
    let events: Vec<(i64, String, String)> = sqlx::query_as(
        "SELECT at, incident, event FROM breaker_events
         WHERE class = $1 AND service = $2 AND repository = $3 ORDER BY at, seq",
    )
    .bind(&key.class)
    .bind(&key.service)
    .bind(&key.repository)
    .fetch_all(db)
    .await?;
    let told = events.iter().map(|(at, incident, event)| (*at, incident, event));
    Ok((folded(policy, told), events.last().map_or(0, |(at, ..)| *at)))
}

/// What happened to one breaker, in order.
fn folded<'e>(policy: BreakerPolicy, events: impl Iterator<Item = (i64, &'e String, &'e String)>) -> Circuit {
    let mut circuit = Circuit::new(policy);
    for (at, incident, event) in events {
        // An event of a later version changes nothing here.
        if let Some(event) = Event::parse(event) {
            circuit.apply(at, incident, event);
        }
    }
    circuit
}

pub(crate) async fn record(
    db: &mut AnyConnection,
    key: &BreakerKey,
    incident: &str,
    event: Event,
    actor: &str,
    now: i64,
) -> Result<(), LedgerError> {
    // A clock that was set back must not put this before what has already been acted upon.
    let at = now.max(last_at(db, key).await?.unwrap_or(now));
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(seq) FROM breaker_events").fetch_one(&mut *db).await?;
    let parts = [
        key.class.as_str(),
        &key.service,
        &key.repository,
        incident,
        event.id(),
        &at.to_string(),
        // Two equal events of one millisecond are two.
        &last.unwrap_or(0).to_string(),
    ];
    let row = Row::BreakerEvent {
        id: content_id(&parts),
        class: key.class.clone(),
        service: key.service.clone(),
        repository: key.repository.clone(),
        incident: incident.to_owned(),
        at,
        event: event.id().to_owned(),
    };
    let kind = if event == Event::Reset { "breaker-reset" } else { "breaker-told" };
    rows::put(db, &row, &Change { at: now, kind, details: &[("actor", actor), ("event", event.id())] }).await
}

async fn last_event(db: &mut AnyConnection, key: &BreakerKey) -> Result<Option<String>, LedgerError> {
    Ok(sqlx::query_scalar(
        "SELECT event FROM breaker_events WHERE class = $1 AND service = $2 AND repository = $3
         ORDER BY at DESC, seq DESC LIMIT 1",
    )
    .bind(&key.class)
    .bind(&key.service)
    .bind(&key.repository)
    .fetch_optional(db)
    .await?)
}

async fn last_at(db: &mut AnyConnection, key: &BreakerKey) -> Result<Option<i64>, LedgerError> {
    Ok(sqlx::query_scalar(
        "SELECT max(at) FROM breaker_events WHERE class = $1 AND service = $2 AND repository = $3",
    )
    .bind(&key.class)
    .bind(&key.service)
    .bind(&key.repository)
    .fetch_one(db)
    .await?)
}
