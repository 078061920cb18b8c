//! Is this machine's clock right? A wrong one makes sound certificates "not yet valid" or "expired", and signatures stale.

use std::time::{Duration, SystemTime};

use regreen_domain::{FailureClass, Finding, Standing};

use super::finding;
use crate::{
    adapter::{Adapter, Job},
    remote::date,
};

/// Longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// As far as clocks may differ: what Kerberos allows (RFC 4120, section 5.2.6.3 and the usual `clockskew`), and far more
/// than an answer takes.
const ALLOWED: Duration = Duration::from_secs(5 * 60);

/// Compares the machine's clock with what the registries that the job is configured to use say in `Date`. Where all that
/// say anything agree that it is off, that is what the failure of trust comes from. Nothing is ever set.
pub async fn clock(job: &Job, adapter: &dyn Adapter, class: FailureClass) -> Vec<Finding> {
    let mut off = Vec::new();
    for remote in adapter.remotes(job).await {
        let Some(theirs) = date(&remote.probe_url, PATIENCE).await else { continue };
        match says(theirs, SystemTime::now(), &remote.host) {
            Some(says) => off.push((remote.host, says)),
            None => return Vec::new(),
        }
    }
    let first = off.into_iter().next();
    first
        .map(|(host, says)| finding("clock", adapter.tool(), class, Standing::Confirms, host, says))
        .into_iter()
        .collect()
}

/// How far our clock is off, where it is.
fn says(theirs: SystemTime, ours: SystemTime, host: &str) -> Option<String> {
    let (skew, which) = match theirs.duration_since(ours) {
        Ok(ahead) => (ahead, "behind"),
        Err(behind) => (behind.duration(), "ahead of"),
    };
    (skew > ALLOWED).then(|| {
        format!(
            "this machine's clock is {} {which} what {host} says ({}), so no certificate or signature can be judged \
             by it: set the clock first",
            rough(skew),
            httpdate::fmt_http_date(theirs)
        )
    })
}

/// In the largest two units that say something.
fn rough(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    #[test]
    fn more_than_five_minutes_are_told_with_their_direction() {
        let ours = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let of = |theirs: SystemTime| says(theirs, ours, "registry.example");
        assert_eq!(of(ours), None);
        assert_eq!(of(ours + ALLOWED), None);
        assert_eq!(of(ours - ALLOWED), None);
        let behind = of(ours + Duration::from_secs(2 * 3600 + 61)).unwrap();
        assert_eq!(
            behind,
            "this machine's clock is 2 h 1 min behind what registry.example says (Sun, 06 Nov 1994 10:50:38 GMT), so \
             no certificate or signature can be judged by it: set the clock first"
        );
        assert!(of(ours - Duration::from_secs(26 * 3600)).unwrap().contains("is 1 d 2 h ahead of what"));
        assert!(of(ours - Duration::from_secs(301)).unwrap().contains("is 5 min ahead of what"));
    }
}
