//! *Services*: what jobs depend on, whether it serves as far as is known, and the breakers.

use askama::Template;
use axum::{body::Body, extract::State, http::Response};
use regreen_ledger::{BreakerState, LedgerError};

use super::{
    House, Shared,
    answer::{Failed, Frame, page as answer},
    badge::Badge,
    reader::Reader,
    words::{When, between, count, plain, shown},
};
use crate::shape::breaker_key;

/// Most outages that are shown.
const MOST: u32 = 50;

#[derive(Template)]
#[template(path = "services.html")]
struct ServicesPage {
    frame: Frame,
    services: Vec<ServiceRow>,
    outages: Vec<OutageRow>,
    breakers: Vec<BreakerRow>,
}

struct ServiceRow {
    badge: Badge,
    host: String,
    failures: String,
    says: String,
}

struct OutageRow {
    badge: Badge,
    service: String,
    class: String,
    began: When,
    lasted: String,
}

struct BreakerRow {
    key: String,
    /// Whether something stands in the way that a reset takes away.
    stands: bool,
    badge: Badge,
    class: String,
    service: String,
    repository: String,
    failures: u32,
    last: When,
    /// The same as a number, so that what comes after it isn't closed unseen.
    at: i64,
    until: Option<When>,
}

/// The page.
pub(super) async fn page(State(house): Shared, reader: Reader) -> Result<Response<Body>, Failed> {
    answer(&look(&house, Frame::new(&reader, "/services", "all")).await.map_err(|e| house.failed(&e))?)
}

async fn look(house: &House, frame: Frame) -> Result<ServicesPage, LedgerError> {
    let now = house.now();
    let outages = house.ledger().outages(MOST).await?;
    let (_, trends) = house.trends(30).await?;
    let breakers = house.ledger().breakers(house.pages.settings.breaker, now).await?;
    let mut hosts: Vec<&str> = house.pages.settings.services.iter().map(String::as_str).collect();
    hosts.extend(outages.iter().map(|outage| outage.service.as_str()));
    hosts.extend(trends.services.iter().map(|(host, _)| host.as_str()));
    hosts.sort_unstable();
    hosts.dedup();
    let service = |host: &str| {
        let down = outages.iter().find(|outage| outage.service == host && outage.ended_at.is_none());
        let failures = trends.services.iter().find(|(name, _)| name == host).map_or(0, |(_, n)| *n);
        let last =
            outages.iter().filter(|outage| outage.service == host).filter_map(|outage| outage.ended_at).max();
        let (badge, says) = match (down, last) {
            (Some(outage), _) => {
                (Badge::new("bad", "down"), format!("for {}", between(outage.began_at, now)))
            }
            (None, Some(at)) => (Badge::new("good", "up"), format!("back {}", When::new(at, now).ago)),
            (None, None) => (
                Badge::new("still", "not asked"),
                "no job failed at it in a way that asks for a look".to_owned(),
            ),
        };
        ServiceRow { badge, host: shown(host), failures: count(failures), says }
    };
    let mut services: Vec<ServiceRow> = hosts.into_iter().map(service).collect();
    // Those that are down first, then those that were; a stable order otherwise.
    services.sort_by_key(|row| match row.badge.kind {
        "bad" => 0,
        "good" => 1,
        _ => 2,
    });
    let outage = |outage: &regreen_ledger::Outage| OutageRow {
        badge: match outage.ended_at {
            None => Badge::new("bad", "goes on"),
            Some(_) => Badge::new("still", "over"),
        },
        service: shown(&outage.service),
        class: plain(&outage.class),
        began: When::new(outage.began_at, now),
        lasted: between(outage.began_at, outage.ended_at.unwrap_or(now)),
    };
    let breaker = |breaker: regreen_ledger::Breaker| {
        let (badge, until) = match breaker.state {
            BreakerState::Closed => (Badge::new("still", "closed"), None),
            BreakerState::Open { until } => (Badge::new("bad", "open"), Some(When::new(until, now))),
            BreakerState::HalfOpen { .. } => (Badge::new("busy", "trying one"), None),
        };
        BreakerRow {
            key: breaker_key(&breaker.key),
            stands: breaker.state != BreakerState::Closed,
            badge,
            class: plain(&breaker.key.class),
            service: shown(&breaker.key.service),
            repository: shown(&breaker.key.repository),
            failures: breaker.failures,
            last: When::new(breaker.last_at, now),
            at: breaker.last_at,
            until,
        }
    };
    Ok(ServicesPage {
        frame,
        services,
        outages: outages.iter().map(outage).collect(),
        breakers: breakers.into_iter().map(breaker).collect(),
    })
}
