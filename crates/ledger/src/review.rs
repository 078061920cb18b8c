//! How right Regreen was by how sure it was, what healing brought and saved, and how long repairs took: from the newest records
//! of a window.
//!
//! None of it is in a column, so records are read; a bounded number of them, so that a long ledger costs no more.

use regreen_domain::{FailureClass, Outcome};
use serde::Deserialize;
use sqlx::AnyConnection;

use crate::{
    ControlGroup, Ledger, LedgerError, Repair, Saved, Timings,
    metrics::labels,
    recovery::{Ended, Recoveries},
    shape::{Incident, InputsV1},
    statistics::Rate,
};

/// So many records are read at most.
pub const REVIEWED: u64 = 20_000;
/// Of those at a time.
const PAGE: i64 = 512;
/// Steps of confidence.
const STEPS: usize = 10;

/// What the newest incidents of a window show.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Review {
    /// Incidents that were looked at, newest first.
    pub looked_at: u64,
    /// Whether those are all of the window; else the oldest are left out.
    pub complete: bool,
    /// By how sure Regreen was, least first; only steps with a case.
    pub calibration: Vec<Step>,
    /// What was left alone by lot, beside what was not; `None` where nothing was drawn from.
    pub control: Option<ControlGroup>,
    /// How long repairs took, and their parts.
    pub repair: Repair,
    /// What healing took off people; `None` where no recovery was tried.
    pub saved: Option<Saved>,
}

/// Diagnoses that were about as sure, and whose class is known: from a person, or from a cure that was verified.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The least confidence of this step, 0 to 1; it is a tenth wide.
    pub from: f64,
    /// The mean confidence.
    pub sure: f64,
    /// How many were named right.
    pub right: Rate,
    /// Of those cases, known from a person; of the rest, only right ones come to be known.
    pub by_people: u64,
}

#[derive(Default, Clone, Copy)]
struct Count {
    sure: f64,
    right: u64,
    n: u64,
    by_people: u64,
}

/// What is read of a record that was not drawn for the control group.
#[derive(Deserialize)]
struct Brief {
    id: String,
    outcome: Option<String>,
    exit_code: Option<i32>,
    command_ended_at: Option<i64>,
    closed_at: Option<i64>,
    diagnosis: Named,
    place: Job,
    timings: Timings,
    #[serde(default)]
    inputs: Option<Inputs>,
}

/// What it was decided from.
#[derive(Deserialize)]
struct Inputs {
    policy: Drawn,
}

#[derive(Deserialize)]
struct Drawn {
    #[serde(default)]
    control: Option<f64>,
}

#[derive(Deserialize)]
struct Job {
    job: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    class: String,
    confidence: f64,
}

impl Ledger {
    /// What the newest [`REVIEWED`] incidents show that were opened from `since` on, in milliseconds since 1970.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn review(&self, since: i64, now: i64) -> Result<Review, LedgerError> {
        let mut db = self.read().await?;
        let labels = labels(&mut db).await?;
        let (mut at, mut id) = (i64::MAX, String::new());
        let mut counts = [Count::default(); STEPS];
        let (mut control, mut review) = (ControlGroup::default(), Review::default());
        let mut recoveries = Recoveries::default();
        while review.looked_at < REVIEWED && !review.complete {
            let page = page(&mut db, since, at, &id).await?;
            for (_, id, record) in &page {
                let said = labels.get(id).copied();
                let brief = brief(record)?;
                judge(&mut counts, &brief, said);
                let wrong = said.is_some_and(|class| class.id() != brief.diagnosis.class);
                recoveries.add(&brief.ended(), wrong);
                // A quotation mark within a text is escaped, so this is a field of that name.
                if record.contains("\"control\":") {
                    control.add(&Incident::parse(record)?, now);
                }
            }
            review.looked_at += page.len() as u64;
            match page.into_iter().next_back() {
                Some(last) => (at, id) = (last.0, last.1),
                None => review.complete = true,
            }
        }
        review.calibration = counts.iter().enumerate().filter_map(|(i, count)| step(i, count)).collect();
        review.control = control.finish();
        (review.repair, review.saved) = recoveries.finish(review.control.as_ref());
        Ok(review)
    }
}

async fn page(
    db: &mut AnyConnection,
    since: i64,
    at: i64,
    id: &str,
) -> Result<Vec<(i64, String, String)>, LedgerError> {
    let sql =
        "SELECT opened_at, id, record FROM incidents WHERE (opened_at, id) < ($1, $2) AND opened_at >= $3
               ORDER BY opened_at DESC, id DESC LIMIT $4";
    Ok(sqlx::query_as(sql).bind(at).bind(id).bind(since).bind(PAGE).fetch_all(db).await?)
}

fn brief(record: &str) -> Result<Brief, LedgerError> {
    // A record that says less than this is told of as what it is.
    serde_json::from_str(record).or_else(|_| {
        let incident = Incident::parse(record)?;
        let drawn = |inputs: InputsV1| Inputs { policy: Drawn { control: inputs.policy.control } };
        Ok(Brief {
            id: incident.id,
            outcome: incident.outcome,
            exit_code: incident.exit_code,
            command_ended_at: incident.command_ended_at,
            closed_at: incident.closed_at,
            diagnosis: Named { class: incident.diagnosis.class, confidence: incident.diagnosis.confidence },
            place: Job { job: incident.place.job },
            timings: incident.timings,
            inputs: incident.inputs.map(drawn),
        })
    })
}

impl Brief {
    fn ended(&self) -> Ended<'_> {
        Ended {
            id: &self.id,
            job: self.place.job.as_deref(),
            exit_code: self.exit_code,
            outcome: self.outcome.as_deref().and_then(Outcome::parse),
            command_ended_at: self.command_ended_at,
            closed_at: self.closed_at,
            timings: &self.timings,
            drawn_from: self.inputs.as_ref().is_some_and(|inputs| inputs.policy.control.is_some()),
        }
    }
}

/// A verified cure of a class is as good a witness as a person; a person's word goes before it.
fn judge(counts: &mut [Count; STEPS], brief: &Brief, said: Option<FailureClass>) {
    let healed = brief.outcome.as_deref() == Some("healed");
    let right = match said {
        Some(class) => class.id() == brief.diagnosis.class,
        None if healed => true,
        None => return,
    };
    let sure = brief.diagnosis.confidence.clamp(0.0, 1.0);
    if let Some(count) = counts.get_mut(((sure * STEPS as f64) as usize).min(STEPS - 1)) {
        count.sure += sure;
        count.n += 1;
        count.right += u64::from(right);
        count.by_people += u64::from(said.is_some());
    }
}

fn step(i: usize, count: &Count) -> Option<Step> {
    let right = Rate::of(count.right, count.n)?;
    let from = i as f64 / STEPS as f64;
    Some(Step { from, sure: count.sure / count.n as f64, right, by_people: count.by_people })
}
