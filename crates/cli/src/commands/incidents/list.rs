//! `regreen incidents list`: the newest first.

use regreen_domain::Outcome;
use regreen_ledger::{IncidentFilter, State};

use crate::{
    args::{Format, IncidentFilters},
    context::{Context, runtime},
    exit::{FINE, Failed},
    output::{
        incident::{list_json, list_plain},
        print::print,
    },
    record,
};

/// Lists them.
pub fn list(context: &Context, filters: &IncidentFilters) -> Result<u8, Failed> {
    let filter = filter(filters);
    runtime()?.block_on(async {
        let ledger = record::read(context).await?;
        let incidents = match &ledger {
            Some(ledger) => ledger.incidents(&filter).await?,
            None => Vec::new(),
        };
        match (filters.format, ledger) {
            (Format::Json, _) => print(&list_json(&incidents)),
            (Format::Plain, None) => print(record::nothing(context)),
            (Format::Plain, Some(_)) if incidents.is_empty() => print("no incident is like that\n"),
            (Format::Plain, Some(_)) => print(&list_plain(&incidents)),
        }
        .map(|_| FINE)
    })
}

/// What was asked for, as the ledger takes it.
pub fn filter(filters: &IncidentFilters) -> IncidentFilter {
    let asked = filters.outcome.as_deref();
    IncidentFilter {
        outcome: asked.and_then(Outcome::parse),
        class: filters.class,
        state: match asked {
            Some("open") => Some(State::Open),
            Some("approved") => Some(State::Approved),
            _ => None,
        },
        limit: filters.limit,
        ..IncidentFilter::default()
    }
}
