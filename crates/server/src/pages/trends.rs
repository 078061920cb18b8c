//! *Trends*: how it went over the last days. Every figure with the number of cases it comes from; what has none says so.

use std::{collections::BTreeMap, time::Duration};

use askama::Template;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Response, Uri, header},
};
use regreen_ledger::{DayOf, Group, LedgerError, Review, Trends};
use tokio::{select, time::sleep};

use super::{
    House, Shared,
    answer::{Failed, Frame, page as answer},
    chart::{Column, Point, columns, nice, points},
    params::{Params, link},
    reader::Reader,
    review::{Brought, Calibration, ChangeRow, brought, calibrated, changed},
    saved::{RepairRow, SavedTile, repaired, saved},
    words::{DAY, When, count, day, percent, plain, shown, span},
};
use crate::{
    fresh::{Counted, Fresh, Terms},
    shape::Worth,
};

/// Days that can be looked back.
const WINDOWS: [i64; 3] = [7, 30, 90];
/// Classes that have a colour of their own.
const COLOURED: usize = 4;
/// Longest list of the worst.
const WORST: usize = 8;

/// Where there is a count, however old, nobody waits long: the page says when it was counted.
pub(super) const TERMS: Terms = Terms {
    kept: 30_000,
    shown: 600_000,
    patience: Duration::from_secs(2),
    oldest: 24 * 3_600_000,
    at_most: Duration::from_secs(60),
};

/// Figures by days looked back, in the order of [`WINDOWS`].
#[derive(Default)]
pub(super) struct Windows {
    trends: [Fresh<Trends>; WINDOWS.len()],
    reviews: [Fresh<Review>; WINDOWS.len()],
}

#[derive(Template)]
#[template(path = "trends.html")]
struct TrendsPage {
    frame: Frame,
    windows: Vec<(i64, bool)>,
    window: i64,
    incidents: String,
    success: Option<Share>,
    rollback: Option<Share>,
    recovery: Option<(String, String, String)>,
    classes: Vec<String>,
    by_class: String,
    by_success: String,
    by_recovery: String,
    /// Behind each chart: its figures, the newest day first.
    class_days: Vec<(String, Vec<(String, String)>)>,
    success_days: Vec<DayRow>,
    rollback_days: Vec<DayRow>,
    recovery_days: Vec<DayRow>,
    repositories: Vec<GroupRow>,
    patterns: Vec<GroupRow>,
    services: Vec<GroupRow>,
    changes: Vec<ChangeRow>,
    /// Whether the window is long enough for a change to be seen.
    sees_changes: bool,
    calibration: Calibration,
    brought: Option<Brought>,
    repair: Vec<RepairRow>,
    /// How many incidents those come from, where they are not all.
    looked_at: Option<String>,
    saved: SavedTile,
    counted: When,
}

/// Until there are figures.
#[derive(Template)]
#[template(path = "counting.html")]
struct CountingPage {
    frame: Frame,
    windows: Vec<(i64, bool)>,
    window: i64,
}

pub(super) struct Share {
    pub(super) share: u8,
    pub(super) low: u8,
    pub(super) high: u8,
    pub(super) hits: String,
    pub(super) n: String,
}

/// A day's figure, what it lies between, and what it was measured on.
struct DayRow {
    day: String,
    figure: String,
    range: String,
    n: String,
}

struct GroupRow {
    name: String,
    href: String,
    incidents: String,
    /// In percent of the longest.
    length: u64,
    success: String,
}

impl House {
    /// The figures of the last days, and when they were counted; counted anew where they are too old.
    pub(super) async fn trends(&self, days: i64) -> Result<Counted<Trends>, LedgerError> {
        let (now, [fresh, ..]) = (self.now(), &self.trends.trends);
        let fresh = place(days).and_then(|at| self.trends.trends.get(at)).unwrap_or(fresh);
        let ledger = self.ledger().clone();
        fresh.get(now, &TERMS, async move { ledger.trends(begin(now, days)).await }).await
    }

    /// What the newest incidents of the last days show; looked at anew where that is too old.
    async fn review(&self, days: i64) -> Result<Counted<Review>, LedgerError> {
        let (now, [fresh, ..]) = (self.now(), &self.trends.reviews);
        let fresh = place(days).and_then(|at| self.trends.reviews.get(at)).unwrap_or(fresh);
        let ledger = self.ledger().clone();
        fresh.get(now, &TERMS, async move { ledger.review(begin(now, days), now).await }).await
    }
}

fn place(days: i64) -> Option<usize> {
    WINDOWS.iter().position(|known| *known == days)
}

/// Whole days, so that the first one is no shorter than the others.
fn begin(now: i64, days: i64) -> i64 {
    (now.div_euclid(DAY) + 1 - days) * DAY
}

/// The page.
pub(super) async fn page(State(house): Shared, reader: Reader, uri: Uri) -> Result<Response<Body>, Failed> {
    let params = Params::of(&uri);
    let window = match params.get("days") {
        None => 30,
        Some(text) => {
            let known = text.parse().ok().filter(|days| WINDOWS.contains(days));
            known.ok_or_else(|| Failed::NotUnderstood("Days are 7, 30 or 90.".to_owned()))?
        }
    };
    let frame = Frame::new(&reader, "/trends", "");
    // Both begin at once, and each is counted to its end, whoever waits.
    let counted = async { tokio::join!(house.trends(window), house.review(window)) };
    let patience = house.pages.settings.patience;
    let waited = async {
        // A sleep of nothing lasts until the next tick, and until then something may have been counted.
        if !patience.is_zero() {
            sleep(patience).await;
        }
    };
    let counted = select! {
        biased;
        counted = counted => Some(counted),
        () = waited => None,
    };
    match counted {
        Some((trends, review)) => {
            let (at, trends) = trends.map_err(|e| house.failed(&e))?;
            let (reviewed, review) = review.map_err(|e| house.failed(&e))?;
            // Of two counts the older one.
            let seen = Seen { now: house.now(), counted: at.min(reviewed), worth: house.pages.worth };
            answer(&look(&trends, &review, window, &seen, frame))
        }
        None => {
            let mut page = answer(&CountingPage { frame, windows: windows(window), window })?;
            page.headers_mut().insert(header::REFRESH, HeaderValue::from_static("1"));
            Ok(page)
        }
    }
}

fn windows(window: i64) -> Vec<(i64, bool)> {
    WINDOWS.into_iter().map(|days| (days, days == window)).collect()
}

/// When it is looked at.
struct Seen {
    now: i64,
    /// When it was counted.
    counted: i64,
    worth: Worth,
}

fn look(trends: &Trends, review: &Review, window: i64, seen: &Seen, frame: Frame) -> TrendsPage {
    let today = seen.now.div_euclid(DAY);
    let empty = DayOf::default();
    let by_day: BTreeMap<i64, &DayOf> = trends.days.iter().map(|of| (of.day, of)).collect();
    let days: Vec<(i64, &DayOf)> =
        (today + 1 - window..=today).map(|day| (day, *by_day.get(&day).unwrap_or(&&empty))).collect();
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (class, n) in trends.days.iter().flat_map(|of| &of.classes) {
        *totals.entry(class).or_default() += n;
    }
    let all: u64 = totals.values().sum();
    let mut ranked: Vec<(&str, u64)> = totals.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let named: Vec<&str> = ranked.iter().take(COLOURED).map(|(class, _)| *class).collect();
    let counts = |of: &DayOf| -> Vec<u64> {
        let known: Vec<u64> =
            named.iter().map(|class| of.classes.get(*class).copied().unwrap_or(0)).collect();
        let rest = of.classes.values().sum::<u64>() - known.iter().sum::<u64>();
        known.into_iter().chain([rest]).collect()
    };
    let mut classes: Vec<String> = named.iter().map(|class| plain(class)).collect();
    classes.push("others".to_owned());
    let longest = days.iter().filter_map(|(_, of)| of.recovery).map(|r| r.p95).max().unwrap_or(1);
    let column = |(at, of): &(i64, &DayOf)| {
        let parts = counts(of);
        let said =
            parts.iter().zip(&classes).filter(|(n, _)| **n > 0).map(|(n, class)| format!("{n} {class}"));
        let says = format!("{}: {}", day(*at), said.collect::<Vec<_>>().join(", "));
        Column { name: day(*at), parts, says }
    };
    let success = |(at, of): &(i64, &DayOf)| Point {
        name: day(*at),
        at: of.success.map(|rate| (rate.low, rate.share, rate.high)),
        says: format!("{}: {}", day(*at), rate(of.success)),
    };
    let recovery = |(at, of): &(i64, &DayOf)| Point {
        name: day(*at),
        at: of.recovery.map(|r| (r.p50 as f64, r.p50 as f64, r.p95 as f64)),
        says: format!("{}: {}", day(*at), took(of)),
    };
    let class_row = |(at, of): &(i64, &DayOf)| {
        (day(*at), classes.iter().cloned().zip(counts(of).into_iter().map(count)).collect())
    };
    let class_days =
        days.iter().rev().filter(|(_, of)| !of.classes.is_empty()).map(class_row).collect::<Vec<_>>();
    let success_row = |(at, of): &(i64, &DayOf)| share_row(*at, of.success);
    let rollback_row = |(at, of): &(i64, &DayOf)| share_row(*at, of.rollback);
    let recovery_row = |(at, of): &(i64, &DayOf)| {
        let of = of.recovery?;
        Some(DayRow { day: day(*at), figure: span(of.p50), range: span(of.p95), n: count(of.n) })
    };
    let changes = changed(&days, &named);
    let mark = |row: &ChangeRow| {
        let at = days.iter().position(|(day, _)| *day == row.at)?;
        Some((at, format!("{}, from {} on: {}, before {}", row.what, row.day, row.after, row.before)))
    };
    let marks: Vec<(usize, String)> = changes.iter().filter_map(mark).collect();
    let drawn = |svg: String, is_known: bool| if is_known { svg } else { String::new() };
    let seconds = |ms: f64| span(ms as u64).replace(" min 0 s", " min").replace("0 ms", "0");
    TrendsPage {
        frame,
        windows: windows(window),
        window,
        incidents: count(all),
        success: trends.success.map(share),
        rollback: trends.rollback.map(share),
        recovery: trends.recovery.map(|r| (span(r.p50), span(r.p95), count(r.n))),
        by_class: drawn(
            columns("Incidents by day and class", &days.iter().map(column).collect::<Vec<_>>(), &marks),
            all > 0,
        ),
        by_success: drawn(
            points(
                "Share of recoveries that healed, by day",
                &days.iter().map(success).collect::<Vec<_>>(),
                1.0,
                |v| format!("{:.0} %", v * 100.0),
            ),
            trends.success.is_some(),
        ),
        by_recovery: drawn(
            points(
                "Time to recover, by day",
                &days.iter().map(recovery).collect::<Vec<_>>(),
                top(longest),
                seconds,
            ),
            trends.recovery.is_some(),
        ),
        class_days,
        success_days: days.iter().rev().filter_map(success_row).collect(),
        rollback_days: days.iter().rev().filter_map(rollback_row).collect(),
        recovery_days: days.iter().rev().filter_map(recovery_row).collect(),
        classes,
        changes,
        sees_changes: window >= 14,
        calibration: calibrated(review),
        brought: brought(review.control.as_ref()),
        repair: repaired(review),
        looked_at: (!review.complete).then(|| count(review.looked_at)),
        saved: saved(review, &seen.worth),
        counted: When::new(seen.counted, seen.now),
        repositories: rows(&trends.repositories, "repository"),
        patterns: rows(&trends.patterns, "pattern"),
        services: services(&trends.services),
    }
}

/// A round number of minutes or seconds, in milliseconds.
fn top(longest: u64) -> f64 {
    let unit = if longest > 120_000 { 60_000.0 } else { 1_000.0 };
    nice(longest as f64 / unit) * unit
}

/// A share with its interval.
pub(super) fn share(rate: regreen_ledger::Rate) -> Share {
    Share {
        share: percent(rate.share),
        low: percent(rate.low),
        high: percent(rate.high),
        hits: count(rate.hits),
        n: count(rate.n),
    }
}

/// A share in a few words.
pub(super) fn rate(rate: Option<regreen_ledger::Rate>) -> String {
    rate.map_or_else(
        || "none tried".to_owned(),
        |rate| format!("{} % ({} of {})", percent(rate.share), count(rate.hits), count(rate.n)),
    )
}

/// A day's share with its interval; `None` where it has no case.
fn share_row(at: i64, of: Option<regreen_ledger::Rate>) -> Option<DayRow> {
    let of = of?;
    let range = format!("{} to {} %", percent(of.low), percent(of.high));
    Some(DayRow { day: day(at), figure: rate(Some(of)), range, n: String::new() })
}

fn took(of: &DayOf) -> String {
    of.recovery.map_or_else(|| "none".to_owned(), |r| format!("{}, 95 % within {}", span(r.p50), span(r.p95)))
}

fn rows(groups: &[Group], name: &'static str) -> Vec<GroupRow> {
    let longest = groups.first().map_or(1, |group| group.incidents.max(1));
    let row = |group: &Group| GroupRow {
        name: shown(&group.name),
        href: link("/incidents", &[(name, &group.name)]),
        incidents: count(group.incidents),
        length: (group.incidents * 100).div_ceil(longest),
        success: group.success().map_or_else(
            || "none tried".to_owned(),
            |rate| format!("{} % of {}", percent(rate.share), count(rate.n)),
        ),
    };
    groups.iter().take(WORST).map(row).collect()
}

fn services(services: &[(String, u64)]) -> Vec<GroupRow> {
    let longest = services.first().map_or(1, |(_, n)| (*n).max(1));
    let row = |(host, n): &(String, u64)| GroupRow {
        name: shown(host),
        href: "/services".to_owned(),
        incidents: count(*n),
        length: (n * 100).div_ceil(longest),
        success: String::new(),
    };
    services.iter().take(WORST).map(row).collect()
}
