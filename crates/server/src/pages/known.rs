//! *Patterns* and *Playbooks*: what the catalogue knows, and how often it was met and helped in the last 30 days.

use std::collections::HashMap;

use askama::Template;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{Response, Uri},
};
use regreen_catalog::{Pattern, PatternSource, Playbook, Status};
use regreen_domain::FailureClass;
use regreen_ledger::{Group, LedgerError};

use super::{
    House, Shared,
    answer::{Failed, Frame, page as answer},
    badge::Badge,
    params::{Params, link, segment},
    reader::Reader,
    trends::rate,
    words::{When, count, many, percent, plain, shown, span},
};
use crate::shape::PlaybookProofsV1;

/// Patterns on one page.
const LENGTH: usize = 60;
/// Days over which they are counted.
const WINDOW: i64 = 30;

#[derive(Template)]
#[template(path = "patterns.html")]
struct PatternsPage {
    frame: Frame,
    rows: Vec<KnownRow>,
    all: String,
    fitting: String,
    text: String,
    class: String,
    classes: Vec<(&'static str, String, bool)>,
    more: Option<String>,
    /// Accepted ones that no longer prove themselves: their names, where to take them back, and why.
    left_out: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "playbooks.html")]
struct PlaybooksPage {
    frame: Frame,
    rows: Vec<PlaybookRow>,
}

#[derive(Template)]
#[template(path = "pattern.html")]
struct PatternPage {
    frame: Frame,
    row: KnownRow,
    explain: String,
    fix: String,
    line: String,
    tools: String,
    see: Vec<String>,
    measured: String,
    proofs: String,
    /// Logs in which it is found, each with where it comes from.
    examples: Vec<(String, String)>,
    /// Logs in which it is not found, each with why it would be wrong there.
    counterexamples: Vec<(String, String)>,
    since: String,
    accepted: Option<AcceptedBy>,
}

/// Who accepted a pattern, and its file.
struct AcceptedBy {
    actor: String,
    at: When,
    /// Where it is taken back.
    to: String,
    /// Line by line harmless.
    file: String,
}

struct KnownRow {
    id: String,
    href: String,
    title: String,
    class: String,
    status: Badge,
    met: String,
    met_href: String,
    healed: String,
}

struct PlaybookRow {
    id: String,
    title: String,
    explain: String,
    status: Badge,
    heals: String,
    risk: &'static str,
    attempts: u32,
    cooldown: String,
    steps: Vec<(String, String)>,
    ran: String,
    healed: String,
    /// How many proofs it has, in words.
    proved: String,
    /// What each of them shows, and what is expected then.
    proofs: Vec<(String, String)>,
}

fn status(status: Status) -> Badge {
    match status {
        Status::Draft => Badge::new("ask", "draft"),
        Status::Stable => Badge::new("still", "stable"),
        Status::Retired => Badge::new("still", "retired"),
    }
}

impl KnownRow {
    fn new(pattern: &Pattern, met: Option<&&Group>) -> KnownRow {
        KnownRow {
            id: shown(&pattern.id),
            href: format!("/patterns/{}", segment(&pattern.id)),
            title: shown(&pattern.title),
            class: plain(pattern.class.id()),
            status: match pattern.source {
                PatternSource::Accepted => Badge::new("still", "accepted"),
                _ => status(pattern.status),
            },
            met: count(met.map_or(0, |group| group.incidents)),
            met_href: link("/incidents", &[("pattern", &pattern.id)]),
            healed: met.map(|group| rate(group.success())).unwrap_or_default(),
        }
    }
}

/// The patterns.
pub(super) async fn patterns(
    State(house): Shared,
    reader: Reader,
    uri: Uri,
) -> Result<Response<Body>, Failed> {
    let params = Params::of(&uri);
    let (_, trends) = house.trends(WINDOW).await.map_err(|e| house.failed(&e))?;
    let met: HashMap<&str, &Group> =
        trends.patterns.iter().map(|group| (group.name.as_str(), group)).collect();
    let text = params.get("q").unwrap_or_default().to_lowercase();
    let class = params.get("class").and_then(FailureClass::parse);
    let fits = |pattern: &&Pattern| {
        let has = |own: &str| own.to_lowercase().contains(&text);
        class.is_none_or(|class| pattern.class == class)
            && (text.is_empty()
                || has(&pattern.id)
                || has(&pattern.title)
                || pattern.tools.iter().any(|tool| has(tool.as_str())))
    };
    let now = house.known().await?;
    let known = now.catalog.patterns();
    let mut fitting: Vec<&Pattern> = known.iter().filter(fits).collect();
    let often = |pattern: &Pattern| met.get(pattern.id.as_str()).map_or(0, |group| group.incidents);
    fitting.sort_by(|a, b| often(b).cmp(&often(a)).then_with(|| a.id.cmp(&b.id)));
    let from: usize = params.get("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    let rows: Vec<KnownRow> = fitting
        .iter()
        .skip(from)
        .take(LENGTH)
        .map(|pattern| KnownRow::new(pattern, met.get(pattern.id.as_str())))
        .collect();
    let next = from.saturating_add(LENGTH);
    answer(&PatternsPage {
        frame: Frame::new(&reader, "/patterns", ""),
        rows,
        all: count(known.len() as u64),
        fitting: count(fitting.len() as u64),
        more: (next < fitting.len()).then(|| params.with("/patterns", "from", &next.to_string())),
        text: params.get("q").unwrap_or_default().to_owned(),
        class: class.map(|class| plain(class.id())).unwrap_or_default(),
        classes: FailureClass::ALL
            .into_iter()
            .map(|of| (of.id(), plain(of.id()), class == Some(of)))
            .collect(),
        left_out: now
            .left_out
            .iter()
            .map(|(one, why)| {
                let why = format!("{}; {}", why.what, why.help);
                (shown(&one.name), take_back(&one.name), shown(&why))
            })
            .collect(),
    })
}

/// One pattern.
pub(super) async fn pattern(
    State(house): Shared,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failed> {
    let known = house.known().await?;
    let Some(pattern) = known.catalog.pattern(&id) else {
        return Err(Failed::NoSuchThing("pattern", id));
    };
    let (_, trends) = house.trends(WINDOW).await.map_err(|e| house.failed(&e))?;
    let met = trends.patterns.iter().find(|group| group.name == id);
    let counts = pattern.measured.counts();
    let tools: Vec<&str> = pattern.tools.iter().map(regreen_domain::Tool::as_str).collect();
    let precision = f64::from(counts.right) / f64::from(counts.hits.max(1));
    answer(&PatternPage {
        frame: Frame::new(&reader, "/patterns", ""),
        row: KnownRow::new(pattern, met.as_ref()),
        explain: shown(&pattern.explain.replace('\n', " ")),
        fix: shown(&pattern.fix.replace('\n', " ")),
        line: shown(pattern.matcher.line.as_str()),
        tools: if tools.is_empty() { "any tool".to_owned() } else { tools.join(", ") },
        see: pattern.see.iter().map(|see| shown(see)).collect(),
        measured: match counts.hits {
            0 => "no data".to_owned(),
            hits => format!("right in {} of {hits} labelled logs ({} %)", counts.right, percent(precision)),
        },
        proofs: format!(
            "{}, {}",
            many(pattern.examples.len() as u64, "example"),
            many(pattern.counterexamples.len() as u64, "counterexample")
        ),
        examples: pattern.examples.iter().map(|one| (shown(&one.name), shown(&one.origin))).collect(),
        counterexamples: pattern
            .counterexamples
            .iter()
            .map(|one| (shown(&one.name), shown(&one.why)))
            .collect(),
        since: shown(&pattern.since),
        accepted: known.accepted(&id).map(|one| AcceptedBy {
            actor: shown(&one.actor),
            at: When::new(one.at, house.now()),
            to: take_back(&one.name),
            file: one.text.lines().map(shown).collect::<Vec<_>>().join("\n"),
        }),
    })
}

fn take_back(name: &str) -> String {
    format!("/patterns/{}/take-back", segment(name))
}

/// The playbooks.
pub(super) async fn playbooks(State(house): Shared, reader: Reader) -> Result<Response<Body>, Failed> {
    let rows = look(&house).await.map_err(|e| house.failed(&e))?;
    answer(&PlaybooksPage { frame: Frame::new(&reader, "/playbooks", ""), rows })
}

/// What each proof shows, and what is expected then.
fn proofs(of: &PlaybookProofsV1) -> Vec<(String, String)> {
    let decided = of.decisions.iter().map(|one| {
        let because =
            one.because.map(|because| format!(", because of {}", plain(because))).unwrap_or_default();
        (shown(&one.name), format!("decided: {}{because}", plain(&one.decision)))
    });
    let rehearsed = of.rehearsals.iter().map(|one| {
        let undone: Vec<String> = one.undone.iter().map(|step| shown(step)).collect();
        let undone = if undone.is_empty() {
            "nothing taken back".to_owned()
        } else {
            format!("taken back: {}", undone.join(", "))
        };
        (shown(&one.name), format!("where {} breaks: {}, {undone}", shown(&one.breaks), plain(one.outcome)))
    });
    decided.chain(rehearsed).collect()
}

async fn look(house: &House) -> Result<Vec<PlaybookRow>, LedgerError> {
    let (_, trends) = house.trends(WINDOW).await?;
    let row = |playbook: &Playbook| {
        let ran = trends.playbooks.iter().find(|group| group.name == playbook.id);
        let heals: Vec<String> = playbook.heals.iter().map(|class| plain(class.id())).collect();
        PlaybookRow {
            id: shown(&playbook.id),
            title: shown(&playbook.title),
            explain: shown(&playbook.explain.replace('\n', " ")),
            status: status(playbook.status),
            heals: heals.join(", "),
            risk: playbook.guard.risk.id(),
            attempts: playbook.guard.attempts,
            cooldown: match u64::try_from(playbook.guard.cooldown.as_millis()) {
                Ok(0) => "none".to_owned(),
                ms => span(ms.unwrap_or(u64::MAX)),
            },
            steps: playbook.steps.iter().map(|step| (shown(&step.id), plain(&step.kind))).collect(),
            ran: count(ran.map_or(0, |group| group.incidents)),
            healed: rate(ran.and_then(Group::success)),
            proved: format!(
                "{}, {}",
                many(playbook.examples.len() as u64, "decision"),
                many(playbook.rehearsals.len() as u64, "rehearsal")
            ),
            proofs: proofs(&PlaybookProofsV1::from(playbook)),
        }
    };
    Ok(house.pages.catalog.known().catalog.playbooks().iter().map(row).collect())
}
