//! The journal: one writer, nothing that an undo could not work from, and a run that can crash at every write.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use regreen_ledger::{LedgerError, SqlJournal};
use regreen_saga::{
    ApplyError, BoxFuture, Drive, Effect, Ended, Fact, Journal, JournalError, Look, OpenGate, PreparedStep,
    Refused, Resume, Seen, Step, StepEvent, Touch, Undo, UndoError, execute, roll_back,
};
use serde_json::json;

use crate::world::{Engine, OWNER, World, diagnosis, fact, incident};

both_engines! {
    a_stale_owner_and_a_second_writer_are_refused,
    a_run_that_dies_at_any_write_is_finished_by_the_next_process,
    a_journal_written_by_hand_must_still_fold,
}

fn why(error: &JournalError) -> &LedgerError {
    error.source.downcast_ref().unwrap()
}

async fn a_stale_owner_and_a_second_writer_are_refused(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    l.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
    let (mut one, mut two) = (l.journal("a", OWNER, || 2), l.journal("a", OWNER, || 2));
    assert!(one.read().await.unwrap().is_empty() && two.read().await.unwrap().is_empty());
    let prepared = fact("s", StepEvent::Prepared { before: json!(1) });
    one.append(&prepared).await.unwrap();
    let refused = two.append(&prepared).await.unwrap_err();
    assert!(matches!(why(&refused), LedgerError::Conflict { seq: 1, .. }), "{refused:?}");

    l.take_over("a", "p2", 3).await.unwrap();
    let refused = one.append(&fact("s", StepEvent::Started)).await.unwrap_err();
    assert!(matches!(why(&refused), LedgerError::StaleOwner { .. }), "{refused:?}");
    let mut three = l.journal("a", "p2", || 4);
    assert_eq!(three.read().await.unwrap(), [prepared]);
    three.append(&fact("s", StepEvent::Started)).await.unwrap();
    assert_eq!(
        l.facts("a").await.unwrap().iter().map(|e| (e.seq, e.at)).collect::<Vec<_>>(),
        [(1, 2), (2, 4)]
    );

    l.await_approval("a", "p2", 5).await.unwrap();
    let refused = three.append(&fact("s", StepEvent::Undone { says: None })).await.unwrap_err();
    assert!(matches!(why(&refused), LedgerError::WrongState { .. }), "{refused:?}");
    let refused = l.journal("b", "p2", || 4).append(&fact("s", StepEvent::Started)).await.unwrap_err();
    assert!(matches!(why(&refused), LedgerError::UnknownIncident { .. }), "{refused:?}");
}

/// Sets a cell, and can put it back.
struct SetCell(Arc<Mutex<Vec<i64>>>, usize, bool);

impl Step for SetCell {
    const KIND: &'static str = "set-cell";
    const EXPLAIN: &'static str = "Sets a cell.";
    const UNDO: Undo = Undo::Exact;
    const RESUME: Resume = Resume::Repeat;
    type Args = i64;
    type Before = i64;
    type Receipt = i64;

    async fn preflight(&self, _: &Look, _: &i64) -> Result<i64, Refused> {
        Ok(self.0.lock().unwrap()[self.1])
    }

    async fn apply(&self, _: &Touch, args: &i64, _: &i64) -> Result<i64, ApplyError> {
        self.0.lock().unwrap()[self.1] = *args;
        if self.2 { Err(ApplyError::unknown("broke in the middle")) } else { Ok(*args) }
    }

    async fn verify(&self, _: &Look, args: &i64, _: &i64) -> Result<Seen, Refused> {
        assert_eq!(self.0.lock().unwrap()[self.1], *args);
        Ok(Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &i64, before: &i64, _: Option<&i64>) -> Result<(), UndoError> {
        self.0.lock().unwrap()[self.1] = *before;
        Ok(())
    }
}

/// Dies before, or just after, a write.
struct Dying<'a>(SqlJournal, &'a AtomicUsize, bool);

impl Journal for Dying<'_> {
    fn append<'a>(&'a mut self, fact: &'a Fact) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let dead = || JournalError { doing: "write", source: "killed".into() };
            // Behind zero it is dead for good.
            let left = self.1.load(Ordering::Relaxed);
            if left == usize::MAX {
                return Err(dead());
            }
            self.1.store(left.wrapping_sub(1), Ordering::Relaxed);
            let last = left == 0;
            if last && !self.2 {
                return Err(dead());
            }
            self.0.append(fact).await?;
            if last { Err(dead()) } else { Ok(()) }
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<Fact>, JournalError>> {
        self.0.read()
    }
}

async fn a_run_that_dies_at_any_write_is_finished_by_the_next_process(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    for (fails, end) in [(false, vec![7, 8]), (true, vec![1, 2])] {
        for after in [false, true] {
            for n in 0.. {
                let cells = Arc::new(Mutex::new(vec![1, 2]));
                let plan =
                    [("x", 0, 7, false), ("y", 1, 8, fails)].map(|(id, cell, to, fails)| PreparedStep {
                        id: id.to_owned(),
                        step: Arc::new(SetCell(Arc::clone(&cells), cell, fails)),
                        args: json!(to),
                        flow: Default::default(),
                    });
                let id = format!("{fails}-{after}-{n}");
                l.open_incident(&incident(&id, 1, &diagnosis())).await.unwrap();
                let fuse = AtomicUsize::new(n);
                let mut dying = Dying(l.journal(&id, OWNER, || 2), &fuse, after);
                let survived = execute(&id, &plan, &mut dying, &OpenGate, Drive::Fresh).await.is_ok();
                l.take_over(&id, "p2", 3).await.unwrap();
                let mut journal = l.journal(&id, "p2", || 4);
                let ended = match execute(&id, &plan, &mut journal, &OpenGate, Drive::Resume).await.unwrap() {
                    Ended::Verified => Ended::Verified,
                    _ => roll_back(&id, &plan, &mut journal, "did not hold").await.unwrap(),
                };
                assert_eq!(ended == Ended::Verified, !fails, "{id}: {ended:?}");
                assert_eq!(*cells.lock().unwrap(), end, "{id}");
                if survived {
                    assert!(n > 5, "the fuse never blew");
                    break;
                }
            }
        }
    }
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn a_journal_written_by_hand_must_still_fold(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    l.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
    let mut journal = l.journal("a", OWNER, || 2);
    // The ledger stores what the executor says; the executor refuses what can't follow.
    let failed = StepEvent::Failed { effect: Effect::None, why: "no".to_owned() };
    journal.append(&fact("s", failed)).await.unwrap();
    journal.append(&fact("s", StepEvent::Verified)).await.unwrap();
    assert!(execute("a", &[], &mut journal, &OpenGate, Drive::Resume).await.is_err());
}
