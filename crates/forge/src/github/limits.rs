//! GitHub's limits: what is left of the hour, what asks to slow down, and what is left to others.
//!
//! By <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api> and
//! <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{Budget, ForgeError, Quota, wire::http::Answer};

/// How long to wait where GitHub asks to slow down and does not say for how long.
const UNSAID: Duration = Duration::from_secs(60);

/// What is known of the limits, by credential (an app's installations have one each).
#[derive(Debug)]
pub(super) struct Limits {
    reserve: f64,
    known: Mutex<HashMap<u64, Known>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    budget: Option<Budget>,
    closed: Option<(SystemTime, Quota)>,
}

impl Limits {
    pub(super) fn new(reserve: f64) -> Limits {
        Limits { reserve: reserve.clamp(0.0, 1.0), known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call may be sent.
    pub(super) fn may_send(&self, whose: u64, now: SystemTime) -> Result<(), ForgeError> {
        let Some(known) = self.known().get(&whose).copied() else { return Ok(()) };
        if let Some((until, quota)) = known.closed
            && now < until
        {
            return Err(ForgeError::RateLimited { until, quota });
        }
        let Some(budget) = known.budget.filter(|budget| now < budget.resets_at) else { return Ok(()) };
        let left_to_others = (budget.limit as f64 * self.reserve).ceil() as u64;
        if budget.remaining <= left_to_others {
            let quota = if budget.remaining == 0 { Quota::Hourly } else { Quota::Reserve };
            return Err(ForgeError::RateLimited { until: budget.resets_at, quota });
        }
        Ok(())
    }

    /// Takes note of an answer; an error where it says that a limit was reached.
    pub(super) fn learn(
        &self,
        whose: u64,
        answer: &Answer,
        message: &str,
        now: SystemTime,
    ) -> Result<(), ForgeError> {
        let number = |name| answer.header(name).and_then(|text| text.trim().parse::<u64>().ok());
        let mut all = self.known();
        let known = all.entry(whose).or_default();
        let core = answer.header("x-ratelimit-resource").is_none_or(|resource| resource == "core");
        if let (true, Some(limit), Some(remaining), Some(reset)) =
            (core, number("x-ratelimit-limit"), number("x-ratelimit-remaining"), number("x-ratelimit-reset"))
        {
            let resets_at = UNIX_EPOCH + Duration::from_secs(reset.min(u64::from(u32::MAX)));
            known.budget = Some(Budget { limit, remaining, resets_at });
        }
        let (until, quota) = match answer.status {
            403 | 429 => {
                let used_up = number("x-ratelimit-remaining") == Some(0);
                let lower = message.to_ascii_lowercase();
                let asked = lower.contains("rate limit") || lower.contains("abuse detection");
                let reset = known.budget.map(|budget| budget.resets_at).filter(|at| *at > now);
                match (number("retry-after"), reset) {
                    (Some(seconds), _) => (now + Duration::from_secs(seconds.min(86_400)), Quota::Burst),
                    (None, Some(reset)) if used_up => (reset, Quota::Hourly),
                    _ if used_up || asked || answer.status == 429 => (now + UNSAID, Quota::Burst),
                    // Forbidden for another reason.
                    _ => return Ok(()),
                }
            }
            _ => return Ok(()),
        };
        known.closed = Some((until, quota));
        Err(ForgeError::RateLimited { until, quota })
    }

    /// Of several credentials' limits the tightest.
    pub(super) fn budget(&self) -> Option<Budget> {
        let all = self.known();
        let share = |budget: &Budget| budget.remaining as f64 / budget.limit.max(1) as f64;
        all.values().filter_map(|known| known.budget).min_by(|a, b| share(a).total_cmp(&share(b)))
    }
}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderName};

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        Answer { status, headers: map, body: Vec::new(), left_out: 0 }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn hour(remaining: &str) -> [(&str, &str); 3] {
        [("x-ratelimit-limit", "5000"), ("x-ratelimit-remaining", remaining), ("x-ratelimit-reset", "5000")]
    }

    #[test]
    fn a_fifth_of_the_hour_is_left_to_others() {
        let limits = Limits::new(0.2);
        assert_eq!(limits.may_send(0, at(1000)), Ok(()));
        limits.learn(0, &answer(200, &hour("1001")), "", at(1000)).unwrap();
        assert_eq!(limits.may_send(0, at(1000)), Ok(()));
        limits.learn(0, &answer(200, &hour("1000")), "", at(1000)).unwrap();
        let reserve = ForgeError::RateLimited { until: at(5000), quota: Quota::Reserve };
        assert_eq!(limits.may_send(0, at(4999)), Err(reserve));
        assert_eq!(limits.may_send(0, at(5000)), Ok(()));
        // Another installation has a limit of its own.
        assert_eq!(limits.may_send(7, at(1000)), Ok(()));
        // What is left of the search limit says nothing of the others.
        let mut search = hour("0").to_vec();
        search.push(("x-ratelimit-resource", "search"));
        limits.learn(8, &answer(200, &search), "", at(1000)).unwrap();
        assert_eq!(limits.may_send(8, at(1000)), Ok(()));
    }

    #[test]
    fn what_asks_to_slow_down_is_obeyed() {
        let said = |headers: &[(&str, &str)], status, message: &str| {
            let limits = Limits::new(0.0);
            let said = limits.learn(0, &answer(status, headers), message, at(1000));
            assert_eq!(limits.may_send(0, at(1000)), said, "{message}");
            match said {
                Err(ForgeError::RateLimited { until, quota }) => Some((until, quota)),
                _ => None,
            }
        };
        assert_eq!(said(&[("retry-after", "30")], 429, ""), Some((at(1030), Quota::Burst)));
        assert_eq!(
            said(&[("retry-after", "30")], 403, "secondary rate limit"),
            Some((at(1030), Quota::Burst))
        );
        assert_eq!(said(&hour("0"), 403, "API rate limit exceeded"), Some((at(5000), Quota::Hourly)));
        let secondary = "You have exceeded a secondary rate limit.";
        assert_eq!(said(&hour("900"), 403, secondary), Some((at(1060), Quota::Burst)));
        assert_eq!(said(&[], 429, "slow down"), Some((at(1060), Quota::Burst)));
        assert_eq!(said(&hour("900"), 403, "Resource not accessible by integration"), None);
        assert_eq!(said(&hour("900"), 500, ""), None);
    }
}
