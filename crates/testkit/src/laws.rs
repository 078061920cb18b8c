//! The laws. Each takes a small plan over a fresh [`World`] and holds for every way to break or crash it.

use std::{collections::BTreeMap, sync::Arc};

use regreen_saga::{AnyStep, Drive, Ended, OpenGate, PreparedStep, SagaError, StepEvent, execute, fold};
use serde_json::json;

use crate::{
    journal::MemoryJournal,
    world::{Break, Once, Put, Repeatable, World},
};

const STEPS: usize = 4;
/// All ways to break but `Never` and `UndoFails`: the run is rolled back whole.
const BREAKS: [Break; 5] = [Break::Refused, Break::NoEffect, Break::Lost, Break::Half, Break::NotSeen];

/// Two steps write the same register, one register is there before, one is not.
fn world() -> World {
    World::with([("k0".to_owned(), 7), ("other".to_owned(), 1)])
}

fn plan(world: &World, broken: Option<(usize, Break)>, once: Option<usize>) -> Vec<PreparedStep> {
    (0..STEPS)
        .map(|i| {
            let how = broken.filter(|(at, _)| *at == i).map_or(Break::Never, |(_, how)| how);
            let put = Put { world: world.clone(), how, repeatable: once != Some(i) };
            let step: Arc<dyn AnyStep> =
                if put.repeatable { Arc::new(Repeatable(put)) } else { Arc::new(Once(put)) };
            PreparedStep {
                id: format!("s{i}"),
                step,
                args: json!({ "key": format!("k{}", i % 3), "by": i + 1 }),
            }
        })
        .collect()
}

async fn run(plan: &[PreparedStep], journal: &mut MemoryJournal, drive: Drive) -> Result<Ended, SagaError> {
    execute("i1", plan, journal, &OpenGate, drive).await
}

/// Law 1: broken at any step, in any way, the world is as it was.
///
/// # Panics
/// Where the law does not hold.
pub async fn break_every_step() {
    for at in 0..STEPS {
        for how in BREAKS {
            let world = world();
            let before = world.registers();
            let mut journal = MemoryJournal::default();
            let ended = run(&plan(&world, Some((at, how)), None), &mut journal, Drive::Fresh).await;
            assert!(matches!(ended, Ok(Ended::RolledBack { .. })), "{at} {how:?}: {ended:?}");
            assert_eq!(world.registers(), before, "{at} {how:?}");
        }
        let world = world();
        let mut journal = MemoryJournal::default();
        let ended = run(&plan(&world, Some((at, Break::UndoFails)), None), &mut journal, Drive::Fresh).await;
        assert!(matches!(ended, Ok(Ended::Stuck { .. })), "an undo that fails is said: {ended:?}");
    }
}

/// Law 2: the process dies after any number of journal writes; whoever finds the run brings it to the same end as if
/// it had not died. With a step that must not be repeated, an unfinished run ends as before.
///
/// # Panics
/// Where the law does not hold.
pub async fn crash_at_every_write() {
    let mut breaks = vec![None];
    breaks.extend((0..STEPS).flat_map(|at| BREAKS.into_iter().map(move |how| Some((at, how)))));
    breaks.extend((0..STEPS).map(|at| Some((at, Break::UndoFails))));
    for broken in breaks {
        let (whole, want, want_world) = uncrashed(broken).await;
        for fuel in 0..whole {
            // Dies once, and once more while it recovers.
            for again in [None, Some(0), Some(1), Some(2)] {
                let world = world();
                let plan = plan(&world, broken, None);
                let mut journal = MemoryJournal { fuel: Some(fuel), ..MemoryJournal::default() };
                assert!(matches!(run(&plan, &mut journal, Drive::Fresh).await, Err(SagaError::Journal(_))));
                if again.is_some() {
                    journal.fuel = again;
                    let _died_again = run(&plan, &mut journal, Drive::Resume).await;
                }
                journal.fuel = None;
                let ended = run(&plan, &mut journal, Drive::Resume).await;
                assert_eq!(ended.ok().map(name), Some(want), "{broken:?} fuel {fuel} {again:?}");
                assert_eq!(world.registers(), want_world, "{broken:?} fuel {fuel} {again:?}");
            }
        }
    }
    for once in 0..STEPS {
        let before = world().registers();
        let (whole, _, healed) = uncrashed(None).await;
        for fuel in 0..whole {
            let world = world();
            let plan = plan(&world, None, Some(once));
            let mut journal = MemoryJournal { fuel: Some(fuel), ..MemoryJournal::default() };
            assert!(run(&plan, &mut journal, Drive::Fresh).await.is_err());
            journal.fuel = None;
            let ended = run(&plan, &mut journal, Drive::Resume).await.map(name);
            let started = journal
                .facts
                .iter()
                .filter(|f| f.step == format!("s{once}") && f.event == StepEvent::Started)
                .count();
            assert!(started <= 1, "a step that must not be repeated was started {started} times");
            match ended {
                Ok("verified") => assert_eq!(world.registers(), healed),
                Ok("rolled-back") => assert_eq!(world.registers(), before),
                other => panic!("once {once} fuel {fuel}: {other:?}"),
            }
        }
    }
}

/// Law 3: an undo that is repeated (its record was lost) changes nothing more.
///
/// # Panics
/// Where the law does not hold.
pub async fn repeat_every_undo() {
    for at in 0..STEPS {
        let world = world();
        let before = world.registers();
        let plan = plan(&world, Some((at, Break::Lost)), None);
        let mut journal = MemoryJournal::default();
        assert!(matches!(run(&plan, &mut journal, Drive::Fresh).await, Ok(Ended::RolledBack { .. })));
        // Forget each `Undone` in turn: the undo is then run again.
        let undone: Vec<usize> = journal
            .facts
            .iter()
            .enumerate()
            .filter(|(_, f)| f.event == StepEvent::Undone)
            .map(|(i, _)| i)
            .collect();
        for forget in undone {
            let mut journal =
                MemoryJournal { facts: journal.facts[..forget].to_vec(), ..MemoryJournal::default() };
            assert!(matches!(run(&plan, &mut journal, Drive::Resume).await, Ok(Ended::RolledBack { .. })));
            assert_eq!(world.registers(), before, "broken at {at}, forgot fact {forget}");
            assert!(fold(&journal.facts).is_ok());
        }
    }
}

/// Law 4: with a journal that refuses, nothing is touched that is not on record as started.
///
/// # Panics
/// Where the law does not hold.
pub async fn nothing_without_a_journal() {
    let (whole, _, _) = uncrashed(None).await;
    for fuel in 0..whole {
        let world = world();
        let before = world.registers();
        let mut journal = MemoryJournal { fuel: Some(fuel), ..MemoryJournal::default() };
        assert!(run(&plan(&world, None, None), &mut journal, Drive::Fresh).await.is_err());
        let started = journal.facts.iter().any(|f| f.event == StepEvent::Started);
        assert!(started || world.registers() == before, "fuel {fuel}: touched before `Started` was durable");
    }
}

/// Law 5: a journal that refuses a single write, whichever, turns the run back at once, on the record.
///
/// # Panics
/// Where the law does not hold.
pub async fn turns_back_when_the_journal_refuses_once() {
    let (whole, _, _) = uncrashed(None).await;
    for at in 0..whole {
        let world = world();
        let before = world.registers();
        let mut journal = MemoryJournal { refuses_once: Some(at), ..MemoryJournal::default() };
        let ended = run(&plan(&world, None, None), &mut journal, Drive::Fresh).await;
        let started = journal.facts.iter().any(|f| f.event == StepEvent::Started);
        let turned_back = matches!(ended, Ok(Ended::RolledBack { .. }));
        assert_eq!(turned_back, started, "refused at {at}: {ended:?}");
        assert_eq!(world.registers(), before, "refused at {at}");
        assert!(fold(&journal.facts).is_ok());
    }
}

async fn uncrashed(broken: Option<(usize, Break)>) -> (usize, &'static str, BTreeMap<String, i64>) {
    let world = world();
    let mut journal = MemoryJournal::default();
    let ended = run(&plan(&world, broken, None), &mut journal, Drive::Fresh).await;
    let ended = ended.unwrap_or_else(|e| panic!("an endless journal refused: {e}"));
    (journal.facts.len(), name(ended), world.registers())
}

fn name(ended: Ended) -> &'static str {
    match ended {
        Ended::Verified => "verified",
        Ended::RolledBack { .. } => "rolled-back",
        Ended::Stuck { .. } => "stuck",
    }
}
