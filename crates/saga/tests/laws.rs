//! The saga's laws over plans of every kind of step, and what conditions, tries and groups add to them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use regreen_domain::Flow;
use regreen_saga::{
    ApplyError, BoxFuture, Drive, Ended, Gate, Look, PreparedStep, Refused, Resume, Seen, Step, StepEvent,
    Touch, Undo, UndoError, execute,
    rehearse::{Break, Depth, Fault, MemoryJournal, Part, laws, play},
};
use serde_json::{Value, json};

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

/// Fails with an unknown effect, whenever it is tried, and counts how often it looked.
struct Fails(Arc<AtomicU32>);

impl Step for Fails {
    const KIND: &'static str = "fails";
    const EXPLAIN: &'static str = "For the test.";
    const UNDO: Undo = Undo::Exact;
    const RESUME: Resume = Resume::Repeat;
    type Args = Value;
    type Before = ();
    type Receipt = ();

    async fn preflight(&self, _: &Look, _: &Value) -> Result<(), Refused> {
        self.0.fetch_add(1, SeqCst);
        Ok(())
    }

    async fn apply(&self, _: &Touch, _: &Value, (): &()) -> Result<(), ApplyError> {
        Err(ApplyError::unknown("lost"))
    }

    async fn verify(&self, _: &Look, _: &Value, (): &()) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &Value, (): &(), _: Option<&()>) -> Result<(), UndoError> {
        Ok(())
    }
}

/// Open for so many acts; closed by a pause where it says so.
struct Closing {
    acts: AtomicU32,
    pauses: AtomicU32,
    by_pause: bool,
}

impl Gate for Closing {
    fn may_act(&self) -> Result<(), String> {
        let left = self.acts.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| "switched off".to_owned())
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        self.pauses.fetch_add(1, SeqCst);
        if self.by_pause {
            self.acts.store(0, SeqCst);
        }
        Box::pin(std::future::ready(()))
    }
}

/// How it ended, how often it looked, and how often it is on record as tried again.
async fn tried(gate: &Closing) -> (String, u32, usize) {
    let looks = Arc::new(AtomicU32::new(0));
    let flow = Flow { attempts: 3, pause: Duration::from_secs(3600), ..Flow::default() };
    let step = Arc::new(Fails(looks.clone()));
    let plan = [PreparedStep { id: "a".to_owned(), step, args: json!({}), flow }];
    let mut journal = MemoryJournal::default();
    let ended = execute("i", &plan, &mut journal, gate, Drive::Fresh).await.unwrap();
    let Ended::RolledBack { why } = ended else { panic!("{ended:?}") };
    let again = journal.facts.iter().filter(|fact| fact.event == StepEvent::TryAgain).count();
    (why, looks.load(SeqCst), again)
}

#[tokio::test]
async fn nothing_is_tried_again_once_the_switch_is_off() {
    let gate = |acts: u32, by_pause| Closing { acts: acts.into(), pauses: 0.into(), by_pause };
    let off = gate(1, false);
    assert_eq!(tried(&off).await, ("a: lost; not tried again: switched off".to_owned(), 1, 0));
    assert_eq!(off.pauses.load(SeqCst), 0);
    let off = gate(2, false);
    assert_eq!(tried(&off).await, ("a: switched off".to_owned(), 1, 1));
    assert_eq!(off.pauses.load(SeqCst), 0);
    // Switched off while it waits: it does not even look.
    let off = gate(99, true);
    assert_eq!(tried(&off).await, ("a: switched off".to_owned(), 1, 1));
}

/// Acts until a moment later, and counts its ends and its undos.
struct Lasts<const STOPS: bool> {
    ended: Arc<AtomicU32>,
    undone: Arc<AtomicU32>,
}

impl<const STOPS: bool> Step for Lasts<STOPS> {
    const KIND: &'static str = "lasts";
    const EXPLAIN: &'static str = "For the test.";
    const UNDO: Undo = Undo::Exact;
    const RESUME: Resume = Resume::Never;
    const STOPS: bool = STOPS;
    type Args = Value;
    type Before = ();
    type Receipt = ();

    async fn preflight(&self, _: &Look, _: &Value) -> Result<(), Refused> {
        Ok(())
    }

    async fn apply(&self, _: &Touch, _: &Value, (): &()) -> Result<(), ApplyError> {
        tokio::task::yield_now().await;
        self.ended.fetch_add(1, SeqCst);
        Ok(())
    }

    async fn verify(&self, _: &Look, _: &Value, (): &()) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(&self, touch: &Touch, _: &Value, (): &(), _: Option<&()>) -> Result<(), UndoError> {
        touch.note("it is not as it was");
        self.undone.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// Somebody asks for an end while the first step acts.
struct Asked;

impl Gate for Asked {
    fn may_act(&self) -> Result<(), String> {
        Ok(())
    }

    fn stopped(&self) -> BoxFuture<'_, String> {
        Box::pin(std::future::ready("somebody wants an end".to_owned()))
    }
}

/// How often it ended and was undone, and the whole run's end.
async fn ended_in_the_middle<const STOPS: bool>() -> (u32, u32, Ended) {
    let (ended, undone) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let step = Arc::new(Lasts::<STOPS> { ended: ended.clone(), undone: undone.clone() });
    let plan = [PreparedStep { id: "a".to_owned(), step, args: json!({}), flow: Flow::default() }];
    let mut journal = MemoryJournal::default();
    let end = execute("i", &plan, &mut journal, &Asked, Drive::Fresh).await.unwrap();
    let says = Some("it is not as it was".to_owned());
    let on_record = journal.facts.iter().any(|fact| fact.event == StepEvent::Undone { says: says.clone() });
    assert_eq!(on_record, STOPS);
    (ended.load(SeqCst), undone.load(SeqCst), end)
}

#[tokio::test]
async fn who_asks_for_an_end_cuts_what_can_be_cut_and_it_is_undone() {
    let back = Ended::RolledBack { why: "a: somebody wants an end".to_owned() };
    assert_eq!(ended_in_the_middle::<true>().await, (0, 1, back));
    // What can't be cut is awaited; the gate then lets nothing more go.
    assert_eq!(ended_in_the_middle::<false>().await, (1, 0, Ended::Verified));
}
