//! *Incident*: what was seen, what it was taken for and how surely, what was decided and done, and how it ended.

use std::sync::Arc;

use askama::Template;
use axum::{
    body::Body,
    extract::{Path, State},
    http::Response,
};
use regreen_catalog::{Pattern, PatternSource};
use regreen_engine::{Known, fleet_is_latest, fleet_run_of as run_of};
use regreen_forge::hook::Sender;
use regreen_ledger::{AuditEntry, Incident, LedgerError, LogRef};
use tokio::time::timeout;

use super::{
    House, Shared,
    acts::{Acts, waits},
    answer::{Failed, Frame, page as answer},
    badge::Badge,
    decided::Decided,
    diff::{DiffLine, lines},
    excerpt::{Excerpt, PATIENCE},
    params::{link, segment},
    reader::Reader,
    sign_in::SIGN_IN,
    timeline::{Moment, timeline},
    words::{When, between, bytes, capital, many, percent, plain, shown, span},
};

/// So many lines of a patch stand on the page; the rest on one of its own.
const PATCH_LINES: usize = 160;

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    frame: Frame,
    id: String,
    title: String,
    badge: Badge,
    verdict: String,
    repository: String,
    excerpt: Arc<Excerpt>,
    /// The log in which the evidence stands, where it is kept: at the first line shown.
    whole: Option<String>,
    truncated: bool,
    /// Logs that are kept.
    logs: Vec<Kept>,
    why: Why,
    decided: Option<Decided>,
    question: Option<Word>,
    approval: Option<Word>,
    factors: Vec<Factor>,
    patch: Option<Changed>,
    moments: Vec<Moment>,
    feedback: Vec<Word>,
    facts: Vec<Fact>,
    timings: Vec<(&'static str, String)>,
    imported: bool,
    handed_over: Option<String>,
    /// Whether a person's word is waited for, or can be taken back by the reader.
    asks: bool,
    /// What the reader can do about it.
    acts: Option<Acts>,
    /// Where they sign in to do something.
    sign_in: String,
}

/// What was changed in tracked files.
struct Changed {
    summary: String,
    /// The first lines of the patch; none where it is not kept.
    lines: Vec<DiffLine>,
    /// How many more there are, and where.
    more: Option<(String, String)>,
}

/// A log that is kept.
struct Kept {
    name: String,
    href: String,
    size: String,
    omitted: String,
}

struct Why {
    reason: String,
    class: String,
    sure: u8,
    confirmed: bool,
    pattern: Option<(String, String)>,
    /// Whose that pattern is, where it is none of the program's own.
    whose: &'static str,
    /// Whether another pattern has its name by now.
    is_another: bool,
    others: Vec<(String, u8)>,
    title: String,
    fix: String,
}

/// What a person said.
struct Word {
    what: String,
    actor: String,
    text: String,
    at: When,
}

struct Factor {
    badge: Badge,
    name: String,
    says: String,
}

/// A fact about where it happened.
struct Fact {
    name: &'static str,
    value: String,
    href: String,
    is_code: bool,
    is_outside: bool,
}

/// The page.
pub(super) async fn page(
    State(house): Shared,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failed> {
    let found = look(&house, &reader, &id).await.map_err(|e| house.failed(&e))?;
    answer(&found.ok_or(Failed::NoSuchThing("incident", id))?)
}

async fn look(house: &House, reader: &Reader, id: &str) -> Result<Option<IncidentPage>, LedgerError> {
    let (ledger, now) = (house.ledger(), house.now());
    let Some(incident) = ledger.incident(id).await? else { return Ok(None) };
    let facts = ledger.facts(id).await?;
    let feedback = ledger.feedback_of(id).await?;
    let mut logs = ledger.logs_of(id).await?;
    let patch = changed(house, &incident, &mut logs).await?;
    let known = house.pages.catalog.look(ledger).await?;
    let excerpt = house.excerpts.of(ledger, &incident, &logs).await;
    let audit = ledger.audit_of(id).await?;
    let moments = timeline(id, &audit, &facts, now);
    let (diagnosis, place) = (&incident.diagnosis, &incident.place);
    let word = |what: String, actor: &str, text: &str, at| Word {
        what,
        actor: shown(actor),
        text: shown(text),
        at: When::new(at, now),
    };
    let can_reopen = incident.is_undone(now) && fleet_is_latest(ledger, &incident).await?;
    let acts = Acts::of(&incident, reader, can_reopen);
    let repository = place.repository.as_deref().unwrap_or(&place.workspace);
    Ok(Some(IncidentPage {
        frame: Frame::new(reader, "/incidents", format!("incident:{}", incident.id)),
        id: shown(&incident.id),
        title: capital(&diagnosis.class),
        badge: Badge::of(&incident),
        verdict: plain(&diagnosis.verdict),
        repository: shown(repository),
        whole: excerpt.log.as_ref().map(|hash| {
            let first = excerpt.lines.first().map_or(1, |line| line.number);
            format!("{}?from={first}", log_of(id, hash))
        }),
        excerpt,
        truncated: diagnosis.truncated,
        logs: logs.iter().map(|log| kept(id, log)).collect(),
        why: why(&known, &incident, diagnosed_at(&audit).unwrap_or(incident.opened_at)),
        decided: Decided::of(&incident),
        question: incident.question.as_ref().map(|q| word("Asks".to_owned(), &q.step, &q.text, q.at)),
        approval: incident.approval.as_ref().map(|a| {
            let what = if a.granted { "Approved" } else { "Denied" };
            word(what.to_owned(), &a.actor, a.reason.as_deref().unwrap_or(""), a.at)
        }),
        factors: incident.verification.iter().flatten().map(factor).collect(),
        patch,
        moments,
        feedback: feedback
            .iter()
            .map(|f| word(plain(&f.class), &f.actor, f.note.as_deref().unwrap_or(""), f.at))
            .collect(),
        facts: where_it_was(house, &incident, now),
        timings: timings(&incident),
        imported: incident.imported,
        handed_over: incident.handed_over_to.as_deref().map(segment),
        asks: waits(&incident) || acts.as_ref().is_some_and(|acts| acts.approved),
        acts,
        sign_in: link(SIGN_IN, &[("then", &format!("/incidents/{}", segment(&incident.id)))]),
    }))
}

fn kept(id: &str, log: &LogRef) -> Kept {
    let omitted = if log.omitted == 0 { String::new() } else { bytes(log.omitted) };
    Kept { name: shown(&log.name), href: log_of(id, &log.hash), size: bytes(log.size), omitted }
}

fn log_of(id: &str, hash: &str) -> String {
    format!("/incidents/{}/logs/{hash}", segment(id))
}

/// What was changed in tracked files; what is kept of it is no log of a job's. A store that does not answer costs the patch alone.
async fn changed(
    house: &House,
    incident: &Incident,
    logs: &mut Vec<LogRef>,
) -> Result<Option<Changed>, LedgerError> {
    let Some(patch) = &incident.patch else { return Ok(None) };
    let summary = shown(&patch.summary);
    let kept = house.ledger().patch_of(&incident.id).await?;
    let Some(hash) = kept else { return Ok(Some(Changed { summary, lines: Vec::new(), more: None })) };
    logs.retain(|log| log.hash != hash);
    let text = timeout(PATIENCE, house.ledger().log(&hash)).await;
    let mut lines = text.ok().and_then(Result::ok).flatten().map(|text| lines(&text)).unwrap_or_default();
    let rest = lines.len().saturating_sub(PATCH_LINES);
    lines.truncate(PATCH_LINES);
    let more = (rest > 0).then(|| (many(rest as u64, "more line"), log_of(&incident.id, &hash)));
    Ok(Some(Changed { summary, lines, more }))
}

/// When it was taken for what it is.
fn diagnosed_at(audit: &[AuditEntry]) -> Option<i64> {
    let says = |entry: &&AuditEntry| matches!(entry.kind.as_str(), "incident-opened" | "incident-diagnosed");
    audit.iter().rfind(says).map(|entry| entry.at)
}

/// Whether the pattern that is known by this name is the one that decided, and not a namesake: of somebody else's, or one that was
/// accepted later.
fn is_it(known: &Known, pattern: &Pattern, source: Option<PatternSource>, at: i64) -> bool {
    let accepted = known.accepted(&pattern.id).filter(|_| pattern.source == PatternSource::Accepted);
    let later = accepted.is_some_and(|one| one.at > at);
    source.is_none_or(|source| source == pattern.source) && !later
}

fn why(known: &Known, incident: &Incident, at: i64) -> Why {
    let diagnosis = &incident.diagnosis;
    let named = diagnosis.pattern.as_deref().and_then(|id| known.catalog.pattern(id));
    let it = named.filter(|pattern| is_it(known, pattern, diagnosis.source(), at));
    let link_to = |id: &str| match it {
        Some(_) => format!("/patterns/{}", segment(id)),
        None => link("/incidents", &[("pattern", id)]),
    };
    Why {
        reason: shown(&diagnosis.reason),
        class: plain(&diagnosis.class),
        sure: percent(diagnosis.confidence),
        confirmed: diagnosis.confirmed,
        pattern: diagnosis.pattern.as_deref().map(|id| (shown(id), link_to(id))),
        whose: match diagnosis.source() {
            None | Some(PatternSource::BuiltIn) => "",
            Some(PatternSource::Operator) => ", one of the operator’s,",
            Some(PatternSource::Repository) => ", one of the repository’s own,",
            Some(PatternSource::Accepted) => ", one that a person accepted,",
        },
        is_another: named.is_some() && it.is_none(),
        others: diagnosis.alternatives.iter().map(|a| (plain(&a.class), percent(a.confidence))).collect(),
        title: it.map(|pattern| shown(&pattern.title)).unwrap_or_default(),
        fix: it.map(|pattern| shown(pattern.fix.trim())).unwrap_or_default(),
    }
}

fn factor(factor: &regreen_ledger::FactorV1) -> Factor {
    let badge = match factor.held {
        Some(true) => Badge::new("good", "held"),
        Some(false) => Badge::new("bad", "did not hold"),
        None => Badge::new("still", "not checked"),
    };
    Factor { badge, name: capital(&factor.name), says: shown(&factor.says) }
}

fn timings(incident: &Incident) -> Vec<(&'static str, String)> {
    let t = &incident.timings;
    let all = [
        ("Detect", t.detect),
        ("Decide", t.decide),
        ("Act", t.act),
        ("Verify", t.verify),
        ("The command itself", t.command),
        ("Added by Regreen", t.overhead),
    ];
    all.into_iter().filter_map(|(name, ms)| Some((name, span(ms?)))).collect()
}

fn where_it_was(house: &House, incident: &Incident, now: i64) -> Vec<Fact> {
    let (place, diagnosis) = (&incident.place, &incident.diagnosis);
    let fact = |name, value: &str, href: String| Fact {
        name,
        value: shown(value),
        is_outside: !href.is_empty() && !href.starts_with('/'),
        href,
        is_code: false,
    };
    let code = |name, value: &str, href: String| Fact { is_code: true, ..fact(name, value, href) };
    let run = run_of(incident);
    let settings = &house.pages.settings;
    let at = run.as_ref().map(|(sender, run, _)| {
        let (base, between) = match sender {
            Sender::GitHub => (&settings.github, "/"),
            Sender::GitLab => (&settings.gitlab, "/-/"),
        };
        (format!("{}/{}", base.trim_end_matches('/'), run.repository.as_str()), between)
    });
    let mut facts = Vec::new();
    if let Some(repository) = &place.repository {
        facts.push(fact("Repository", repository, link("/incidents", &[("repository", repository)])));
    } else {
        facts.push(code("Folder", &place.workspace, String::new()));
    }
    if let (Some((sender, run, attempt)), Some((base, between))) = (&run, &at) {
        let (name, href) = match sender {
            Sender::GitHub => {
                ("Run", format!("{base}{between}actions/runs/{}/attempts/{attempt}", run.run_id))
            }
            Sender::GitLab => ("Pipeline", format!("{base}{between}pipelines/{}", run.run_id)),
        };
        facts.push(fact(name, &format!("{}, attempt {attempt}", run.run_id), href));
    }
    if let Some(job) = &place.job {
        facts.push(fact(if run.is_some() { "Workflow" } else { "Job" }, job, String::new()));
    }
    if let Some(commit) = &place.commit {
        let short: String = commit.chars().take(12).collect();
        let is_hash = commit.bytes().all(|b| b.is_ascii_hexdigit());
        let href =
            at.as_ref().filter(|_| is_hash).map(|(base, between)| format!("{base}{between}commit/{commit}"));
        facts.push(code("Commit", &short, href.unwrap_or_default()));
    }
    if let Some(step) = diagnosis.step.as_deref().filter(|step| !step.is_empty()) {
        facts.push(fact("Step", step, String::new()));
    }
    if let Some(tool) = &diagnosis.tool {
        facts.push(fact("Tool", tool, String::new()));
    }
    if !incident.command.is_empty() {
        let name = if run.is_some() { "Failed jobs" } else { "Command" };
        let text = incident.command.join(if run.is_some() { ", " } else { " " });
        facts.push(code(name, &text, String::new()));
    }
    if let Some(exit) = incident.exit_code {
        let then = incident.final_exit_code.filter(|then| *then != exit);
        let text = then.map_or_else(|| exit.to_string(), |then| format!("{exit}, then {then}"));
        facts.push(code("Exit code", &text, String::new()));
    }
    let opened = When::new(incident.opened_at, now);
    facts.push(fact("Opened", &format!("{} ({})", opened.full, opened.ago), String::new()));
    if let Some(closed) = incident.closed_at {
        let took = between(incident.opened_at, closed);
        facts.push(fact("Closed", &format!("after {took}"), String::new()));
    }
    if !diagnosis.fingerprint.is_empty() {
        let href = link("/incidents", &[("fingerprint", &diagnosis.fingerprint)]);
        facts.push(code("Fingerprint", &diagnosis.fingerprint, href));
    }
    facts
}
