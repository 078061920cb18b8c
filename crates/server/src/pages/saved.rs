//! What stands on *Trends* about repairs: how long each part of them took, and what they took off people.

use regreen_ledger::{Review, Spread};

use super::words::{count, many, span};
use crate::shape::{EstimateV1, SavedV1, Worth};

/// A part of a repair, and how long it took.
pub(super) struct RepairRow {
    pub(super) part: &'static str,
    pub(super) says: &'static str,
    /// How many, half of them within, 95 of 100 within; empty where nothing was measured.
    pub(super) n: String,
    pub(super) p50: String,
    pub(super) p95: String,
}

/// What healing saved.
pub(super) struct SavedTile {
    /// Empty where there is no figure.
    pub(super) figure: String,
    pub(super) says: String,
    /// Each figure that is known, and its name; empty where none is.
    pub(super) parts: Vec<(&'static str, String)>,
    /// By what they were counted.
    pub(super) counted: String,
}

/// Each part of what was healed, and the whole; empty where nothing was.
pub(super) fn repaired(review: &Review) -> Vec<RepairRow> {
    let of = &review.repair;
    let parts = [
        ("Detect", "from the end of the command, or of the run’s jobs, to the diagnosis", of.detect),
        ("Decide", "from the diagnosis to the decision", of.decide),
        ("Act", "the plan’s steps", of.act),
        ("Verify", "the verification; beside the fleet the next attempt", of.verify),
        ("Between", "waiting for a person’s word, a service that was down, or a turn", of.between),
        ("All of it", "from that end until it was known to be healed: the MTTR", of.whole),
    ];
    if parts.iter().all(|(.., spread)| spread.is_none()) {
        return Vec::new();
    }
    let said = |spread: Option<Spread>, of: fn(Spread) -> String| spread.map(of).unwrap_or_default();
    let row = |(part, says, spread): (&'static str, &'static str, Option<Spread>)| RepairRow {
        part,
        says,
        n: said(spread, |of| count(of.n)),
        p50: said(spread, |of| span(of.p50)),
        p95: said(spread, |of| span(of.p95)),
    };
    parts.into_iter().map(row).collect()
}

/// What healing saved, where a failure costs this much.
pub(super) fn saved(review: &Review, worth: &Worth) -> SavedTile {
    let tile = |figure, says: &str| SavedTile {
        figure,
        says: says.to_owned(),
        parts: Vec::new(),
        counted: String::new(),
    };
    let Some(saved) = review.saved.map(|saved| SavedV1::of(&saved, worth)) else {
        return tile(String::new(), "No recovery was tried, so nothing was saved");
    };
    let Some(spared) = saved.failures else {
        let unknown = "It is not known yet what becomes green by itself: there is nothing to compare it with";
        return tile(String::new(), unknown);
    };
    let mut counted = match saved.counted {
        "control-group" => {
            "What would have become green by itself is taken off, as the control group shows it."
        }
        _ => "All that healed is counted: there is no control group.",
    }
    .to_owned();
    if !review.complete {
        counted.push_str(&format!(" Of the newest {}.", many(review.looked_at, "incident")));
    }
    let mut parts = vec![("Failures spared", number(&spared))];
    parts.extend(saved.person_minutes.map(|of| ("People’s time", with(&of, minutes))));
    parts.push(("Runners ran for it", minutes(saved.runner_minutes)));
    if let Some(net) = saved.net_money {
        parts.push(("Money left when the runners are paid, in the operator’s own unit", number(&net)));
    }
    let tile = match saved.person_minutes {
        Some(people) if people.low < people.high => tile(
            minutes(people.value),
            &format!(
                "of people’s time saved, between {} and {} (95 % interval)",
                minutes(people.low),
                minutes(people.high)
            ),
        ),
        Some(people) => tile(minutes(people.value), "of people’s time saved"),
        None => tile(String::new(), "What a failure takes a person is not said: `minutes-per-failure`"),
    };
    SavedTile { parts, counted, ..tile }
}

/// Minutes as a span of time, which may be less than nothing.
fn minutes(minutes: f64) -> String {
    let sign = if minutes < 0.0 { "−" } else { "" };
    format!("{sign}{}", span((minutes.abs() * 60_000.0) as u64))
}

/// A number, with its interval where it has one.
fn number(of: &EstimateV1) -> String {
    with(of, |value| format!("{value:.1}").replace(".0", "").replace('-', "−"))
}

fn with(of: &EstimateV1, say: impl Fn(f64) -> String) -> String {
    match of.low < of.high {
        true => format!("{} ({} to {})", say(of.value), say(of.low), say(of.high)),
        false => say(of.value),
    }
}

#[cfg(test)]
mod tests {
    use regreen_ledger::{Estimate, Saved};

    use super::*;

    fn reviewed(failures: Option<Estimate>, compared: bool) -> Review {
        let saved = Saved { tried: 10, healed: 8, compared, counted_on: 10, failures, ran_ms: 90_000 };
        Review { complete: true, saved: Some(saved), ..Review::default() }
    }

    #[test]
    fn what_is_not_known_is_said_and_has_no_figure() {
        for (review, word) in [
            (Review::default(), "No recovery was tried"),
            (reviewed(None, true), "there is nothing to compare it with"),
        ] {
            let tile = saved(&review, &Worth::default());
            assert!(
                tile.figure.is_empty() && tile.parts.is_empty() && tile.says.contains(word),
                "{}",
                tile.says
            );
        }
        let eight = Some(Estimate { value: 8.0, low: 8.0, high: 8.0 });
        let tile = saved(&reviewed(eight, false), &Worth::default());
        assert!(tile.figure.is_empty() && tile.says.contains("is not said"), "{}", tile.says);
        assert_eq!(
            tile.parts,
            [("Failures spared", "8".to_owned()), ("Runners ran for it", "1 min 30 s".to_owned())]
        );
        assert_eq!(tile.counted, "All that healed is counted: there is no control group.");
        assert!(repaired(&Review::default()).is_empty());
    }

    #[test]
    fn what_was_saved_is_told_with_what_it_was_counted_by() {
        let worth = Worth {
            minutes_per_failure: Some(15.0),
            cost_per_minute: Some(1.0),
            runner_cost_per_minute: Some(2.0),
        };
        let beyond = Some(Estimate { value: 6.0, low: -1.0, high: 7.0 });
        let tile = saved(&reviewed(beyond, true), &worth);
        assert_eq!(
            (tile.figure.as_str(), tile.says.as_str()),
            ("1 h 30 min", "of people’s time saved, between −15 min 0 s and 1 h 45 min (95 % interval)")
        );
        let parts: Vec<String> =
            tile.parts.iter().map(|(what, how_much)| format!("{what}: {how_much}")).collect();
        assert_eq!(
            parts,
            [
                "Failures spared: 6 (−1 to 7)",
                "People’s time: 1 h 30 min (−15 min 0 s to 1 h 45 min)",
                "Runners ran for it: 1 min 30 s",
                "Money left when the runners are paid, in the operator’s own unit: 87 (−18 to 102)",
            ]
        );
        assert!(tile.counted.starts_with("What would have become green by itself is taken off"));
    }
}
