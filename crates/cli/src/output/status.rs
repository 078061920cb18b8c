//! How it stands: for people, and as version 1 of a shape.

use regreen_ledger::Metrics;
use regreen_server::shape::{DownV1, TARGETS, TargetV1};
use serde::Serialize;

use super::print::{line, table};

/// How it stands.
#[derive(Debug)]
pub struct Status<'a> {
    /// `idle`, `paused` or `recovering`.
    pub state: &'static str,
    /// Why it is paused.
    pub paused: Option<&'a str>,
    /// The figures; `None` where nothing is on record.
    pub metrics: Option<&'a Metrics>,
    /// Head of the audit chain.
    pub audit_head: Option<&'a str>,
    /// How many incidents wait for a person's word.
    pub waiting: usize,
    /// How many breakers are not closed.
    pub open_breakers: usize,
    /// Services that are down.
    pub down: Vec<DownV1>,
    /// What is said where nothing is on record.
    pub nothing: &'static str,
    /// Whether it is a fleet's ledger, and not this workspace's own.
    pub fleet: bool,
}

#[derive(Debug, Serialize)]
struct StatusV1<'a> {
    version: u32,
    regreen: &'static str,
    state: &'static str,
    paused: Option<&'a str>,
    incidents: u64,
    awaiting_approval: usize,
    open_breakers: usize,
    #[serde(skip_serializing_if = "<[DownV1]>::is_empty")]
    down: &'a [DownV1],
    audit_head: Option<&'a str>,
    targets: Vec<TargetV1>,
}

/// One object.
pub fn json(status: &Status<'_>) -> String {
    let nothing = Metrics::default();
    let metrics = status.metrics.unwrap_or(&nothing);
    line(&StatusV1 {
        version: 1,
        regreen: env!("CARGO_PKG_VERSION"),
        state: status.state,
        paused: status.paused,
        incidents: metrics.incidents,
        awaiting_approval: status.waiting,
        open_breakers: status.open_breakers,
        down: &status.down,
        audit_head: status.audit_head,
        targets: TARGETS.iter().map(|t| TargetV1::of(t, metrics)).collect(),
    })
}

/// For people.
pub fn plain(status: &Status<'_>) -> String {
    let state = match status.state {
        "recovering" if status.fleet => "a recovery is under way or unfinished".to_owned(),
        "recovering" => "a recovery is under way or unfinished (see `regreen resume`)".to_owned(),
        state => status.paused.map_or(state.to_owned(), |why| format!("{state}: {why}")),
    };
    let mut rows =
        vec![["regreen".to_owned(), env!("CARGO_PKG_VERSION").to_owned()], ["state".to_owned(), state]];
    let Some(metrics) = status.metrics else {
        return table(&rows) + status.nothing;
    };
    rows.push(["incidents".to_owned(), metrics.incidents.to_string()]);
    if status.waiting > 0 {
        rows.push([
            "waiting".to_owned(),
            format!("{} for a person's word (see `regreen approve`)", status.waiting),
        ]);
    }
    if status.open_breakers > 0 {
        rows.push([
            "breakers".to_owned(),
            format!("{} not closed (see `regreen breaker list`)", status.open_breakers),
        ]);
    }
    for DownV1 { service, since, runs, .. } in &status.down {
        let runs = if *runs == 1 { "1 run waits".to_owned() } else { format!("{runs} runs wait") };
        rows.push(["down".to_owned(), format!("{service} since {since}; {runs} for it")]);
    }
    rows.push(["audit head".to_owned(), status.audit_head.unwrap_or("none").to_owned()]);
    let mut figures = vec![["target", "bound", "measured", "n", "verdict"].map(str::to_owned)];
    figures.extend(TARGETS.iter().map(|target| {
        let measured = target.measured(metrics);
        let value = measured.value.map_or_else(|| "-".to_owned(), |(value, _)| target.show(value));
        let n = measured.value.map_or(0, |(_, n)| n).to_string();
        [target.name.to_owned(), target.bound.to_owned(), value, n, measured.verdict.to_owned()]
    }));
    format!("{}\n{}", table(&rows), table(&figures))
}
