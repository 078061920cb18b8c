//! Version 1 of the shape of what healing saved. What a failure costs a person is the operator's word; without it there is no
//! figure, and what is counted is shown all the same.

use regreen_ledger::{Estimate, Saved};
use serde::Serialize;
use utoipa::ToSchema;

/// What a failure costs, as the operator says; `None` where nothing was said.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Worth {
    /// Minutes that a person is busy with a failure which is nobody's fault.
    pub minutes_per_failure: Option<f64>,
    /// What a minute of a person costs.
    pub cost_per_minute: Option<f64>,
    /// What a minute of a runner costs.
    pub runner_cost_per_minute: Option<f64>,
}

/// What healing took off people, and what it ran for that
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = Saved)]
pub struct SavedV1 {
    /// Recoveries that were tried
    pub tried: u64,
    /// Of those, healed
    pub healed: u64,
    /// `control-group` where what would have become green by itself is taken off, as the control group shows it; else `healed`:
    /// all that healed is counted
    pub counted: &'static str,
    /// Of those tried, the ones on which `failures` is counted: beside a control group only what it was drawn from, else all
    pub counted_on: u64,
    /// Failures that no person had to see to; null where the control group, or what it is compared with, has no case yet
    pub failures: Option<EstimateV1>,
    /// Minutes of people, at the minutes for each failure that the operator's configuration says; null where it says none
    pub person_minutes: Option<EstimateV1>,
    /// Minutes that machines ran for all that was tried
    pub runner_minutes: f64,
    /// What those minutes of people cost
    pub person_money: Option<EstimateV1>,
    /// What those minutes of machines cost
    pub runner_money: Option<f64>,
    /// The one less the other; null where either is not known
    pub net_money: Option<EstimateV1>,
}

/// A number with its 95 % interval
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = Estimate)]
pub struct EstimateV1 {
    /// The number
    pub value: f64,
    /// Lower end of the interval
    pub low: f64,
    /// Upper end of the interval
    pub high: f64,
}

impl From<Estimate> for EstimateV1 {
    fn from(e: Estimate) -> EstimateV1 {
        EstimateV1 { value: e.value, low: e.low, high: e.high }
    }
}

impl SavedV1 {
    /// Of what was counted, where a failure costs this much.
    pub fn of(saved: &Saved, worth: &Worth) -> SavedV1 {
        let minutes = saved.failures.zip(worth.minutes_per_failure).map(|(n, each)| n.times(each));
        let money = minutes.zip(worth.cost_per_minute).map(|(minutes, each)| minutes.times(each));
        let ran = saved.ran_ms as f64 / 60_000.0;
        let spent = worth.runner_cost_per_minute.map(|each| ran * each);
        SavedV1 {
            tried: saved.tried,
            healed: saved.healed,
            counted: if saved.compared { "control-group" } else { "healed" },
            counted_on: saved.counted_on,
            failures: saved.failures.map(EstimateV1::from),
            person_minutes: minutes.map(EstimateV1::from),
            runner_minutes: ran,
            person_money: money.map(EstimateV1::from),
            runner_money: spent,
            net_money: money.zip(spent).map(|(money, spent)| money.less(spent).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: Saved = Saved {
        tried: 10,
        healed: 8,
        compared: true,
        counted_on: 10,
        failures: Some(Estimate { value: 6.0, low: 4.0, high: 7.0 }),
        ran_ms: 20 * 60_000,
    };

    #[test]
    fn what_nobody_said_a_failure_costs_saves_nothing_that_could_be_told() {
        let shown = SavedV1::of(&SAVED, &Worth::default());
        assert_eq!((shown.person_minutes, shown.person_money, shown.net_money), (None, None, None));
        assert_eq!((shown.runner_money, shown.runner_minutes), (None, 20.0));
        assert_eq!(shown.failures.map(|n| n.value), Some(6.0), "what was counted is told");
    }

    #[test]
    fn what_was_saved_is_what_is_left_when_the_runners_are_paid() {
        let worth = Worth {
            minutes_per_failure: Some(15.0),
            cost_per_minute: Some(2.0),
            runner_cost_per_minute: Some(0.5),
        };
        let shown = SavedV1::of(&SAVED, &worth);
        let ends = |e: Option<EstimateV1>| e.map(|e| (e.low, e.value, e.high));
        assert_eq!(ends(shown.person_minutes), Some((60.0, 90.0, 105.0)));
        assert_eq!(ends(shown.person_money), Some((120.0, 180.0, 210.0)));
        assert_eq!((shown.runner_money, ends(shown.net_money)), (Some(10.0), Some((110.0, 170.0, 200.0))));
        let half = Worth { runner_cost_per_minute: None, ..worth };
        assert_eq!(SavedV1::of(&SAVED, &half).net_money, None, "nobody said what the runners cost");
    }
}
