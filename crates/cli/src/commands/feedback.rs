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
    print(&runtime()?.block_on(noted(context, args, &actor()))?)
}

/// Stores the label by the word of `actor`, and says so.
///
/// # Errors
/// Where there is no such incident, and the ledger's own.
pub async fn noted(context: &Context, args: &FeedbackArgs, actor: &str) -> Result<String, Failed> {
    let id = args.incident.as_str();
    let ledger = record::write_to(context, id).await?;
    act::label(&ledger, id, args.class, actor, args.note.as_deref(), now()).await?;
    Ok(format!("noted: {id} is {}\n", args.class))
}
