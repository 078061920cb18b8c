//! `regreen audit verify`: the hash-chained audit log, checked entry by entry and row by row.

use regreen_ledger::AuditVerdict;

use crate::{
    args::Audit,
    context::{Context, runtime},
    exit::{FINE, Failed, PROBLEMS},
    output::print::print,
    record,
};

/// Checks it.
pub fn audit(context: &Context, command: &Audit) -> Result<u8, Failed> {
    let Audit::Verify { head, .. } = command;
    runtime()?.block_on(async {
        let Some(ledger) = record::read(context).await? else {
            return match head {
                None => print(record::nothing(context)),
                // Who has a head in hand knows that there was a log.
                Some(_) => Err(Failed::new(
                    PROBLEMS,
                    "nothing is on record in this workspace, so it never had this head",
                )
                .help("the ledger was deleted, or this is another folder")),
            };
        };
        let report = ledger.audit_verify(head.as_deref()).await?;
        print(&format!("{} entries, head {}\n", report.entries, report.head))?;
        let problem = match &report.verdict {
            AuditVerdict::Sound => return Ok(FINE),
            AuditVerdict::BrokenAt { seq, why } => format!("the audit chain is broken at entry {seq}: {why}"),
            AuditVerdict::HeadNotFound => {
                "the audit chain never had this head: it was cut short or rewritten".to_owned()
            }
            AuditVerdict::RowContradicts { row, why } => format!("{row} is not as it was recorded: {why}"),
        };
        Err(Failed::new(PROBLEMS, problem))
    })
}
