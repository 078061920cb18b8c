//! Incidents: one object a line, a line an incident, or one with everything about it.

use regreen_ledger::Incident;
use regreen_server::shape::IncidentV1;
pub use regreen_server::shape::{Moment, Whole};

use super::print::{line, moment, table};

/// One object a line.
pub fn list_json(incidents: &[Incident]) -> String {
    incidents.iter().map(|i| line(&IncidentV1::of(i))).collect()
}

/// A line an incident.
pub fn list_plain(incidents: &[Incident]) -> String {
    let row = |i: &Incident| {
        let ended = i.outcome.clone().unwrap_or_else(|| i.state.id().to_owned());
        [i.id.clone(), moment(i.opened_at), ended, i.diagnosis.class.clone(), i.command.join(" ")]
    };
    table(&incidents.iter().map(row).collect::<Vec<_>>())
}

/// One object with its details.
pub fn json(whole: &Whole<'_>) -> String {
    line(&IncidentV1::whole(whole))
}

/// Everything, for people.
pub fn plain(whole: &Whole<'_>) -> String {
    let i = whole.incident;
    let shape = IncidentV1::of(i);
    let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let code = |code: Option<i32>| code.map_or_else(|| "-".to_owned(), |code| code.to_string());
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut say = |name: &str, value: String| rows.push([name.to_owned(), value]);
    say("incident", i.id.clone());
    let ended = i.handed_over_to.as_ref().map(|to| format!("; carried out by {to}")).unwrap_or_default();
    say("state", format!("{}{ended}", i.outcome.as_deref().unwrap_or(i.state.id())));
    if i.imported {
        say("imported", "it can be read, not acted upon".to_owned());
    }
    say("command", i.command.join(" "));
    say("exit code", format!("{} at first, {} in the end", code(i.exit_code), code(i.final_exit_code)));
    say("workspace", i.place.workspace.clone());
    say("repository", text(i.place.repository.as_deref()));
    say("commit", text(i.place.commit.as_deref()));
    say("job", text(i.place.job.as_deref()));
    let sure = if i.diagnosis.confirmed { "confirmed by a probe" } else { "not confirmed" };
    say(
        "diagnosis",
        format!("{}: {} (confidence {:.2}, {sure})", shape.verdict, shape.class, shape.confidence),
    );
    say("why", i.diagnosis.reason.clone());
    say("pattern", text(shape.pattern.as_deref()));
    for e in &i.diagnosis.evidence {
        say("evidence", format!("line {}: {} ({})", e.line, e.text, e.role));
    }
    for a in &i.diagnosis.alternatives {
        say("next likely", format!("{} ({:.2})", a.class, a.confidence));
    }
    say("fingerprint", i.diagnosis.fingerprint.clone());
    let because = shape.because.as_ref().map(|b| format!(" ({b})")).unwrap_or_default();
    say("decision", format!("{}{because}", shape.action.as_deref().unwrap_or("none was made")));
    if let Some(plan) = i.decision.as_ref().and_then(|d| d.plan.as_ref()) {
        let steps: Vec<&str> = plan.steps.iter().map(|s| s.kind.as_str()).collect();
        say("playbook", format!("{} (risk {}): {}", plan.playbook, plan.risk, steps.join(", ")));
    }
    if let Some(a) = &i.approval {
        let word = if a.granted { "approved" } else { "denied" };
        let reason = a.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
        say(word, format!("by {} at {}{reason}", a.actor, moment(a.at)));
    }
    if let Some(from) = i.inputs.as_ref().and_then(|inputs| inputs.approved_as.as_ref()) {
        say("approved", format!("as incident {from}"));
    }
    for factor in i.verification.iter().flatten() {
        let held = match factor.held {
            Some(true) => "held",
            Some(false) => "did not hold",
            None => "not checked",
        };
        let says = if factor.says.is_empty() { String::new() } else { format!(": {}", factor.says) };
        say("verification", format!("{}: {held}{says}", factor.name));
    }
    if let Some(followed) = i.followed {
        let ended = if followed.green { "green" } else { "failed again" };
        say("followed", format!("{ended} in attempt {} at {}", followed.attempt, moment(followed.at)));
    }
    if let Some(patch) = &i.patch {
        say("changed", patch.summary.clone());
        say("patch", text(patch.path.as_deref()));
    }
    for f in whole.feedback {
        let note = f.note.as_ref().map(|n| format!(": {n}")).unwrap_or_default();
        say("feedback", format!("{} says {}{note}", f.actor, f.class));
    }
    let moment_row = |m: &Moment| {
        let step = m.step.as_ref().map(|s| format!("{s} ")).unwrap_or_default();
        [format!("  {}", moment(m.at)), format!("{step}{}", m.what), m.detail.clone()]
    };
    let timeline = table(&whole.timeline.iter().map(moment_row).collect::<Vec<_>>());
    format!("{}timeline\n{timeline}", table(&rows))
}
