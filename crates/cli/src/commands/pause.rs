//! `regreen pause` and `regreen unpause`: the kill switch, read before every effect.

use std::{fs, io, os::unix::fs::OpenOptionsExt};

use crate::{
    args::{PauseArgs, PausedArgs, UnpauseArgs},
    commands::serve,
    context::{Context, runtime},
    exit::{Failed, LEDGER},
    output::print::print,
    record::{self, actor, now},
};

/// Heals nothing from now on.
pub fn pause(context: &Context, args: &PauseArgs) -> Result<u8, Failed> {
    if let Some(scope) = scope(&args.whose) {
        return runtime()?.block_on(async {
            let ledger = serve::open(context, &args.whose.at).await?;
            ledger.pause(&scope, &actor(), &args.reason, now()).await?;
            print("healing is paused beside the fleet\n")
        });
    }
    let (state, _) = context.state(&context.workspace()?);
    runtime()?.block_on(async {
        let ledger = record::write(context).await?;
        ledger.pause("workspace", &actor(), &args.reason, now()).await?;
        let marker = state.paused_marker();
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&marker);
        file.map_err(|e| Failed::new(LEDGER, format!("{}: {e}", marker.display())))?;
        print("healing is paused in this workspace\n")
    })
}

/// Heals again.
pub fn unpause(context: &Context, args: &UnpauseArgs) -> Result<u8, Failed> {
    if let Some(scope) = scope(&args.whose) {
        return runtime()?.block_on(async {
            let ledger = serve::open(context, &args.whose.at).await?;
            let was = ledger.unpause(&scope, &actor(), now()).await?;
            print(if was { "healing goes on beside the fleet\n" } else { "healing was not paused there\n" })
        });
    }
    let (state, _) = context.state(&context.workspace()?);
    runtime()?.block_on(async {
        let Some(_) = record::read(context).await? else { return print("healing was not paused\n") };
        let ledger = record::write(context).await?;
        let was = ledger.unpause("workspace", &actor(), now()).await?;
        let marker = state.paused_marker();
        match fs::remove_file(&marker) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Failed::new(LEDGER, format!("{}: {e}", marker.display())));
            }
            _ => {}
        }
        print(if was { "healing goes on\n" } else { "healing was not paused\n" })
    })
}

/// What is paused beside the fleet; `None` for this workspace.
fn scope(args: &PausedArgs) -> Option<String> {
    args.fleet.then(|| match &args.repository {
        Some(repository) => regreen_engine::paused_repository(repository.as_str()),
        None => regreen_engine::PAUSED_FLEET.to_owned(),
    })
}
