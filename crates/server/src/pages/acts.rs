//! What is done about an incident by its page's forms: the same as over the API, on a person's click.
//!
//! A form says which state of the incident was seen: a word on what has changed since is not taken.

use axum::{
    extract::{Path, State},
    response::Response,
};
use regreen_domain::FailureClass;
use regreen_engine::fleet_run_of;
use regreen_ledger::{Approval, Incident, LedgerError, State as Stands};

use super::{
    House, Shared,
    answer::Failed,
    form::Hand,
    incidents::{Choices, classes},
    params::segment,
    reader::{Reader, Said},
    words::{When, plain, shown},
};
use crate::act::{self, Answered, Listed};

/// What the reader of an incident's page can do about it.
pub(super) struct Acts {
    /// Where its forms go.
    pub(super) to: String,
    /// The state that is seen.
    pub(super) seen: i64,
    /// Whether a yes, and a no, would be taken.
    pub(super) waits: bool,
    /// Whether it has a yes that nobody has used.
    pub(super) approved: bool,
    /// Whether it is a run at a CI host, which goes on by itself.
    pub(super) at_host: bool,
    pub(super) rolls_back: bool,
    /// Whether it can be opened again.
    pub(super) reopens: bool,
    /// What it was taken for: its id, and in words.
    pub(super) class: (String, String),
    pub(super) classes: Vec<Choices>,
}

/// Whether a person's word is waited for.
pub(super) fn waits(incident: &Incident) -> bool {
    let asks = incident.question.as_ref().is_some_and(|question| question.answer.is_none());
    !incident.imported
        && match incident.state {
            Stands::Open => asks,
            Stands::AwaitingApproval => true,
            Stands::Approved | Stands::Closed => false,
        }
}

impl Acts {
    /// `None` where the reader may only read. `can_reopen`: nothing was done in it, and no later attempt of its run is on record.
    pub(super) fn of(incident: &Incident, reader: &Reader, can_reopen: bool) -> Option<Acts> {
        reader.form()?;
        let at_host = !incident.imported && fleet_run_of(incident).is_some();
        let class = &incident.diagnosis.class;
        Some(Acts {
            to: format!("/incidents/{}", segment(&incident.id)),
            seen: incident.changed_at,
            waits: waits(incident),
            approved: !incident.imported && incident.state == Stands::Approved,
            at_host,
            rolls_back: at_host && incident.state == Stands::Open,
            reopens: at_host && can_reopen,
            class: (shown(class), plain(class)),
            classes: classes(None),
        })
    }
}

type Answer = Result<Response, Failed>;

/// Yes.
pub(super) async fn approve(State(house): Shared, Path(id): Path<String>, hand: Hand) -> Answer {
    let seen = match seen(&house, &id, &hand, true).await? {
        Ok(seen) => (true, seen),
        Err(done) => return Ok(done),
    };
    let answered = act::answer_seen(house.writes(), &id, seen, &hand.actor, None, house.now()).await;
    let Answered { woken, .. } = match answered {
        Ok(answered) => answered,
        Err(error) => return Err(refused(&house, &id, error).await),
    };
    house.did();
    let said = if woken { Said::Approved } else { Said::ApprovedForTheNext };
    Ok(hand.done(&page_of(&id), said))
}

/// No.
pub(super) async fn deny(State(house): Shared, Path(id): Path<String>, hand: Hand) -> Answer {
    let reason = hand.form.words("reason")?;
    let seen = match seen(&house, &id, &hand, false).await? {
        Ok(seen) => (false, seen),
        Err(done) => return Ok(done),
    };
    match act::answer_seen(house.writes(), &id, seen, &hand.actor, reason, house.now()).await {
        Ok(_) => house.did(),
        Err(error) => return Err(refused(&house, &id, error).await),
    }
    Ok(hand.done(&page_of(&id), Said::Denied))
}

/// What is under way at the CI host is taken back.
pub(super) async fn roll_back(State(house): Shared, Path(id): Path<String>, hand: Hand) -> Answer {
    let listed = act::roll_back(house.writes(), &id, &hand.actor, house.now()).await;
    taken(&house, &id, &hand, listed, Said::RollingBack).await
}

/// Its run is looked at again.
pub(super) async fn retry(State(house): Shared, Path(id): Path<String>, hand: Hand) -> Answer {
    let listed = act::retry(house.writes(), &id, &hand.actor, house.now()).await;
    taken(&house, &id, &hand, listed, Said::LookingAgain).await
}

/// It is opened again, as it is seen.
pub(super) async fn reopen(State(house): Shared, Path(id): Path<String>, hand: Hand) -> Answer {
    let reason = hand.form.words("reason")?;
    let unseen = || Failed::NotUnderstood("The form says nothing of what was seen.".to_owned());
    let seen = hand.form.get("seen").parse().map_err(|_| unseen())?;
    let listed = act::reopen(house.writes(), &id, Some(seen), &hand.actor, reason, house.now()).await;
    taken(&house, &id, &hand, listed, Said::Reopened).await
}

/// What it really was.
pub(super) async fn label(State(house): Shared, Path(id): Path<String>, hand: Hand) -> Answer {
    let unknown = || Failed::NotUnderstood("Choose what it really was.".to_owned());
    let class = FailureClass::parse(hand.form.get("class")).ok_or_else(unknown)?;
    let note = hand.form.words("note")?;
    match act::label(house.writes(), &id, class, &hand.actor, note, house.now()).await {
        Ok(()) => {
            house.did();
            Ok(hand.done(&page_of(&id), Said::Labelled))
        }
        Err(error) => Err(refused(&house, &id, error).await),
    }
}

fn page_of(id: &str) -> String {
    format!("/incidents/{}", segment(id))
}

async fn taken(
    house: &House,
    id: &str,
    hand: &Hand,
    listed: Result<Listed, LedgerError>,
    said: Said,
) -> Answer {
    match listed {
        Ok(Listed::Listed) => {
            house.did();
            Ok(hand.done(&page_of(id), said))
        }
        Ok(Listed::Pointless(why)) => {
            Err(Failed::TooLate { what: format!("Nothing was done: {why}."), back: page_of(id) })
        }
        Err(error) => Err(refused(house, id, error).await),
    }
}

/// The incident's last change, where it is as the form's page showed it. Where this person has just said the same, by pressing twice, that
/// has been done.
async fn seen(house: &House, id: &str, hand: &Hand, granted: bool) -> Result<Result<i64, Response>, Failed> {
    let found = house.writes().incident(id).await.map_err(|e| house.failed(&e))?;
    let incident = found.ok_or_else(|| Failed::NoSuchThing("incident", id.to_owned()))?;
    if hand.form.get("seen").parse() == Ok(incident.changed_at) {
        return Ok(Ok(incident.changed_at));
    }
    if word_on(&incident).is_some_and(|word| word.granted == granted && word.actor == hand.actor) {
        let at_host = fleet_run_of(&incident).is_some();
        let said = match (granted, at_host) {
            (true, true) => Said::Approved,
            (true, false) => Said::ApprovedForTheNext,
            (false, _) => Said::Denied,
        };
        return Ok(Err(hand.done(&page_of(id), said)));
    }
    let how = how_it_stands(&incident, house.now());
    let what = format!("It has changed since the page was made: {how}. Nothing was done.");
    Err(Failed::TooLate { what, back: page_of(id) })
}

/// Why it was not done.
async fn refused(house: &House, id: &str, error: LedgerError) -> Failed {
    match error {
        LedgerError::UnknownIncident { .. } => Failed::NoSuchThing("incident", id.to_owned()),
        LedgerError::Imported { .. } => Failed::TooLate {
            what: "It was told by a job, or imported: it can be read, not acted upon.".to_owned(),
            back: page_of(id),
        },
        LedgerError::WrongState { .. } => match house.writes().incident(id).await {
            Ok(Some(incident)) => {
                let how = how_it_stands(&incident, house.now());
                Failed::TooLate { what: format!("Nothing was done: {how}."), back: page_of(id) }
            }
            Ok(None) => Failed::NoSuchThing("incident", id.to_owned()),
            Err(error) => house.failed(&error),
        },
        error => house.failed(&error),
    }
}

/// The word on what it asks: an open one that asks in the middle of its plan was approved before, which is no answer to that.
fn word_on(incident: &Incident) -> Option<&Approval> {
    match &incident.question {
        Some(question) if incident.state == Stands::Open => question.answer.as_ref(),
        _ => incident.approval.as_ref(),
    }
}

/// How it stands, and whose word that is.
fn how_it_stands(incident: &Incident, now: i64) -> String {
    let ago = |at| When::new(at, now).ago;
    match (incident.state, word_on(incident)) {
        (Stands::Closed, Some(word)) if !word.granted => {
            format!("{} denied it, {}", shown(&word.actor), ago(word.at))
        }
        (Stands::Closed, _) => {
            let outcome = incident.outcome.as_deref().map_or_else(|| "closed".to_owned(), plain);
            format!("it is over ({outcome}), {}", ago(incident.closed_at.unwrap_or(incident.changed_at)))
        }
        (Stands::Approved, Some(word)) => {
            format!("{} approved it, {}", shown(&word.actor), ago(word.at))
        }
        (Stands::Open, Some(word)) => format!("{} has answered it, {}", shown(&word.actor), ago(word.at)),
        (Stands::Open, None) if waits(incident) => "it asks a person now".to_owned(),
        (Stands::Open, None) => "it is being healed".to_owned(),
        (Stands::Approved, None) => "it is approved".to_owned(),
        (Stands::AwaitingApproval, _) => "it waits for a person".to_owned(),
    }
}
