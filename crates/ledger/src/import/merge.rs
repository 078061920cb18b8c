//! A proven file into the ledger: its chain taken over where it goes on from this one, else its rows one by one.

use std::collections::HashSet;

use serde_json::Value;
use sqlx::AnyConnection;

use super::{ImportMode, Imported, file::File};
use crate::{
    LedgerError,
    accepted::is_full,
    audit::{self, Change, GENESIS},
    incident::find,
    open::without_nul,
    row::Row,
    rows,
    scrub::{Scrub, scrub_value},
    shape::{Incident, State},
};

/// Merges within one write transaction.
pub(super) async fn merge(
    db: &mut AnyConnection,
    file: &File,
    scrub: &dyn Scrub,
    now: i64,
) -> Result<Imported, LedgerError> {
    if file.head == GENESIS || seen(db, &file.head).await? {
        return Ok(Imported::nothing(ImportMode::Same));
    }
    let clean = file.rows.iter().map(|row| scrubbed(row, scrub)).collect::<Result<Vec<_>, _>>()?;
    let (last, head) = audit::last(db).await?;
    let continues = head == GENESIS || file.entries.iter().any(|entry| entry.hash == head);
    let bodies_clean = file.entries.iter().all(|entry| clean_body(&entry.body, scrub) == Some(true));
    // A file must not be able to take anything out.
    let takes_out = head != GENESIS && file.entries.iter().any(|e| e.seq > last && !e.pruned().is_empty());
    let mut mode = ImportMode::Merged;
    if continues && !takes_out && bodies_clean && clean == file.rows && nothing_protected(db, &clean).await? {
        mode = ImportMode::FastForward;
        for entry in file.entries.iter().filter(|entry| entry.seq > last) {
            audit::insert(db, entry).await?;
        }
    }
    let mut report = Imported::nothing(mode);
    for row in &clean {
        if take(db, row, mode, now).await? {
            *match row {
                Row::Incident { .. } => &mut report.incidents,
                Row::Fact { .. } => &mut report.facts,
                Row::Feedback { .. } => &mut report.feedback,
                Row::BreakerEvent { .. } => &mut report.breaker_events,
                Row::Pause { .. } => &mut report.pauses,
                Row::Pattern { .. } => &mut report.patterns,
            } += 1;
        } else if rows::same_key(db, row).await?.as_ref() != Some(row) {
            report.kept += 1;
        }
    }
    Ok(report)
}

/// Whether a file with this head is in this ledger: as a part of its chain, or merged before.
async fn seen(db: &mut AnyConnection, head: &str) -> Result<bool, LedgerError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit WHERE hash = $1 OR (kind = 'imported' AND imported = $1)",
    )
    .bind(head)
    .fetch_one(db)
    .await?;
    Ok(count > 0)
}

/// Whether taking all of these rows over would touch nothing that an import must leave alone.
async fn nothing_protected(db: &mut AnyConnection, rows: &[Row]) -> Result<bool, LedgerError> {
    // Incidents that will be strangers here, so that their journals may grow. They come before their facts.
    let mut strangers = HashSet::new();
    for row in rows {
        let mine = rows::same_key(db, row).await?;
        let same = mine.as_ref() == Some(row);
        if let Some(mine) = &mine
            && !same
            && !may_replace(db, mine, row).await?
        {
            return Ok(false);
        }
        match row {
            Row::Incident { id, .. } if !same || is_stranger(db, id).await? => {
                strangers.insert(id.as_str());
            }
            Row::Fact { incident, .. } if !same && !strangers.contains(incident.as_str()) => {
                return Ok(false);
            }
            _ => {}
        }
    }
    Ok(true)
}

/// Whether the incident is here and was imported.
async fn is_stranger(db: &mut AnyConnection, id: &str) -> Result<bool, LedgerError> {
    Ok(find(db, id).await?.is_some_and(|(mine, _)| mine.imported))
}

/// Whether `theirs` may take the place of `mine`: only an incident that is over here and went on there.
async fn may_replace(db: &mut AnyConnection, mine: &Row, theirs: &Row) -> Result<bool, LedgerError> {
    let (Row::Incident { id, .. }, Row::Incident { record, .. }) = (mine, theirs) else { return Ok(false) };
    let Some((mine, _)) = find(db, id).await? else { return Ok(false) };
    let over = mine.imported || mine.state == State::Closed;
    Ok(over && Incident::parse(record)?.changed_at > mine.changed_at)
}

/// Takes a row in, where it is new or may replace what is here. In a fast-forward its audit entry is there already.
async fn take(db: &mut AnyConnection, row: &Row, mode: ImportMode, now: i64) -> Result<bool, LedgerError> {
    match rows::same_key(db, row).await? {
        Some(mine) if mine == *row => return Ok(false),
        Some(mine) if !may_replace(db, &mine, row).await? => return Ok(false),
        _ => {}
    }
    // A journal is only ever added to where nobody here will act by it.
    if let Row::Fact { incident, .. } = row
        && !is_stranger(db, incident).await?
    {
        return Ok(false);
    }
    // As many stand as may: what a file has beyond that is its own. One that goes on from here was held to it when it was read.
    if mode == ImportMode::Merged && matches!(row, Row::Pattern { ended_at: None, .. }) && is_full(db).await?
    {
        return Ok(false);
    }
    if mode == ImportMode::FastForward {
        rows::put_silently(db, row).await?;
    } else {
        rows::put(db, row, &Change { at: now, kind: "row-imported", details: &[] }).await?;
    }
    if let Row::Incident { id, .. } = row {
        sqlx::query("UPDATE incidents SET owner = NULL WHERE id = $1").bind(id).execute(db).await?;
    }
    Ok(true)
}

/// The row as it may be stored.
fn scrubbed(row: &Row, scrub: &dyn Scrub) -> Result<Row, LedgerError> {
    let mut row = row.clone();
    let mut texts: Vec<&mut String> = Vec::new();
    match &mut row {
        Row::Incident { record, .. } => {
            let incident = Incident::parse(record)?;
            let mut clean = incident.clone();
            clean.scrub(scrub);
            if clean != incident {
                *record = clean.to_record()?;
            }
        }
        Row::Fact { fact, .. } => {
            if clean_body(fact, scrub) == Some(false) {
                let value: Value = serde_json::from_str(fact).unwrap_or_default();
                *fact = scrub_value(scrub, value).to_string();
            }
        }
        Row::Feedback { actor, note, .. } => {
            texts.push(actor);
            texts.extend(note);
        }
        Row::BreakerEvent { class, service, repository, incident, .. } => {
            texts.extend([class, service, repository, incident]);
        }
        Row::Pause { scope, actor, reason, ended_by, .. } => {
            texts.extend([scope, actor, reason]);
            texts.extend(ended_by);
        }
        Row::Pattern { name, text, actor, ended_by, .. } => {
            texts.extend([name, text, actor]);
            texts.extend(ended_by);
        }
    }
    for text in texts {
        *text = without_nul(scrub.scrub(text));
    }
    Ok(row)
}

/// Whether a document needs no scrubbing; `None` where it is no document.
fn clean_body(text: &str, scrub: &dyn Scrub) -> Option<bool> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(scrub_value(scrub, value.clone()) == value)
}
