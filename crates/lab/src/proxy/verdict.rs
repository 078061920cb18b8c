//! A script in force: which rule strikes a request, and which ones are used up.

use std::time::Instant;

use crate::script::{Fault, Script, Until, whole_or_less};

#[derive(Debug)]
pub(super) struct ScriptInForce {
    script: Script,
    since: Instant,
    strikes: Vec<Strikes>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Strikes {
    count: u32,
    first: Option<Instant>,
}

/// The registry is down; if it comes back by itself, when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Down {
    until: Option<Instant>,
}

impl ScriptInForce {
    pub(super) fn new(script: Script) -> Self {
        let strikes = vec![Strikes::default(); script.rules.len()];
        ScriptInForce { script, since: Instant::now(), strikes }
    }

    /// The fault for a request of this path; counts it.
    pub(super) fn strike(&mut self, path: &str) -> Option<Fault> {
        let now = Instant::now();
        for (rule, strikes) in self.script.rules.iter().zip(&mut self.strikes) {
            if !rule.path.matches(path) {
                continue;
            }
            let spent = match rule.until {
                Until::Forever => false,
                Until::Times(times) => strikes.count >= times,
                Until::Seconds(seconds) => {
                    strikes.first.is_some_and(|first| now.duration_since(first) >= whole_or_less(seconds))
                }
            };
            if !spent {
                strikes.count += 1;
                strikes.first.get_or_insert(now);
                return Some(rule.fault);
            }
        }
        None
    }

    /// Whether the whole registry refuses connections now.
    pub(super) fn down(&self) -> Option<Down> {
        let until = self.script.down?.duration().and_then(|length| self.since.checked_add(length));
        let over = until.is_some_and(|until| Instant::now() >= until);
        (!over).then_some(Down { until })
    }
}

/// Returns when the outage is over; never, if it doesn't end by itself.
pub(super) async fn over(down: Option<Down>) {
    match down.map(|down| down.until) {
        Some(Some(until)) => tokio::time::sleep_until(until.into()).await,
        Some(None) => std::future::pending().await,
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_used_up_in_order() {
        let script = Script::fault("/a", Fault::Reset, Until::Times(2))
            .and("/**", Fault::Stall, Until::Times(1))
            .and("/b", Fault::Close, Until::Forever);
        let mut script = ScriptInForce::new(script);
        let struck: Vec<_> = ["/a", "/a", "/a", "/a", "/b", "/b"].map(|path| script.strike(path)).into();
        let expected = [
            Some(Fault::Reset),
            Some(Fault::Reset),
            Some(Fault::Stall),
            None,
            Some(Fault::Close),
            Some(Fault::Close),
        ];
        assert_eq!(struck, expected);
    }

    #[test]
    fn a_rule_for_no_time_strikes_once_and_an_outage_for_no_time_not_at_all() {
        let mut script = ScriptInForce::new(Script::fault("/**", Fault::Reset, Until::Seconds(0.0)));
        assert_eq!(script.strike("/a"), Some(Fault::Reset));
        assert_eq!(script.strike("/a"), None);
        let script = ScriptInForce::new(Script::down(crate::script::Outage::Seconds(0.0)));
        assert!(script.down().is_none());
    }
}
