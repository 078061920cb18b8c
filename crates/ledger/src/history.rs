//! What was tried before, how it ended and what it cost: what a decision reads.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;

use crate::{
    Ledger, LedgerError,
    shape::{Incident, Place},
};

/// Which incidents are looked back at.
#[derive(Debug, Clone, Copy)]
pub struct RecordsOf<'a> {
    /// Id of the class.
    pub class: &'a str,
    /// The pattern, counted apart.
    pub pattern: Option<&'a str>,
    /// The tool.
    pub tool: Option<&'a str>,
    /// The repository.
    pub repository: Option<&'a str>,
    /// The incident that asks.
    pub except: &'a str,
}

/// How a playbook did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaybookRecord {
    /// Its id.
    pub playbook: String,
    /// Incidents that it healed.
    pub healed: u32,
    /// Incidents that it did not heal.
    pub failed: u32,
    /// Of those with the pattern, healed.
    pub pattern_healed: u32,
    /// Of those with the pattern, not healed.
    pub pattern_failed: u32,
    /// Id of how the latest ended.
    pub last_outcome: String,
    /// When a step of it was last started, in milliseconds since 1970.
    pub last_try: Option<i64>,
}

/// What recovery cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Milliseconds in the day.
    pub ms: u64,
    /// Recoveries that began in the day.
    pub day: u32,
    /// Recoveries that began in the hour.
    pub hour: u32,
}

/// Whose recoveries are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// A repository's.
    Repository(&'a str),
    /// Those of every repository whose name begins with this and a slash.
    Organisation(&'a str),
}

impl Cost {
    fn of((ms, day, hour): (i64, i64, i64)) -> Cost {
        let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        Cost { ms: u64::try_from(ms).unwrap_or(0), day: count(day), hour: count(hour) }
    }
}

/// So many incidents of a repository are looked back at, whatever they are about: each is parsed for that.
const LOOKED_BACK: i64 = 2000;
/// An hour in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1000;
/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// An incident that ended: playbook, outcome, pattern, its record where it was rolled back, when a step was last started, how many labels name
/// another class.
type Ended = (String, String, Option<String>, Option<String>, Option<i64>, i64);

impl Ledger {
    /// How many incidents of this repository, commit and job have acted (a step was started). Without a commit:
    /// of this workspace and job.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn attempts(&self, place: &Place) -> Result<u32, LedgerError> {
        let mut place = place.clone();
        place.scrub(self.scrubber());
        let workspace = place.commit.is_none().then_some(&place.workspace);
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM incidents
             WHERE repository IS NOT DISTINCT FROM $1 AND commit_id IS NOT DISTINCT FROM $2
               AND job IS NOT DISTINCT FROM $3 AND workspace = coalesce($4, workspace)
               AND EXISTS (SELECT 1 FROM facts WHERE facts.incident = incidents.id AND facts.event = 'started')",
        )
        .bind(&place.repository)
        .bind(&place.commit)
        .bind(&place.job)
        .bind(workspace)
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// How playbooks did with this class and tool in this repository, by playbook: of the latest `most` incidents
    /// that acted and ended, among the repository's latest 2000. `except` is the incident that asks.
    ///
    /// A healing of which a person later said that the cause was another one counts as rolled back. One that a signal
    /// called off counts as nothing but a try.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn records(&self, of: &RecordsOf<'_>, most: u32) -> Result<Vec<PlaybookRecord>, LedgerError> {
        // Each of the two by the index.
        let whose = match of.repository {
            Some(_) => "repository = $3",
            None => "repository IS NULL AND CAST($3 AS TEXT) IS NULL",
        };
        let sql = format!(
            "SELECT playbook, outcome, pattern, CASE WHEN outcome = 'rolled-back' THEN record END,
                    (SELECT max(at) FROM facts WHERE facts.incident = incidents.id AND facts.event = 'started'),
                    (SELECT count(*) FROM feedback WHERE feedback.incident = incidents.id AND feedback.class <> incidents.class)
             FROM (SELECT * FROM incidents WHERE id IN
                     (SELECT id FROM listed WHERE {whose} ORDER BY opened_at DESC, id DESC LIMIT $1)) AS incidents
             WHERE class = $2 AND tool IS NOT DISTINCT FROM $4
               AND id <> $5 AND playbook IS NOT NULL AND outcome IN ('healed', 'rolled-back', 'stuck')
               AND EXISTS (SELECT 1 FROM facts WHERE facts.incident = incidents.id AND facts.event = 'started')
             ORDER BY opened_at DESC, id DESC LIMIT $6"
        );
        let rows: Vec<Ended> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(LOOKED_BACK)
            .bind(self.clean(of.class))
            .bind(of.repository.map(|text| self.clean(text)))
            .bind(of.tool.map(|text| self.clean(text)))
            .bind(self.clean(of.except))
            .bind(i64::from(most))
            .fetch_all(&mut *self.read().await?)
            .await?;
        let pattern = of.pattern.map(|text| self.clean(text));
        let mut records: BTreeMap<String, PlaybookRecord> = BTreeMap::new();
        for (playbook, ended, with, rolled_back, started, called_wrong) in rows {
            let outcome =
                if called_wrong > 0 && ended == "healed" { "rolled-back".to_owned() } else { ended };
            let record = records
                .entry(playbook.clone())
                .or_insert_with(|| PlaybookRecord { playbook, ..PlaybookRecord::default() });
            record.last_try = record.last_try.max(started);
            if rolled_back.is_some_and(|record| was_called_off(&record)) {
                continue;
            }
            if record.last_outcome.is_empty() {
                record.last_outcome.clone_from(&outcome);
            }
            let healed = outcome == "healed";
            let same = u32::from(with.is_some() && with.as_deref() == pattern.as_deref());
            if healed {
                record.healed += 1;
                record.pattern_healed += same;
            } else {
                record.failed += 1;
                record.pattern_failed += same;
            }
        }
        Ok(records.into_values().collect())
    }

    /// What recovery cost in this repository: milliseconds between the first and the last fact of each incident since
    /// `day`, and how many began since then and since `hour`. `except` is the incident that asks.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn spent(
        &self,
        repository: Option<&str>,
        except: &str,
        day: i64,
        hour: i64,
    ) -> Result<Cost, LedgerError> {
        let found: (i64, i64, i64) = sqlx::query_as(
            "SELECT CAST(coalesce(sum(took), 0) AS BIGINT), count(*), coalesce(sum(CASE WHEN began >= $1 THEN 1 ELSE 0 END), 0) FROM
               (SELECT max(facts.at) - min(facts.at) AS took, min(facts.at) AS began
                FROM facts JOIN incidents ON incidents.id = facts.incident
                WHERE incidents.opened_at >= $2 AND incidents.repository IS NOT DISTINCT FROM $3 AND incidents.id <> $4
                  AND facts.at >= $5
                GROUP BY facts.incident HAVING sum(CASE WHEN facts.event = 'started' THEN 1 ELSE 0 END) > 0) AS recoveries",
        )
        .bind(hour)
        // No recovery is at work for more than a day; the index on this column keeps old incidents from being read.
        .bind(day.saturating_sub(DAY_MS))
        .bind(repository.map(|text| self.clean(text)))
        .bind(self.clean(except))
        .bind(day)
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok(Cost::of(found))
    }

    /// What recovery beside the fleet cost since `day`, and how many began since then and since `hour`: the time of the jobs that
    /// ran again, where it is known; else, and while they run, the time since the first fact. `except` is the incident that asks.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn ran(
        &self,
        whose: Whose<'_>,
        except: &str,
        (day, hour): (i64, i64),
        now: i64,
    ) -> Result<Cost, LedgerError> {
        let (repository, prefix) = match whose {
            Whose::Repository(name) => (self.clean(name), String::new()),
            Whose::Organisation(name) => (String::new(), format!("{}/", self.clean(name))),
        };
        let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
        let found: (i64, i64, i64) = sqlx::query_as(
            "SELECT CAST(coalesce(sum(took), 0) AS BIGINT), count(*), coalesce(sum(CASE WHEN began >= $1 THEN 1 ELSE 0 END), 0) FROM
               (SELECT CASE WHEN incidents.ran_ms IS NOT NULL THEN incidents.ran_ms
                            WHEN incidents.state = 'open' THEN $8 - min(facts.at)
                            ELSE max(facts.at) - min(facts.at) END AS took,
                       min(facts.at) AS began
                FROM facts JOIN incidents ON incidents.id = facts.incident
                WHERE incidents.opened_at >= $2 AND incidents.owner IS NOT NULL AND incidents.id <> $3 AND facts.at >= $4
                  AND (incidents.repository = $5 OR ($6 <> '' AND substr(incidents.repository, 1, CAST($7 AS INTEGER)) = $6))
                GROUP BY facts.incident, incidents.ran_ms, incidents.state
                HAVING sum(CASE WHEN facts.event = 'started' THEN 1 ELSE 0 END) > 0) AS recoveries",
        )
        .bind(hour)
        // As in `spent`.
        .bind(day.saturating_sub(DAY_MS))
        .bind(self.clean(except))
        .bind(day)
        .bind(repository)
        .bind(prefix)
        .bind(length)
        .bind(now)
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok(Cost::of(found))
    }
}

impl Ledger {
    /// At most `limit` repositories in which something beside the fleet ran again within 24 hours, or on whose behalf a host was
    /// asked in this hour, by name, after this one.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn spenders(
        &self,
        after: Option<&str>,
        limit: u32,
        now: i64,
    ) -> Result<Vec<String>, LedgerError> {
        /// So many are looked through.
        const MOST: usize = 10_000;
        let (day, mut db) = (now.saturating_sub(DAY_MS), self.read().await?);
        let ran: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT DISTINCT repository FROM incidents
             WHERE opened_at >= $1 AND owner IS NOT NULL AND repository IS NOT NULL
               AND EXISTS (SELECT 1 FROM facts WHERE facts.incident = incidents.id AND facts.event = 'started' AND facts.at >= $2)
             LIMIT {MOST}"
        )))
        // As in `ran`.
        .bind(day.saturating_sub(DAY_MS))
        .bind(day)
        .fetch_all(&mut *db)
        .await?;
        let asked: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT DISTINCT repository FROM host_calls
             WHERE hour = $1 AND repository <> '' AND calls > 0 LIMIT {MOST}"
        )))
        .bind(now.div_euclid(HOUR_MS))
        .fetch_all(&mut *db)
        .await?;
        // The engines sort by rules of their own.
        let all: BTreeSet<String> = ran.into_iter().chain(asked).collect();
        let rest = all.into_iter().filter(|name| after.is_none_or(|after| name.as_str() > after));
        Ok(rest.take(usize::try_from(limit).unwrap_or(MOST)).collect())
    }
}

/// Whether a signal that asks for an end (HUP, INT, QUIT, TERM) ended the run, and not the command before it.
fn was_called_off(record: &str) -> bool {
    let Ok(Incident { exit_code, final_exit_code, .. }) = Incident::parse(record) else { return false };
    let by_signal = final_exit_code.is_some_and(|code| [129, 130, 131, 143].contains(&code));
    by_signal && final_exit_code != exit_code
}
