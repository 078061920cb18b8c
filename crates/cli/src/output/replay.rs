//! A decision that was made again: for people, and as version 1 of a shape.

use regreen_catalog::{Catalog, PatternSource, Playbook};
use regreen_engine::{Difference, Replayed};
use regreen_ledger::RankedV1;
use serde::Serialize;

use super::print::{line, moment, table};

#[derive(Debug, Serialize)]
struct ReplayV1<'a> {
    version: u32,
    incident: &'a str,
    same: bool,
    decided_at: String,
    decided_by: &'a str,
    action: &'a str,
    because: Option<&'a str>,
    playbook: Option<&'a str>,
    seed: Option<u64>,
    ranking: &'a [RankedV1],
    differences: Vec<DifferenceV1<'a>>,
    with_present_playbooks: Vec<DifferenceV1<'a>>,
    own: OwnV1,
}

/// How many patterns and playbooks hold today beside the built-in ones, by whose they are.
#[derive(Debug, Serialize)]
struct OwnV1 {
    patterns: PatternsV1,
    playbooks: PlaybooksV1,
}

#[derive(Debug, Serialize)]
struct PatternsV1 {
    operator: usize,
    repository: usize,
    accepted: usize,
}

#[derive(Debug, Serialize)]
struct PlaybooksV1 {
    operator: usize,
}

impl OwnV1 {
    fn of(catalog: &Catalog) -> OwnV1 {
        let patterns = |of| catalog.patterns().iter().filter(|pattern| pattern.source == of).count();
        let is_own = |playbook: &&Playbook| playbook.source == PatternSource::Operator;
        OwnV1 {
            patterns: PatternsV1 {
                operator: patterns(PatternSource::Operator),
                repository: patterns(PatternSource::Repository),
                accepted: patterns(PatternSource::Accepted),
            },
            playbooks: PlaybooksV1 { operator: catalog.playbooks().iter().filter(is_own).count() },
        }
    }

    /// In words; empty where there is nothing.
    fn said(&self) -> String {
        let many = |n: usize, one: &str, whose: &str| {
            (n > 0).then(|| format!("{n} {one}{} {whose}", if n == 1 { "" } else { "s" }))
        };
        let all = [
            many(self.playbooks.operator, "playbook", "of the operator's"),
            many(self.patterns.operator, "pattern", "of the operator's"),
            many(self.patterns.repository, "pattern", "of the repository's"),
            many(self.patterns.accepted, "pattern", "accepted beside the fleet"),
        ];
        all.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

#[derive(Debug, Serialize)]
struct DifferenceV1<'a> {
    what: &'a str,
    recorded: &'a str,
    now: &'a str,
}

fn shapes(differences: &[Difference]) -> Vec<DifferenceV1<'_>> {
    differences.iter().map(|d| DifferenceV1 { what: d.what, recorded: &d.recorded, now: &d.now }).collect()
}

/// One object.
pub fn json(incident: &str, replayed: &Replayed, today: &Catalog) -> String {
    let own = OwnV1::of(today);
    let (differences, today) = (replayed.differences(), replayed.differences_today());
    line(&ReplayV1 {
        version: 1,
        incident,
        same: differences.is_empty(),
        decided_at: moment(replayed.inputs.now),
        decided_by: &replayed.inputs.regreen,
        action: &replayed.recorded.action,
        because: replayed.recorded.because.as_deref(),
        playbook: replayed.recorded.plan.as_ref().map(|p| p.playbook.as_str()),
        seed: replayed.inputs.history.seed,
        ranking: &replayed.inputs.ranking,
        differences: shapes(&differences),
        with_present_playbooks: shapes(&today),
        own,
    })
}

/// For people.
pub fn plain(replayed: &Replayed, today: &Catalog) -> String {
    let own = OwnV1::of(today).said();
    let r = &replayed.recorded;
    let because = r.because.as_ref().map(|b| format!(" ({b})")).unwrap_or_default();
    let playbook = r.plan.as_ref().map(|p| format!(" by `{}`", p.playbook)).unwrap_or_default();
    let (differences, today) = (replayed.differences(), replayed.differences_today());
    let mut text = format!(
        "on record: {}{playbook}{because}, decided by regreen {}\n",
        r.action, replayed.inputs.regreen
    );
    if replayed.inputs.ranking.len() > 1 {
        text.push_str("the playbooks that fitted, by a draw from how each did here before\n");
        let row = |ranked: &RankedV1| {
            let RankedV1 { playbook, score, healed, failed } = ranked;
            [
                format!("  {playbook}"),
                format!("{score:.3}"),
                format!("{healed} of {} healed", healed + failed),
            ]
        };
        text.push_str(&table(&replayed.inputs.ranking.iter().map(row).collect::<Vec<_>>()));
    }
    if differences.is_empty() {
        text.push_str("decided again from the same inputs: the same\n");
    } else {
        text.push_str("decided again from the same inputs: it differs\n");
        text.push_str(&rows(&differences));
    }
    if differences != today {
        if today.is_empty() {
            text.push_str("with the patterns and playbooks that hold today: as on record\n");
        } else {
            text.push_str("with the patterns and playbooks that hold today it would differ\n");
            text.push_str(&rows(&today));
        }
    }
    if !own.is_empty() {
        text.push_str(&format!("known today beside the built-in ones: {own}\n"));
    }
    text
}

fn rows(differences: &[Difference]) -> String {
    let row = |d: &Difference| {
        [format!("  {}", d.what), format!("on record: {}", d.recorded), format!("now: {}", d.now)]
    };
    table(&differences.iter().map(row).collect::<Vec<_>>())
}
