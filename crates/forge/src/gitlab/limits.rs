//! GitLab's limits, as its answers tell them: by the minute.
//!
//! By <https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/> ("Response headers"): `RateLimit-Limit`,
//! `RateLimit-Remaining`, `RateLimit-Reset` (seconds since 1970), and `Retry-After` with a 429. Limits of single endpoints
//! answer 429 too, some of them without a header.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Budget, Quota, calls::limits::Told, wire::http::Answer};

/// How long to wait where GitLab asks to slow down and does not say for how long.
const UNSAID: Duration = Duration::from_secs(60);
/// Longest window that is believed.
const LONGEST: Duration = Duration::from_secs(3600);

/// What an answer tells.
pub(super) fn told(answer: &Answer, now: SystemTime) -> Told {
    let number = |name| answer.header(name).and_then(|text| text.trim().parse::<u64>().ok());
    let budget = match (number("ratelimit-limit"), number("ratelimit-remaining"), number("ratelimit-reset")) {
        (Some(limit), Some(remaining), Some(reset)) => {
            let resets_at = UNIX_EPOCH + Duration::from_secs(reset.min(u64::from(u32::MAX)));
            Some(Budget { limit, remaining, resets_at: resets_at.min(now + LONGEST) })
        }
        _ => None,
    };
    let reset = budget.map(|budget| budget.resets_at).filter(|at| *at > now);
    let closed = (answer.status == 429).then(|| {
        let until = match (number("retry-after"), reset) {
            (Some(seconds), _) => now + Duration::from_secs(seconds.min(86_400)),
            (None, Some(reset)) => reset,
            (None, None) => now + UNSAID,
        };
        (until, Quota::Burst)
    });
    Told { budget, closed }
}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderName};

    use super::*;
    use crate::{ForgeError, calls::limits::Limits};

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

    #[test]
    fn a_fifth_of_the_minute_is_left_to_others_and_429_is_obeyed() {
        let minute = |remaining| {
            [("RateLimit-Limit", "100"), ("RateLimit-Remaining", remaining), ("RateLimit-Reset", "1060")]
        };
        let limits = Limits::new(0.2);
        limits.learn(0, told(&answer(200, &minute("21")), at(1000))).unwrap();
        assert_eq!(limits.may_send(0, at(1000)), Ok(()));
        limits.learn(0, told(&answer(200, &minute("20")), at(1000))).unwrap();
        let reserve = ForgeError::RateLimited { until: at(1060), quota: Quota::Reserve };
        assert_eq!(limits.may_send(0, at(1059)), Err(reserve));
        assert_eq!(limits.may_send(0, at(1060)), Ok(()));
        for (headers, until) in [
            (vec![("Retry-After", "30")], 1030),
            (minute("0").to_vec(), 1060),
            (Vec::new(), 1060),
            (vec![("Retry-After", "soon")], 1060),
        ] {
            let closed = told(&answer(429, &headers), at(1000)).closed;
            assert_eq!(closed, Some((at(until), Quota::Burst)), "{headers:?}");
        }
        assert_eq!(told(&answer(403, &minute("0")), at(1000)).closed, None);
        // A time far away is no window of GitLab's.
        let far = [("RateLimit-Limit", "1"), ("RateLimit-Remaining", "0"), ("RateLimit-Reset", "4000000000")];
        assert_eq!(told(&answer(200, &far), at(1000)).budget.map(|b| b.resets_at), Some(at(4600)));
    }
}
