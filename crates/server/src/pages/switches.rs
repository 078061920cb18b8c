//! The kill switch, on a page of its own so that nobody throws it by a slip; and the breakers' reset.

use askama::Template;
use axum::{body::Body, extract::State, http::Response, http::Uri};
use regreen_engine::pause_scope;
use regreen_forge::{Repository, hook::Sender};
use regreen_ledger::BreakerState;

use super::{
    Shared,
    answer::{Failed, Frame, page as answer},
    form::{Form, Hand},
    now::paused,
    params::Params,
    reader::{Reader, Said},
    words::{When, shown},
};
use crate::{act, shape::breaker_key};

/// Longest scope that is taken, in bytes.
const LONGEST: usize = 256;

#[derive(Template)]
#[template(path = "pause.html")]
struct PausePage {
    frame: Frame,
    standing: Vec<String>,
}

#[derive(Template)]
#[template(path = "unpause.html")]
struct UnpausePage {
    frame: Frame,
    scope: String,
    /// When it began, so that another pause isn't ended unseen.
    at: i64,
    what: String,
    actor: String,
    reason: String,
    since: When,
}

/// Asks what is to be paused, and why.
pub(super) async fn ask(State(house): Shared, reader: Reader) -> Result<Response<Body>, Failed> {
    reader.actor()?;
    let pauses = house.ledger().pauses(20).await.map_err(|e| house.failed(&e))?;
    let standing = pauses.iter().map(|pause| shown(&paused(&pause.scope))).collect();
    answer(&PausePage { frame: Frame::new(&reader, "/", ""), standing })
}

/// Pauses it.
pub(super) async fn pause(State(house): Shared, hand: Hand) -> Result<axum::response::Response, Failed> {
    let (scope, reason) = (scope(&hand.form)?, hand.form.words("reason")?);
    let changed = act::pause(house.writes(), &scope, &hand.actor, reason, house.now()).await;
    house.did();
    let said = match changed.map_err(|e| house.failed(&e))? {
        true => Said::Paused,
        false => Said::WasPaused,
    };
    Ok(hand.done("/", said))
}

/// Asks whether a pause is to end.
pub(super) async fn ask_end(
    State(house): Shared,
    reader: Reader,
    uri: Uri,
) -> Result<Response<Body>, Failed> {
    reader.actor()?;
    let params = Params::of(&uri);
    let wanted = params.get("scope").unwrap_or_default();
    let pauses = house.ledger().pauses(200).await.map_err(|e| house.failed(&e))?;
    let Some(pause) = pauses.into_iter().find(|pause| pause.scope == wanted) else {
        let what = "Nothing is paused there: somebody may have ended it.".to_owned();
        return Err(Failed::TooLate { what, back: "/".to_owned() });
    };
    answer(&UnpausePage {
        frame: Frame::new(&reader, "/", ""),
        what: shown(&paused(&pause.scope)),
        actor: shown(&pause.actor),
        reason: shown(&pause.reason),
        since: When::new(pause.at, house.now()),
        at: pause.at,
        scope: pause.scope,
    })
}

/// Ends it.
pub(super) async fn unpause(State(house): Shared, hand: Hand) -> Result<axum::response::Response, Failed> {
    let scope = hand.form.get("scope");
    // An empty one never means everything.
    if scope.is_empty() || scope.len() > LONGEST || scope.chars().any(char::is_control) {
        return Err(Failed::NotUnderstood("It is not said which pause is to end.".to_owned()));
    }
    let standing = house.writes().paused(scope).await.map_err(|e| house.failed(&e))?;
    if let Some(pause) = standing.filter(|pause| hand.form.get("at").parse() != Ok(pause.at)) {
        let what = format!(
            "That pause is over, and {} has begun another one, {}. Nothing was done.",
            shown(&pause.actor),
            When::new(pause.at, house.now()).ago
        );
        return Err(Failed::TooLate { what, back: "/".to_owned() });
    }
    let changed = act::unpause(house.writes(), scope, &hand.actor, house.now()).await;
    house.did();
    let said = match changed.map_err(|e| house.failed(&e))? {
        true => Said::Unpaused,
        false => Said::WasNotPaused,
    };
    Ok(hand.done("/", said))
}

/// Closes a breaker.
pub(super) async fn reset(State(house): Shared, hand: Hand) -> Result<axum::response::Response, Failed> {
    let (key, policy) = (hand.form.get("key"), house.pages.settings.breaker);
    let breakers = house.writes().breakers(policy, house.now()).await.map_err(|e| house.failed(&e))?;
    let standing = breakers.iter().find(|one| breaker_key(&one.key) == key);
    let standing = standing.filter(|one| one.state != BreakerState::Closed);
    if standing.is_some_and(|one| hand.form.get("at").parse() != Ok(one.last_at)) {
        let what = "Something else has failed there since the page was made. Nothing was done.".to_owned();
        return Err(Failed::TooLate { what, back: "/services".to_owned() });
    }
    let changed = act::reset(house.writes(), policy, key, &hand.actor, house.now()).await;
    house.did();
    match changed.map_err(|e| house.failed(&e))? {
        Some(true) => Ok(hand.done("/services", Said::Closed)),
        Some(false) => Ok(hand.done("/services", Said::WasClosed)),
        None => Err(Failed::NoSuchThing("breaker", key.chars().take(LONGEST).collect())),
    }
}

/// What is to be paused: said in so many words, since an empty name never means everything.
fn scope(form: &Form) -> Result<String, Failed> {
    let wrong = |what: &str| Failed::NotUnderstood(what.to_owned());
    let host = match form.get("host") {
        "" => None,
        id => Some(Sender::parse(id).ok_or_else(|| wrong("That is no CI host."))?),
    };
    let name = form.get("repository").trim();
    match (form.get("what"), name) {
        ("everything", "") => Ok(pause_scope(host, None)),
        ("everything", _) => {
            Err(wrong("A repository is named, and everything is chosen: choose one of both."))
        }
        ("repository", name) => {
            let known = Repository::parse(name).filter(|_| name.len() <= LONGEST);
            let known = known.ok_or_else(|| wrong("A repository is written as OWNER/NAME."))?;
            Ok(pause_scope(host, Some(known.as_str())))
        }
        _ => Err(wrong("Choose what is to be paused.")),
    }
}
