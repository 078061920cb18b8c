//! `regreen dispatch`: a run is put on the list of work by hand.

use regreen_engine::EndedRun;
use regreen_forge::{RunRef, hook::Sender};
use regreen_server::Task;

use super::open;
use crate::{
    args::DispatchArgs,
    context::{Context, runtime},
    exit::{self, Failed},
    record::now,
    voice,
};

/// Lists the run.
pub fn dispatch(context: &Context, args: &DispatchArgs) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let ledger = open(context, &args.at).await?;
        let run = RunRef { repository: args.repository.clone(), run_id: args.run.get() };
        let sender = if args.gitlab { Sender::GitLab } else { Sender::GitHub };
        let task = Task::Run { sender, ended: EndedRun { run, attempt: None } };
        // By hand it may be wanted again; what was done about an attempt is not done twice all the same.
        let listed = task.listed(now()).once_more("by-hand");
        ledger.enqueue(&[listed.work()]).await?;
        ledger.close_file().await;
        voice::progress(context, &format!("run {} of {} is on the list of work", args.run, args.repository));
        Ok(exit::FINE)
    })
}
