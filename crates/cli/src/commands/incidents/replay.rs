//! `regreen incidents replay ID`: the decision made again from what is on record.

use regreen_engine::{ReplayError, Replayed, replay as decide_again};

use crate::{
    args::{Format, WhichPatterns},
    context::{Context, runtime},
    custom::Known,
    decided_by::decided_by,
    exit::{FINE, Failed, INVALID, NOTHING_TO_READ, PROBLEMS},
    output::{
        print::print,
        replay::{json, plain},
    },
    record, voice,
};

/// Decides again and compares.
pub fn replay(context: &Context, id: &str, format: Format, which: &WhichPatterns) -> Result<u8, Failed> {
    let (replayed, known) = runtime()?.block_on(again(context, which, id))?;
    known.warnings.iter().for_each(|warning| voice::warning(context, warning));
    print(&match format {
        Format::Plain => plain(&replayed, &known.catalog),
        Format::Json => json(id, &replayed, &known.catalog),
    })?;
    Ok(if replayed.differences().is_empty() { FINE } else { PROBLEMS })
}

/// The decision about an incident made again, and what is known where it happened.
///
/// # Errors
/// Where there is no such incident, it was never decided, or what it was decided from is not on record; and as [`decided_by`].
pub async fn again(context: &Context, which: &WhichPatterns, id: &str) -> Result<(Replayed, Known), Failed> {
    let (ledger, incident) = record::one(context, id).await?;
    let known = decided_by(context, which, &ledger, &incident).await?;
    Ok((decide_again(&incident, &known.catalog).map_err(failed)?, known))
}

fn failed(error: ReplayError) -> Failed {
    match error {
        ReplayError::Undecided(_) => {
            Failed::new(NOTHING_TO_READ, error).help("`regreen resume` brings it to its end")
        }
        ReplayError::NoInputs(_) => {
            Failed::new(NOTHING_TO_READ, error).help("only incidents of this version on can be replayed")
        }
        ReplayError::Unreadable(_) => {
            Failed::new(NOTHING_TO_READ, error).help("use the regreen that recorded it")
        }
        ReplayError::Catalog(_) => Failed::new(INVALID, error),
    }
}
