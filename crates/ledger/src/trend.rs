//! How incidents went over the last days, counted from what lists are made of: no record is opened.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::{
    Ledger, LedgerError,
    statistics::{Rate, Spread},
};

/// Most repositories, patterns or playbooks of one list.
const MOST: i64 = 1_000;

/// Figures over a window of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trends {
    /// Days (UTC) on which an incident was opened, oldest first.
    pub days: Vec<DayOf>,
    /// Of the recoveries that were tried: how many healed.
    pub success: Option<Rate>,
    /// Of the recoveries that did not heal: how many were taken back whole.
    pub rollback: Option<Rate>,
    /// Time of a recovery that healed, from the first step to the end of the verification.
    pub recovery: Option<Spread>,
    /// By repository, most incidents first.
    pub repositories: Vec<Group>,
    /// By pattern, most incidents first.
    pub patterns: Vec<Group>,
    /// By playbook, most incidents first.
    pub playbooks: Vec<Group>,
    /// Failures at services, by host, most first.
    pub services: Vec<(String, u64)>,
}

/// A day's figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DayOf {
    /// Days since 1970.
    pub day: i64,
    /// Incidents by id of their class.
    pub classes: BTreeMap<String, u64>,
    /// Of the recoveries that were tried: how many healed.
    pub success: Option<Rate>,
    /// Of the recoveries that did not heal: how many were taken back whole.
    pub rollback: Option<Rate>,
    /// Time of a recovery that healed.
    pub recovery: Option<Spread>,
}

/// Incidents that have something in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What.
    pub name: String,
    /// How many.
    pub incidents: u64,
    /// Of those, healed.
    pub healed: u64,
    /// Of those, tried and not healed.
    pub failed: u64,
}

impl Group {
    /// Of the recoveries that were tried: how many healed.
    pub fn success(&self) -> Option<Rate> {
        Rate::of(self.healed, self.healed.saturating_add(self.failed))
    }
}

#[derive(Default)]
struct Day {
    classes: BTreeMap<String, u64>,
    healed: u64,
    taken_back: u64,
    stuck: u64,
    recoveries: Vec<u64>,
}

impl Ledger {
    /// The figures of the incidents opened from `since` on, in milliseconds since 1970.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn trends(&self, since: i64) -> Result<Trends, LedgerError> {
        let mut db = self.read().await?;
        let mut days: BTreeMap<i64, Day> = BTreeMap::new();
        for (day, class, outcome, count) in counts(&mut db, since).await? {
            let (day, count) = (days.entry(day).or_default(), count.unsigned_abs());
            *day.classes.entry(class.unwrap_or_default()).or_default() += count;
            match outcome.as_deref() {
                Some("healed") => day.healed += count,
                Some("rolled-back") => day.taken_back += count,
                Some("stuck") => day.stuck += count,
                _ => {}
            }
        }
        for (day, took) in recoveries(&mut db, since).await? {
            days.entry(day).or_default().recoveries.push(took.unsigned_abs());
        }
        let sum = |of: fn(&Day) -> u64| days.values().map(of).sum::<u64>();
        let (healed, taken_back, stuck) =
            (sum(|day| day.healed), sum(|day| day.taken_back), sum(|day| day.stuck));
        let all = days.values().flat_map(|day| day.recoveries.iter().copied()).collect();
        let services: Vec<(String, i64)> = sqlx::query_as(
            "SELECT service, count(*) FROM sightings WHERE at >= $1 GROUP BY service ORDER BY 2 DESC, 1 LIMIT $2",
        )
        .bind(since)
        .bind(MOST)
        .fetch_all(&mut *db)
        .await?;
        Ok(Trends {
            success: Rate::of(healed, healed + taken_back + stuck),
            rollback: Rate::of(taken_back, taken_back + stuck),
            recovery: Spread::of(all),
            repositories: groups(&mut db, "repository", since).await?,
            patterns: groups(&mut db, "pattern", since).await?,
            playbooks: groups(&mut db, "playbook", since).await?,
            services: services.into_iter().map(|(host, n)| (host, n.unsigned_abs())).collect(),
            days: days.into_iter().map(|(day, of)| of.finish(day)).collect(),
        })
    }
}

impl Day {
    fn finish(self, day: i64) -> DayOf {
        let failed = self.taken_back + self.stuck;
        DayOf {
            day,
            classes: self.classes,
            success: Rate::of(self.healed, self.healed + failed),
            rollback: Rate::of(self.taken_back, failed),
            recovery: Spread::of(self.recoveries),
        }
    }
}

type Count = (i64, Option<String>, Option<String>, i64);

async fn counts(db: &mut AnyConnection, since: i64) -> Result<Vec<Count>, LedgerError> {
    let sql = "SELECT opened_at / 86400000 AS day, class, outcome, count(*) FROM listed
               WHERE opened_at >= $1 GROUP BY opened_at / 86400000, class, outcome";
    Ok(sqlx::query_as(sql).bind(since).fetch_all(db).await?)
}

async fn recoveries(db: &mut AnyConnection, since: i64) -> Result<Vec<(i64, i64)>, LedgerError> {
    let sql = "SELECT opened_at / 86400000 AS day, recovery_ms FROM listed
               WHERE opened_at >= $1 AND outcome = 'healed' AND recovery_ms IS NOT NULL";
    Ok(sqlx::query_as(sql).bind(since).fetch_all(db).await?)
}

async fn groups(db: &mut AnyConnection, column: &'static str, since: i64) -> Result<Vec<Group>, LedgerError> {
    let sql = format!(
        "SELECT {column}, count(*), count(CASE WHEN outcome = 'healed' THEN 1 END),
                count(CASE WHEN outcome IN ('rolled-back', 'stuck') THEN 1 END)
         FROM listed WHERE opened_at >= $1 AND {column} IS NOT NULL GROUP BY {column} ORDER BY 2 DESC, 1 LIMIT $2"
    );
    let query = sqlx::query_as::<_, (String, i64, i64, i64)>(AssertSqlSafe(sql)).bind(since).bind(MOST);
    let group = |(name, incidents, healed, failed): (String, i64, i64, i64)| Group {
        name,
        incidents: incidents.unsigned_abs(),
        healed: healed.unsigned_abs(),
        failed: failed.unsigned_abs(),
    };
    Ok(query.fetch_all(db).await?.into_iter().map(group).collect())
}
