//! `regreen pause` and `regreen unpause`: the kill switch, read before every effect.

use std::{fmt::Write, fs, io, iter, os::unix::fs::OpenOptionsExt};

use regreen_engine::pause_scope;
use regreen_forge::{Repository, hook::Sender};
use regreen_ledger::Ledger;
use regreen_server::act;
use regreen_show::harmless::harmless;

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
            act::pause(&ledger, &scope, &actor(), Some(&args.reason), now()).await?;
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
            let was = act::unpause(&ledger, &scope, &actor(), now()).await?;
            let left = left(&ledger, &args.whose).await?;
            let said = match (was, left.is_empty()) {
                (true, true) => "healing goes on beside the fleet",
                (true, false) => "that pause has ended",
                (false, true) => "healing was not paused there",
                (false, false) => "there is no such pause",
            };
            print(&format!("{said}\n{left}"))
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
    args.fleet.then(|| pause_scope(args.host, args.repository.as_ref().map(Repository::as_str)))
}

/// What else holds there still, a line each: whoever ends one pause is not to think that none is left.
async fn left(ledger: &Ledger, args: &PausedArgs) -> Result<String, Failed> {
    let hosts: Vec<Sender> =
        Sender::ALL.into_iter().filter(|host| args.host.is_none_or(|of| of == *host)).collect();
    let hosts = || iter::once(None).chain(hosts.iter().copied().map(Some));
    let repositories = iter::once(None).chain(args.repository.iter().map(Some));
    let mut said = String::new();
    for repository in repositories {
        let name = repository.map(Repository::as_str);
        for host in hosts() {
            let Some(pause) = ledger.paused(&pause_scope(host, name)).await? else { continue };
            let of = name.map(|name| format!(" --repository {name}")).unwrap_or_default();
            let at = host.map(|host| format!(" --host {}", host.id())).unwrap_or_default();
            let by = harmless(&pause.actor);
            let _always = writeln!(said, "still paused by {by}: `regreen unpause --fleet{at}{of}` ends that");
        }
    }
    Ok(said)
}
