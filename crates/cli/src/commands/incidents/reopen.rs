//! `regreen incidents reopen ID`: an incident beside the fleet in which nothing was done is opened once more.

use regreen_ledger::LedgerError;
use regreen_server::act::{self, Listed};

use crate::{
    args::ReopenArgs,
    context::{Context, runtime},
    exit::{FINE, Failed, NOTHING_TO_READ},
    output::print::print,
    record::{self, actor, now},
};

/// Opens it again.
pub fn reopen(context: &Context, args: &ReopenArgs) -> Result<u8, Failed> {
    let id = args.incident.as_str();
    let listed = runtime()?.block_on(async {
        let ledger = record::write_to(context, id).await?;
        let reason = args.reason.as_deref();
        act::reopen(&ledger, id, None, &actor(), reason, now()).await.map_err(refused)
    })?;
    match listed {
        Listed::Listed => print(&format!(
            "opened again: {id}; whoever works beside the fleet looks at its run, and decides anew by what holds then\n"
        ))
        .map(|_| FINE),
        Listed::Pointless(why) => Err(Failed::new(NOTHING_TO_READ, format!("{id}: {why}"))),
    }
}

fn refused(error: LedgerError) -> Failed {
    let wrong_state = matches!(error, LedgerError::WrongState { .. });
    let failed = Failed::from(error);
    match wrong_state {
        true => failed
            .help("only what ended with nothing done, and was opened within 20 hours, can be opened again"),
        false => failed,
    }
}
