//! A person's word: for one failure, one playbook, one workspace, one day and one run.

use regreen_domain::{Decision, Diagnosis, Fingerprint, Outcome, Refusal};
use regreen_ledger::{APPROVAL_LASTS_MS, APPROVAL_SKEW_MS, Ledger, LedgerError, NewIncident, Place, State};

use crate::world::{Engine, OWNER, World, diagnosis, incident, place, plan};

both_engines! {
    a_person_says_yes_or_no,
    an_approval_is_used_once_and_says_by_whom,
    an_approval_covers_nothing_but_what_was_approved,
    an_approval_lasts_a_day_and_can_be_renewed_or_taken_back,
    a_run_that_asks_in_the_middle_gets_its_answer,
    beside_the_fleet_the_incident_itself_goes_on_once_and_in_time,
    a_yes_from_a_clock_that_is_ahead_counts,
    a_word_on_what_was_seen_is_none_on_what_came_after,
}

async fn a_word_on_what_was_seen_is_none_on_what_came_after(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    waiting(l, "a", 100).await;
    let seen = l.incident("a").await.unwrap().unwrap().changed_at;
    l.answer_seen("a", (true, seen), "ann", None, 200).await.unwrap();
    for granted in [true, false] {
        assert!(wrong_state(l.answer_seen("a", (granted, seen), "bob", Some("late"), 300).await));
    }
    let word = l.incident("a").await.unwrap().unwrap().approval.unwrap();
    assert_eq!((word.granted, word.actor.as_str()), (true, "ann"));
}

async fn a_yes_from_a_clock_that_is_ahead_counts(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    waiting(l, "a", 100).await;
    l.approve("a", "ann", 90_000).await.unwrap();
    assert_eq!(found(l, 200).await.as_deref(), Some("a"));
    assert!(!l.expire("a", OWNER, 200).await.unwrap(), "it still counts");
    assert!(l.take_up("a", OWNER, 200).await.unwrap());
    // Nor is a yes lost that came while its question was being ended.
    waiting(l, "b", 300).await;
    let late = 301 + APPROVAL_LASTS_MS;
    l.approve("b", "ann", late).await.unwrap();
    assert!(!l.expire("b", OWNER, late).await.unwrap());
    assert!(l.take_up("b", OWNER, late).await.unwrap());
}

async fn beside_the_fleet_the_incident_itself_goes_on_once_and_in_time(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let state = async |id: &str| l.incident(id).await.unwrap().unwrap().state;
    waiting(l, "a", 100).await;
    assert_eq!(l.incident("a").await.unwrap().unwrap().waits_until(), Some(101 + APPROVAL_LASTS_MS));
    assert!(wrong_state(l.take_up("a", OWNER, 102).await), "nobody has said yes");
    l.approve("a", "ann", 103).await.unwrap();
    assert!(matches!(l.take_up("a", "p9", 104).await, Err(LedgerError::StaleOwner { .. })));
    assert!(l.take_up("a", OWNER, 104).await.unwrap());
    assert_eq!(state("a").await, State::Open);
    assert!(wrong_state(l.take_up("a", OWNER, 105).await), "it is used up");
    assert_eq!(found(l, 105).await, None);
    // Too late: a yes that nobody took up, and a question that nobody answered.
    for id in ["b", "c"] {
        waiting(l, id, 200).await;
    }
    l.approve("b", "ann", 203).await.unwrap();
    let late = 203 + APPROVAL_LASTS_MS;
    assert!(!l.take_up("b", OWNER, late).await.unwrap());
    for id in ["b", "c"] {
        assert!(l.expire(id, OWNER, late).await.unwrap());
        assert_eq!(state(id).await, State::Closed);
        assert!(wrong_state(l.expire(id, OWNER, late).await));
    }
    l.asked_for("a", OWNER, "rollback", "github:ann", 300).await.unwrap();
    let said = l.audit_of("a").await.unwrap().pop().unwrap();
    assert!(said.kind == "incident-commanded" && said.body.contains("github:ann"), "{said:?}");
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

/// An incident that waits for a person's word since `at`.
async fn waiting(l: &Ledger, id: &str, at: i64) {
    decided(
        l,
        id,
        at,
        &diagnosis(),
        place(),
        Decision::Suggest { plan: plan(), because: Refusal::ModeApprove },
    )
    .await;
    l.await_approval(id, OWNER, at + 1).await.unwrap();
}

/// An incident that is about to carry out the plan.
async fn next(l: &Ledger, id: &str, at: i64) {
    decided(l, id, at, &diagnosis(), place(), Decision::Heal(plan())).await;
}

async fn decided(l: &Ledger, id: &str, at: i64, diagnosis: &Diagnosis, place: Place, decision: Decision) {
    l.open_incident(&NewIncident { place, ..incident(id, at, diagnosis) }).await.unwrap();
    l.decided(id, OWNER, &decision, None, None, at).await.unwrap();
}

async fn found(l: &Ledger, now: i64) -> Option<String> {
    let d = diagnosis();
    l.approval_for(d.fingerprint.as_str(), &plan().playbook, "/w", now).await.unwrap()
}

fn wrong_state<T>(answer: Result<T, LedgerError>) -> bool {
    matches!(answer, Err(LedgerError::WrongState { .. }))
}

async fn a_person_says_yes_or_no(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    for id in ["yes", "no"] {
        l.open_incident(&incident(id, 100, &diagnosis())).await.unwrap();
        assert!(wrong_state(l.approve(id, "ann", 101).await));
        l.await_approval(id, OWNER, 102).await.unwrap();
        let waiting = l.incident(id).await.unwrap().unwrap();
        assert_eq!(
            (waiting.state, waiting.outcome()),
            (State::AwaitingApproval, Some(Outcome::AwaitingApproval))
        );
    }
    l.approve("yes", "ann", 103).await.unwrap();
    l.deny("no", "bob", Some("not now"), 104).await.unwrap();
    assert!(wrong_state(l.approve("no", "ann", 105).await));
    assert!(l.incident("yes").await.unwrap().unwrap().approval.unwrap().granted);
    assert_eq!(l.incident("no").await.unwrap().unwrap().outcome(), Some(Outcome::LeftAlone));
    // It waits for a run, not for a resume: that would carry it out where nobody ran the command.
    assert!(l.open_incidents().await.unwrap().is_empty());
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn an_approval_is_used_once_and_says_by_whom(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    waiting(l, "asked", 100).await;
    assert_eq!(found(l, 110).await, None);
    l.approve("asked", "ann", 120).await.unwrap();
    // Looking does not use it up.
    for _ in 0..3 {
        assert_eq!(found(l, 121).await.as_deref(), Some("asked"));
    }
    for id in ["first", "second"] {
        next(l, id, 130).await;
    }
    let (one, two) =
        tokio::join!(l.hand_over("asked", "first", OWNER, 131), l.hand_over("asked", "second", OWNER, 131));
    let used = [one.unwrap(), two.unwrap()];
    assert_eq!(used.iter().filter(|used| **used).count(), 1);
    let user = if used[0] { "first" } else { "second" };
    let asked = l.incident("asked").await.unwrap().unwrap();
    assert_eq!((asked.state, asked.outcome()), (State::Closed, Some(Outcome::HandedOver)));
    assert_eq!(asked.handed_over_to.as_deref(), Some(user));
    assert_eq!(found(l, 132).await, None);
    assert!(wrong_state(l.approve("asked", "ann", 133).await));
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn an_approval_covers_nothing_but_what_was_approved(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    waiting(l, "asked", 100).await;
    l.approve("asked", "ann", 110).await.unwrap();
    let other_failure = Diagnosis { fingerprint: Fingerprint::from_digest([9; 8]), ..diagnosis() };
    let no_name = Diagnosis { fingerprint: Fingerprint::default(), ..diagnosis() };
    let mut other_plan = plan();
    other_plan.playbook = "quarantine-cache-entries".to_owned();
    let elsewhere = Place { workspace: "/v".to_owned(), ..place() };
    let heal = || Decision::Heal(plan());
    decided(l, "failure", 120, &other_failure, place(), heal()).await;
    decided(l, "nameless", 120, &no_name, place(), heal()).await;
    decided(l, "playbook", 120, &diagnosis(), place(), Decision::Heal(other_plan)).await;
    decided(l, "workspace", 120, &diagnosis(), elsewhere, heal()).await;
    decided(l, "planless", 120, &diagnosis(), place(), Decision::Nothing { because: Refusal::NoPlaybook })
        .await;
    for id in ["failure", "nameless", "playbook", "workspace", "planless"] {
        assert!(!l.hand_over("asked", id, OWNER, 121).await.unwrap(), "{id}");
    }
    for (fingerprint, playbook, workspace) in [
        ("0909090909090909", "rerun-after-network-loss", "/w"),
        ("", "rerun-after-network-loss", "/w"),
        ("0707070707070707", "quarantine-cache-entries", "/w"),
        ("0707070707070707", "rerun-after-network-loss", "/v"),
    ] {
        assert_eq!(l.approval_for(fingerprint, playbook, workspace, 122).await.unwrap(), None);
    }
    assert_eq!(found(l, 122).await.as_deref(), Some("asked"));
    // Who does not own the incident can't use an approval for it.
    next(l, "fits", 130).await;
    assert!(matches!(
        l.hand_over("asked", "fits", "stranger", 131).await,
        Err(LedgerError::StaleOwner { .. })
    ));
    assert!(!l.hand_over("no-such", "fits", OWNER, 131).await.unwrap());
    assert!(l.hand_over("asked", "fits", OWNER, 131).await.unwrap());
}

async fn an_approval_lasts_a_day_and_can_be_renewed_or_taken_back(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    waiting(l, "asked", 100).await;
    l.approve("asked", "ann", 1000).await.unwrap();
    let end = 1000 + APPROVAL_LASTS_MS;
    assert_eq!(found(l, end - 1).await.as_deref(), Some("asked"));
    assert_eq!(found(l, end).await, None);
    // A clock that was set back does not make it last longer; one that lags a little is somebody else's.
    assert_eq!(found(l, 999).await.as_deref(), Some("asked"));
    assert_eq!(found(l, 999 - APPROVAL_SKEW_MS).await, None);
    next(l, "late", end).await;
    assert!(!l.hand_over("asked", "late", OWNER, end).await.unwrap());
    l.approve("asked", "bob", end + 10).await.unwrap();
    assert_eq!(found(l, end + 11).await.as_deref(), Some("asked"));
    l.deny("asked", "bob", Some("changed my mind"), end + 12).await.unwrap();
    assert_eq!(found(l, end + 13).await, None);
    assert!(!l.hand_over("asked", "late", OWNER, end + 13).await.unwrap());
}

async fn a_run_that_asks_in_the_middle_gets_its_answer(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    next(l, "a", 100).await;
    // Nobody has asked: there is nothing to agree to.
    assert!(wrong_state(l.approve("a", "ann", 101).await));
    assert_eq!(l.ask("a", OWNER, "s", "May it?", 102).await.unwrap(), None);
    assert!(matches!(l.ask("a", "other", "t", "?", 102).await, Err(LedgerError::StaleOwner { .. })));
    l.deny("a", "bob", Some("not now"), 103).await.unwrap();
    let answer = l.ask("a", OWNER, "s", "May it?", 104).await.unwrap().unwrap();
    assert_eq!(
        (answer.granted, answer.actor.as_str(), answer.reason.as_deref(), answer.at),
        (false, "bob", Some("not now"), 103)
    );
    // The word was given; the next question has its own.
    assert!(wrong_state(l.approve("a", "ann", 105).await));
    assert_eq!(l.ask("a", OWNER, "t", "And this?", 106).await.unwrap(), None);
    l.approve("a", "ann", 107).await.unwrap();
    assert!(l.ask("a", OWNER, "t", "And this?", 108).await.unwrap().is_some_and(|answer| answer.granted));
    let incident = l.incident("a").await.unwrap().unwrap();
    assert_eq!((incident.state, incident.approval), (State::Open, None));
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}
