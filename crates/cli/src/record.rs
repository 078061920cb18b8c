//! The ledger of this workspace, or the one that was named, as commands use it: opened to read or to write, and said plainly where there is none.

use std::{
    env,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use regreen_ledger::{Incident, Ledger, LedgerError, Scrub};
use regreen_mask::Masker;

use crate::{
    context::Context,
    exit::{Failed, LEDGER, NOTHING_TO_READ},
};

/// What is said where nothing was ever recorded.
pub fn nothing(context: &Context) -> &'static str {
    match context.ledger {
        None => "nothing is on record in this workspace\n",
        Some(_) => "nothing is on record in this ledger\n",
    }
}

/// The masker, as the ledger's belt and braces.
pub struct Scrubber(pub Arc<Masker>);

impl Scrub for Scrubber {
    fn scrub(&self, text: &str) -> String {
        self.0.mask(text).into_owned()
    }
}

/// Opens the ledger to read; `None` where nothing is on record.
///
/// # Errors
/// The ledger's own.
pub async fn read(context: &Context) -> Result<Option<Ledger>, Failed> {
    let scrub = Arc::new(Scrubber(context.masker()));
    let opened = match &context.ledger {
        Some(address) => Ledger::at_read_only(address, scrub).await,
        None => {
            let (state, _) = context.state(&context.workspace()?);
            Ledger::open_read_only(&state.ledger(), scrub).await
        }
    };
    match opened {
        Err(LedgerError::Absent { .. }) => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// Opens the ledger to write, making it where there is none.
///
/// # Errors
/// The state folder's and the ledger's own.
pub async fn write(context: &Context) -> Result<Ledger, Failed> {
    let scrub = Arc::new(Scrubber(context.masker()));
    if let Some(address) = &context.ledger {
        return Ok(Ledger::at(address, scrub).await?);
    }
    let (state, _) = context.state(&context.workspace()?);
    state.make().map_err(|e| Failed::new(LEDGER, e))?;
    Ok(Ledger::open(&state.ledger(), scrub).await?)
}

/// Opens the ledger to write to the incident with this id, which must be there.
///
/// # Errors
/// Where there is no such incident, and the ledger's own.
pub async fn write_to(context: &Context, incident: &str) -> Result<Ledger, Failed> {
    one(context, incident).await?;
    write(context).await
}

/// The ledger, to read, and the incident with this id.
///
/// # Errors
/// Where there is no such incident, and the ledger's own.
pub async fn one(context: &Context, id: &str) -> Result<(Ledger, Incident), Failed> {
    let Some(ledger) = read(context).await? else {
        return Err(Failed::new(
            NOTHING_TO_READ,
            format!("there is no incident `{id}`: {}", nothing(context).trim_end()),
        )
        .help("go to the folder in which `regreen run` was started"));
    };
    let found = ledger.incident(id).await?;
    let found = found.ok_or_else(|| LedgerError::UnknownIncident { id: id.to_owned() })?;
    Ok((ledger, found))
}

/// Whose word it is.
pub fn actor() -> String {
    env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_else(|_| "cli".to_owned())
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
