//! `regreen rollback INCIDENT`: takes back what an incident did.

use std::sync::Arc;

use regreen_domain::Outcome;
use regreen_engine::{Event, Voice};
use regreen_tools::Job;

use crate::{
    args::RollbackArgs,
    context::{Context, engine, runtime, unless_interrupted},
    exit::{FINE, Failed, STUCK},
    output::print::print,
    record,
    voice::Terminal,
};

/// Takes it back.
pub fn rollback(context: &Context, args: &RollbackArgs) -> Result<u8, Failed> {
    let id = args.incident.as_str();
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
