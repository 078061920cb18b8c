//! `regreen status`: how it stands, and the targets beside what was measured.

use regreen_engine::PAUSED_FLEET;
use regreen_server::shape::Standing;

use crate::{
    args::{Format, StatusArgs},
    config,
    context::{Context, runtime},
    exit::Failed,
    output::{
        print::print,
        status::{Status, json, plain},
    },
    record,
    voice::Terminal,
};

/// Says it.
pub fn status(context: &Context, args: &StatusArgs) -> Result<u8, Failed> {
    let workspace = context.workspace()?;
    let (state, _) = context.state(&workspace);
    let say = match args.format {
        Format::Plain => plain,
        Format::Json => json,
    };
    let fleet = context.ledger.is_some();
    let nothing = record::nothing(context);
    let mut doing = match (state.open_marker().exists(), state.paused_marker().exists()) {
        // What goes on in this folder is not what goes on in the fleet.
        _ if fleet => "idle",
        (true, _) => "recovering",
        (_, true) => "paused",
        _ => "idle",
    };
    runtime()?.block_on(async {
        // First: a configuration that is wrong is said also where nothing is on record yet.
        let config = config::load(context, None, &workspace, &Terminal::new(context)).await?.into_engine();
        let Some(ledger) = record::read(context).await? else {
            let nothing = Status {
                state: doing,
                paused: None,
                metrics: None,
                audit_head: None,
                waiting: 0,
                open_breakers: 0,
                down: Vec::new(),
                nothing,
                fleet,
            };
            return print(&say(&nothing));
        };
        let now = record::now();
        let metrics = ledger.metrics(now, None).await?;
        let scope = if fleet { PAUSED_FLEET } else { "workspace" };
        let standing = Standing::of(&ledger, config.breaker, scope, now).await?;
        if fleet {
            doing = standing.state();
        }
        print(&say(&Status {
            state: doing,
            paused: standing.pause.as_ref().map(|p| p.reason.as_str()),
            metrics: Some(&metrics),
            audit_head: Some(&standing.audit_head),
            waiting: standing.waiting,
            open_breakers: standing.breakers.len(),
            down: standing.down,
            nothing,
            fleet,
        }))
    })
}
