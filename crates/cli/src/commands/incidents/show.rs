//! `regreen incidents show ID`: everything on record about one incident.

use regreen_server::shape::timeline;

use super::log::named;
use crate::{
    args::Format,
    context::{Context, runtime},
    exit::Failed,
    output::{
        incident::{Whole, json, plain},
        print::print,
    },
    record,
};

/// Shows it.
pub fn show(context: &Context, id: &str, format: Format) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let (ledger, incident) = record::one(context, id).await?;
        let facts = ledger.facts(id).await?;
        let feedback = ledger.feedback_of(id).await?;
        let timeline = timeline(id, &ledger.audit_of(id).await?, &facts);
        let whole = Whole { incident: &incident, timeline: &timeline, feedback: &feedback };
        print(&match format {
            Format::Plain => plain(&whole) + &named(id, &ledger.logs_of(id).await?),
            Format::Json => json(&whole),
        })
    })
}
