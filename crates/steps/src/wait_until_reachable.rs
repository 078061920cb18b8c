//! `wait-until-reachable`: asks the tool's own registries until all of them serve, with exponential backoff, full
//! jitter and `Retry-After`. Inert.

use std::{sync::Arc, time::Duration};

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{
    Remote,
    remote::{self, Answer},
};
use serde::{Deserialize, Serialize};

use crate::world::World;

/// The step.
pub(crate) struct WaitUntilReachable(pub(crate) Arc<World>);

/// For which tool's registries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    tool: String,
}

/// How long it took.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Milliseconds waited.
    waited_ms: u64,
    /// Questions asked.
    asked: u32,
    /// What was done, in a clause.
    said: String,
}

/// First and longest pause between two questions.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// Longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Step for WaitUntilReachable {
    const KIND: &'static str = "wait-until-reachable";
    const EXPLAIN: &'static str = "Asks the registry again and again (exponential backoff, full jitter, `Retry-After` obeyed) until it answers or the time for recovery is used up. Changes nothing.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    const PARALLEL: bool = true;
    type Args = Args;
    type Before = ();
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<(), Refused> {
        match self.remotes(args).await? {
            remotes if remotes.is_empty() => Err(Refused("it is not known which registry to ask".to_owned())),
            _ => Ok(()),
        }
    }

    async fn apply(&self, _: &Touch, args: &Args, (): &()) -> Result<Receipt, ApplyError> {
        let remotes = self.remotes(args).await.map_err(ApplyError::no_effect)?;
        let started = std::time::Instant::now();
        let mut asked = 0;
        // A repeated attempt begins with a pause: the registry may answer and still fail under load.
        if self.0.attempt > 1 {
            tokio::time::sleep(self.pause(self.0.attempt, None).min(self.0.time_left())).await;
        }
        loop {
            asked += 1;
            let mut ill = None;
            for remote in &remotes {
                let answer = remote::ask(&remote.probe_url, PATIENCE.min(self.0.time_left())).await;
                if !answer.serves() {
                    ill = Some((remote, answer));
                    break;
                }
            }
            let Some((remote, answer)) = ill else {
                let waited_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                let said = match asked {
                    1 => "saw the registry answer".to_owned(),
                    _ => {
                        format!("waited {:.1} s until the registry answered", started.elapsed().as_secs_f64())
                    }
                };
                return Ok(Receipt { waited_ms, asked, said });
            };
            let (what, retry_after) = match answer {
                Answer::Unwell { status, retry_after } => (format!("answers {status}"), retry_after),
                Answer::Silent { why } => (format!("does not answer ({why})"), None),
                Answer::Unusable { why } => {
                    return Err(ApplyError::no_effect(format!("{} can't be asked: {why}", remote.host)));
                }
                Answer::Serves { .. } => ("serves".to_owned(), None),
            };
            let pause = self.pause(asked, retry_after);
            if pause >= self.0.time_left() {
                return Err(ApplyError::no_effect(format!(
                    "{} {what}; waiting longer than the time for recovery allows",
                    remote.host
                )));
            }
            (self.0.progress)(&format!(
                "{} {what}; asking again in {:.1} s",
                remote.host,
                pause.as_secs_f64()
            ));
            tokio::time::sleep(pause).await;
        }
    }

    async fn verify(&self, _: &Look, _: &Args, _: &Receipt) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &Args, (): &(), _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}

impl WaitUntilReachable {
    async fn remotes(&self, args: &Args) -> Result<Vec<Remote>, Refused> {
        let adapter = self.0.adapter(&args.tool).map_err(Refused)?;
        Ok(adapter.remotes(&self.0.job).await)
    }

    fn pause(&self, asked: u32, retry_after: Option<Duration>) -> Duration {
        let jittered = backoff(self.0.seed, asked, FIRST, LONGEST);
        retry_after.map_or(jittered, |at_least| at_least.saturating_add(jittered.min(FIRST)))
    }
}

/// Exponential backoff with full jitter: uniform in 0..min(longest, first · 2^(n−1)), never below a tenth of `first`.
/// Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog (2015).
fn backoff(seed: u64, n: u32, first: Duration, longest: Duration) -> Duration {
    let ceiling = first.saturating_mul(1 << n.saturating_sub(1).min(16)).min(longest);
    // SplitMix64 of the seed and the count: no state to keep, the same for the same incident.
    let mut z = seed.wrapping_add(u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits of a random fraction are enough")]
    let fraction = (z >> 11) as f64 / (1u64 << 53) as f64;
    ceiling.mul_f64(fraction).max(first / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_stays_below_its_ceiling_and_spreads() {
        for n in 1..40 {
            let ceiling = FIRST.saturating_mul(1 << (n - 1).min(16)).min(LONGEST);
            let pauses: Vec<Duration> = (0..200).map(|seed| backoff(seed, n, FIRST, LONGEST)).collect();
            assert!(pauses.iter().all(|p| *p <= ceiling.max(FIRST / 10)), "above the ceiling at {n}");
            let below_half = pauses.iter().filter(|p| **p < ceiling / 2).count();
            assert!((60..140).contains(&below_half), "not uniform at {n}: {below_half} of 200 below half");
        }
    }
}
