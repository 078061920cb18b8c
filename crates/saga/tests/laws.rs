//! The saga's laws over plans of every kind of step, and what conditions, tries and groups add to them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::time::Duration;

use regreen_domain::Flow;
use regreen_saga::{
    Ended, Resume, Undo,
    rehearse::{Break, Depth, Fault, Part, laws, play},
};

fn part(id: &str, undo: Undo, resume: Resume, flow: Flow) -> Part {
    Part { id: id.to_owned(), undo, resume, flow }
}

/// Writes twice to one register, leaves a note, waits, and ends with what must not be repeated.
fn plain() -> Vec<Part> {
    vec![
        part("a", Undo::Exact, Resume::Repeat, Flow::default()),
        part("b", Undo::Compensate, Resume::Repeat, Flow::default()),
        part("c", Undo::Exact, Resume::Repeat, Flow::default()),
        part("wait", Undo::Inert, Resume::Repeat, Flow::default()),
        part("once", Undo::Exact, Resume::Never, Flow::default()),
    ]
}

/// With everything that a flow can say.
fn winding() -> Vec<Part> {
    let limited = Flow { timeout: Some(Duration::from_secs(1)), ..Flow::default() };
    let tried = Flow { attempts: 3, pause: Duration::from_secs(1), ..limited.clone() };
    let beside = Flow { group: Some("looks".to_owned()), ..tried.clone() };
    let left_out = Flow { skip: Some("not here".to_owned()), ..Flow::default() };
    vec![
        part("first", Undo::Exact, Resume::Repeat, tried.clone()),
        part("look", Undo::Inert, Resume::Repeat, beside.clone()),
        part("listen", Undo::Inert, Resume::Repeat, beside),
        part("left-out", Undo::Exact, Resume::Repeat, left_out),
        part("note", Undo::Compensate, Resume::Repeat, tried),
        part("once", Undo::Inert, Resume::Never, limited),
    ]
}

#[tokio::test]
async fn the_laws_hold_for_a_plain_plan() {
    laws(&plain(), Depth::Full).await.unwrap();
}

#[tokio::test]
async fn the_laws_hold_with_conditions_tries_limits_and_groups() {
    let depth = if std::env::var_os("REGREEN_LAWS_FULL").is_some() { Depth::Full } else { Depth::Quick };
    laws(&winding(), depth).await.unwrap();
}

#[tokio::test]
async fn a_step_is_tried_as_often_as_it_says_and_its_effect_is_undone_in_between() {
    let fault = |times| Fault { step: "first".to_owned(), how: Break::Lost, times, undo_fails: false };
    let healed = play(&winding(), &fault(Some(2))).await.unwrap();
    assert_eq!((healed.ended, healed.undone), (Ended::Verified, vec!["first".to_owned(); 2]));
    let back = play(&winding(), &fault(None)).await.unwrap();
    assert_eq!(back.undone, ["first"; 3]);
    assert!(matches!(back.ended, Ended::RolledBack { .. }) && back.as_before);
}

#[tokio::test]
async fn what_never_answers_is_ended_by_its_limit() {
    let fault = Fault { step: "once".to_owned(), how: Break::Hangs, times: None, undo_fails: false };
    let back = play(&winding(), &fault).await.unwrap();
    let Ended::RolledBack { why } = &back.ended else { panic!("{back:?}") };
    assert_eq!(why, "once: did not end within 1s");
    assert_eq!(back.undone, ["once", "note", "listen", "look", "first"]);
}
