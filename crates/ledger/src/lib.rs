//! Memory that lasts: incidents, the recovery journal, the audit chain, breakers, feedback and what follows from them.
//!
//! Only this crate says SQL. Three rules hold everywhere in it:
//! - a row is written in one transaction with its entry in the hash-chained audit log, which carries the row's digest;
//! - the crate has no clock and makes no ids: the caller gives both, so that whatever is stored can be replayed;
//! - free text passes through [`Scrub`] on its way in, whatever the caller did to it before.

mod approval;
mod audit;
mod breaker;
mod circuit;
mod dialect;
mod digest;
mod error;
mod export;
mod feedback;
mod history;
mod import;
mod incident;
mod journal;
mod listing;
mod metrics;
mod open;
mod pause;
mod postgres;
mod question;
mod row;
mod rows;
mod schema;
mod scrub;
mod shape;
mod sqlite;
mod statistics;
mod transfer;
mod verify;

pub use approval::APPROVAL_LASTS_MS;
pub use audit::AuditEntry;
pub use breaker::{Breaker, BreakerKey, BreakerOutcome, Entry};
pub use circuit::{BreakerPolicy, BreakerState};
pub use error::LedgerError;
pub use export::Exported;
pub use feedback::Feedback;
pub use history::{PlaybookRecord, RecordsOf};
pub use import::{ImportMode, Imported};
pub use incident::{Closing, NewIncident};
pub use journal::{JournalEntry, SqlJournal};
pub use listing::{Cursor, IncidentFilter};
pub use metrics::{Metrics, Overhead};
pub use open::Ledger;
pub use pause::Pause;
pub use scrub::{AsIs, Scrub};
pub use shape::{
    AlternativeV1, Approval, CommandV1, ConditionV1, DecisionV1, DiagnosisV1, EvidenceV1, FactorV1,
    FindingV1, FlowV1, HistoryV1, Incident, InputsV1, Patch, Place, PlanV1, PlaybookV1, PolicyV1, Question,
    RankedV1, RecordV1, SettingV1, State, StepV1, Timings,
};
pub use statistics::{Rate, Spread};
pub use verify::{AuditReport, AuditVerdict};
