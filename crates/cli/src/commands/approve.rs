//! `regreen approve INCIDENT` and `regreen deny INCIDENT`: a person's word on a recovery that waits for it.

use regreen_ledger::{Ledger, LedgerError, State};
use regreen_server::act::{self, Answered};
use regreen_show::harmless::harmless;

use crate::{
    args::{ApproveArgs, DenyArgs},
    context::{Context, runtime},
    exit::{Failed, REFUSED},
    output::print::print,
    record::{self, actor, now},
};

/// Lets it go ahead with the next run.
pub fn approve(context: &Context, args: &ApproveArgs) -> Result<u8, Failed> {
    print(&runtime()?.block_on(approved(context, args, &actor()))?)
}

/// Refuses it.
pub fn deny(context: &Context, args: &DenyArgs) -> Result<u8, Failed> {
    print(&runtime()?.block_on(denied(context, args, &actor()))?)
}

/// Lets it go ahead by the word of `actor`, and says what becomes of it.
///
/// # Errors
/// Where there is no such incident or nobody waits for it, and the ledger's own.
pub async fn approved(context: &Context, args: &ApproveArgs, actor: &str) -> Result<String, Failed> {
    let id = args.incident.as_str();
    let ledger = record::write_to(context, id).await?;
    somebody_waits(context, &ledger, id).await?;
    let Answered { incident, woken } = act::approve(&ledger, id, actor, now()).await.map_err(refused)?;
    let playbook = incident.plan().map_or_else(String::new, |plan| format!(" by `{}`", plan.playbook));
    if incident.state == State::Open {
        return Ok(format!("approved: {id}; the run that waits for it goes on\n"));
    }
    if woken {
        return Ok(format!(
            "approved: {id}, to be healed{playbook}\n\
             Whichever `regreen serve` or `regreen worker` shares the ledger goes on with it, if nothing has changed.\n"
        ));
    }
    let command = harmless(&incident.command.join(" "));
    Ok(format!(
        "approved: {id}, to be healed{playbook}\n\
         It is done by the next run that fails in the same way, within 24 hours: regreen run -- {command}\n"
    ))
}

/// Refuses it by the word of `actor`, and says what becomes of it.
///
/// # Errors
/// As [`approved`].
pub async fn denied(context: &Context, args: &DenyArgs, actor: &str) -> Result<String, Failed> {
    let id = args.incident.as_str();
    let ledger = record::write_to(context, id).await?;
    somebody_waits(context, &ledger, id).await?;
    let denied = act::deny(&ledger, id, actor, args.reason.as_deref(), now()).await.map_err(refused)?;
    let open = denied.incident.state == State::Open;
    let then = if open { "the run that waits for it turns back" } else { "nothing is done about it" };
    Ok(format!("denied: {id}; {then}\n"))
}

/// An open incident waits only while the run that asked is alive. Of one that died nothing goes on, whatever is answered.
async fn somebody_waits(context: &Context, ledger: &Ledger, id: &str) -> Result<(), Failed> {
    let asked = ledger
        .incident(id)
        .await?
        .is_some_and(|incident| incident.state == State::Open && incident.question.is_some());
    let (state, _) = context.state(&context.workspace()?);
    if !asked || state.is_healing().unwrap_or(true) {
        return Ok(());
    }
    let what = format!("the run that asked for a word on incident {id} has ended, so nobody waits for it");
    Err(Failed::new(REFUSED, what).help(
        "`regreen resume` takes back what it had done; so does the next `regreen run`, which asks again",
    ))
}

fn refused(error: LedgerError) -> Failed {
    let waits = State::AwaitingApproval.id();
    let wrong_state = matches!(error, LedgerError::WrongState { .. });
    let failed = Failed::from(error);
    if wrong_state {
        failed
            .help(format!("`regreen incidents list --outcome {waits}` shows what waits for a person's word"))
    } else {
        failed
    }
}
