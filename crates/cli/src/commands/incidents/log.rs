//! `regreen incidents show ID --log JOB`: the log that was kept of a job.

use regreen_ledger::LogRef;
use regreen_show::harmless::harmless;

use crate::{
    context::{Context, runtime},
    exit::{Failed, NOTHING_TO_READ},
    log_store,
    output::print::print,
    record,
};

/// Shows it.
pub fn log(context: &Context, id: &str, name: &str) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let (ledger, _) = record::one(context, id).await?;
        let kept = ledger.logs_of(id).await?;
        let Some(found) = kept.iter().find(|log| log.name == name) else {
            let names: Vec<String> = kept.iter().map(|log| format!("`{}`", harmless(&log.name))).collect();
            let failed =
                Failed::new(NOTHING_TO_READ, format!("no log of `{name}` is kept with incident {id}"));
            return Err(match names.is_empty() {
                true => failed.help("logs are kept by `regreen serve` and `regreen worker`"),
                false => failed.help(format!("there is one of {}", names.join(", "))),
            });
        };
        let ledger = log_store::of_fleet(context, ledger)?;
        let gone = || Failed::new(NOTHING_TO_READ, "it is not kept any more");
        let text = ledger.log(&found.hash).await?.ok_or_else(gone)?;
        print(&shown(found, &text))
    })
}

fn shown(log: &LogRef, text: &str) -> String {
    let omitted = match log.omitted {
        0 => String::new(),
        n => format!("({n} bytes before this were not kept)\n"),
    };
    let lines = text.lines().flat_map(|line| [harmless(line), "\n".to_owned()]);
    std::iter::once(omitted).chain(lines).collect()
}

/// The line that says which logs are kept; empty where none is.
pub fn named(id: &str, kept: &[LogRef]) -> String {
    let lines = kept.iter().map(|log| {
        let name = harmless(&log.name);
        format!("log of {name}, {} bytes: regreen incidents show {id} --log '{name}'\n", log.size)
    });
    lines.collect()
}
