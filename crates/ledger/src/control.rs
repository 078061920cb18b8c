//! What healing brings: of what would be healed, some was left alone by lot, and both are compared.

use regreen_domain::{Outcome, Refusal};

use crate::{
    shape::{Incident, State},
    statistics::Rate,
};

/// So long an incident that was left alone has to be seen to become green, in milliseconds: as long as an attempt of Regreen's
/// may take.
const FOLLOWED_MS: i64 = 24 * 3_600_000;

/// Incidents that were drawn from, while a share of them was left alone.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ControlGroup {
    /// Left alone.
    pub n: u64,
    /// Of those, seen to be green in the run's next attempt, whoever sent it off.
    pub recovered: u64,
    /// Of those, seen to fail again in the next attempt.
    pub failed_again: u64,
    /// Of those, not seen again within a day: nobody sent them off, or nobody told.
    pub not_seen: u64,
    /// Not left alone, and ended.
    pub treated: u64,
    /// Of those, healed.
    pub healed: u64,
    /// How much more often what was treated became green; `None` where either side has no case.
    pub lift: Option<Lift>,
}

/// A difference of two shares with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lift {
    /// From -1 to 1.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Lift {
    /// Newcombe's hybrid score interval. Source: R. G. Newcombe, "Interval estimation for the difference between independent
    /// proportions", Statistics in Medicine 17 (1998), method 10.
    fn of(one: Rate, other: Rate) -> Lift {
        let value = one.share - other.share;
        let below = (one.share - one.low).hypot(other.high - other.share);
        let above = (one.high - one.share).hypot(other.share - other.low);
        Lift { value, low: (value - below).max(-1.0), high: (value + above).min(1.0) }
    }
}

impl Incident {
    /// Whether it was drawn from, by what it was decided from.
    pub(crate) fn is_drawn_from(&self) -> bool {
        self.inputs.as_ref().is_some_and(|inputs| inputs.policy.control.is_some())
    }
}

impl ControlGroup {
    /// Counts an incident, if it was drawn from; `now` says which may still be seen.
    pub(crate) fn add(&mut self, incident: &Incident, now: i64) {
        let Some(decision) = &incident.decision else { return };
        if !incident.is_drawn_from() || incident.state != State::Closed {
            return;
        }
        if decision.because.as_deref() == Some(Refusal::ControlGroup.id()) {
            self.n += 1;
            match incident.followed {
                Some(followed) if followed.green => self.recovered += 1,
                Some(_) => self.failed_again += 1,
                None if now.saturating_sub(incident.opened_at) >= FOLLOWED_MS => self.not_seen += 1,
                None => {}
            }
        } else if decision.action == "heal"
            && let Some(Outcome::Healed | Outcome::RolledBack | Outcome::Stuck) = incident.outcome()
        {
            self.treated += 1;
            self.healed += u64::from(incident.outcome() == Some(Outcome::Healed));
        }
    }

    /// How many became green of those that were left alone; `None` where that was seen of none.
    pub(crate) fn alone(&self) -> Option<Rate> {
        let followed = self.recovered.saturating_add(self.failed_again).saturating_add(self.not_seen);
        Rate::of(self.recovered, followed)
    }

    /// With the lift; `None` where nothing was drawn from. What was not seen again did not become green.
    pub(crate) fn finish(self) -> Option<ControlGroup> {
        if self == ControlGroup::default() {
            return None;
        }
        let rates = Rate::of(self.healed, self.treated).zip(self.alone());
        Some(ControlGroup { lift: rates.map(|(treated, alone)| Lift::of(treated, alone)), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lift_agrees_with_published_intervals() {
        // Newcombe, as above, table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10.
        for ((a, m), (b, n), low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            let lift = Lift::of(Rate::of(a, m).unwrap(), Rate::of(b, n).unwrap());
            assert!((lift.low - low).abs() < 5e-5 && (lift.high - high).abs() < 5e-5, "{lift:?}");
        }
    }

    #[test]
    fn one_side_alone_is_compared_with_nothing() {
        let alone = ControlGroup { n: 3, recovered: 1, failed_again: 1, ..ControlGroup::default() };
        assert_eq!(alone.finish(), Some(alone));
        assert_eq!(ControlGroup::default().finish(), None);
    }
}
