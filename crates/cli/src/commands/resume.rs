//! `regreen resume`: brings a recovery that was killed to its end.

use std::{path::Path, sync::Arc};

use regreen_domain::Outcome;
use regreen_engine::{Event, Voice};
use regreen_tools::Job;

use crate::{
    context::{Context, engine, runtime, unless_interrupted},
    exit::{self, Failed},
    live::unfinished,
    voice::Terminal,
};

/// Resumes what stands open in this workspace, by the operator's `config` where one was named.
pub fn resume(context: &Context, config: Option<&Path>) -> Result<u8, Failed> {
    let workspace = context.workspace()?;
    let (state, _) = context.state(&workspace);
    let voice = Arc::new(Terminal::new(context));
    if state.is_healing().unwrap_or(false) {
        voice.tell(Event::Progress("another regreen is healing here; there is nothing to resume"));
        return Ok(exit::FINE);
    }
    if !unfinished(&state) && !state.ledger().exists() {
        voice.tell(Event::Progress("nothing stands open here"));
        return Ok(exit::FINE);
    }
    let resumed = runtime()?.block_on(unless_interrupted(async {
        let engine = engine(context, config, &workspace, voice.clone()).await?;
        let job = Job { workspace, argv: Vec::new() };
        Ok::<_, Failed>(engine.resume(&job, &state).await?)
    }))?;
    let mut code = exit::FINE;
    for run in &resumed {
        let incident = run.incident.as_str();
        match run.outcome {
            Outcome::Stuck => {
                voice.tell(Event::Stuck { incident, why: &run.why });
                code = exit::STUCK;
            }
            Outcome::RolledBack => voice.tell(Event::RolledBack { incident, why: &run.why }),
            outcome => voice.tell(Event::Progress(&format!("incident {incident} is closed: {outcome}"))),
        }
    }
    if resumed.is_empty() {
        voice.tell(Event::Progress("nothing stands open here"));
    }
    Ok(code)
}
