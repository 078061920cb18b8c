//! `regreen status`: how it stands, and the targets beside what was measured.

use regreen_ledger::{BreakerState, IncidentFilter, State};

use crate::{
    args::{Format, StatusArgs},
    config,
    context::{Context, runtime},
    exit::Failed,
    output::{
        print::print,
        status::{Down, Status, json, plain},
    },
    record,
    voice::Terminal,
};

/// Most incidents that are counted as waiting.
const MOST: u32 = 1000;

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
        let config = config::load(context, None, &workspace, &Terminal::new(context)).await?.into_engine();
        let now = record::now();
        let metrics = ledger.metrics(now, None).await?;
        let pause = ledger.paused("workspace").await?;
        let head = ledger.audit_head().await?;
        if fleet && pause.is_some() {
            doing = "paused";
        } else if fleet && !ledger.open_incidents().await?.is_empty() {
            doing = "recovering";
        }
        let waits =
            IncidentFilter { state: Some(State::AwaitingApproval), limit: MOST, ..Default::default() };
        let breakers = ledger.breakers(config.breaker, now).await?;
        let mut down = Vec::new();
        for outage in ledger.outages(20).await?.into_iter().filter(|outage| outage.ended_at.is_none()) {
            down.push(Down {
                runs: ledger.waiting_for(&outage.id).await?,
                service: outage.service,
                since: outage.began_at,
                outage: outage.known_at.is_some(),
            });
        }
        print(&say(&Status {
            state: doing,
            paused: pause.as_ref().map(|p| p.reason.as_str()),
            metrics: Some(&metrics),
            audit_head: Some(&head),
            waiting: ledger.incidents(&waits).await?.iter().filter(|i| !i.imported).count(),
            open_breakers: breakers.iter().filter(|b| b.state != BreakerState::Closed).count(),
            down,
            nothing,
            fleet,
        }))
    })
}
