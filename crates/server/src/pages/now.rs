//! *Now*: what is being healed, who is waited for, and what is out of order.

use std::sync::{Arc, Mutex, PoisonError, atomic::Ordering};

use askama::Template;
use axum::{body::Body, extract::State, http::Response};
use regreen_engine::PAUSED_FLEET;
use regreen_forge::{Repository, hook::Sender};
use regreen_ledger::{BreakerState, IncidentFilter, LedgerError, State as Stands};

use super::{
    House, Shared,
    answer::{Failed, Frame, page as answer},
    badge::Badge,
    params::link,
    reader::Reader,
    row::Row,
    sinks::{self, SinkRow},
    words::{When, between, many, plain, shown},
};

/// Most that a list has here.
const MOST: u32 = 20;
/// What `regreen pause` puts on record without `--fleet`, where its ledger is the fleet's.
const WORKSPACE: &str = "workspace";
/// Most incidents that are counted.
const COUNTED: u32 = 200;

/// What the page says as it was looked up last, for the news and the second of then: many readers, one look.
#[derive(Default)]
pub(super) struct Kept(Mutex<Option<(At, Arc<Look>)>>);

/// How many news there were, how often something was done here, and the second.
type At = (u64, u64, i64);

#[derive(Template)]
#[template(path = "now.html")]
struct NowPage {
    frame: Frame,
    now: Arc<Look>,
}

/// What the page says, whoever reads it.
pub(super) struct Look {
    headline: String,
    calm: bool,
    pauses: Vec<PauseRow>,
    failing: Vec<SinkRow>,
    tiles: [Tile; 4],
    healing: Vec<Row>,
    waiting: Vec<Row>,
    breakers: Vec<BreakerRow>,
    down: Vec<DownRow>,
    lately: Vec<Row>,
}

struct Tile {
    name: &'static str,
    count: String,
    kind: &'static str,
    to: &'static str,
}

struct PauseRow {
    /// Where it is ended, and by which command.
    end: String,
    command: Option<String>,
    what: String,
    actor: String,
    reason: String,
    since: When,
}

struct BreakerRow {
    badge: Badge,
    class: String,
    service: String,
    repository: String,
    failures: String,
    until: Option<When>,
}

struct DownRow {
    badge: Badge,
    service: String,
    class: String,
    for_long: String,
    waits: u64,
    asked: Option<When>,
}

/// The page.
pub(super) async fn page(State(house): Shared, reader: Reader) -> Result<Response<Body>, Failed> {
    let frame = Frame::new(&reader, "/", "all");
    let key = (house.feed.generation(), house.done.load(Ordering::Acquire), house.now() / 1_000);
    let kept = house.now.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((of, now)) = kept
        && of == key
    {
        return answer(&NowPage { frame, now });
    }
    let now = Arc::new(look(&house).await.map_err(|e| house.failed(&e))?);
    *house.now.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((key, now.clone()));
    answer(&NowPage { frame, now })
}

async fn look(house: &Arc<House>) -> Result<Look, LedgerError> {
    let (ledger, now) = (house.ledger(), house.now());
    let of = |state| IncidentFilter { state: Some(state), limit: COUNTED, ..IncidentFilter::default() };
    let own = async |state| ledger.incidents(&IncidentFilter { own: true, ..of(state) }).await;
    let (mut healing, mut asking) = (Vec::new(), Vec::new());
    for incident in own(Stands::Open).await? {
        let asks = incident.question.as_ref().is_some_and(|question| question.answer.is_none());
        if asks { asking.push(incident) } else { healing.push(incident) }
    }
    let mut waiting = own(Stands::AwaitingApproval).await?;
    waiting.extend(asking);
    let latest = IncidentFilter { limit: 8, ..of(Stands::Closed) };
    let lately = ledger.incidents(&latest).await?;
    let pauses = ledger.pauses(MOST).await?;
    let breakers = breakers(house, now).await?;
    let down = down(house, now).await?;
    let failing = sinks::failing(house, now).await?;
    let (healed, waits) = (count(healing.len()), count(waiting.len()));
    let in_order = breakers.is_empty() && down.is_empty() && failing.is_empty();
    let calm = healing.is_empty() && waiting.is_empty() && in_order;
    let headline = match (healing.len(), waiting.len()) {
        _ if pauses.iter().any(|pause| pause.scope == PAUSED_FLEET) => "Healing is paused".to_owned(),
        (0, 0) if !calm => "Nothing is being healed; something is out of order".to_owned(),
        (0, 0) => "All quiet".to_owned(),
        (_, 0) => format!("{healed} being healed"),
        (0, 1) => "One incident waits for a person".to_owned(),
        (0, _) => format!("{waits} incidents wait for a person"),
        _ => format!("{healed} being healed, {waits} waiting for a person"),
    };
    let rows = |incidents: &[regreen_ledger::Incident]| -> Vec<Row> {
        incidents.iter().take(MOST as usize).map(|incident| Row::new(incident, now)).collect()
    };
    let tile = |name, count, kind, to| Tile { name, count, kind, to };
    let alarm = |n: usize, kind| if n == 0 { "still" } else { kind };
    Ok(Look {
        headline,
        calm: calm && pauses.is_empty(),
        tiles: [
            tile("Being healed", healed, alarm(healing.len(), "busy"), "#healing"),
            tile("Waiting for a person", waits, alarm(waiting.len(), "ask"), "#waiting"),
            tile("Open breakers", count(breakers.len()), alarm(breakers.len(), "bad"), "#breakers"),
            tile("Services down", count(down.len()), alarm(down.len(), "bad"), "#services"),
        ],
        healing: rows(&healing),
        waiting: rows(&waiting),
        lately: rows(&lately),
        pauses: pauses
            .into_iter()
            .map(|pause| PauseRow {
                end: link("/unpause", &[("scope", &pause.scope)]),
                command: unpause(&pause.scope),
                what: shown(&paused(&pause.scope)),
                actor: shown(&pause.actor),
                reason: shown(&pause.reason),
                since: When::new(pause.at, now),
            })
            .collect(),
        failing,
        breakers,
        down,
    })
}

/// What a pause holds, in words.
pub(super) fn paused(scope: &str) -> String {
    match parts(scope) {
        _ if scope == WORKSPACE => "a workspace’s own commands".to_owned(),
        (None, None) => "everything".to_owned(),
        (Some(host), None) => format!("everything at {host}"),
        (Some(host), Some(name)) => format!("{name} at {host}"),
        (None, Some(name)) => name.to_owned(),
    }
}

/// The command that ends this very pause; `None` where the command line has no name for what is paused.
fn unpause(scope: &str) -> Option<String> {
    if scope == WORKSPACE {
        return Some("regreen unpause".to_owned());
    }
    let (host, name) = parts(scope);
    let name = name.map(Repository::parse);
    if name.as_ref().is_some_and(Option::is_none) {
        return None;
    }
    let at = host.map(|host| format!(" --host {}", host.id())).unwrap_or_default();
    let of = name.flatten().map(|name| format!(" --repository {}", name.as_str())).unwrap_or_default();
    Some(format!("regreen unpause --fleet{at}{of}"))
}

/// The CI host and the repository that a pause names.
fn parts(scope: &str) -> (Option<Sender>, Option<&str>) {
    if scope == PAUSED_FLEET {
        return (None, None);
    }
    if let Some(host) = scope.strip_prefix("host:").and_then(Sender::parse) {
        return (Some(host), None);
    }
    let name = scope.strip_prefix("repository:").unwrap_or(scope);
    let at = name.split_once(':').and_then(|(host, name)| Some((Sender::parse(host)?, name)));
    at.map_or((None, Some(name)), |(host, name)| (Some(host), Some(name)))
}

fn count(n: usize) -> String {
    let most = COUNTED as usize;
    if n >= most { format!("{most}+") } else { n.to_string() }
}

async fn breakers(house: &House, now: i64) -> Result<Vec<BreakerRow>, LedgerError> {
    let all = house.ledger().breakers(house.pages.settings.breaker, now).await?;
    let row = |breaker: regreen_ledger::Breaker| {
        let (badge, until) = match breaker.state {
            BreakerState::Closed => return None,
            BreakerState::Open { until } => (Badge::new("bad", "open"), Some(When::new(until, now))),
            BreakerState::HalfOpen { .. } => (Badge::new("busy", "trying one"), None),
        };
        Some(BreakerRow {
            badge,
            class: plain(&breaker.key.class),
            service: shown(&breaker.key.service),
            repository: shown(&breaker.key.repository),
            failures: many(breaker.failures.into(), "failure"),
            until,
        })
    };
    Ok(all.into_iter().filter_map(row).collect())
}

async fn down(house: &House, now: i64) -> Result<Vec<DownRow>, LedgerError> {
    let mut rows = Vec::new();
    for outage in house.ledger().outages(MOST).await?.into_iter().filter(|outage| outage.ended_at.is_none()) {
        rows.push(DownRow {
            badge: match outage.known_at {
                Some(_) => Badge::new("bad", "outage"),
                None => Badge::new("bad", "no answer"),
            },
            waits: house.ledger().waiting_for(&outage.id).await?,
            service: shown(&outage.service),
            class: plain(&outage.class),
            for_long: between(outage.began_at, now),
            asked: outage.probed_at.map(|at| When::new(at, now)),
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use regreen_engine::pause_scope;

    use super::*;

    #[test]
    fn a_pause_says_what_it_holds_and_what_ends_it() {
        for (host, repository, says, ends) in [
            (None, None, "everything", "regreen unpause --fleet"),
            (Some(Sender::GitLab), None, "everything at GitLab", "regreen unpause --fleet --host gitlab"),
            (None, Some("octo/shop"), "octo/shop", "regreen unpause --fleet --repository octo/shop"),
            (
                Some(Sender::GitHub),
                Some("octo/shop"),
                "octo/shop at GitHub",
                "regreen unpause --fleet --host github --repository octo/shop",
            ),
            (
                None,
                Some("group/deep/shop"),
                "group/deep/shop",
                "regreen unpause --fleet --repository group/deep/shop",
            ),
        ] {
            let scope = pause_scope(host, repository);
            assert_eq!((paused(&scope).as_str(), unpause(&scope).as_deref()), (says, Some(ends)), "{scope}");
        }
        assert_eq!(unpause("workspace").as_deref(), Some("regreen unpause"));
        assert_eq!(unpause("repository:; rm -rf /"), None, "what is no repository is no argument");
    }
}
