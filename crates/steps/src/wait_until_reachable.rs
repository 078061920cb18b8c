//! `wait-until-reachable`: asks the tool's own registries, and behind them for a package of the lockfile, until all
//! serve, with exponential backoff, full jitter, `Retry-After` and rate limits' reset times. Inert.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use regreen_domain::HealableClass;
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{Adapter, remote::Answer};
use serde::{Deserialize, Serialize};

use crate::{
    addresses::{self, Address},
    world::World,
};

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
/// A pause is never longer than this or a quarter of what was waited, so that little is lost once the registry is back.
const LEAST_CEILING: Duration = Duration::from_millis(1_500);
/// Longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for the look before anything is decided: who is silent is waited for later.
const GLANCE: Duration = Duration::from_secs(1);

impl Step for WaitUntilReachable {
    const KIND: &'static str = "wait-until-reachable";
    const EXPLAIN: &'static str = "Asks the registry, and for a package of the lockfile, again and again (exponential backoff, full jitter, `Retry-After` and the reset of rate limits obeyed) until both are served or the time for recovery is used up. Says whether the name, the connection or the answer is missing. Changes nothing.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    const PARALLEL: bool = true;
    type Args = Args;
    type Before = ();
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<(), Refused> {
        let adapter = self.0.adapter(&args.tool).map_err(Refused)?;
        let registries = addresses::registries(adapter, &self.0.job).await;
        if registries.is_empty() {
            return Err(Refused("it is not known which registry to ask".to_owned()));
        }
        // Who asks to be left alone for longer than there is time is not waited for at all.
        if self.0.cause.class == Some(HealableClass::RateLimited)
            && let Some(ill) = self.first_ill(adapter, &registries, GLANCE).await
            && ill.asks_for.is_some_and(|wait| wait >= self.0.time_left())
        {
            return Err(Refused(self.too_long(&ill)));
        }
        Ok(())
    }

    fn foresee(&self, args: &Args, (): &()) -> Option<String> {
        Some(format!("ask the registries of {} until all of them answer", args.tool))
    }

    async fn apply(&self, _: &Touch, args: &Args, (): &()) -> Result<Receipt, ApplyError> {
        let adapter = self.0.adapter(&args.tool).map_err(ApplyError::NoEffect)?;
        let registries = addresses::registries(adapter, &self.0.job).await;
        let started = Instant::now();
        let mut asked = 0;
        // A repeated attempt begins with a pause: the registry may answer and still fail under load.
        if self.0.attempt > 1 {
            let pause = self.pause(self.0.attempt, LONGEST, None);
            tokio::time::sleep(pause.min(self.0.time_left())).await;
        }
        loop {
            asked += 1;
            let Some(ill) = self.first_ill(adapter, &registries, PATIENCE).await else {
                let waited_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                let said = match asked {
                    1 => "saw the registry answer".to_owned(),
                    _ => {
                        format!("waited {:.1} s until the registry answered", started.elapsed().as_secs_f64())
                    }
                };
                return Ok(Receipt { waited_ms, asked, said });
            };
            if let Some(why) = ill.hopeless {
                return Err(ApplyError::no_effect(format!("{} can't be asked: {why}", ill.name)));
            }
            let ceiling = (started.elapsed() / 4).clamp(LEAST_CEILING, LONGEST);
            let pause = self.pause(asked, ceiling, ill.asks_for);
            if pause >= self.0.time_left() {
                return Err(ApplyError::no_effect(self.too_long(&ill)));
            }
            (self.0.progress)(&format!("{}; asking again in {:.1} s", ill.says(), pause.as_secs_f64()));
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

/// Who does not serve.
struct Ill {
    name: String,
    /// What is wrong, in a clause.
    what: String,
    /// How long it asks to be left alone.
    asks_for: Option<Duration>,
    /// No matter of waiting, for this reason.
    hopeless: Option<String>,
}

impl Ill {
    /// `None` where it serves.
    fn of(address: &Address, answer: Answer) -> Option<Ill> {
        let name = address.name();
        let (what, asks_for, hopeless) = match answer {
            Answer::Serves { .. } => return None,
            Answer::Unwell { status, retry_after } => (format!("answers {status}"), retry_after, None),
            Answer::Silent { stage, why } => (format!("can't be used now: {stage} ({why})"), None, None),
            Answer::Unusable { why } => (String::new(), None, Some(why)),
        };
        Some(Ill { name, what, asks_for, hopeless })
    }

    fn says(&self) -> String {
        let Ill { name, what, .. } = self;
        match self.asks_for {
            Some(wait) => format!("{name} {what} and asks to be left alone for {} s", wait.as_secs()),
            None => format!("{name} {what}"),
        }
    }
}

impl WaitUntilReachable {
    /// The first that does not serve: of the registries, and once these are well, of the files behind them.
    async fn first_ill(&self, adapter: &dyn Adapter, registries: &[Address], limit: Duration) -> Option<Ill> {
        for registry in registries {
            let answer = registry.ask(limit.min(self.0.time_left())).await;
            if let Some(ill) = Ill::of(registry, answer) {
                return Some(ill);
            }
        }
        let blamed = self.0.cause.package.as_ref();
        for file in addresses::package(adapter, &self.0.job, blamed).await {
            let answer = file.ask(limit.min(self.0.time_left())).await;
            // A file that can't be asked for at all says nothing of the registry, which serves.
            if let Some(ill) = Ill::of(&file, answer).filter(|ill| ill.hopeless.is_none()) {
                return Some(ill);
            }
        }
        None
    }

    /// Why nobody waits, and when it will be possible.
    fn too_long(&self, ill: &Ill) -> String {
        let left = self.0.time_left().as_secs();
        let when = match ill.asks_for {
            Some(wait) => format!("; run the command again after {}", clock(SystemTime::now() + wait)),
            None => String::new(),
        };
        format!("{}, and {left} s are left for recovery (RECOVERY_TIMEOUT){when}", ill.says())
    }

    fn pause(&self, asked: u32, ceiling: Duration, retry_after: Option<Duration>) -> Duration {
        let jittered = backoff(self.0.seed, asked, FIRST, ceiling);
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

/// The time of day in UTC, with the day where it is another one.
fn clock(at: SystemTime) -> String {
    let seconds = |t: SystemTime| t.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (at, now) = (seconds(at), seconds(SystemTime::now()));
    let (hour, minute, second) = (at / 3600 % 24, at / 60 % 60, at % 60);
    let days = (at / 86_400).saturating_sub(now / 86_400);
    let day = match days {
        0 => String::new(),
        1 => " tomorrow".to_owned(),
        days => format!(" in {days} days"),
    };
    format!("{hour:02}:{minute:02}:{second:02} UTC{day}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_said_with_its_day() {
        assert_eq!(clock(SystemTime::UNIX_EPOCH + Duration::from_secs(3_723)), "01:02:03 UTC");
        assert!(clock(SystemTime::now() + Duration::from_secs(86_400)).ends_with("UTC tomorrow"));
    }

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
