//! `regreen pause` and `regreen unpause`: the kill switch, read before every effect.

use std::{fs, io, os::unix::fs::OpenOptionsExt};

use crate::{
    args::PauseArgs,
    context::{Context, runtime},
    exit::{Failed, LEDGER},
    output::print::print,
    record::{self, actor, now},
};

/// Heals nothing from now on.
pub fn pause(context: &Context, args: &PauseArgs) -> Result<u8, Failed> {
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
pub fn unpause(context: &Context) -> Result<u8, Failed> {
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
