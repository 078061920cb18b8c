//! What the ledger shows of how well Regreen does: every figure with the number of cases it comes from.

use std::collections::{BTreeMap, HashMap};

use regreen_domain::{FailureClass, Outcome, Verdict};
use sqlx::AnyConnection;

use crate::{
    ControlGroup, Ledger, LedgerError, Repair, Saved,
    recovery::Recoveries,
    shape::Incident,
    statistics::{Rate, Spread, mean},
};

const PAGE: i64 = 256;

/// Figures over a window of time; `None` where there is no data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    /// Incidents that were opened.
    pub incidents: u64,
    /// By id of their class.
    pub by_class: BTreeMap<String, u64>,
    /// By id of their outcome; open ones as `open`.
    pub by_outcome: BTreeMap<String, u64>,
    /// Of those whose class is known from a person, or from a cure that was verified: how many were named right.
    pub accuracy: Option<Rate>,
    /// Of those that were healed, or whose cure was said, and whose class is known: how many were the code's fault.
    pub false_positives: Option<Rate>,
    /// Of the recoveries that were tried: how many healed.
    pub success: Option<Rate>,
    /// Of the recoveries that did not heal: how many were taken back whole.
    pub rollback: Option<Rate>,
    /// Mean time to a diagnosis.
    pub mean_detect_ms: Option<f64>,
    /// Mean time of a recovery that healed, from the first step to the end of the verification.
    pub mean_recovery_ms: Option<f64>,
    /// Time to a diagnosis, of every incident.
    pub detect: Option<Spread>,
    /// Time of a recovery that healed.
    pub recovery: Option<Spread>,
    /// How long it took until what failed was healed (the MTTR), and the parts of that.
    pub repair: Repair,
    /// What healing took off people; `None` where no recovery was tried.
    pub saved: Option<Saved>,
    /// What Regreen added to commands that failed.
    pub overhead: Option<Overhead>,
    /// What was left alone by lot, beside what was not; `None` where nothing was drawn from.
    pub control: Option<ControlGroup>,
}

/// What Regreen added to commands that failed: the time from their end to the decision. A command that passes leaves nothing on
/// record, so what is added to it is not in here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overhead {
    /// Commands that it was measured on.
    pub n: u64,
    /// Added time over these commands' own time.
    pub share: f64,
}

impl Ledger {
    /// The figures of the incidents opened in the last `window` milliseconds, or of all.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn metrics(&self, now: i64, window: Option<i64>) -> Result<Metrics, LedgerError> {
        let since = window.map_or(i64::MIN, |window| now.saturating_sub(window));
        self.figures(since, i64::MAX, now).await
    }

    /// The figures of the incidents opened from `since` on and before `until`.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn metrics_between(&self, since: i64, until: i64) -> Result<Metrics, LedgerError> {
        self.figures(since, until, until).await
    }

    async fn figures(&self, since: i64, until: i64, now: i64) -> Result<Metrics, LedgerError> {
        let mut db = self.read().await?;
        let labels = labels(&mut db).await?;
        let mut tally = Tally { now, ..Tally::default() };
        let (mut at, mut id) = (since, String::new());
        loop {
            let page: Vec<(i64, String, String)> = sqlx::query_as(
                "SELECT opened_at, id, record FROM incidents WHERE (opened_at, id) > ($1, $2) AND opened_at < $3
                 ORDER BY opened_at, id LIMIT $4",
            )
            .bind(at)
            .bind(&id)
            .bind(until)
            .bind(PAGE)
            .fetch_all(&mut *db)
            .await?;
            for (_, id, record) in &page {
                tally.add(&Incident::parse(record)?, labels.get(id).copied());
            }
            match page.into_iter().next_back() {
                Some(last) => (at, id) = (last.0, last.1),
                None => return Ok(tally.finish()),
            }
        }
    }
}

impl Ledger {
    /// The last `limit` days (UTC, as days since 1970) on which an incident was opened, oldest first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn days(&self, limit: u32) -> Result<Vec<i64>, LedgerError> {
        let mut days: Vec<i64> = sqlx::query_scalar(
            "SELECT DISTINCT opened_at / 86400000 AS day FROM incidents ORDER BY day DESC LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        days.reverse();
        Ok(days)
    }
}

/// The newest label of every incident that has one.
pub(crate) async fn labels(db: &mut AnyConnection) -> Result<HashMap<String, FailureClass>, LedgerError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT incident, class FROM feedback ORDER BY at, id").fetch_all(db).await?;
    Ok(rows.into_iter().filter_map(|(id, class)| Some((id, FailureClass::parse(&class)?))).collect())
}

#[derive(Default)]
struct Share {
    hits: u64,
    n: u64,
}

impl Share {
    fn count(&mut self, hit: bool) {
        self.n += 1;
        self.hits += u64::from(hit);
    }
}

#[derive(Default)]
struct Tally {
    now: i64,
    control: ControlGroup,
    metrics: Metrics,
    accuracy: Share,
    false_positives: Share,
    success: Share,
    rollback: Share,
    detect: Vec<u64>,
    recovery: Vec<u64>,
    recoveries: Recoveries,
    overhead: Vec<(u64, u64)>,
}

impl Tally {
    fn add(&mut self, incident: &Incident, label: Option<FailureClass>) {
        let outcome = incident.outcome();
        self.metrics.incidents += 1;
        self.control.add(incident, self.now);
        let wrong = label.is_some_and(|class| class.id() != incident.diagnosis.class);
        self.recoveries.add(&incident.ended(), wrong);
        *self.metrics.by_class.entry(incident.diagnosis.class.clone()).or_default() += 1;
        let ended = incident.outcome.clone().unwrap_or_else(|| incident.state.id().to_owned());
        *self.metrics.by_outcome.entry(ended).or_default() += 1;

        let healed = outcome == Some(Outcome::Healed);
        // A verified cure of a class is as good a witness as a person; a person's word goes before it.
        let known = label.or(healed.then(|| incident.class()));
        if let Some(class) = known {
            self.accuracy.count(class.id() == incident.diagnosis.class);
            let cure_said = incident.decision.as_ref().is_some_and(|d| d.plan.is_some());
            if cure_said && incident.class().verdict() == Verdict::Infrastructure {
                self.false_positives.count(class.verdict() == Verdict::Code);
            }
        }
        if let Some(Outcome::Healed | Outcome::RolledBack | Outcome::Stuck) = outcome {
            self.success.count(healed);
            if !healed {
                self.rollback.count(outcome == Some(Outcome::RolledBack));
            }
        }
        let t = &incident.timings;
        self.detect.extend(t.detect);
        if let (true, Some(act)) = (healed, t.act) {
            self.recovery.push(act.saturating_add(t.verify.unwrap_or(0)));
        }
        self.overhead.extend(t.overhead.zip(t.command));
    }

    fn finish(self) -> Metrics {
        let added: f64 = self.overhead.iter().map(|(added, _)| *added as f64).sum();
        let own: f64 = self.overhead.iter().map(|(_, own)| *own as f64).sum();
        let control = self.control.finish();
        let (repair, saved) = self.recoveries.finish(control.as_ref());
        Metrics {
            accuracy: Rate::of(self.accuracy.hits, self.accuracy.n),
            false_positives: Rate::of(self.false_positives.hits, self.false_positives.n),
            success: Rate::of(self.success.hits, self.success.n),
            rollback: Rate::of(self.rollback.hits, self.rollback.n),
            mean_detect_ms: mean(&self.detect),
            mean_recovery_ms: mean(&self.recovery),
            detect: Spread::of(self.detect),
            recovery: Spread::of(self.recovery),
            repair,
            saved,
            control,
            overhead: (own > 0.0).then(|| Overhead { n: self.overhead.len() as u64, share: added / own }),
            ..self.metrics
        }
    }
}
