//! *Settings and audit*: what holds here and who said so, and the chain of what was done.

use askama::Template;
use axum::{
    body::Body,
    extract::State,
    http::{Response, Uri},
};
use regreen_ledger::{AuditEntry, LedgerError};
use serde_json::Value as Json;

use super::{
    House, Shared,
    answer::{Failed, Frame, page as answer},
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
    values: Vec<(String, String, String)>,
    place: String,
    sinks: Vec<SinkRow>,
    head: String,
    entries: String,
    holds: bool,
    checked: usize,
    rows: Vec<EntryRow>,
    older: Option<String>,
    newest: bool,
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
    let last = tail.entries.last().map(|entry| entry.seq).filter(|seq| *seq > 1);
    Ok(SettingsPage {
        frame: Frame::new(reader, "/settings", if before.is_none() { "all" } else { "" }),
        values: house
            .pages
            .settings
            .values
            .iter()
            .map(|v| (shown(&v.name), shown(&v.value), shown(&v.source)))
            .collect(),
        place: shown(ledger.place()),
        sinks: sinks::rows(house, now).await?,
        head: ledger.audit_head().await?,
        entries: count(ledger.audit_seq().await?.unsigned_abs()),
        holds: tail.holds,
        checked: tail.entries.len(),
        rows: tail.entries.iter().map(|entry| row(entry, now)).collect(),
        older: last.map(|seq| format!("/settings?before={seq}#audit")),
        newest: before.is_none(),
    })
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
