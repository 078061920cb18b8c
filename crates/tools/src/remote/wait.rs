//! How long a remote asks to be left alone, by the headers of its answer.

use std::time::{Duration, SystemTime};

/// One answer's headers, as far as they speak of waiting. Values as sent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Headers<'a> {
    /// `Retry-After`: seconds or a date. Source: RFC 9110, section 10.2.3.
    pub(super) retry_after: Option<&'a str>,
    /// `RateLimit`: a list of items such as `"default";r=0;t=30`. Source: draft-ietf-httpapi-ratelimit-headers-10.
    pub(super) rate_limit: Option<&'a str>,
    /// `RateLimit-Reset`: seconds. Source: the same draft up to version 07.
    pub(super) rate_limit_reset: Option<&'a str>,
    /// `X-RateLimit-Remaining`: how many requests are left. Source: GitHub's "Rate limits for the REST API".
    pub(super) x_remaining: Option<&'a str>,
    /// `X-RateLimit-Reset`: seconds since 1970 (GitHub, GitLab), with others seconds from now.
    pub(super) x_reset: Option<&'a str>,
    /// `Date`: the remote's own clock, so that a wrong one here spoils nothing.
    pub(super) date: Option<&'a str>,
}

/// A number of seconds above this is one since 1970 (2001-09-09), and none from now.
const EPOCH: u64 = 1_000_000_000;
/// Nobody means longer.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

impl Headers<'_> {
    /// How long to wait from `now` on. `Retry-After` goes before every other word. `None` where nothing is asked.
    pub(super) fn wait(&self, now: SystemTime) -> Option<Duration> {
        let now = self.date.and_then(|date| httpdate::parse_http_date(date.trim()).ok()).unwrap_or(now);
        let until = |then: SystemTime| then.duration_since(now).unwrap_or_default();
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let asked = self.retry_after.and_then(|text| match number(text) {
            Some(seconds) => Some(Duration::from_secs(seconds)),
            None => httpdate::parse_http_date(text.trim()).ok().map(until),
        });
        let asked = asked
            .or_else(|| self.rate_limit.and_then(spent).map(Duration::from_secs))
            .or_else(|| self.rate_limit_reset.and_then(number).map(Duration::from_secs))
            .or_else(|| match self.x_reset.and_then(number)? {
                stamp if stamp >= EPOCH => Some(until(SystemTime::UNIX_EPOCH + Duration::from_secs(stamp))),
                seconds => Some(Duration::from_secs(seconds)),
            });
        asked.map(|wait| wait.min(LONGEST))
    }

    /// Whether the quota is used up, by the remote's own word.
    pub(super) fn used_up(&self) -> bool {
        self.x_remaining.is_some_and(|left| left.trim() == "0")
    }
}

/// The longest `t` of the items of `RateLimit` that have nothing left.
fn spent(text: &str) -> Option<u64> {
    let item = |item: &str| {
        let of = |name: &str| {
            item.split(';')
                .skip(1)
                .find_map(|part| part.trim().strip_prefix(name)?.trim().parse::<u64>().ok())
        };
        (of("r=")? == 0).then(|| of("t=")).flatten()
    };
    text.split(',').filter_map(item).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> SystemTime {
        // Sun, 06 Nov 1994 08:49:37 GMT, as in RFC 9110.
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn wait(headers: Headers<'_>) -> Option<u64> {
        headers.wait(now()).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |text| wait(Headers { retry_after: Some(text), ..Headers::default() });
        assert_eq!(after("120"), Some(120));
        assert_eq!(after(" 0 "), Some(0));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(after("Sunday, 06-Nov-94 08:50:07 GMT"), Some(30));
        assert_eq!(after("Sun Nov  6 08:49:47 1994"), Some(10));
        assert_eq!(after("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0), "a date that has passed");
        assert_eq!(after("99999999999"), Some(LONGEST.as_secs()));
        for bad in ["", "-1", "soon", "1.5", "Sun, 99 Nov 1994 08:50:37 GMT"] {
            assert_eq!(after(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_wrong_clock_here_spoils_no_date() {
        let headers = Headers {
            retry_after: Some("Mon, 07 Nov 1994 00:00:30 GMT"),
            date: Some("Mon, 07 Nov 1994 00:00:00 GMT"),
            ..Headers::default()
        };
        assert_eq!(wait(headers), Some(30));
    }

    #[test]
    fn resets_are_stamps_or_seconds() {
        let x = |text| wait(Headers { x_reset: Some(text), ..Headers::default() });
        assert_eq!(x("45"), Some(45));
        let modern = Headers {
            x_reset: Some("1700000060"),
            date: Some("Tue, 14 Nov 2023 22:13:20 GMT"),
            ..Headers::default()
        };
        assert_eq!(wait(modern), Some(60));
        assert_eq!(wait(Headers { rate_limit_reset: Some("50"), ..Headers::default() }), Some(50));
        let list = "\"burst\";r=10;t=3, \"daily\";r=0;t=40";
        assert_eq!(wait(Headers { rate_limit: Some(list), ..Headers::default() }), Some(40));
        assert_eq!(wait(Headers { rate_limit: Some("\"default\";r=7;t=40"), ..Headers::default() }), None);
        let both = Headers { retry_after: Some("5"), x_reset: Some("900"), ..Headers::default() };
        assert_eq!(wait(both), Some(5));
        assert!(Headers { x_remaining: Some("0"), ..Headers::default() }.used_up());
        assert!(!Headers { x_remaining: Some("12"), ..Headers::default() }.used_up());
    }
}
