//! *Suggested patterns*: failures that recur and that no pattern names, as drafts for a person to complete and accept.

use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::{body::Body, extract::State, http::Response};
use regreen_engine::Known;
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

/// Drafts, as they were made last, beside what was accepted then: anew whenever that changes.
#[derive(Default)]
pub(super) struct Drafted(Mutex<(Vec<String>, Fresh<Look>)>);

impl Drafted {
    fn beside(&self, known: &Known) -> Fresh<Look> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != known.edition() {
            *last = (known.edition().to_vec(), Fresh::default());
        }
        last.1.clone()
    }
}

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
    pub(super) suggestions: Vec<Suggestion>,
}

pub(super) struct DraftRow {
    pub(super) id: String,
    /// Where it is accepted.
    pub(super) href: String,
    class: String,
    pub(super) failures: String,
    pub(super) examples: Vec<String>,
    /// Their ids and pages, and how many more there are.
    pub(super) incidents: Vec<(String, String)>,
    pub(super) more: usize,
    /// The file, line by line harmless.
    text: String,
}

/// The page.
pub(super) async fn page(State(house): Shared, reader: Reader) -> Result<Response<Body>, Failed> {
    let look = drafts(&house).await?;
    answer(&SuggestedPage {
        frame: Frame::new(&reader, "/patterns", ""),
        rows: look.suggestions.iter().take(MOST).map(|one| look.row(one)).collect(),
        looked_at: count(look.looked_at),
        unnamed: count(look.failures.len() as u64),
        least: LEAST,
    })
}

/// Every draft there is now.
pub(super) async fn drafts(house: &Arc<House>) -> Result<Arc<Look>, Failed> {
    let known = house.known().await?;
    let (of, drafts) = (house.clone(), house.drafts.beside(&known));
    let look = drafts.get(house.now(), &TERMS, async move { look(&of, &known).await }).await;
    Ok(look.map_err(|e| house.failed(&e))?.1)
}

async fn look(house: &House, known: &Known) -> Result<Look, LedgerError> {
    let filter = IncidentFilter { limit: LOOKED_AT, ..IncidentFilter::default() };
    let incidents = house.ledger().incidents(&filter).await?;
    let unnamed = |incident: &regreen_ledger::Incident| {
        Unnamed::of(&incident.id, &incident.diagnosis.to_domain()?, Vec::new())
    };
    // What was accepted since names them from now on.
    let accepted: Vec<_> = known.accepted.iter().filter_map(|one| known.catalog.pattern(&one.name)).collect();
    let is_named = |failure: &Unnamed| {
        failure.lines.iter().any(|line| accepted.iter().any(|one| one.matcher.line.is_match(line)))
    };
    let failures: Vec<Unnamed> =
        incidents.iter().filter_map(unnamed).filter(|failure| !is_named(failure)).collect();
    let known = &known.catalog;
    let is_taken = |id: &str| known.pattern(id).is_some() || known.playbook(id).is_some();
    let suggestions = suggest(&failures, LEAST, &is_taken);
    Ok(Look { looked_at: incidents.len() as u64, failures, suggestions })
}

impl Look {
    /// The failures that speak for a draft, by their names; not all of them.
    pub(super) fn named<'l>(&'l self, suggestion: &'l Suggestion) -> impl Iterator<Item = &'l str> {
        let named = suggestion.failures.iter().filter_map(|at| self.failures.get(*at));
        named.take(NAMED).map(|failure| failure.name.as_str())
    }

    pub(super) fn row(&self, suggestion: &Suggestion) -> DraftRow {
        let incidents: Vec<_> = self
            .named(suggestion)
            .map(|name| (shown(name), format!("/incidents/{}", segment(name))))
            .collect();
        let draft = &suggestion.draft;
        DraftRow {
            id: shown(&draft.id),
            href: format!("/patterns/suggested/{}", segment(&draft.id)),
            class: plain(draft.class.id()),
            failures: count(suggestion.failures.len() as u64),
            examples: draft.examples.iter().take(3).map(|line| shown(line)).collect(),
            more: suggestion.failures.len() - incidents.len(),
            incidents,
            text: suggestion.drafted.text.lines().map(shown).collect::<Vec<_>>().join("\n"),
        }
    }
}
