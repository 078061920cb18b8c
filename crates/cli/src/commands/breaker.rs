//! `regreen breaker list|reset`: circuit breakers, one for each class, service and repository.

use regreen_ledger::Breaker as Found;
use regreen_server::act;

use crate::{
    args::{Breaker, Format, ResetArgs},
    config,
    context::{Context, runtime},
    exit::{FINE, Failed, NOTHING_TO_READ},
    output::{
        breaker::{json, key, plain},
        print::print,
    },
    record::{self, actor, now},
    voice::Terminal,
};

/// Lists or resets.
pub fn breaker(context: &Context, command: &Breaker) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        match command {
            Breaker::List { format, .. } => list(context, *format).await,
            Breaker::Reset(args) => reset(context, args).await,
        }
    })
}

async fn found(context: &Context) -> Result<Option<Vec<Found>>, Failed> {
    let Some(ledger) = record::read(context).await? else { return Ok(None) };
    let workspace = context.workspace()?;
    let config = config::load(context, None, &workspace, &Terminal::new(context)).await?.into_engine();
    Ok(Some(ledger.breakers(config.breaker, now()).await?))
}

async fn list(context: &Context, format: Format) -> Result<u8, Failed> {
    let breakers = found(context).await?;
    match (format, breakers) {
        (Format::Json, breakers) => print(&json(&breakers.unwrap_or_default())),
        (Format::Plain, None) => print(record::nothing(context)),
        (Format::Plain, Some(none)) if none.is_empty() => print("no breaker was ever told anything\n"),
        (Format::Plain, Some(breakers)) => print(&plain(&breakers)),
    }
}

/// All of the named ones or none: a key that is not there is an error, and no key never means every one.
async fn reset(context: &Context, args: &ResetArgs) -> Result<u8, Failed> {
    let breakers = found(context).await?.unwrap_or_default();
    let chosen: Vec<&Found> = if args.all {
        breakers.iter().collect()
    } else {
        let named = |wanted: &String| {
            breakers.iter().find(|b| key(&b.key) == *wanted).ok_or_else(|| {
                Failed::new(NOTHING_TO_READ, format!("there is no breaker `{wanted}`"))
                    .help("`regreen breaker list` shows what there is")
            })
        };
        args.keys.iter().map(named).collect::<Result<_, _>>()?
    };
    if chosen.is_empty() {
        return print("no breaker was ever told anything\n");
    }
    let ledger = record::write(context).await?;
    for breaker in chosen {
        let is_new = act::close(&ledger, &breaker.key, &actor(), now()).await?;
        let word = if is_new { "closed" } else { "was closed by hand already" };
        print(&format!("{word}: {}\n", key(&breaker.key)))?;
    }
    Ok(FINE)
}
