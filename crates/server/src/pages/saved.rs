//! What stands on *Trends* about repairs: how long each part of them took, and what they took off people.

use regreen_ledger::{Review, Spread};

use super::words::{count, span};
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
    let none = |says: &str| SavedTile { figure: String::new(), says: says.to_owned() };
    let Some(saved) = review.saved.map(|saved| SavedV1::of(&saved, worth)) else {
        return none("No recovery was tried, so nothing was saved");
    };
    let Some(spared) = saved.failures else {
        return none("It is not known yet what becomes green by itself: the control group has no case");
    };
    let counted = match saved.counted {
        "control-group" => "what would have become green by itself taken off, as the control group shows it",
        _ => "all that healed; there is no control group",
    };
    let newest = match review.complete {
        true => String::new(),
        false => format!(", of the newest {} incidents", count(review.looked_at)),
    };
    let ran = minutes(saved.runner_minutes);
    let failures = format!("{} failures spared ({counted}{newest})", number(&spared));
    let Some(people) = saved.person_minutes else {
        let unsaid = "what one takes a person is not said ([metrics] minutes-per-failure)";
        return none(&format!("{failures}; {unsaid}. Runners ran {ran} for it"));
    };
    let net =
        saved.net_money.map(|net| format!("; in money, that paid: {}", number(&net))).unwrap_or_default();
    let between = match people.low < people.high {
        true => format!(", between {} and {}", minutes(people.low), minutes(people.high)),
        false => String::new(),
    };
    SavedTile {
        figure: minutes(people.value),
        says: format!("of people’s time saved{between}: {failures}. Runners ran {ran} for it{net}"),
    }
}

/// Minutes as a span of time, which may be less than nothing.
fn minutes(minutes: f64) -> String {
    let sign = if minutes < 0.0 { "−" } else { "" };
    format!("{sign}{}", span((minutes.abs() * 60_000.0) as u64))
}

/// A number, with its interval where it has one.
fn number(of: &EstimateV1) -> String {
    let rounded = |value: f64| format!("{value:.1}").replace(".0", "").replace('-', "−");
    match of.low < of.high {
        true => format!("{} ({} to {})", rounded(of.value), rounded(of.low), rounded(of.high)),
        false => rounded(of.value),
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
        let eight = Some(Estimate { value: 8.0, low: 8.0, high: 8.0 });
        for (review, word) in [
            (Review::default(), "No recovery was tried"),
            (reviewed(None, true), "the control group has no case"),
            (
                reviewed(eight, false),
                "8 failures spared (all that healed; there is no control group); what one takes",
            ),
        ] {
            let tile = saved(&review, &Worth::default());
            assert!(tile.figure.is_empty() && tile.says.contains(word), "{}", tile.says);
        }
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
        assert_eq!(tile.figure, "1 h 30 min");
        assert_eq!(
            tile.says,
            "of people’s time saved, between −15 min 0 s and 1 h 45 min: 6 (−1 to 7) failures spared (what would have become \
             green by itself taken off, as the control group shows it). Runners ran 1 min 30 s for it; in money, that paid: 87 \
             (−18 to 102)"
        );
    }
}
