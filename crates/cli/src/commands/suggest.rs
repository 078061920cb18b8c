//! `regreen patterns suggest`: drafts for failures that recur and that no signature names.

use std::path::Path;

use regreen_detect::{Circumstances, Detector};
use regreen_ledger::IncidentFilter;
use regreen_logs::{Alarm, Log, alarm};
use regreen_mask::Masker;
use regreen_propose::{Unnamed, suggest as propose};
use regreen_show::harmless::harmless;

use crate::{
    args::SuggestArgs,
    commands::{
        drafts::{is_taken, proves_itself, save},
        patterns, report,
    },
    context::{Context, runtime},
    exit::{FINE, Failed, NOTHING_TO_READ},
    inputs,
    output::print::print,
    record,
};

/// So many lines from the end are searched for errors, and so many of those count.
const SEARCHED: usize = 400;
const LINES: usize = 20;

/// Incidents of the ledger that are read.
const INCIDENTS: u32 = 1000;

/// Suggests.
pub fn suggest(context: &Context, args: &SuggestArgs) -> Result<u8, Failed> {
    let (catalog, _) = patterns::known(context, &args.which)?;
    let mut unread = false;
    let failures = if args.logs.is_empty() {
        on_record(context)?
    } else {
        let detector = Detector::new(&catalog);
        let mut failures = Vec::new();
        for typed in &args.logs {
            unread |= !read(context, typed, &detector, &mut failures);
        }
        failures
    };
    let found = propose(&failures, args.least as usize, &|id| is_taken(&catalog, id));
    for (at, suggestion) in found.iter().enumerate() {
        let drafted = &suggestion.drafted;
        match &args.output {
            Some(folder) => {
                let path = folder.join(format!("{}.toml", drafted.id));
                save(&path, &drafted.text)?;
                print(&format!("{} (in {} logs)\n", path.display(), suggestion.failures.len()))?;
            }
            None => _ = print(&format!("{}{}", if at == 0 { "" } else { "\n" }, drafted.text))?,
        }
        proves_itself(context, &catalog, drafted);
    }
    if found.is_empty() {
        let (unnamed, least) = (failures.len(), args.least);
        print(&format!(
            "nothing to suggest: of {unnamed} failure(s) that no signature names, no line stands in {least}\n"
        ))?;
    }
    Ok(if unread { NOTHING_TO_READ } else { FINE })
}

/// Reads logs; whether all of them could be read.
fn read(context: &Context, typed: &Path, detector: &Detector<'_>, failures: &mut Vec<Unnamed>) -> bool {
    let masker = context.masker();
    let failed = |name: &str, e: &dyn std::fmt::Display| {
        report(context, &Failed::new(NOTHING_TO_READ, format!("{}: {e}", harmless(name))));
    };
    let files = match inputs::files(typed) {
        Ok(files) => files,
        Err(e) => {
            failed(&typed.display().to_string(), &e);
            return false;
        }
    };
    let mut all = true;
    for file in files {
        inputs::logs(&file, &mut |name, log| match log {
            Ok(log) => failures.extend(failure(&harmless(&masker.mask(&name)), &log, detector, &masker)),
            Err(e) => {
                failed(&name, &e);
                all = false;
            }
        });
    }
    all
}

fn failure(name: &str, log: &Log<'_>, detector: &Detector<'_>, masker: &Masker) -> Option<Unnamed> {
    let scan = detector.scan(log, &Circumstances::default());
    let diagnosis = detector.conclude(&scan, &[], masker).diagnosis;
    let loud = log.lines_from_the_end().take(SEARCHED).map(|line| line.text());
    let loud = loud.filter(|text| matches!(alarm(text.as_str()), Alarm::Loud)).take(LINES);
    let lines: Vec<String> = loud.map(|text| masker.mask(text.as_str()).into_owned()).collect();
    Unnamed::of(name, &diagnosis, lines)
}

/// The incidents on record that no signature named, with the evidence that was kept.
fn on_record(context: &Context) -> Result<Vec<Unnamed>, Failed> {
    runtime()?.block_on(async {
        let Some(ledger) = record::read(context).await? else { return Ok(Vec::new()) };
        let filter = IncidentFilter { limit: INCIDENTS, ..IncidentFilter::default() };
        let incidents = ledger.incidents(&filter).await?;
        let kept = |incident: &regreen_ledger::Incident| {
            Unnamed::of(&incident.id, &incident.diagnosis.to_domain()?, Vec::new())
        };
        Ok(incidents.iter().filter_map(kept).collect())
    })
}
