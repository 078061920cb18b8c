//! The laws, tried at every step and every crash point of a plan, whatever its steps are.

use std::collections::BTreeMap;

use regreen_domain::Flow;
use thiserror::Error;

use super::{
    INCIDENT, Part, Timeless,
    journal::MemoryJournal,
    stand_in::{Break, Fault, World},
};
use crate::{
    executor::{Drive, Ended, SagaError, execute},
    journal::{StepEvent, StepState, fold},
    step::Resume,
};

/// The laws, each in a sentence.
pub const LAWS: [&str; 5] = [
    "broken at any step, in any way, it leaves the world as it was, or says what it could not put back",
    "killed after any entry of its journal, it comes to the same end; what must not be repeated is not",
    "an undo that is repeated changes nothing more",
    "nothing is touched before it is on record as started",
    "a journal that refuses a single entry turns the run back at once, on the record",
];

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every step, every way to break it, every crash point.
    Quick,
    /// All of that with a second crash during recovery, and every combination of steps that conditions leave out.
    Full,
}

/// How often plans were run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tried {
    /// Runs, begun or resumed.
    pub runs: u64,
}

/// A law that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("law {law} does not hold ({}): {how}", LAWS.get(law.wrapping_sub(1)).unwrap_or(&""))]
pub struct BrokenLaw {
    /// Which, from 1.
    pub law: usize,
    /// Where, and what happened instead.
    pub how: String,
}

/// Most steps whose conditions are tried in every combination.
const COMBINED: usize = 5;

/// Tries every law on the plan.
///
/// # Errors
/// The first law that does not hold.
pub async fn laws(parts: &[Part], depth: Depth) -> Result<Tried, BrokenLaw> {
    let mut tried = Tried::default();
    for parts in castings(parts, depth) {
        let mut trial = Trial { parts, depth, runs: 0, law: 1 };
        let held = trial.all().await;
        tried.runs += trial.runs;
        held.map_err(|how| BrokenLaw { law: trial.law, how })?;
    }
    Ok(tried)
}

/// The plan with the steps that have a condition played or left out.
fn castings(parts: &[Part], depth: Depth) -> Vec<Vec<Part>> {
    let conditional: Vec<usize> = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.flow.when.is_some() || part.flow.skip.is_some())
        .map(|(at, _)| at)
        .collect();
    let without = |left_out: &dyn Fn(usize) -> bool| -> Vec<Part> {
        let cast = |(at, part): (usize, &Part)| {
            let skip = left_out(at).then(|| "left out of this rehearsal".to_owned());
            Part { flow: Flow { when: None, skip, ..part.flow.clone() }, ..part.clone() }
        };
        parts.iter().enumerate().map(cast).collect()
    };
    let sets: Vec<Vec<usize>> = if depth == Depth::Full && conditional.len() <= COMBINED {
        let bits = |set: u32| {
            let chosen = |(bit, at): (usize, &usize)| (set & (1 << bit) != 0).then_some(*at);
            conditional.iter().enumerate().filter_map(chosen).collect()
        };
        (0..1 << conditional.len()).map(bits).collect()
    } else {
        std::iter::once(Vec::new()).chain(conditional.iter().map(|at| vec![*at])).collect()
    };
    sets.iter().map(|set| without(&|at| set.contains(&at))).collect()
}

type Standing = BTreeMap<String, i64>;

/// How a run that nothing killed ended.
struct Uncrashed {
    /// How many entries its journal has.
    entries: usize,
    ended: Ended,
    standing: Standing,
}

struct Trial {
    parts: Vec<Part>,
    depth: Depth,
    runs: u64,
    law: usize,
}

impl Trial {
    async fn all(&mut self) -> Result<(), String> {
        self.law = 1;
        self.breaks_leave_nothing().await?;
        self.law = 2;
        self.crashes_change_no_end().await?;
        self.crash_in_the_middle_of_an_act().await?;
        self.law = 3;
        self.undo_can_be_repeated().await?;
        self.law = 4;
        self.nothing_before_its_record().await?;
        self.law = 5;
        self.one_refusal_turns_back().await
    }

    async fn run(
        &mut self,
        world: &World,
        fault: Option<&Fault>,
        journal: &mut MemoryJournal,
        drive: Drive,
    ) -> Result<Ended, SagaError> {
        self.runs += 1;
        execute(INCIDENT, &world.plan(&self.parts, fault), journal, &Timeless, drive).await
    }

    async fn uncrashed(&mut self, fault: Option<&Fault>) -> Result<Uncrashed, String> {
        let (world, mut journal) = (World::new(), MemoryJournal::default());
        let ended = self.run(&world, fault, &mut journal, Drive::Fresh).await;
        let ended = ended.map_err(|e| format!("{}: {e}", said(fault)))?;
        fold(&journal.facts).map_err(|e| e.to_string())?;
        Ok(Uncrashed { entries: journal.facts.len(), ended, standing: world.standing() })
    }

    /// Every way to break every step that is played.
    fn faults(&self) -> Vec<Fault> {
        let played = self.parts.iter().filter(|part| part.flow.skip.is_none());
        played
            .flat_map(|part| {
                let ways =
                    Break::ALL.into_iter().filter(|how| *how != Break::Hangs || part.flow.timeout.is_some());
                ways.map(|how| Fault { step: part.id.clone(), how, times: None, undo_fails: false })
            })
            .collect()
    }

    /// An undo that fails, of every step that is undone at all.
    fn stuck(&self) -> impl Iterator<Item = Fault> + use<> {
        let lost = self.faults().into_iter().filter(|fault| fault.how == Break::Lost);
        lost.map(|fault| Fault { undo_fails: true, ..fault })
    }

    /// Law 1.
    async fn breaks_leave_nothing(&mut self) -> Result<(), String> {
        let before = World::new().standing();
        let whole = self.uncrashed(None).await?;
        if whole.ended != Ended::Verified {
            return Err(format!("unbroken, it ended as {}", name(&whole.ended)));
        }
        for fault in self.faults() {
            let end = self.uncrashed(Some(&fault)).await?;
            if !matches!(end.ended, Ended::RolledBack { .. }) || end.standing != before {
                return Err(format!("{}: {}", said(Some(&fault)), name(&end.ended)));
            }
            let retried = self
                .parts
                .iter()
                .any(|part| part.id == fault.step && part.flow.attempts > 1 && part.resume == Resume::Repeat);
            let once = Fault { times: Some(1), ..fault.clone() };
            // A look that says no is an answer, whatever comes after it.
            if retried && fault.how != Break::Refused {
                let end = self.uncrashed(Some(&once)).await?;
                if end.ended != Ended::Verified || end.standing != whole.standing {
                    return Err(format!("{}, and is tried again: {}", said(Some(&once)), name(&end.ended)));
                }
            }
        }
        for fault in self.stuck() {
            let end = self.uncrashed(Some(&fault)).await?;
            if !matches!(end.ended, Ended::Stuck { .. }) {
                return Err(format!("{}: {}", said(Some(&fault)), name(&end.ended)));
            }
        }
        Ok(())
    }

    /// Law 2.
    async fn crashes_change_no_end(&mut self) -> Result<(), String> {
        let before = World::new().standing();
        let faults: Vec<Option<Fault>> =
            std::iter::once(None).chain(self.faults().into_iter().chain(self.stuck()).map(Some)).collect();
        for fault in &faults {
            let fault = fault.as_ref();
            let whole = self.uncrashed(fault).await?;
            let twice: &[Option<usize>] = match self.depth {
                Depth::Quick if fault.is_some() => &[None],
                _ => &[None, Some(0), Some(1), Some(2), Some(3)],
            };
            for crash in 0..whole.entries {
                for again in twice {
                    let (world, mut journal) = (World::new(), MemoryJournal::dying_after(crash));
                    let at = format!("{}, killed after {crash} entries", said(fault));
                    if self.run(&world, fault, &mut journal, Drive::Fresh).await.is_ok() {
                        return Err(format!("{at}: it did not notice"));
                    }
                    let lost = self.lost(&journal)?;
                    if let Some(again) = again {
                        journal.fuel = Some(*again);
                        let _died_again = self.run(&world, fault, &mut journal, Drive::Resume).await;
                    }
                    journal.fuel = None;
                    let ended = self.run(&world, fault, &mut journal, Drive::Resume).await;
                    let ended = ended.map_err(|e| format!("{at}: {e}"))?;
                    self.repeated(&journal).map_err(|how| format!("{at}: {how}"))?;
                    let fits = match (&ended, lost) {
                        (Ended::RolledBack { .. }, true) => world.standing() == before,
                        // What could not be put back may stand in the world now.
                        (Ended::Stuck { .. }, true) => fault.is_some_and(|fault| fault.undo_fails),
                        (Ended::Verified | Ended::Waits { .. }, true) => false,
                        (ended, false) => {
                            name(ended) == name(&whole.ended) && world.standing() == whole.standing
                        }
                    };
                    if !fits {
                        return Err(format!("{at}: {} instead of {}", name(&ended), name(&whole.ended)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Law 2, where the process dies with half of an act done and the next one does it whole.
    async fn crash_in_the_middle_of_an_act(&mut self) -> Result<(), String> {
        let (before, healed) = (World::new().standing(), self.uncrashed(None).await?.standing);
        for fault in self.faults().into_iter().filter(|fault| fault.how == Break::Half) {
            let fault = Fault { times: Some(1), ..fault };
            let entries = self.uncrashed(Some(&fault)).await?.entries;
            for crash in 0..entries {
                let (world, mut journal) = (World::new(), MemoryJournal::dying_after(crash));
                let at = format!("{}, killed after {crash} entries", said(Some(&fault)));
                let _died = self.run(&world, Some(&fault), &mut journal, Drive::Fresh).await;
                journal.fuel = None;
                let ended = self.run(&world, Some(&fault), &mut journal, Drive::Resume).await;
                let standing = world.standing();
                let fits = match ended.map_err(|e| format!("{at}: {e}"))? {
                    Ended::Verified => standing == healed,
                    Ended::RolledBack { .. } => standing == before,
                    Ended::Stuck { .. } | Ended::Waits { .. } => false,
                };
                if !fits {
                    return Err(format!("{at}: neither healed nor as before"));
                }
            }
        }
        Ok(())
    }

    /// Whether a step that must not be repeated can't be brought to its end by a later process.
    fn lost(&self, journal: &MemoryJournal) -> Result<bool, String> {
        let states = fold(&journal.facts).map_err(|e| e.to_string())?;
        Ok(self.parts.iter().any(|part| {
            let state = states.get(&part.id);
            let unfinished = match state {
                None | Some(StepState::Waiting) => part.flow.skip.is_none(),
                Some(state) => matches!(state, StepState::Prepared { .. } | StepState::Started { .. }),
            };
            part.resume == Resume::Never && unfinished
        }))
    }

    /// What must not be repeated was not.
    fn repeated(&self, journal: &MemoryJournal) -> Result<(), String> {
        for part in self.parts.iter().filter(|part| part.resume == Resume::Never) {
            let started = journal.facts.iter().filter(|f| f.step == part.id && f.event == StepEvent::Started);
            let started = started.count();
            if started > 1 {
                return Err(format!("`{}` must not be repeated and was started {started} times", part.id));
            }
        }
        Ok(())
    }

    /// Law 3: each `Undone` is forgotten in turn, so that the undo is run again.
    async fn undo_can_be_repeated(&mut self) -> Result<(), String> {
        let before = World::new().standing();
        for fault in self.faults().into_iter().filter(|fault| fault.how == Break::Lost) {
            let (world, mut journal) = (World::new(), MemoryJournal::default());
            let ended = self.run(&world, Some(&fault), &mut journal, Drive::Fresh).await;
            ended.map_err(|e| format!("{}: {e}", said(Some(&fault))))?;
            let undone = |at: &usize| matches!(journal.facts[*at].event, StepEvent::Undone { .. });
            for forget in (0..journal.facts.len()).filter(undone) {
                let facts = journal.facts[..forget].to_vec();
                let mut journal = MemoryJournal { facts, ..MemoryJournal::default() };
                let ended = self.run(&world, Some(&fault), &mut journal, Drive::Resume).await;
                let at = format!("{}, entry {forget} was forgotten", said(Some(&fault)));
                let turned_back = matches!(ended, Ok(Ended::RolledBack { .. }));
                if !turned_back || world.standing() != before {
                    return Err(at);
                }
            }
        }
        Ok(())
    }

    /// Law 4; and of steps side by side all are on record before the first acts.
    async fn nothing_before_its_record(&mut self) -> Result<(), String> {
        let before = World::new().standing();
        let entries = self.uncrashed(None).await?.entries;
        for crash in 0..entries {
            let (world, mut journal) = (World::new(), MemoryJournal::dying_after(crash));
            let _died = self.run(&world, None, &mut journal, Drive::Fresh).await;
            let started = journal.facts.iter().any(|f| f.event == StepEvent::Started);
            if !started && world.standing() != before {
                return Err(format!("killed after {crash} entries: something was touched"));
            }
        }
        let (world, mut journal) = (World::new(), MemoryJournal::default());
        self.run(&world, None, &mut journal, Drive::Fresh).await.map_err(|e| e.to_string())?;
        let first = |step: &str, event: &str| {
            journal.facts.iter().position(|fact| fact.step == step && fact.event.name() == event)
        };
        for part in self.parts.iter().filter(|part| part.flow.group.is_some()) {
            let beside = self.parts.iter().filter(|other| other.flow.group == part.flow.group);
            let first_act = beside.filter_map(|other| first(&other.id, "applied")).min();
            if first(&part.id, "started") > first_act {
                return Err(format!("`{}` was started after a step of its group had acted", part.id));
            }
        }
        Ok(())
    }

    /// Law 5.
    async fn one_refusal_turns_back(&mut self) -> Result<(), String> {
        let before = World::new().standing();
        let entries = self.uncrashed(None).await?.entries;
        for refused in 0..entries {
            let world = World::new();
            let mut journal = MemoryJournal { refuses_once: Some(refused), ..MemoryJournal::default() };
            let ended = self.run(&world, None, &mut journal, Drive::Fresh).await;
            let started = journal.facts.iter().any(|f| f.event == StepEvent::Started);
            let turned_back = matches!(ended, Ok(Ended::RolledBack { .. }));
            if turned_back != started || world.standing() != before || fold(&journal.facts).is_err() {
                return Err(format!("entry {refused} was refused: the run did not turn back"));
            }
        }
        Ok(())
    }
}

fn said(fault: Option<&Fault>) -> String {
    let Some(Fault { step, how, times, undo_fails }) = fault else { return "unbroken".to_owned() };
    let how = match how {
        Break::Refused => "refuses",
        Break::NoEffect => "fails without an effect",
        Break::Lost => "loses its answer",
        Break::Half => "breaks in the middle",
        Break::NotSeen => "does not help",
        Break::Hangs => "never answers",
    };
    let times = times.map_or(String::new(), |times| format!(" {times} times"));
    let undo = if *undo_fails { " and can't be undone" } else { "" };
    format!("`{step}` {how}{times}{undo}")
}

const fn name(ended: &Ended) -> &'static str {
    match ended {
        Ended::Verified => "verified",
        Ended::RolledBack { .. } => "rolled back",
        Ended::Stuck { .. } => "stuck",
        Ended::Waits { .. } => "waiting",
    }
}
