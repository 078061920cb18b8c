//! Version 1 of the report's shape: one object. Fields may be added, never changed.

use serde::Serialize;

use super::HOW;
use crate::{
    output::print::line,
    tally::{Cause, Group, Share, Tally},
};

#[derive(Debug, Serialize)]
struct ReportV1 {
    version: u32,
    logs: LogsV1,
    would: WouldV1<ShareV1>,
    time: TimeV1,
    classes: Vec<ClassV1>,
    causes: Vec<CauseV1>,
    not_told_apart: u64,
    unreadable: Vec<UnreadV1>,
}

#[derive(Debug, Serialize)]
struct LogsV1 {
    read: u64,
    failed: u64,
    passed: u64,
    unreadable: u64,
}

/// By what would have been done.
#[derive(Debug, Serialize)]
struct WouldV1<T> {
    heal: T,
    suggest: T,
    none: T,
}

/// Minutes are `null` where no log says when it began and ended.
#[derive(Debug, Serialize)]
struct ShareV1 {
    logs: u64,
    timed: u64,
    minutes: Option<f64>,
}

#[derive(Debug, Serialize)]
struct TimeV1 {
    minutes: Option<f64>,
    logs: u64,
    of_failed: u64,
    how: &'static str,
}

#[derive(Debug, Serialize)]
struct ClassV1 {
    class: &'static str,
    verdict: String,
    #[serde(rename = "logs")]
    all: ShareV1,
    would: WouldV1<u64>,
}

#[derive(Debug, Serialize)]
struct CauseV1 {
    fingerprint: String,
    class: &'static str,
    verdict: String,
    pattern: Option<String>,
    title: String,
    #[serde(rename = "logs")]
    all: ShareV1,
    would: WouldV1<u64>,
    playbook: Option<String>,
    fix: Option<String>,
    example: ExampleV1,
}

#[derive(Debug, Serialize)]
struct ExampleV1 {
    input: String,
    line: Option<u64>,
    column: Option<u32>,
    text: Option<String>,
    confidence: f64,
}

#[derive(Debug, Serialize)]
struct UnreadV1 {
    input: String,
    why: String,
}

/// The report.
pub fn page(tally: &Tally<'_>) -> String {
    let [heal, suggest, none] = tally.by_action.map(share);
    let failed = share(tally.failed);
    line(&ReportV1 {
        version: 1,
        logs: LogsV1 {
            read: tally.logs(),
            failed: tally.failed.logs,
            passed: tally.passed,
            unreadable: tally.unreadable,
        },
        would: WouldV1 { heal, suggest, none },
        time: TimeV1 { minutes: failed.minutes, logs: failed.timed, of_failed: failed.logs, how: HOW },
        classes: tally
            .classes
            .values()
            .map(|(class, group)| ClassV1 {
                class: class.id(),
                verdict: class.verdict().to_string(),
                all: share(group.all),
                would: would(group),
            })
            .collect(),
        causes: tally.causes().into_iter().map(cause).collect(),
        not_told_apart: tally.beyond,
        unreadable: tally
            .unread
            .iter()
            .map(|(input, why)| UnreadV1 { input: input.clone(), why: why.clone() })
            .collect(),
    })
}

fn share(share: Share) -> ShareV1 {
    let minutes = (share.took.as_secs_f64() / 6.0).round() / 10.0;
    ShareV1 { logs: share.logs, timed: share.timed, minutes: (share.timed > 0).then_some(minutes) }
}

fn would(group: &Group) -> WouldV1<u64> {
    let [heal, suggest, none] = group.by_action;
    WouldV1 { heal, suggest, none }
}

fn cause(cause: &Cause<'_>) -> CauseV1 {
    let example = &cause.example;
    let at = example.line.as_ref();
    CauseV1 {
        fingerprint: cause.fingerprint.clone(),
        class: cause.class.id(),
        verdict: cause.class.verdict().to_string(),
        pattern: cause.pattern.map(|pattern| pattern.id.clone()),
        title: regreen_show::harmless::harmless(&cause.title()),
        all: share(cause.group.all),
        would: would(&cause.group),
        playbook: cause.playbook.map(str::to_owned),
        fix: cause.fix(),
        example: ExampleV1 {
            input: example.input.clone(),
            line: at.map(|(line, ..)| *line),
            column: at.map(|(_, column, _)| *column),
            text: super::evidence(cause),
            confidence: (example.confidence * 100.0 + 1e-9).floor() / 100.0,
        },
    }
}
