//! Memory that lasts: incidents, the recovery journal, the audit chain, breakers, feedback and what follows from them.
//!
//! Only this crate says SQL, and it says it once for SQLite ([`Ledger::open`]) and PostgreSQL ([`Ledger::connect`]). Three
//! rules hold everywhere in it:
//! - a record is written in one transaction with its entry in the hash-chained audit log, which carries the row's digest;
//! - the crate has no clock and makes no ids: the caller gives both, so that whatever is stored can be replayed;
//! - free text passes through [`Scrub`] on its way in, whatever the caller did to it before.
//!
//! # Many nodes
//!
//! What comes in and what is to be done about it lies beside the records: [`Ledger::receive`] and [`Ledger::claim`].
//!
//! ```
//! # use std::sync::Arc;
//! # use regreen_ledger::{AsIs, Ledger, LedgerError, NewDelivery, NewWork, Received};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), LedgerError> {
//! # let folder = tempfile::tempdir().unwrap();
//! let ledger = Ledger::open(&folder.path().join("ledger.db"), Arc::new(AsIs)).await?;
//! let now = 1_000;
//! let work =
//!     NewWork { kind: "run-ended", key: "github/o/r/7/1", payload: "{}", created_at: now, due_at: now };
//! let delivery = NewDelivery {
//!     forge: "github",
//!     id: "72d3162e",
//!     event: "workflow_run",
//!     kind: "run-ended",
//!     received_at: now,
//!     body: None,
//!     work: Some(work),
//! };
//! // Durable once it returns, the work with it; many go into one transaction.
//! assert_eq!(ledger.receive(&[delivery]).await?, [Received::Fresh { work: true }]);
//! assert_eq!(ledger.receive(&[delivery]).await?, [Received::Duplicate]);
//!
//! let claim = ledger.claim(&["run-ended"], "node-1", 30_000, now).await?.unwrap();
//! assert_eq!(ledger.claim(&["run-ended"], "node-2", 30_000, now).await?, None);
//! // The lease ends, and another node takes the work over.
//! let next = ledger.claim(&[], "node-2", 30_000, now + 30_000).await?.unwrap();
//! assert_eq!((next.id, next.fence, next.attempts), (claim.id, claim.fence + 1, 2));
//! // Through this handle the first node can write nothing any more: no incident, no journal, no breaker.
//! let late = ledger.under(&claim).pause("workspace", "node-1", "too late", now + 30_001).await;
//! assert!(matches!(late, Err(LedgerError::StaleClaim { .. })));
//! ledger.under(&next).pause("workspace", "node-2", "in time", now + 30_001).await?;
//! ledger.finish(&next, "healed", now + 30_002).await?;
//! # Ok(())
//! # }
//! ```

mod accepted;
mod approval;
mod aside;
mod audit;
mod backup;
mod bell;
mod breaker;
mod breaker_history;
mod check;
mod circuit;
mod control;
mod delivery;
mod dialect;
mod digest;
mod error;
mod escalation;
mod export;
mod feedback;
mod forgetting;
mod history;
mod holding;
mod host_calls;
mod import;
mod incident;
mod journal;
mod kept_log;
mod kept_patch;
mod limits;
mod listing;
mod log_folder;
mod log_store;
mod metrics;
mod notice;
mod open;
mod outage;
mod pause;
mod postgres;
mod probe;
mod prune;
mod question;
mod recovery;
mod reopening;
mod reported;
mod review;
mod row;
mod rows;
mod schema;
mod scrub;
mod shape;
mod sink;
mod sqlite;
mod statistics;
mod take_up;
mod token;
mod transfer;
mod trend;
mod verify;
mod work;

pub use accepted::{Acceptance, AcceptedPattern};
pub use approval::{APPROVAL_LASTS_MS, APPROVAL_SKEW_MS};
pub use audit::{AuditEntry, AuditTail};
pub use backup::BackedUp;
pub use breaker::{Breaker, BreakerKey, BreakerOutcome, Entry};
pub use breaker_history::{BreakerEvent, EventPlace};
pub use check::CheckReport;
pub use circuit::{BreakerPolicy, BreakerState};
pub use control::{ControlGroup, Lift};
pub use delivery::{NewDelivery, Received};
pub use error::LedgerError;
pub use escalation::{Escalation, NewEscalation};
pub use export::Exported;
pub use feedback::Feedback;
pub use forgetting::Forgetting;
pub use history::{Cost, PlaybookRecord, RecordsOf, Whose};
pub use host_calls::{Booking, CallsOf, Share, end_of_hour};
pub use import::{ImportMode, Imported};
pub use incident::{Closing, NewIncident};
pub use journal::{JournalEntry, SqlJournal};
pub use kept_log::{LOG_CAP, LogRef, Swept};
pub use kept_patch::PATCH_CAP;
pub use listing::{Cursor, IncidentFilter, LOOKED_AT, Page};
pub use log_store::LogStore;
pub use metrics::{Metrics, Overhead};
pub use notice::Addressed;
pub use open::Ledger;
pub use outage::{NewOutage, Outage, OutagePlace, Released, Sighting, Wait};
pub use pause::Pause;
pub use probe::Latency;
pub use prune::Pruned;
pub use recovery::{Estimate, Repair, Saved};
pub use reported::Reported;
pub use review::{REVIEWED, Review, Step};
pub use scrub::{AsIs, Scrub};
pub use shape::{
    AlternativeV1, Approval, BudgetV1, CommandV1, ConditionV1, DecisionV1, DiagnosisV1, EvidenceV1, FactorV1,
    FindingV1, FlowV1, Followed, HistoryV1, Incident, InputsV1, Patch, Place, PlanV1, PlaybookV1, PolicyV1,
    Question, RankedV1, RecordV1, SettingV1, SpentV1, State, StepV1, Timings,
};
pub use sink::{Heard, SinkRecord};
pub use statistics::{Rate, Spread};
pub use token::{NewToken, Session, Token};
pub use trend::{DayOf, Group, Trends};
pub use verify::{AuditReport, AuditVerdict, ChainPlace, ChainStep};
pub use work::{Claim, NewWork, Waiting};
