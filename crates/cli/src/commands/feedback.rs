//! `regreen feedback INCIDENT --class C`: what an incident really was.

use regreen_server::act;

use crate::{
    args::FeedbackArgs,
    context::{Context, runtime},
    exit::Failed,
    output::print::print,
    record::{self, actor, now},
};

/// Stores the label.
pub fn feedback(context: &Context, args: &FeedbackArgs) -> Result<u8, Failed> {
    let id = args.incident.as_str();
    runtime()?.block_on(async {
        let ledger = record::write_to(context, id).await?;
        act::label(&ledger, id, args.class, &actor(), args.note.as_deref(), now()).await?;
        print(&format!("noted: {id} is {}\n", args.class))
    })
}
