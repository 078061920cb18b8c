//! *Suggested patterns*: failures that recur and that no pattern names, as drafts for a person to complete. The page changes
//! nothing: a draft counts once it has its proof, in a file that its operator keeps.

use askama::Template;
use axum::{body::Body, extract::State, http::Response};
use regreen_ledger::{IncidentFilter, LedgerError};
use regreen_propose::{Suggestion, Unnamed, suggest};

use super::{
    House, Shared,
    answer::{Failed, Frame, page as answer},
    params::segment,
    reader::Reader,
    trends::TERMS,
    words::{count, plain, shown},
};
use crate::fresh::Fresh;

/// Incidents that are looked at, newest first.
const LOOKED_AT: u32 = 1_000;
/// In so many of them a line stands at least.
const LEAST: usize = 3;
/// Most drafts, and most incidents that are named beside one.
const MOST: usize = 20;
const NAMED: usize = 5;

/// Drafts, as they were made last.
pub(super) type Drafts = Fresh<Look>;

#[derive(Template)]
#[template(path = "suggested.html")]
struct SuggestedPage {
    frame: Frame,
    rows: Vec<DraftRow>,
    looked_at: String,
    unnamed: String,
    least: usize,
}

/// What is suggested.
pub(super) struct Look {
    looked_at: u64,
    failures: Vec<Unnamed>,
    suggestions: Vec<Suggestion>,
}

struct DraftRow {
    id: String,
    class: String,
    failures: String,
    examples: Vec<String>,
    /// Their ids and pages, and how many more there are.
    incidents: Vec<(String, String)>,
    more: usize,
    /// The file, line by line harmless.
    text: String,
}

/// The page.
pub(super) async fn page(State(house): Shared, reader: Reader) -> Result<Response<Body>, Failed> {
    let of = house.clone();
    let look = house.drafts.get(house.now(), &TERMS, async move { look(&of).await }).await;
    let (_, look) = look.map_err(|e| house.failed(&e))?;
    answer(&SuggestedPage {
        frame: Frame::new(&reader, "/patterns", ""),
        rows: look.suggestions.iter().take(MOST).map(|one| row(one, &look.failures)).collect(),
        looked_at: count(look.looked_at),
        unnamed: count(look.failures.len() as u64),
        least: LEAST,
    })
}

async fn look(house: &House) -> Result<Look, LedgerError> {
    let filter = IncidentFilter { limit: LOOKED_AT, ..IncidentFilter::default() };
    let incidents = house.ledger().incidents(&filter).await?;
    let unnamed = |incident: &regreen_ledger::Incident| {
        Unnamed::of(&incident.id, &incident.diagnosis.to_domain()?, Vec::new())
    };
    let failures: Vec<Unnamed> = incidents.iter().filter_map(unnamed).collect();
    let known = &house.pages.catalog;
    let is_taken = |id: &str| known.pattern(id).is_some() || known.playbook(id).is_some();
    let suggestions = suggest(&failures, LEAST, &is_taken);
    Ok(Look { looked_at: incidents.len() as u64, failures, suggestions })
}

fn row(suggestion: &Suggestion, failures: &[Unnamed]) -> DraftRow {
    let named = suggestion.failures.iter().filter_map(|at| failures.get(*at));
    let incidents: Vec<_> = named
        .take(NAMED)
        .map(|failure| (shown(&failure.name), format!("/incidents/{}", segment(&failure.name))))
        .collect();
    DraftRow {
        id: shown(&suggestion.drafted.id),
        class: plain(suggestion.class.id()),
        failures: count(suggestion.failures.len() as u64),
        examples: suggestion.examples.iter().take(3).map(|line| shown(line)).collect(),
        more: suggestion.failures.len() - incidents.len(),
        incidents,
        text: suggestion.drafted.text.lines().map(shown).collect::<Vec<_>>().join("\n"),
    }
}
