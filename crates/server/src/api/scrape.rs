//! `GET /metrics`: the figures as Prometheus takes them, and how it stands now.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Response, header},
};
use regreen_engine::PAUSED_FLEET;
use regreen_ledger::{BreakerPolicy, BreakerState, Ledger, LedgerError, SinkRecord};

use super::{Answer, Api, Shared, Sinks, figures::Figures, sinks::names};
use crate::{
    access::Viewer,
    problem::ProblemV1,
    shape::{Families, Standing, Worth, prometheus},
};

const DAY_MS: i64 = 86_400_000;

/// The figures for Prometheus
///
/// In its text exposition format, version 0.0.4. What is counted over all incidents may be 15 seconds old, and older where a count takes long.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "metrics",
    responses((status = 200, body = String, content_type = "text/plain; version=0.0.4"), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn metrics(_: Viewer, State(shared): State<Shared>) -> Answer {
    let Api { breaker, worth, sinks, .. } = &*shared.0;
    let settings = (*breaker, worth, sinks);
    let families = scraped(shared.record(), shared.figures(), settings, shared.now()).await;
    let text = families.map_err(|e| shared.failed(&e))?.text();
    let mut response = Response::new(Body::from(text));
    let media = HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(response)
}

/// All that is told of how it goes and how it stands.
///
/// # Errors
/// Where the ledger, or a record, can't be read.
pub(crate) async fn scraped(
    ledger: &Ledger,
    figures: &Figures,
    (breaker, worth, sinks): (BreakerPolicy, &Worth, &Sinks),
    now: i64,
) -> Result<Families, LedgerError> {
    let (at, counted) = figures.of(ledger, None, now).await?;
    let standing = Standing::of(ledger, breaker, PAUSED_FLEET, now).await?;
    let mut families = prometheus(&counted, worth, &standing.audit_head);
    let is_open = |state: &BreakerState| matches!(state, BreakerState::Open { .. });
    let open = standing.breakers.iter().filter(|one| is_open(&one.state)).count();
    families.gauges(
        "breakers",
        "Circuit breakers that are not closed.",
        &[
            (&[("state", "open")], open as f64),
            (&[("state", "half-open")], (standing.breakers.len() - open) as f64),
        ],
    );
    let paused = standing.pause.is_some();
    families.gauge("paused", "Whether everything beside the fleet is paused.", f64::from(u8::from(paused)));
    families.gauge("healing", "Incidents that are under way.", standing.healing.len() as f64);
    families.gauge(
        "awaiting_approval",
        "Incidents that wait for a person's word, counted up to a thousand.",
        standing.waiting as f64,
    );
    families.gauge("services_down", "Services that do not answer.", standing.down.len() as f64);
    let runs: u64 = standing.down.iter().map(|down| down.runs).sum();
    families.gauge("runs_waiting_for_services", "Runs that wait for a service to be back.", runs as f64);
    let queue = ledger.waiting(&[], now).await?;
    families.gauges(
        "work_items",
        "What is to be done: ready to be taken, not due yet, or under way.",
        &[
            (&[("state", "ready")], queue.ready as f64),
            (&[("state", "later")], queue.later as f64),
            (&[("state", "taken")], queue.taken as f64),
        ],
    );
    let counted = now.saturating_sub(at).max(0);
    families.gauge(
        "figures_age_seconds",
        "How long ago what is counted over all incidents was counted.",
        counted as f64 / 1000.0,
    );
    let age = queue.oldest.map_or(0, |oldest| now.saturating_sub(oldest).max(0));
    families.gauge(
        "work_age_seconds",
        "Since when the oldest item that is ready waits.",
        age as f64 / 1000.0,
    );
    let calls = ledger.calls_by_host(now).await?;
    let labels: Vec<[(&str, &str); 1]> = calls.iter().map(|(host, _)| [("host", host.as_str())]).collect();
    let calls: Vec<(&[(&str, &str)], f64)> =
        labels.iter().zip(&calls).map(|(labels, (_, n))| (labels.as_slice(), *n as f64)).collect();
    families.gauges("host_calls_this_hour", "Requests to a CI host in this hour of the clock.", &calls);
    told(&mut families, &ledger.sinks(&names(sinks)).await?);
    let deliveries = ledger.deliveries_since(now.saturating_sub(DAY_MS)).await?;
    families.gauge("deliveries_last_day", "Webhooks that came in the last 24 hours.", deliveries as f64);
    Ok(families)
}

/// How the ways out to people do.
fn told(families: &mut Families, sinks: &[SinkRecord]) {
    let labels: Vec<[(&str, &str); 1]> = sinks.iter().map(|sink| [("sink", sink.name.as_str())]).collect();
    let mut each = |name: &str, help: &str, of: fn(&SinkRecord) -> f64| {
        let samples: Vec<(&[(&str, &str)], f64)> =
            labels.iter().zip(sinks).map(|(labels, sink)| (labels.as_slice(), of(sink))).collect();
        families.gauges(name, help, &samples);
    };
    each("sink_failing", "Whether the last notice to a sink failed.", |sink| {
        f64::from(u8::from(sink.is_failing()))
    });
    each("notices_waiting", "Notices that wait for a sink.", |sink| sink.waiting as f64);
    each("notices_sent", "Notices that a sink took.", |sink| sink.sent as f64);
    each("notices_given_up", "Notices that a sink refused, or did not take within a day.", |sink| {
        sink.given_up as f64
    });
}
