//! `regreen rollback INCIDENT`: takes back what an incident did, here or at a CI host.

use std::sync::Arc;

use regreen_domain::Outcome;
use regreen_engine::{Event, Voice, fleet_run_of};
use regreen_server::act::{self, Listed};
use regreen_tools::Job;

use crate::{
    args::{ANY_REASON, RollbackArgs},
    context::{Context, engine, runtime, unless_interrupted},
    exit::{FINE, Failed, NOTHING_TO_READ, STUCK, USAGE},
    output::print::print,
    record,
    voice::Terminal,
};

/// Has it taken back by the fleet, where it is about a run of a CI host's.
async fn at_a_host(context: &Context, args: &RollbackArgs) -> Result<Option<Listed>, Failed> {
    let id = args.incident.as_str();
    let (_, incident) = record::one(context, id).await?;
    if incident.imported || fleet_run_of(&incident).is_none() {
        return Ok(None);
    }
    let ledger = record::write(context).await?;
    // What is asked of the fleet is on record with who asked, and has no room for more.
    if args.reason != ANY_REASON {
        let why = "--reason is kept with what is taken back in a workspace; this is a run of a CI host's";
        return Err(Failed::new(USAGE, why).help("leave --reason out"));
    }
    Ok(Some(act::roll_back(&ledger, id, &record::actor(), record::now()).await?))
}

/// Takes it back.
pub fn rollback(context: &Context, args: &RollbackArgs) -> Result<u8, Failed> {
    let id = args.incident.as_str();
    if let Some(listed) = runtime()?.block_on(at_a_host(context, args))? {
        return match listed {
            Listed::Listed => print(&format!(
                "listed: whoever works beside the fleet cancels what {id} has under way, and closes it as rolled back\n"
            ))
            .map(|_| FINE),
            Listed::Pointless(why) => Err(Failed::new(NOTHING_TO_READ, format!("{id}: {why}"))),
        };
    }
    let workspace = context.workspace()?;
    let (state, _) = context.state(&workspace);
    let voice = Arc::new(Terminal::new(context));
    let taken_back = runtime()?.block_on(unless_interrupted(async {
        record::one(context, id).await?;
        let engine = engine(context, None, &workspace, voice.clone()).await?;
        let job = Job { workspace, argv: Vec::new() };
        Ok::<_, Failed>(engine.roll_back(&job, &state, id, &record::actor(), &args.reason).await?)
    }))?;
    if taken_back.outcome == Outcome::Stuck {
        voice.tell(Event::Stuck { incident: id, why: &taken_back.why });
        return Ok(STUCK);
    }
    print(&format!("rolled back: {id}; what Regreen wrote is as before\n")).map(|_| FINE)
}
