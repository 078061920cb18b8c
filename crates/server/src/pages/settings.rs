//! *Settings and audit*: what holds here and who said so, and the chain of what was done.

use askama::Template;
use axum::{
    body::Body,
    extract::State,
    http::{Response, Uri},
};
use regreen_ledger::{AuditEntry, ChainPlace, LedgerError};
use serde_json::Value as Json;

use super::{
    House, Shared, Values,
    answer::{Failed, Frame, page as answer},
    chain::Known,
    params::{Params, segment},
    reader::Reader,
    sinks::{self, SinkRow},
    words::{When, capital, count, shown},
};

/// Entries on one page.
const LENGTH: u32 = 50;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    frame: Frame,
    groups: Vec<Group>,
    place: String,
    sinks: Vec<SinkRow>,
    head: String,
    entries: String,
    chain: WholeChain,
    holds: bool,
    checked: usize,
    rows: Vec<EntryRow>,
    older: Option<String>,
    newest: bool,
}

/// What is known of the chain as a whole.
struct WholeChain {
    /// When it was last followed to its end, how many entries hold, and the hash of the last of them.
    last: Option<(When, String, String)>,
    /// The entry at which it breaks, and what does not fit.
    broken: Option<(i64, String)>,
    /// How many entries are checked of a check that is under way.
    at: Option<String>,
    /// Whether nothing was written since.
    is_up_to_date: bool,
}

/// Settings about one matter: each with its name, its value and who said so.
struct Group {
    about: String,
    values: Vec<(String, String, String)>,
}

struct EntryRow {
    seq: i64,
    at: When,
    what: String,
    detail: String,
    incident: String,
    href: String,
    hash: String,
}

/// The page.
pub(super) async fn page(State(house): Shared, reader: Reader, uri: Uri) -> Result<Response<Body>, Failed> {
    let params = Params::of(&uri);
    let before = match params.get("before") {
        None => None,
        Some(text) => {
            let wrong = || Failed::NotUnderstood("An entry is named by its number.".to_owned());
            Some(text.parse().map_err(|_| wrong())?)
        }
    };
    answer(&look(&house, &reader, before).await.map_err(|e| house.failed(&e))?)
}

async fn look(house: &House, reader: &Reader, before: Option<i64>) -> Result<SettingsPage, LedgerError> {
    let (ledger, now) = (house.ledger(), house.now());
    let tail = ledger.audit_tail(before.unwrap_or(i64::MAX), LENGTH).await?;
    let head = ledger.audit_head().await?;
    let last = tail.entries.last().map(|entry| entry.seq).filter(|seq| *seq > 1);
    Ok(SettingsPage {
        frame: Frame::new(reader, "/settings", if before.is_none() { "all" } else { "" }),
        groups: house.pages.settings.values.iter().map(group).collect(),
        place: shown(ledger.place()),
        chain: whole(&house.chain.known(), &head, now),
        sinks: sinks::rows(house, now).await?,
        head,
        entries: count(ledger.audit_seq().await?.unsigned_abs()),
        holds: tail.holds,
        checked: tail.entries.len(),
        rows: tail.entries.iter().map(|entry| row(entry, now)).collect(),
        older: last.map(|seq| format!("/settings?before={seq}#audit")),
        newest: before.is_none(),
    })
}

fn whole(known: &Known, head: &str, now: i64) -> WholeChain {
    let of = |place: &ChainPlace| (count(place.seq.unsigned_abs()), place.head.clone());
    WholeChain {
        last: known.last.as_ref().map(|last| {
            let (entries, head) = of(&last.place);
            (When::new(last.at, now), entries, head)
        }),
        broken: known.last.as_ref().and_then(|last| last.broken.clone()),
        is_up_to_date: known.last.as_ref().is_some_and(|last| last.place.head == head),
        at: known.at.map(|at| count(at.unsigned_abs())),
    }
}

fn group(of: &Values) -> Group {
    let values = of.values.iter().map(|v| (shown(&v.name), shown(&v.value), shown(&v.source)));
    Group { about: shown(&of.about), values: values.collect() }
}

fn row(entry: &AuditEntry, now: i64) -> EntryRow {
    let body: Json = serde_json::from_str(&entry.body).unwrap_or_default();
    let about = body.get("row").and_then(Json::as_str).unwrap_or_default();
    let incident = about.strip_prefix("incident/").or_else(|| about.strip_prefix("fact/")?.split('/').next());
    let words = body.as_object().into_iter().flatten().filter_map(|(key, value)| {
        let value = value.as_str().filter(|value| !value.is_empty())?;
        (!["row", "sha256", "owner"].contains(&key.as_str())).then(|| format!("{key} {value}"))
    });
    EntryRow {
        seq: entry.seq,
        at: When::new(entry.at, now),
        what: capital(&entry.kind),
        detail: shown(&words.collect::<Vec<_>>().join(", ")),
        incident: shown(incident.unwrap_or_default()),
        href: incident.map(|id| format!("/incidents/{}", segment(id))).unwrap_or_default(),
        hash: entry.hash.chars().take(12).collect(),
    }
}
