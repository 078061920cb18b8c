//! How it stands now: what goes on, what waits, what is paused or down.

use regreen_ledger::{
    Breaker, BreakerPolicy, BreakerState, Incident, IncidentFilter, Ledger, LedgerError, Pause, State,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::moment;

/// Most incidents that are counted as waiting.
const MOST: u32 = 1000;
/// Most outages that are looked through.
const OUTAGES: u32 = 20;

/// How it stands.
#[derive(Debug)]
pub struct Standing {
    /// The pause that stands for all of it.
    pub pause: Option<Pause>,
    /// What is being healed, or was left unfinished, oldest first.
    pub healing: Vec<Incident>,
    /// How many incidents wait for a person's word, up to a thousand.
    pub waiting: usize,
    /// Breakers that are not closed.
    pub breakers: Vec<Breaker>,
    /// Services that are down.
    pub down: Vec<DownV1>,
    /// Head of the audit chain.
    pub audit_head: String,
}

/// A service that is down
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Down)]
pub struct DownV1 {
    /// Its host
    pub service: String,
    /// Since when
    #[schema(format = DateTime)]
    pub since: String,
    /// Whether several repositories have met it
    pub outage: bool,
    /// How many runs wait for it
    pub runs: u64,
}

impl Standing {
    /// As this ledger has it at `now`; `scope` names what a pause would be of.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn of(
        ledger: &Ledger,
        policy: BreakerPolicy,
        scope: &str,
        now: i64,
    ) -> Result<Standing, LedgerError> {
        let waits = IncidentFilter {
            state: Some(State::AwaitingApproval),
            own: true,
            limit: MOST,
            ..Default::default()
        };
        let waiting = ledger.incidents(&waits).await?.len();
        let mut breakers = ledger.breakers(policy, now).await?;
        breakers.retain(|breaker| breaker.state != BreakerState::Closed);
        let mut down = Vec::new();
        for outage in ledger.outages(OUTAGES).await?.into_iter().filter(|outage| outage.ended_at.is_none()) {
            down.push(DownV1 {
                runs: ledger.waiting_for(&outage.id).await?,
                service: outage.service,
                since: moment(outage.began_at),
                outage: outage.known_at.is_some(),
            });
        }
        Ok(Standing {
            pause: ledger.paused(scope).await?,
            healing: ledger.open_incidents().await?,
            waiting,
            breakers,
            down,
            audit_head: ledger.audit_head().await?,
        })
    }

    /// `paused`, `recovering` or `idle`.
    pub fn state(&self) -> &'static str {
        match (&self.pause, self.healing.is_empty()) {
            (Some(_), _) => "paused",
            (None, false) => "recovering",
            (None, true) => "idle",
        }
    }
}
