//! *Services*: what jobs depend on, whether it serves as far as is known, and the breakers.

use std::collections::HashMap;

use askama::Template;
use axum::{body::Body, extract::State, http::Response};
use regreen_ledger::{BreakerEvent, BreakerKey, BreakerState, Latency as Asked, LedgerError};

use super::{
    House, Shared,
    answer::{Failed, Frame, page as answer},
    badge::Badge,
    params::segment,
    reader::Reader,
    words::{When, between, capital, count, many, plain, shown, span},
};
use crate::shape::breaker_key;

/// Most outages that are shown.
const MOST: u32 = 50;
/// Most breakers of which is shown what happened to them, and most events of one.
const TOLD: usize = 100;
const EVENTS: u32 = 20;
/// What is said of a service that has an outage.
const DOWN: &str = "down";

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
    latency: Latency,
}

/// How fast a service answers; empty texts where that is not known.
struct Latency {
    last: String,
    rest: String,
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
    history: Vec<EventRow>,
    /// Whether there is more of it.
    more: bool,
}

/// Something that happened to a breaker.
struct EventRow {
    at: When,
    what: String,
    /// The incident and its page.
    incident: Option<(String, String)>,
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
    let mut latencies: HashMap<String, Asked> = HashMap::new();
    for host in &hosts {
        let down = outages.iter().find(|outage| outage.service == *host && outage.ended_at.is_none());
        let since = down.map_or(i64::MIN, |outage| outage.began_at);
        if let Some(latency) = house.ledger().latency(host, since, i64::MAX).await? {
            latencies.insert((*host).to_owned(), latency);
        }
    }
    let service = |host: &str| {
        let down = outages.iter().find(|outage| outage.service == host && outage.ended_at.is_none());
        let failures = trends.services.iter().find(|(name, _)| name == host).map_or(0, |(_, n)| *n);
        let last =
            outages.iter().filter(|outage| outage.service == host).filter_map(|outage| outage.ended_at).max();
        let (badge, says) = stands(down.map(|outage| outage.began_at), last, latencies.get(host), now);
        let latency = told(latencies.get(host), now);
        ServiceRow { badge, host: shown(host), failures: count(failures), says, latency }
    };
    let mut services: Vec<ServiceRow> = hosts.into_iter().map(service).collect();
    // Those that are down first, then those that did not answer; a stable order otherwise.
    services.sort_by_key(|row| match row.badge.kind {
        "bad" if row.badge.text == DOWN => 0,
        "bad" => 1,
        "good" => 2,
        _ => 3,
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
            history: Vec::new(),
            more: false,
        }
    };
    let keys: Vec<BreakerKey> = breakers.iter().map(|breaker| breaker.key.clone()).collect();
    let mut breakers: Vec<BreakerRow> = breakers.into_iter().map(breaker).collect();
    // Those in whose way something stands first, so that theirs is there.
    let mut told: Vec<usize> = (0..breakers.len()).collect();
    told.sort_by_key(|at| breakers.get(*at).is_none_or(|row| !row.stands));
    for at in told.into_iter().take(TOLD) {
        let (Some(key), Some(row)) = (keys.get(at), breakers.get_mut(at)) else { continue };
        let mut events = house.ledger().breaker_history(key, None, EVENTS + 1).await?;
        row.more = events.len() > EVENTS as usize;
        events.truncate(EVENTS as usize);
        row.history = events.iter().map(|one| event(one, now)).collect();
    }
    Ok(ServicesPage { frame, services, outages: outages.iter().map(outage).collect(), breakers })
}

/// How a service stands, by the newest that is known of it: jobs that meet it, the end of its last outage, or what it answered when it
/// was asked.
fn stands(down: Option<i64>, back: Option<i64>, asked: Option<&Asked>, now: i64) -> (Badge, String) {
    let ago = |at| When::new(at, now).ago;
    let asked = asked.filter(|asked| back.is_none_or(|back| asked.at >= back));
    match (down, asked.map(|asked| (asked.at, asked.last)), back) {
        (Some(began), ..) => (Badge::new("bad", DOWN), format!("for {}", between(began, now))),
        (None, Some((at, None)), _) => (Badge::new("bad", "no answer"), format!("asked {}", ago(at))),
        (None, _, Some(back)) => (Badge::new("good", "up"), format!("back {}", ago(back))),
        (None, Some((at, Some(ms))), None) => {
            (Badge::new("good", "up"), format!("answered {} within {}", ago(at), span(ms)))
        }
        (None, None, None) => {
            (Badge::new("still", "not asked"), "no job failed at it in a way that asks for a look".to_owned())
        }
    }
}

/// How fast a service answers.
fn told(latency: Option<&Asked>, now: i64) -> Latency {
    let Some(of) = latency else { return Latency { last: String::new(), rest: String::new() } };
    let ago = When::new(of.at, now).ago;
    let last = of.last.map_or_else(|| format!("no answer {ago}"), |ms| format!("{} {ago}", span(ms)));
    let rest = of.took.map_or_else(
        || format!("{}, none answered", many(of.asked, "question")),
        |took| format!("half of {} within {}", count(took.n), span(took.p50)),
    );
    Latency { last, rest }
}

fn event(event: &BreakerEvent, now: i64) -> EventRow {
    let what = match event.event.as_str() {
        "failure" => "A recovery failed".to_owned(),
        "success" => "A recovery healed".to_owned(),
        "probe" => "One was let through, to see whether it works again".to_owned(),
        "abandoned" => "A recovery was called off".to_owned(),
        "reset" => match &event.actor {
            Some(actor) => format!("Closed on the word of {}", shown(actor)),
            None => "Closed on a person’s word".to_owned(),
        },
        other => capital(other),
    };
    let incident = (!event.incident.is_empty())
        .then(|| (shown(&event.incident), format!("/incidents/{}", segment(&event.incident))));
    EventRow { at: When::new(event.place.at, now), what, incident }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn asked(at: i64, last: Option<u64>) -> Asked {
        Asked { at, last, asked: 1, took: None }
    }

    #[test]
    fn a_service_stands_as_the_newest_that_is_known_of_it() {
        let now = 60 * MINUTE;
        let (yes, no) = (asked(50 * MINUTE, Some(120)), asked(50 * MINUTE, None));
        for (down, back, asked, badge, says) in [
            (None, None, None, ("still", "not asked"), "no job failed at it in a way that asks for a look"),
            (None, None, Some(&yes), ("good", "up"), "answered 10 min ago within 120 ms"),
            (None, None, Some(&no), ("bad", "no answer"), "asked 10 min ago"),
            (None, Some(40 * MINUTE), Some(&yes), ("good", "up"), "back 20 min ago"),
            (None, Some(40 * MINUTE), Some(&no), ("bad", "no answer"), "asked 10 min ago"),
            // It came back after it had not answered.
            (None, Some(55 * MINUTE), Some(&no), ("good", "up"), "back 5 min ago"),
            (None, Some(40 * MINUTE), None, ("good", "up"), "back 20 min ago"),
            // Jobs of several repositories meet it, whatever it answers this node.
            (Some(30 * MINUTE), Some(MINUTE), Some(&yes), ("bad", "down"), "for 30 min 0 s"),
        ] {
            let (seen, said) = stands(down, back, asked, now);
            assert_eq!(((seen.kind, seen.text.as_str()), said.as_str()), (badge, says), "{asked:?}");
        }
    }
}
