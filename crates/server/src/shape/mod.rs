//! Version 1 of the shapes in which what is on record leaves the process: the same for the command line and for HTTP.

mod breaker;
mod incident;
mod known;
mod metrics;
mod planned;
mod prometheus;
mod proofs;
mod saved;
mod standing;
mod targets;
mod timeline;

pub(crate) use breaker::named_breaker;
pub use breaker::{BreakerEventV1, BreakerV1, breaker_key};
pub use incident::{
    AlternativeV1, ApprovalV1, DecisionV1, EvidenceV1, FactorV1, FeedbackV1, FindingV1, FollowedV1,
    IncidentDetailsV1, IncidentV1, QuestionV1, RankedV1, TimingsV1, Whole,
};
pub use known::{AcceptedV1, PatternV1, PlaybookStepV1, PlaybookV1, status as status_word};
pub use metrics::{
    ControlGroupV1, CurrentMetrics, LiftV1, MetricsV1, OriginalDay, OriginalMetrics, RateV1, SpreadV1,
    TargetV1,
};
pub use planned::PlannedV1;
pub use prometheus::{Families, Family, Sample, prometheus};
pub use proofs::{PatternProofsV1, PlaybookProofsV1};
pub use saved::{EstimateV1, SavedV1, Worth};
pub use standing::{DownV1, Standing};
pub use targets::{Measured, TARGETS, Target};
pub use timeline::{Moment, MomentV1, timeline};

/// A moment for people and programs: RFC 3339 in UTC.
pub fn moment(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.3}"))
}
