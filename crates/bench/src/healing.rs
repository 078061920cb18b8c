//! How well failures are healed: runs of scenarios in, figures by cause and by arm out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Rate;

/// One arm's run of one scenario. The shape is stored: fields may be added, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Healing {
    /// The scenario.
    pub scenario: String,
    /// Whose project it is.
    pub tool: String,
    /// The class that the fault is of.
    pub cause: String,
    /// Whether it can be healed; a control must be left alone.
    pub healable: bool,
    /// Who was let at it: `bare`, `retry`, `tool-retries` or `regreen`.
    pub arm: String,
    /// Whether it ended green.
    pub green: bool,
    /// From the start of the command to the end of the arm, pauses included, in milliseconds.
    pub ms: u64,
    /// How often the wrapped command was run.
    pub calls: u64,
    /// Whether something was done that must not be: a control that was run again or changed, or any file changed but
    /// the lockfile.
    pub touched: bool,
    /// Packages whose version in the lockfile is not the one before the damage.
    pub versions_changed: u64,
    /// For Regreen: what is not as it must be, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
}

/// Regreen's figures for one cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CauseFigures {
    /// The class.
    pub cause: String,
    /// Healable scenarios that were healed.
    pub healed: Rate,
    /// Milliseconds from the start of the command to green, of those that were healed.
    pub recovery: Option<Times>,
    /// Controls and healable ones in which something was done that must not be.
    pub touched: Rate,
    /// Packages whose version changed.
    pub versions_changed: u64,
}

/// The middle and the end of a row of times, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Times {
    /// The median.
    pub median: u64,
    /// The 95th percentile: the least time that 95 % don't exceed.
    pub p95: u64,
}

impl Times {
    /// Of these; `None` of none. Nearest rank.
    pub fn of(times: impl IntoIterator<Item = u64>) -> Option<Times> {
        let mut times: Vec<u64> = times.into_iter().collect();
        times.sort_unstable();
        let rank =
            |per_cent: usize| times.get((times.len() * per_cent).div_ceil(100).saturating_sub(1)).copied();
        Some(Times { median: rank(50)?, p95: rank(95)? })
    }
}

/// One arm over the scenarios at which all arms were let.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmFigures {
    /// Its id.
    pub arm: String,
    /// Healable ones that ended green.
    pub healed: Rate,
    /// Milliseconds to green, of those.
    pub recovery: Option<Times>,
    /// Scenarios in which something was done that must not be.
    pub touched: Rate,
}

/// A scenario that another arm healed too, and the faster of them by more than the limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slower {
    /// The scenario.
    pub scenario: String,
    /// The fastest other arm that healed it.
    pub arm: String,
    /// Its time in milliseconds.
    pub ms: u64,
    /// Regreen's, `None` where it did not heal.
    pub regreen_ms: Option<u64>,
}

/// Everything that is told of a run of the benchmark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealingFigures {
    /// Scenarios that Regreen was let at.
    pub scenarios: u32,
    /// Tools that they are of.
    pub tools: Vec<String>,
    /// By cause, and at the end of all.
    pub causes: Vec<CauseFigures>,
    /// By arm, over the compared scenarios; empty where there are none.
    pub arms: Vec<ArmFigures>,
    /// Compared scenarios.
    pub compared: u32,
    /// Where Regreen is more than [`HealingFigures::LIMIT_MS`] behind.
    pub slower: Vec<Slower>,
    /// Scenarios in which Regreen did not do what it must, and what that is.
    pub wrong: Vec<(String, String)>,
}

/// Regreen's arm.
const REGREEN: &str = "regreen";
/// The arms, as they are shown.
const ARMS: [&str; 4] = ["bare", "retry", "tool-retries", REGREEN];

impl HealingFigures {
    /// How far Regreen may be behind the fastest arm that heals, in milliseconds.
    pub const LIMIT_MS: u64 = 2000;

    /// The figures of these runs.
    pub fn of(runs: &[Healing]) -> HealingFigures {
        let ours: Vec<&Healing> = runs.iter().filter(|run| run.arm == REGREEN).collect();
        let mut by_cause: BTreeMap<&str, Vec<&Healing>> = BTreeMap::new();
        for &run in &ours {
            by_cause.entry(run.cause.as_str()).or_default().push(run);
        }
        let mut causes: Vec<CauseFigures> =
            by_cause.iter().map(|(cause, runs)| CauseFigures::of(cause, runs)).collect();
        causes.push(CauseFigures::of("all", &ours));
        // Compared are those at which every arm was let.
        let mut arms_of: BTreeMap<&str, BTreeMap<&str, &Healing>> = BTreeMap::new();
        for run in runs {
            arms_of.entry(run.scenario.as_str()).or_default().insert(run.arm.as_str(), run);
        }
        arms_of.retain(|_, arms| ARMS.iter().all(|arm| arms.contains_key(arm)));
        let arms = ARMS.iter().filter(|_| !arms_of.is_empty()).map(|arm| {
            let runs: Vec<&Healing> = arms_of.values().map(|arms| arms[arm]).collect();
            let CauseFigures { healed, recovery, touched, .. } = CauseFigures::of(arm, &runs);
            ArmFigures { arm: (*arm).to_owned(), healed, recovery, touched }
        });
        let tools: BTreeSet<&str> = ours.iter().map(|run| run.tool.as_str()).collect();
        HealingFigures {
            scenarios: u32::try_from(ours.len()).unwrap_or(u32::MAX),
            tools: tools.into_iter().map(str::to_owned).collect(),
            causes,
            arms: arms.collect(),
            compared: u32::try_from(arms_of.len()).unwrap_or(u32::MAX),
            slower: arms_of.values().filter_map(slower).collect(),
            wrong: ours.iter().filter_map(|run| Some((run.scenario.clone(), run.wrong.clone()?))).collect(),
        }
    }

    /// Whether everything is as it must be: nothing wrong, nothing touched, no version changed.
    pub fn holds(&self) -> bool {
        let all = self.causes.last();
        self.wrong.is_empty() && all.is_none_or(|all| all.touched.hits == 0 && all.versions_changed == 0)
    }
}

impl CauseFigures {
    fn of(cause: &str, runs: &[&Healing]) -> CauseFigures {
        CauseFigures {
            cause: cause.to_owned(),
            healed: Rate::count(runs, |run| run.healable.then_some(run.green)),
            recovery: Times::of(runs.iter().filter(|run| run.healable && run.green).map(|run| run.ms)),
            touched: Rate::count(runs, |run| Some(run.touched)),
            versions_changed: runs.iter().map(|run| run.versions_changed).sum(),
        }
    }
}

fn slower(arms: &BTreeMap<&str, &Healing>) -> Option<Slower> {
    let regreen = arms.get(REGREEN)?;
    let other = arms
        .values()
        .filter(|run| run.arm != REGREEN && run.healable && run.green && !run.touched)
        .min_by_key(|run| run.ms)?;
    let regreen_ms = regreen.green.then_some(regreen.ms);
    let behind = regreen_ms.is_none_or(|ms| ms > other.ms + HealingFigures::LIMIT_MS);
    behind.then(|| Slower {
        scenario: regreen.scenario.clone(),
        arm: other.arm.clone(),
        ms: other.ms,
        regreen_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(scenario: &str, arm: &str, healable: bool, green: bool, ms: u64) -> Healing {
        Healing {
            scenario: scenario.to_owned(),
            tool: "npm".to_owned(),
            cause: "network-timeout".to_owned(),
            healable,
            arm: arm.to_owned(),
            green,
            ms,
            calls: 1,
            touched: !healable && green,
            versions_changed: 0,
            wrong: None,
        }
    }

    #[test]
    fn times_are_nearest_ranks() {
        assert_eq!(Times::of([]), None);
        assert_eq!(Times::of([7]), Some(Times { median: 7, p95: 7 }));
        assert_eq!(Times::of(1..=100), Some(Times { median: 50, p95: 95 }));
        assert_eq!(Times::of([3, 1, 2]), Some(Times { median: 2, p95: 3 }));
    }

    #[test]
    fn an_arm_that_heals_what_regreen_does_not_is_told_and_so_is_one_that_is_much_faster() {
        let mut runs = Vec::new();
        for (scenario, ours, ms, theirs) in
            [("a", true, 900, 1000), ("b", true, 3500, 1000), ("c", false, 900, 1000)]
        {
            runs.push(run(scenario, "bare", true, false, 500));
            runs.push(run(scenario, "retry", true, true, theirs));
            runs.push(run(scenario, "tool-retries", true, false, 500));
            runs.push(run(scenario, "regreen", true, ours, ms));
        }
        let figures = HealingFigures::of(&runs);
        let told: Vec<(&str, Option<u64>)> =
            figures.slower.iter().map(|slower| (slower.scenario.as_str(), slower.regreen_ms)).collect();
        assert_eq!(told, [("b", Some(3500)), ("c", None)]);
        assert_eq!(figures.arms.len(), 4);
        assert_eq!(figures.arms[1].healed, Rate { hits: 3, n: 3 });
        assert_eq!(figures.causes[0].healed, Rate { hits: 2, n: 3 });
    }

    #[test]
    fn a_control_that_ends_green_was_touched_and_a_scenario_without_all_arms_is_not_compared() {
        let runs = [run("a", "regreen", false, true, 1), run("a", "bare", false, false, 1)];
        let figures = HealingFigures::of(&runs);
        assert_eq!((figures.compared, figures.arms.len()), (0, 0));
        assert_eq!(figures.causes[0].touched, Rate { hits: 1, n: 1 });
        assert!(!figures.holds());
    }
}
