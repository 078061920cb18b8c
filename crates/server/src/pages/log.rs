//! *Log*: what is kept of a job's log, masked as it is, a page of lines at a time.

use askama::Template;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{Response, Uri},
};
use regreen_ledger::{Incident, LedgerError, LogRef};
use tokio::time::timeout;

use super::{
    House, Shared,
    answer::{Failed, Frame, page as answer},
    excerpt::{PATIENCE, bare, lines_before, role_at},
    params::{Params, segment},
    reader::Reader,
    words::{bytes, capital, many, shown},
};

/// Lines on one page.
const LENGTH: u64 = 400;
/// Most logs that are unpacked at once: each may be 4 MiB.
pub(super) const AT_ONCE: usize = 2;

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage {
    frame: Frame,
    id: String,
    class: String,
    repository: String,
    name: String,
    size: String,
    omitted: String,
    /// Whether lines have the numbers that they have in the raw log.
    is_numbered: bool,
    lines: Vec<LogLine>,
    first: u64,
    last: u64,
    all: String,
    /// Where its form goes.
    to: String,
    earlier: Option<String>,
    later: Option<String>,
    end: Option<String>,
}

struct LogLine {
    number: u64,
    text: String,
    is_root: bool,
    role: &'static str,
}

/// The page.
pub(super) async fn page(
    State(house): Shared,
    reader: Reader,
    Path((id, hash)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response<Body>, Failed> {
    let from = match Params::of(&uri).get("from") {
        None => None,
        Some(text) => {
            let wrong = || Failed::NotUnderstood("A line is named by its number.".to_owned());
            Some(text.parse().map_err(|_| wrong())?)
        }
    };
    let failed = |e: LedgerError| house.failed(&e);
    let known = known(&house, &id, &hash).await.map_err(failed)?;
    let (incident, log) = known.ok_or_else(|| Failed::NoSuchThing("log", hash.clone()))?;
    let Ok(_one_of_few) = house.logs.acquire().await else { return Err(Failed::Unavailable) };
    let text = match timeout(PATIENCE * 5, house.ledger().log(&hash)).await {
        Ok(Ok(Some(text))) => text,
        Ok(Ok(None)) => return Err(Failed::NoSuchThing("log", hash)),
        Ok(Err(e)) => {
            house.failed(&e);
            return Err(Failed::LogAway);
        }
        Err(_) => return Err(Failed::LogAway),
    };
    let frame = Frame::new(&reader, "/incidents", "");
    answer(&look(frame, &incident, &log, &text, from))
}

/// The incident and its log of this name; a log is read by way of its incident alone.
async fn known(house: &House, id: &str, hash: &str) -> Result<Option<(Incident, LogRef)>, LedgerError> {
    let Some(incident) = house.ledger().incident(id).await? else { return Ok(None) };
    let logs = house.ledger().logs_of(id).await?;
    Ok(logs.into_iter().find(|log| log.hash == hash).map(|log| (incident, log)))
}

fn look(frame: Frame, incident: &Incident, log: &LogRef, text: &str, from: Option<u64>) -> LogPage {
    let found = lines_before(text, incident);
    let before = found.unwrap_or(0);
    let all: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
    let end = before + all.len() as u64;
    let first = from.unwrap_or(before + 1).clamp(before + 1, end.max(before + 1));
    let from_here = usize::try_from(first - before - 1).unwrap_or(usize::MAX);
    let lines: Vec<LogLine> = (first..first.saturating_add(LENGTH))
        .zip(all.iter().skip(from_here))
        .map(|(number, line)| {
            let (is_root, role) = found.and_then(|_| role_at(incident, number)).unwrap_or_default();
            LogLine { number, text: shown(&bare(line)), is_root, role }
        })
        .collect();
    let last = lines.last().map_or(first, |line| line.number);
    let to = format!("/incidents/{}/logs/{}", segment(&incident.id), log.hash);
    let at = |line: u64| format!("{to}?from={line}");
    let place = &incident.place;
    LogPage {
        frame,
        id: shown(&incident.id),
        class: capital(&incident.diagnosis.class),
        repository: shown(place.repository.as_deref().unwrap_or(&place.workspace)),
        name: shown(&log.name),
        size: bytes(log.size),
        omitted: if log.omitted == 0 { String::new() } else { bytes(log.omitted) },
        is_numbered: found.is_some() || log.omitted == 0,
        lines,
        first,
        last,
        all: many(all.len() as u64, "line"),
        earlier: (first > before + 1).then(|| at(first.saturating_sub(LENGTH).max(before + 1))),
        later: (last < end).then(|| at(last + 1)),
        end: (last < end).then(|| at(end.saturating_sub(LENGTH - 1).max(before + 1))),
        to,
    }
}
