//! The two endpoints of the system that Regreen follows, at their paths and with their fields.

use axum::extract::State;
use regreen_engine::PAUSED_FLEET;
use regreen_ledger::IncidentFilter;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Answer, Shared, found};
use crate::{
    access::Viewer,
    problem::ProblemV1,
    shape::{BreakerV1, CurrentMetrics, DownV1, IncidentV1, OriginalDay, OriginalMetrics, Standing, moment},
};

/// Most incidents that are shown as being healed.
const HEALING: usize = 50;

/// The figures as the original system named them. Shares are from 0 to 1, times in seconds; no data is null
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InfrastructureAutoHealingMetrics {
    /// Version of Regreen
    version: &'static str,
    /// Over all that is on record
    current_metrics: CurrentMetrics,
    /// The bound of each target
    #[schema(value_type = std::collections::BTreeMap<String, f64>)]
    targets: Map<String, Value>,
    /// The days on which something failed, oldest first
    history: Vec<OriginalDay>,
    /// When these figures were counted
    #[serde(rename = "lastUpdated")]
    #[schema(format = DateTime)]
    last_updated: String,
    /// Where a dashboard finds more
    #[serde(rename = "dashboardIntegration")]
    dashboard_integration: DashboardIntegration,
}

/// Where a dashboard finds more
#[derive(Debug, Serialize, ToSchema)]
struct DashboardIntegration {
    /// How it stands
    status: &'static str,
    /// These figures with intervals and numbers of cases
    metrics: &'static str,
    /// The description of the API
    openapi: &'static str,
}

/// How it stands
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AutoHealingStatus {
    /// Version of Regreen
    version: &'static str,
    /// `idle`, `recovering` or `paused`
    state: &'static str,
    /// Why it is paused
    paused: Option<String>,
    /// Circuit breakers that are not closed
    breakers: Vec<BreakerV1>,
    /// What is being healed, oldest first; at most 50
    healing: Vec<IncidentV1>,
    /// How many incidents wait for a person's word, counted up to a thousand
    awaiting_approval: usize,
    /// Services that are down
    down: Vec<DownV1>,
    /// The incident that was opened last
    last_incident: Option<IncidentV1>,
    /// Head of the audit chain
    audit_head: String,
    /// When this was looked up
    #[serde(rename = "lastUpdated")]
    #[schema(format = DateTime)]
    last_updated: String,
}

/// The figures as the original system named them
#[utoipa::path(
    get,
    path = "/api/infrastructure-auto-healing-metrics",
    tag = "original",
    responses((status = 200, body = InfrastructureAutoHealingMetrics), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn metrics(_: Viewer, State(shared): State<Shared>) -> Answer {
    let (ledger, now) = (shared.record(), shared.now());
    let (at, counted) = shared.figures().of(ledger, None, now).await.map_err(|e| shared.failed(&e))?;
    let (_, days) = shared.figures().days(ledger, now).await.map_err(|e| shared.failed(&e))?;
    let OriginalMetrics { version, current_metrics, targets, history } = OriginalMetrics::of(&counted, &days);
    Ok(found(&InfrastructureAutoHealingMetrics {
        version,
        current_metrics,
        targets,
        history,
        last_updated: moment(at),
        dashboard_integration: DashboardIntegration {
            status: "/api/auto-healing-status",
            metrics: "/api/v1/metrics",
            openapi: "/api/v1/openapi.json",
        },
    }))
}

/// How it stands
#[utoipa::path(
    get,
    path = "/api/auto-healing-status",
    tag = "original",
    responses((status = 200, body = AutoHealingStatus), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn status(_: Viewer, State(shared): State<Shared>) -> Answer {
    let (ledger, now) = (shared.record(), shared.now());
    let standing = Standing::of(ledger, shared.0.breaker, PAUSED_FLEET, now).await;
    let standing = standing.map_err(|e| shared.failed(&e))?;
    let newest = IncidentFilter { limit: 1, ..IncidentFilter::default() };
    let newest = ledger.incidents(&newest).await.map_err(|e| shared.failed(&e))?;
    Ok(found(&AutoHealingStatus {
        version: env!("CARGO_PKG_VERSION"),
        state: standing.state(),
        breakers: standing.breakers.iter().map(BreakerV1::from).collect(),
        healing: standing.healing.iter().take(HEALING).map(IncidentV1::of).collect(),
        awaiting_approval: standing.waiting,
        last_incident: newest.first().map(IncidentV1::of),
        paused: standing.pause.map(|pause| pause.reason),
        down: standing.down,
        audit_head: standing.audit_head,
        last_updated: moment(now),
    }))
}
