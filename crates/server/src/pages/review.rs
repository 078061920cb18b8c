//! What stands below the charts of *Trends*: how right Regreen was by how sure it was, what healing brought, and from which
//! day on something is otherwise.

use regreen_ledger::{ControlGroup, DayOf, Review};

use super::{
    change::{Change, Kind, Of, changes},
    chart::{Sure, calibration},
    words::{count, day, percent, plain},
};

/// How right, by how sure.
pub(super) struct Calibration {
    /// Empty where nothing is known.
    pub(super) chart: String,
    pub(super) steps: Vec<StepRow>,
    /// Cases, and how many of them are known from people.
    pub(super) cases: String,
    pub(super) by_people: String,
    /// How many incidents were looked at, where those are not all.
    pub(super) looked_at: Option<String>,
}

/// A step of confidence.
pub(super) struct StepRow {
    pub(super) from: String,
    pub(super) sure: u8,
    pub(super) right: String,
    pub(super) between: String,
    pub(super) by_people: String,
}

/// What healing brought.
pub(super) struct Brought {
    /// In points of a hundred; `None` where one side has no case.
    pub(super) lift: Option<(String, String, String)>,
    pub(super) treated: String,
    pub(super) healed: String,
    pub(super) alone: String,
    pub(super) recovered: String,
    pub(super) failed_again: String,
    pub(super) not_seen: String,
}

/// From a day on it is otherwise.
pub(super) struct ChangeRow {
    /// Days since 1970.
    pub(super) at: i64,
    pub(super) day: String,
    pub(super) what: String,
    pub(super) before: String,
    pub(super) after: String,
}

pub(super) fn calibrated(review: &Review) -> Calibration {
    let n: u64 = review.calibration.iter().map(|step| step.right.n).sum();
    let by_people: u64 = review.calibration.iter().map(|step| step.by_people).sum();
    let shown = |step: &regreen_ledger::Step| Sure {
        sure: step.sure,
        right: (step.right.low, step.right.share, step.right.high),
        says: format!(
            "{} % sure: right in {} of {}",
            percent(step.sure),
            count(step.right.hits),
            count(step.right.n)
        ),
    };
    let row = |step: &regreen_ledger::Step| StepRow {
        from: format!("{} to {} %", percent(step.from), percent(step.from + 0.1)),
        sure: percent(step.sure),
        right: format!(
            "{} % ({} of {})",
            percent(step.right.share),
            count(step.right.hits),
            count(step.right.n)
        ),
        between: format!("{} to {} %", percent(step.right.low), percent(step.right.high)),
        by_people: count(step.by_people),
    };
    let points: Vec<Sure> = review.calibration.iter().map(shown).collect();
    let label = "Share of diagnoses that were right, by how sure Regreen was";
    Calibration {
        chart: if points.is_empty() { String::new() } else { calibration(label, &points) },
        steps: review.calibration.iter().map(row).collect(),
        cases: count(n),
        by_people: count(by_people),
        looked_at: (!review.complete).then(|| count(review.looked_at)),
    }
}

pub(super) fn brought(control: Option<&ControlGroup>) -> Option<Brought> {
    let group = control?;
    let points = |share: f64| format!("{:+.1}", share * 100.0).replace('-', "−");
    Some(Brought {
        lift: group.lift.map(|lift| (points(lift.value), points(lift.low), points(lift.high))),
        treated: count(group.treated),
        healed: count(group.healed),
        alone: count(group.n),
        recovered: count(group.recovered),
        failed_again: count(group.failed_again),
        not_seen: count(group.not_seen),
    })
}

/// The changes of all incidents, of each of the named classes, and of the share that healed; first to last.
pub(super) fn changed(days: &[(i64, &DayOf)], classes: &[&str]) -> Vec<ChangeRow> {
    let counted = |of: &dyn Fn(&DayOf) -> u64| -> Vec<Of> {
        days.iter().map(|(_, day)| Of { hits: of(day) as f64, n: 1.0 }).collect()
    };
    let row = |what: &str, change: Change, says: &dyn Fn(f64) -> String| {
        let at = days.get(change.at).map_or(0, |(day, _)| *day);
        let (before, after) = (says(change.before), says(change.after));
        ChangeRow { at, day: day(at), what: what.to_owned(), before, after }
    };
    let a_day = |mean: f64| format!("{mean:.1} a day");
    let mut rows = Vec::new();
    let all = counted(&|day| day.classes.values().sum());
    rows.extend(changes(&all, Kind::Count).into_iter().map(|c| row("All incidents", c, &a_day)));
    for class in classes {
        let series = counted(&|day| day.classes.get(*class).copied().unwrap_or(0));
        rows.extend(changes(&series, Kind::Count).into_iter().map(|c| row(&plain(class), c, &a_day)));
    }
    let healed = |(_, day): &(i64, &DayOf)| {
        let rate = day.success.map_or((0, 0), |rate| (rate.hits, rate.n));
        Of { hits: rate.0 as f64, n: rate.1 as f64 }
    };
    let healed: Vec<Of> = days.iter().map(healed).collect();
    let share = |share: f64| format!("{} %", percent(share));
    let shares = changes(&healed, Kind::Share).into_iter();
    rows.extend(shares.map(|c| row("Recoveries that healed", c, &share)));
    rows.sort_by_key(|row| row.at);
    rows
}
