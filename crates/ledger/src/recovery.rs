//! How long it took until what failed was green again, and of which parts; what recoveries ran for that, and what they took
//! off people.

use regreen_domain::Outcome;

use crate::{
    ControlGroup, Incident,
    shape::Timings,
    statistics::{Rate, Spread},
};

/// How long it took from the end of a command, or of a run's jobs, until it was known to be healed; and the parts of that.
/// Of what was healed alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repair {
    /// All of it.
    pub whole: Option<Spread>,
    /// From the end to the diagnosis.
    pub detect: Option<Spread>,
    /// From the diagnosis to the decision.
    pub decide: Option<Spread>,
    /// The steps.
    pub act: Option<Spread>,
    /// The verification.
    pub verify: Option<Spread>,
    /// Between those: waiting for a person's word, a service that was down, or a place at the host.
    pub between: Option<Spread>,
}

/// What healing took off people, and what it ran for that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Saved {
    /// Recoveries that were tried.
    pub tried: u64,
    /// Of those, healed.
    pub healed: u64,
    /// Whether there is a control group, so that what would have become green by itself does not count.
    pub compared: bool,
    /// Of the recoveries that were tried, those on which [`failures`](Saved::failures) is counted: where there is a control group
    /// only those that it was drawn from, for it says nothing of others; else all.
    pub counted_on: u64,
    /// Failures that no person had to see to; `None` where the control group, or what it is compared with, has no case yet.
    pub failures: Option<Estimate>,
    /// What machines ran for all that was tried, in milliseconds.
    pub ran_ms: u64,
}

/// A number with its 95 % interval; all three are the same where it was counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What of an incident this is made from.
pub(crate) struct Ended<'a> {
    pub(crate) id: &'a str,
    pub(crate) job: Option<&'a str>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) command_ended_at: Option<i64>,
    pub(crate) closed_at: Option<i64>,
    pub(crate) timings: &'a Timings,
    /// Whether it was drawn from for the control group.
    pub(crate) drawn_from: bool,
}

/// Recoveries that were tried.
#[derive(Default, Clone, Copy)]
struct Tried {
    n: u64,
    healed: u64,
}

impl Tried {
    fn count(&mut self, healed: bool) {
        self.n += 1;
        self.healed += u64::from(healed);
    }
}

/// Collects them.
#[derive(Default)]
pub(crate) struct Recoveries {
    whole: Vec<u64>,
    detect: Vec<u64>,
    decide: Vec<u64>,
    act: Vec<u64>,
    verify: Vec<u64>,
    between: Vec<u64>,
    all: Tried,
    /// Of all those that were drawn from.
    drawn_from: Tried,
    ran_ms: u64,
}

impl Recoveries {
    /// Counts one; of one that a person called `wrong` nothing was healed.
    pub(crate) fn add(&mut self, one: &Ended<'_>, wrong: bool) {
        let Some(outcome @ (Outcome::Healed | Outcome::RolledBack | Outcome::Stuck)) = one.outcome else {
            return;
        };
        // What a person had repaired before anything failed is named after itself: nobody was spared by it.
        if one.job != Some(one.id) {
            let healed = outcome == Outcome::Healed && !wrong;
            self.all.count(healed);
            if one.drawn_from {
                self.drawn_from.count(healed);
            }
            self.ran_ms = self.ran_ms.saturating_add(one.ran_ms());
        }
        if outcome == Outcome::Healed && !wrong {
            self.repaired(one);
        }
    }

    fn repaired(&mut self, one: &Ended<'_>) {
        let Timings { detect, decide, act, verify, .. } = *one.timings;
        let parts = [
            (detect, &mut self.detect),
            (decide, &mut self.decide),
            (act, &mut self.act),
            (verify, &mut self.verify),
        ];
        let mut known = Some(0u64);
        for (part, list) in parts {
            list.extend(part);
            known = known.zip(part).map(|(known, part)| known.saturating_add(part));
        }
        let whole = one.command_ended_at.zip(one.closed_at);
        let whole = whole.map(|(from, to)| u64::try_from(to.saturating_sub(from)).unwrap_or(0));
        self.whole.extend(whole);
        self.between.extend(whole.zip(known).map(|(whole, known)| whole.saturating_sub(known)));
    }

    /// The times, and what was saved; `None` where no recovery was tried.
    pub(crate) fn finish(self, control: Option<&ControlGroup>) -> (Repair, Option<Saved>) {
        let repair = Repair {
            whole: Spread::of(self.whole),
            detect: Spread::of(self.detect),
            decide: Spread::of(self.decide),
            act: Spread::of(self.act),
            verify: Spread::of(self.verify),
            between: Spread::of(self.between),
        };
        let counted = if control.is_some() { self.drawn_from } else { self.all };
        let saved = Saved {
            tried: self.all.n,
            healed: self.all.healed,
            compared: control.is_some(),
            counted_on: counted.n,
            failures: match control {
                None => Some(Estimate::counted(counted.healed)),
                Some(group) => group.alone().filter(|_| counted.n > 0).map(|alone| counted.beyond(alone)),
            },
            ran_ms: self.ran_ms,
        };
        (repair, (self.all.n > 0).then_some(saved))
    }
}

impl Ended<'_> {
    /// What machines ran for it, in milliseconds. Beside the fleet the jobs that ran again, or where that is not known all the
    /// time until they had ended; where a command was wrapped, the steps and the verification, its repetition among them.
    fn ran_ms(&self) -> u64 {
        let Timings { act, verify, command, .. } = *self.timings;
        let beside = command.filter(|_| self.exit_code.is_none());
        beside.unwrap_or_else(|| act.unwrap_or(0).saturating_add(verify.unwrap_or(0)))
    }
}

impl Tried {
    /// What healed less what of as many as were tried would have become green by itself. How many healed is counted; what is
    /// not known exactly is the other. It may be less than nothing.
    fn beyond(self, alone: Rate) -> Estimate {
        let less = |share: f64| self.healed as f64 - self.n as f64 * share;
        Estimate { value: less(alone.share), low: less(alone.high), high: less(alone.low) }
    }
}

impl Estimate {
    fn counted(n: u64) -> Estimate {
        Estimate { value: n as f64, low: n as f64, high: n as f64 }
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, factor: f64) -> Estimate {
        Estimate { value: self.value * factor, low: self.low * factor, high: self.high * factor }
    }

    /// So much less.
    #[must_use]
    pub fn less(self, amount: f64) -> Estimate {
        Estimate { value: self.value - amount, low: self.low - amount, high: self.high - amount }
    }
}

impl Incident {
    pub(crate) fn ended(&self) -> Ended<'_> {
        Ended {
            id: &self.id,
            job: self.place.job.as_deref(),
            exit_code: self.exit_code,
            outcome: self.outcome(),
            command_ended_at: self.command_ended_at,
            closed_at: self.closed_at,
            timings: &self.timings,
            drawn_from: self.is_drawn_from(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended<'a>(outcome: Outcome, timings: &'a Timings) -> Ended<'a> {
        Ended {
            id: "i",
            job: Some("build"),
            exit_code: None,
            outcome: Some(outcome),
            command_ended_at: Some(1_000),
            closed_at: Some(61_000),
            timings,
            drawn_from: false,
        }
    }

    fn beside_the_fleet() -> Timings {
        let stages = Timings {
            detect: Some(20_000),
            decide: Some(1),
            act: Some(999),
            verify: Some(30_000),
            ..Timings::default()
        };
        Timings { command: Some(45_000), ..stages }
    }

    #[test]
    fn nothing_tried_saved_nothing_and_says_so() {
        assert_eq!(Recoveries::default().finish(None), (Repair::default(), None));
        let mut all = Recoveries::default();
        all.add(&ended(Outcome::Suggested, &beside_the_fleet()), false);
        assert_eq!(all.finish(None), (Repair::default(), None));
    }

    #[test]
    fn what_healed_is_split_from_the_end_of_its_jobs_to_its_own_end() {
        let mut all = Recoveries::default();
        all.add(&ended(Outcome::Healed, &beside_the_fleet()), false);
        all.add(&ended(Outcome::RolledBack, &beside_the_fleet()), false);
        let (repair, saved) = all.finish(None);
        let one = |ms| Some(Spread { n: 1, p50: ms, p95: ms });
        assert_eq!((repair.whole, repair.detect, repair.verify), (one(60_000), one(20_000), one(30_000)));
        assert_eq!(repair.between, one(9_000));
        let saved = saved.unwrap();
        assert_eq!((saved.tried, saved.healed, saved.ran_ms), (2, 1, 90_000), "what did not help ran too");
        assert_eq!(saved.failures, Some(Estimate { value: 1.0, low: 1.0, high: 1.0 }));
    }

    #[test]
    fn what_a_person_called_wrong_healed_nothing() {
        let mut all = Recoveries::default();
        all.add(&ended(Outcome::Healed, &beside_the_fleet()), true);
        let (repair, saved) = all.finish(None);
        let saved = saved.unwrap();
        assert_eq!((repair.whole, saved.tried, saved.healed), (None, 1, 0));
        assert_eq!(saved.failures, Some(Estimate { value: 0.0, low: 0.0, high: 0.0 }));
    }

    #[test]
    fn a_wrapped_command_ran_before_anything_was_tried() {
        let timings = beside_the_fleet();
        let mut all = Recoveries::default();
        all.add(&Ended { exit_code: Some(1), ..ended(Outcome::Healed, &timings) }, false);
        assert_eq!(all.finish(None).1.unwrap().ran_ms, 30_999);
    }

    #[test]
    fn what_was_repaired_before_it_failed_spared_nobody() {
        let timings = beside_the_fleet();
        let mut all = Recoveries::default();
        all.add(&Ended { job: Some("i"), ..ended(Outcome::Healed, &timings) }, false);
        assert_eq!(all.finish(None).1, None);
    }

    #[test]
    fn beside_a_control_group_only_what_is_beyond_it_counts() {
        let group = |recovered, failed_again| ControlGroup {
            n: 100,
            recovered,
            failed_again,
            ..ControlGroup::default()
        };
        let of = |group: &ControlGroup| {
            let mut all = Recoveries::default();
            for n in 0..100 {
                let outcome = if n < 90 { Outcome::Healed } else { Outcome::RolledBack };
                all.add(&Ended { drawn_from: true, ..ended(outcome, &beside_the_fleet()) }, false);
                // Of what a job repaired itself the group says nothing: nothing was drawn from that.
                all.add(&Ended { exit_code: Some(1), ..ended(Outcome::Healed, &beside_the_fleet()) }, false);
            }
            all.finish(Some(group)).1.unwrap()
        };
        let saved = of(&group(30, 70));
        let Estimate { value, low, high } = saved.failures.unwrap();
        assert_eq!((saved.tried, saved.healed, saved.counted_on), (200, 190, 100));
        assert!(saved.compared && (value - 60.0).abs() < 1e-9 && low < value && value < high, "{saved:?}");
        // Healing less often than nothing does is said as it is.
        assert!(of(&group(95, 5)).failures.unwrap().value < 0.0);
        assert_eq!((of(&group(0, 0)).compared, of(&group(0, 0)).failures), (true, None), "nobody knows yet");
        let mut none = Recoveries::default();
        none.add(&ended(Outcome::Healed, &beside_the_fleet()), false);
        let saved = none.finish(Some(&group(30, 70))).1.unwrap();
        assert_eq!(
            (saved.tried, saved.counted_on, saved.failures),
            (1, 0, None),
            "there is nothing to compare it with"
        );
    }
}
