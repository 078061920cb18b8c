//! GitHub's limits, as its answers tell them.
//!
//! By <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api> and
//! <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Budget, Quota, calls::limits::Told, wire::http::Answer};

/// How long to wait where GitHub asks to slow down and does not say for how long.
const UNSAID: Duration = Duration::from_secs(60);

/// What an answer tells.
pub(super) fn told(answer: &Answer, message: &str, known: Option<Budget>, now: SystemTime) -> Told {
    let number = |name| answer.header(name).and_then(|text| text.trim().parse::<u64>().ok());
    let core = answer.header("x-ratelimit-resource").is_none_or(|resource| resource == "core");
    let budget =
        match (number("x-ratelimit-limit"), number("x-ratelimit-remaining"), number("x-ratelimit-reset")) {
            (Some(limit), Some(remaining), Some(reset)) if core => {
                let resets_at = UNIX_EPOCH + Duration::from_secs(reset.min(u64::from(u32::MAX)));
                Some(Budget { limit, remaining, resets_at })
            }
            _ => None,
        };
    if !matches!(answer.status, 403 | 429) {
        return Told { budget, closed: None };
    }
    let used_up = number("x-ratelimit-remaining") == Some(0);
    let lower = message.to_ascii_lowercase();
    let asked = lower.contains("rate limit") || lower.contains("abuse detection");
    let reset = budget.or(known).map(|budget| budget.resets_at).filter(|at| *at > now);
    let closed = match (number("retry-after"), reset) {
        (Some(seconds), _) => Some((now + Duration::from_secs(seconds.min(86_400)), Quota::Burst)),
        (None, Some(reset)) if used_up => Some((reset, Quota::Hourly)),
        _ if used_up || asked || answer.status == 429 => Some((now + UNSAID, Quota::Burst)),
        // Forbidden for another reason.
        _ => None,
    };
    Told { budget, closed }
}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderName};

    use super::*;
    use crate::{ForgeError, calls::limits::Limits};

    fn learn(
        limits: &Limits,
        whose: u64,
        answer: &Answer,
        message: &str,
        now: SystemTime,
    ) -> Result<(), ForgeError> {
        limits.learn(whose, told(answer, message, limits.known_of(whose), now))
    }

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
        learn(&limits, 0, &answer(200, &hour("1001")), "", at(1000)).unwrap();
        assert_eq!(limits.may_send(0, at(1000)), Ok(()));
        learn(&limits, 0, &answer(200, &hour("1000")), "", at(1000)).unwrap();
        let reserve = ForgeError::RateLimited { until: at(5000), quota: Quota::Reserve };
        assert_eq!(limits.may_send(0, at(4999)), Err(reserve));
        assert_eq!(limits.may_send(0, at(5000)), Ok(()));
        // Another installation has a limit of its own.
        assert_eq!(limits.may_send(7, at(1000)), Ok(()));
        // What is left of the search limit says nothing of the others.
        let mut search = hour("0").to_vec();
        search.push(("x-ratelimit-resource", "search"));
        learn(&limits, 8, &answer(200, &search), "", at(1000)).unwrap();
        assert_eq!(limits.may_send(8, at(1000)), Ok(()));
    }

    #[test]
    fn what_asks_to_slow_down_is_obeyed() {
        let said = |headers: &[(&str, &str)], status, message: &str| {
            let limits = Limits::new(0.0);
            let said = learn(&limits, 0, &answer(status, headers), message, at(1000));
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
