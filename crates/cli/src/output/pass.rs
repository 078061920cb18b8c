//! What came of one pass over the work beside the fleet, or what would: for people, programs and the step of a GitHub job.

use regreen_catalog::Catalog;
use regreen_domain::{Decision, Diagnosis, Outcome, Verdict};
use regreen_engine::Prospect;
use regreen_ledger::{Incident, State};
use regreen_show::{
    Cure, Diagnosed, Named,
    harmless::harmless,
    markdown::{self, code},
};
use serde::Serialize;

use super::print::{line, table};

/// One incident, as far as it is known now.
pub struct Seen {
    id: String,
    /// The names of the jobs that failed.
    jobs: String,
    diagnosis: Diagnosis,
    /// `heal`, `suggest` or `none`.
    action: String,
    playbook: Option<String>,
    because: Option<String>,
    /// How it ended, or how far it is; `None` where it was only looked at.
    outcome: Option<String>,
}

/// Version 1 of the JSON shape.
#[derive(Serialize)]
struct SeenV1<'a> {
    version: u32,
    incident: &'a str,
    jobs: &'a str,
    verdict: String,
    class: &'a str,
    pattern: Option<&'a str>,
    confidence: f64,
    reason: &'a str,
    action: &'a str,
    playbook: Option<&'a str>,
    because: Option<&'a str>,
    outcome: Option<&'a str>,
}

impl Seen {
    /// What would become of a run.
    pub fn of_prospect(prospect: &Prospect) -> Seen {
        let (action, playbook, because) = match &prospect.decision {
            Decision::Heal(plan) => ("heal", Some(plan.playbook.clone()), None),
            Decision::Suggest { plan, because } => ("suggest", Some(plan.playbook.clone()), Some(*because)),
            Decision::Nothing { because } => ("none", None, Some(*because)),
        };
        Seen {
            id: prospect.incident.clone(),
            jobs: prospect.jobs.join(", "),
            diagnosis: prospect.diagnosis.clone(),
            action: action.to_owned(),
            playbook,
            because: because.map(|because| because.id().to_owned()),
            outcome: None,
        }
    }

    /// What is on record; `None` where a later version wrote it.
    pub fn of(incident: &Incident) -> Option<Seen> {
        let decision = incident.decision.as_ref();
        let outcome = match (&incident.outcome, incident.state) {
            (Some(outcome), _) => outcome.clone(),
            (None, State::Open) => "under-way".to_owned(),
            (None, state) => state.id().to_owned(),
        };
        Some(Seen {
            id: incident.id.clone(),
            jobs: incident.command.join(", "),
            diagnosis: incident.diagnosis.to_domain()?,
            action: decision.map_or("none", |decision| decision.action.as_str()).to_owned(),
            playbook: decision.and_then(|decision| Some(decision.plan.as_ref()?.playbook.clone())),
            because: decision.and_then(|decision| decision.because.clone()),
            outcome: Some(outcome),
        })
    }

    fn verdict(&self) -> Verdict {
        self.diagnosis.class.verdict()
    }

    fn healed(&self) -> bool {
        self.outcome.as_deref() == Some(Outcome::Healed.id())
    }

    fn word(&self) -> &str {
        self.outcome.as_deref().unwrap_or(&self.action)
    }
}

/// A line an incident, for people.
pub fn plain(all: &[Seen], nothing: &[String]) -> String {
    let row = |seen: &Seen| {
        let because = seen.because.as_ref().map(|because| format!(" ({because})")).unwrap_or_default();
        [
            seen.id.clone(),
            format!("{}{because}", seen.word()),
            format!("{} {:.2}", seen.diagnosis.class, seen.diagnosis.confidence.value()),
            seen.jobs.clone(),
        ]
    };
    let mut text = table(&all.iter().map(row).collect::<Vec<_>>());
    for why in nothing {
        text.push_str(&harmless(why));
        text.push('\n');
    }
    if text.is_empty() {
        text.push_str("nothing was to be done\n");
    }
    text
}

/// One object a line.
pub fn json(all: &[Seen]) -> String {
    let shape = |seen: &Seen| {
        line(&SeenV1 {
            version: 1,
            incident: &seen.id,
            jobs: &seen.jobs,
            verdict: seen.verdict().to_string(),
            class: seen.diagnosis.class.id(),
            pattern: seen.diagnosis.pattern.as_deref(),
            confidence: seen.diagnosis.confidence.value(),
            reason: &seen.diagnosis.reason,
            action: &seen.action,
            playbook: seen.playbook.as_deref(),
            because: seen.because.as_deref(),
            outcome: seen.outcome.as_deref(),
        })
    };
    all.iter().map(shape).collect()
}

/// What later steps read. Of several incidents they speak of the one that is or would be healed, or else the first; `open` is
/// how many on record have not ended.
pub fn outputs(all: &[Seen], open: usize) -> Vec<(&'static str, String)> {
    let first = all.iter().find(|seen| seen.action == "heal").or(all.first());
    let of = |value: fn(&Seen) -> String| first.map(value).unwrap_or_default();
    vec![
        ("incidents", all.len().to_string()),
        ("open", open.to_string()),
        ("incident", of(|seen| seen.id.clone())),
        ("verdict", of(|seen| seen.verdict().to_string())),
        ("class", of(|seen| seen.diagnosis.class.id().to_owned())),
        ("confidence", of(|seen| format!("{:.2}", seen.diagnosis.confidence.value()))),
        ("action", of(|seen| seen.action.clone())),
        ("outcome", of(|seen| seen.outcome.clone().unwrap_or_default())),
        ("healed", all.iter().any(Seen::healed).to_string()),
    ]
}

/// A section an incident, for a job's summary.
pub fn summary(catalog: &Catalog, all: &[Seen]) -> String {
    all.iter().map(|seen| section(catalog, seen)).collect()
}

fn section(catalog: &Catalog, seen: &Seen) -> String {
    let shown = Diagnosed {
        input: harmless(&seen.jobs),
        diagnosis: seen.diagnosis.clone(),
        cure: Cure { action: "none", playbook: None, risk: None },
        pattern: seen.diagnosis.pattern.as_deref().and_then(|id| catalog.pattern(id)),
        hang: None,
        named: Named { host: None, package: None, tool: seen.diagnosis.tool.clone() },
    };
    let mut text = markdown::section(&shown).trim_end().to_owned();
    let because = seen.because.as_ref().map(|because| format!(", because of {}", code(because)));
    let playbook = seen.playbook.as_ref().map(|playbook| format!(" by the playbook {}", code(playbook)));
    let (because, playbook) = (because.unwrap_or_default(), playbook.unwrap_or_default());
    text.push_str(&match (&seen.outcome, seen.action.as_str()) {
        (Some(outcome), _) => format!("\n- outcome: {}{playbook}{because}", code(outcome)),
        (None, "heal") => format!("\n- would be healed{playbook}"),
        (None, "suggest") => format!("\n- would only be suggested{playbook}{because}"),
        (None, _) => format!("\n- would be left alone{because}"),
    });
    text + &format!("\n- incident {}\n\n", code(&seen.id))
}
