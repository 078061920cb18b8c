//! *Incidents*: all of them, newest first, by what they have in common.

use askama::Template;
use axum::{body::Body, extract::State, http::Response, http::Uri};
use regreen_domain::{FailureClass, Outcome, Verdict};
use regreen_ledger::{IncidentFilter, LOOKED_AT, State as Stands};

use super::{
    Shared,
    answer::{Failed, Frame, page as answer},
    params::{Params, place, placed},
    reader::Reader,
    row::Row,
    words::{When, capital, count, plain, shown},
};

/// Incidents on one page.
const LENGTH: u32 = 50;
/// Longest text that is looked for, in characters.
const LONGEST: usize = 200;

#[derive(Template)]
#[template(path = "incidents.html")]
struct IncidentsPage {
    frame: Frame,
    rows: Vec<Row>,
    older: Option<String>,
    /// The page does not begin at the newest.
    newest: Option<String>,
    filtered: bool,
    /// Where the search stopped before its page was full.
    looked_back_to: Option<When>,
    looked_at: String,
    text: String,
    repository: String,
    pattern: String,
    fingerprint: String,
    since: String,
    until: String,
    states: Vec<Choice>,
    classes: Vec<Choices>,
}

pub(super) struct Choice {
    pub(super) id: &'static str,
    pub(super) name: String,
    pub(super) chosen: bool,
}

/// Classes of one kind.
pub(super) struct Choices {
    pub(super) name: &'static str,
    pub(super) of: Vec<Choice>,
}

/// The page.
pub(super) async fn page(State(house): Shared, reader: Reader, uri: Uri) -> Result<Response<Body>, Failed> {
    let params = Params::of(&uri);
    let now = house.now();
    let filter = filter(&params)?;
    let found = house.ledger().page(&filter).await.map_err(|e| house.failed(&e))?;
    let text = |name: &str| params.get(name).unwrap_or_default().to_owned();
    let names = ["q", "state", "class", "repository", "pattern", "fingerprint", "since", "until"];
    let is_short = found.incidents.len() < LENGTH as usize;
    answer(&IncidentsPage {
        // Only the beginning of the list grows.
        frame: Frame::new(&reader, "/incidents", if filter.after.is_none() { "all" } else { "" }),
        rows: found.incidents.iter().map(|incident| Row::new(incident, now)).collect(),
        older: found.next.as_ref().map(|next| params.with("/incidents", "after", &place(next))),
        newest: filter.after.as_ref().map(|_| params.with("/incidents", "after", "")),
        filtered: names.iter().any(|name| params.get(name).is_some()),
        looked_back_to: found.next.filter(|_| is_short).map(|next| When::new(next.opened_at, now)),
        looked_at: count(LOOKED_AT as u64),
        text: text("q"),
        repository: text("repository"),
        pattern: text("pattern"),
        fingerprint: text("fingerprint"),
        since: text("since"),
        until: text("until"),
        states: states(params.get("state")),
        classes: classes(filter.class),
    })
}

fn filter(params: &Params) -> Result<IncidentFilter, Failed> {
    let mut filter = IncidentFilter { limit: LENGTH, ..IncidentFilter::default() };
    let text = |name: &str| params.get(name).map(|text| text.chars().take(LONGEST).collect::<String>());
    filter.text = text("q");
    filter.repository = text("repository");
    filter.pattern = text("pattern");
    filter.fingerprint = text("fingerprint");
    if let Some(id) = params.get("class") {
        let unknown = || Failed::NotUnderstood(format!("{id} is no class of failures."));
        filter.class = Some(FailureClass::parse(id).ok_or_else(unknown)?);
    }
    match params.get("state") {
        None => {}
        Some("open") => filter.state = Some(Stands::Open),
        Some("approved") => filter.state = Some(Stands::Approved),
        Some(id) => {
            let unknown = || Failed::NotUnderstood(format!("{id} is nothing that becomes of an incident."));
            filter.outcome = Some(Outcome::parse(id).ok_or_else(unknown)?);
        }
    }
    filter.since = params.get("since").map(day).transpose()?;
    let next_day = |text| Ok::<_, Failed>(day(text)?.saturating_add(super::words::DAY));
    filter.until = params.get("until").map(next_day).transpose()?;
    if let Some(text) = params.get("after") {
        let unknown = || Failed::NotUnderstood("The list can’t be gone on with from there.".to_owned());
        filter.after = Some(placed(text).ok_or_else(unknown)?);
    }
    Ok(filter)
}

/// The beginning of a day in UTC, in milliseconds since 1970.
fn day(text: &str) -> Result<i64, Failed> {
    let wrong = || Failed::NotUnderstood(format!("{} is no day; write it as 2026-11-29.", shown(text)));
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    let begin = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?;
    Ok(begin.timestamp().as_millisecond())
}

fn states(chosen: Option<&str>) -> Vec<Choice> {
    let ended = Outcome::ALL.into_iter().map(|outcome| (outcome.id(), capital(outcome.id())));
    let open = [("open", "Being healed".to_owned()), ("approved", "Approved".to_owned())];
    open.into_iter().chain(ended).map(|(id, name)| Choice { id, name, chosen: chosen == Some(id) }).collect()
}

/// Every class, by what it is a failure of.
pub(super) fn classes(chosen: Option<FailureClass>) -> Vec<Choices> {
    let of = |verdict| {
        let all = FailureClass::ALL.into_iter().filter(|class| class.verdict() == verdict);
        all.map(|class| Choice { id: class.id(), name: plain(class.id()), chosen: chosen == Some(class) })
            .collect()
    };
    vec![
        Choices { name: "Infrastructure", of: of(Verdict::Infrastructure) },
        Choices { name: "The project’s own", of: of(Verdict::Code) },
        Choices { name: "Not known", of: of(Verdict::Unknown) },
    ]
}
