//! Where the fleet's logs are kept, as commands find it: `REGREEN_LOG_STORE`, or `[serve.logs]` in the operator's file.

use std::{collections::BTreeMap, ffi::OsStr, sync::Arc};

use regreen_ledger::{Ledger, LogStore};

use crate::{
    config::{self, Config},
    context::Context,
    exit::{Failed, INVALID},
};

/// In the ledger's own database.
pub const DATABASE: &str = "database";
/// Nowhere.
pub const NONE: &str = "none";

/// What was said of it.
///
/// # Errors
/// Where the variable is no text.
pub fn named(context: &Context, config: &Config) -> Result<String, Failed> {
    match context.env.get(OsStr::new("REGREEN_LOG_STORE")).filter(|value| !value.is_empty()) {
        None => Ok(config.log_store().to_owned()),
        Some(value) => value
            .to_str()
            .map(str::to_owned)
            .ok_or_else(|| Failed::new(INVALID, "REGREEN_LOG_STORE: it is no text")),
    }
}

/// The ledger, with the store of its logs where they are not in its database.
///
/// # Errors
/// `LogStore` where the address is none, or who asks is not known.
pub fn with(context: &Context, ledger: Ledger, config: &Config) -> Result<Ledger, Failed> {
    let address = named(context, config)?;
    if [DATABASE, NONE].contains(&address.as_str()) {
        return Ok(ledger);
    }
    let clouds = ["AWS_", "GOOGLE_", "AZURE_"];
    let variables: BTreeMap<String, String> = context
        .env
        .iter()
        .filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
        .filter(|(name, _)| clouds.iter().any(|cloud| name.starts_with(cloud)))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(ledger.with_log_store(Arc::new(LogStore::at(&address, &variables)?)))
}

/// The same for a command that shows or tends the ledger that was named; that of a workspace keeps no logs.
///
/// # Errors
/// As [`with`], and the configuration's.
pub fn of_fleet(context: &Context, ledger: Ledger) -> Result<Ledger, Failed> {
    if context.ledger.is_none() {
        return Ok(ledger);
    }
    let config = config::operators(context, None, &context.workspace()?)?;
    with(context, ledger, &config)
}
