//! `regreen incidents replay ID`: the decision made again from what is on record.

use regreen_engine::{ReplayError, Replayed, replay as decide_again};
use regreen_ledger::Incident;

use crate::{
    args::Format,
    context::{Context, catalog, runtime},
    exit::{FINE, Failed, INVALID, NOTHING_TO_READ, PROBLEMS},
    output::{
        print::print,
        replay::{json, plain},
    },
    record,
};

/// Decides again and compares.
pub fn replay(context: &Context, id: &str, format: Format) -> Result<u8, Failed> {
    let incident = runtime()?.block_on(record::one(context, id))?.1;
    let replayed = again(&incident)?;
    print(&match format {
        Format::Plain => plain(&replayed),
        Format::Json => json(id, &replayed),
    })?;
    Ok(if replayed.differences().is_empty() { FINE } else { PROBLEMS })
}

/// The decision about an incident made again.
///
/// # Errors
/// Where it was never decided, or what it was decided from is not on record.
pub fn again(incident: &Incident) -> Result<Replayed, Failed> {
    decide_again(incident, &catalog()?).map_err(failed)
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
