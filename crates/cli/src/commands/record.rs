//! What is on record in this workspace: `status`, `incidents`, `audit verify`, `feedback`, `breaker`, `pause`.

use std::{
    env, fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use regreen_domain::FailureClass;
use regreen_ledger::{AuditVerdict, Incident, IncidentFilter, Ledger, LedgerError, Rate, Scrub};
use regreen_mask::Masker;

use crate::{
    commands::print,
    context::{Context, runtime},
    exit::{FINE, Failed, LEDGER, NOTHING_TO_READ, PROBLEMS},
};

struct Scrubber(Arc<Masker>);

impl Scrub for Scrubber {
    fn scrub(&self, text: &str) -> String {
        self.0.mask(text).into_owned()
    }
}

/// Opens the ledger of this workspace; `None` where nothing is on record.
async fn open(context: &Context) -> Result<Option<Ledger>, Failed> {
    let (state, _) = context.state(&context.workspace()?);
    match Ledger::open_read_only(&state.ledger(), Arc::new(Scrubber(context.masker()))).await {
        Err(LedgerError::Absent { .. }) => Ok(None),
        other => Ok(Some(other?)),
    }
}

async fn open_to_write(context: &Context) -> Result<Ledger, Failed> {
    let (state, _) = context.state(&context.workspace()?);
    state.make().map_err(|e| Failed::new(LEDGER, e))?;
    Ok(Ledger::open(&state.ledger(), Arc::new(Scrubber(context.masker()))).await?)
}

const NOTHING: &str = "nothing is on record in this workspace\n";

fn share(rate: Option<&Rate>, good: impl Fn(f64) -> bool) -> String {
    match rate {
        Some(r) => {
            let verdict = if good(r.share) { "pass" } else { "miss" };
            format!("{:5.1} %  n = {:<5} {verdict}", r.share * 100.0, r.n)
        }
        None => "no data".to_owned(),
    }
}

fn seconds(mean_ms: Option<f64>, at_most: f64) -> String {
    match mean_ms {
        Some(ms) => format!("{:.2} s  {}", ms / 1000.0, if ms / 1000.0 <= at_most { "pass" } else { "miss" }),
        None => "no data".to_owned(),
    }
}

/// `regreen status`: how it stands, and the targets beside what was measured.
pub fn status(context: &Context) -> Result<u8, Failed> {
    let (state, _) = context.state(&context.workspace()?);
    runtime()?.block_on(async {
        let mut text = format!("regreen {}\n", env!("CARGO_PKG_VERSION"));
        let doing = match (state.open_marker().exists(), state.paused_marker().exists()) {
            (true, _) => "a recovery is under way or unfinished (see `regreen resume`)",
            (_, true) => "paused",
            _ => "idle",
        };
        text.push_str(&format!("state: {doing}\n"));
        let Some(ledger) = open(context).await? else { return print(&(text + NOTHING)) };
        let m = ledger.metrics(now(), None).await?;
        text.push_str(&format!("incidents: {}\n", m.incidents));
        let overhead = m.overhead.as_ref().map(|o| {
            format!(
                "{:.1} %  n = {:<5} {}",
                o.share * 100.0,
                o.n,
                if o.share < 0.02 { "pass" } else { "miss" }
            )
        });
        let rows = [
            ("detection accuracy", "at least 95 %", share(m.accuracy.as_ref(), |s| s >= 0.95)),
            ("false positives", "under 5 %", share(m.false_positives.as_ref(), |s| s < 0.05)),
            ("detection time", "under 2 min", seconds(m.mean_detect_ms, 120.0)),
            ("detection latency", "under 30 s", seconds(m.mean_detect_ms, 30.0)),
            ("recovery time", "under 5 min", seconds(m.mean_recovery_ms, 300.0)),
            ("recovery success", "at least 90 %", share(m.success.as_ref(), |s| s >= 0.9)),
            ("overhead", "under 2 %", overhead.unwrap_or_else(|| "no data".to_owned())),
        ];
        for (name, target, measured) in rows {
            text.push_str(&format!("  {name:20} {target:14} {measured}\n"));
        }
        print(&text)
    })
}

fn line(i: &Incident) -> String {
    let outcome = i.outcome.clone().unwrap_or_else(|| "open".to_owned());
    format!("{:26} {:14} {:24} {}\n", i.id, outcome, i.class().id(), i.command.join(" "))
}

/// `regreen incidents list`.
pub fn incidents(context: &Context, limit: u32) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let Some(ledger) = open(context).await? else { return print(NOTHING) };
        let filter = IncidentFilter { outcome: None, class: None, state: None, after: None, limit };
        let incidents = ledger.incidents(&filter).await?;
        print(&incidents.iter().map(line).collect::<String>())
    })
}

/// `regreen incidents show ID`: the incident as it is stored, with its journal.
pub fn incident(context: &Context, id: &str) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let Some(ledger) = open(context).await? else { return print(NOTHING) };
        let found = ledger.incident(id).await?;
        let found =
            found.ok_or_else(|| Failed::new(NOTHING_TO_READ, format!("there is no incident `{id}`")))?;
        let d = &found.diagnosis;
        let mut text = line(&found);
        text.push_str(&format!("why: {}\n", d.reason));
        for entry in ledger.facts(id).await? {
            text.push_str(&format!("  {:3} {:22} {}\n", entry.seq, entry.fact.step, entry.fact.event.name()));
        }
        print(&text)
    })
}

/// `regreen audit verify`.
pub fn audit(context: &Context, head: Option<&str>) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let Some(ledger) = open(context).await? else { return print(NOTHING) };
        let report = ledger.audit_verify(head).await?;
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

/// `regreen feedback INCIDENT --class C`.
pub fn feedback(context: &Context, id: &str, class: FailureClass, note: Option<&str>) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let ledger = open_to_write(context).await?;
        ledger.feedback(id, class, &actor(), note, now()).await?;
        print(&format!("noted: {id} is {class}\n"))
    })
}

/// `regreen pause`: the kill switch, read before every effect.
pub fn pause(context: &Context, reason: &str) -> Result<u8, Failed> {
    let (state, _) = context.state(&context.workspace()?);
    runtime()?.block_on(async {
        let ledger = open_to_write(context).await?;
        ledger.pause("workspace", &actor(), reason, now()).await?;
        let marker = state.paused_marker();
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&marker);
        file.map_err(|e| Failed::new(LEDGER, format!("{}: {e}", marker.display())))?;
        print("healing is paused in this workspace\n")
    })
}

/// `regreen unpause`.
pub fn unpause(context: &Context) -> Result<u8, Failed> {
    let (state, _) = context.state(&context.workspace()?);
    runtime()?.block_on(async {
        let ledger = open_to_write(context).await?;
        let was = ledger.unpause("workspace", &actor(), now()).await?;
        let marker = state.paused_marker();
        match fs::remove_file(&marker) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Failed::new(LEDGER, format!("{}: {e}", marker.display())));
            }
            _ => {}
        }
        print(if was { "healing goes on\n" } else { "healing was not paused\n" })
    })
}

fn actor() -> String {
    env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_else(|_| "cli".to_owned())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Prints to standard output; who closes the pipe has seen enough.
pub fn print_out(text: &str) -> Result<u8, Failed> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failed::new(NOTHING_TO_READ, format!("standard output: {e}")))
        }
        _ => Ok(FINE),
    }
}
