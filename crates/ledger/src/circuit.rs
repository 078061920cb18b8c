//! The circuit breaker as a fold over what happened: closed, open for a while, then one probe at a time.

/// When a breaker opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Consecutive failures that open it; 0 counts as 1.
    pub threshold: u32,
    /// How long it stays open.
    pub cooldown_ms: i64,
    /// How long a probe may take before it counts as lost and another may be sent.
    pub probe_ms: i64,
}

/// Whether recoveries may be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BreakerState {
    /// They may.
    Closed,
    /// They may not.
    Open {
        /// Until when.
        until: i64,
    },
    /// One may, to see whether it works again.
    HalfOpen {
        /// The incident that is trying, where one is.
        probe: Option<String>,
    },
}

/// What happened to a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A recovery worked.
    Success,
    /// A recovery did not work.
    Failure,
    /// A recovery was called off before it could tell.
    Abandoned,
    /// An incident was let through a half-open breaker.
    Probe,
    /// A person closed it.
    Reset,
}

impl Event {
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Event::Success => "success",
            Event::Failure => "failure",
            Event::Abandoned => "abandoned",
            Event::Probe => "probe",
            Event::Reset => "reset",
        }
    }

    pub(crate) fn parse(id: &str) -> Option<Event> {
        [Event::Success, Event::Failure, Event::Abandoned, Event::Probe, Event::Reset]
            .into_iter()
            .find(|e| e.id() == id)
    }
}

/// The fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Circuit {
    policy: BreakerPolicy,
    phase: Phase,
    failures: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: i64 },
    Probing { by: String, until: i64 },
}

impl Circuit {
    pub(crate) const fn new(policy: BreakerPolicy) -> Circuit {
        Circuit { policy, phase: Phase::Closed, failures: 0 }
    }

    /// Consecutive failures so far.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    /// One more event. While it is not closed, only the probe's own word counts: others began before it opened.
    pub(crate) fn apply(&mut self, at: i64, incident: &str, event: Event) {
        let is_probe = matches!(&self.phase, Phase::Probing { by, .. } if by == incident);
        match (event, &self.phase) {
            (Event::Reset, _) => self.close(),
            (Event::Success, Phase::Closed) => self.close(),
            (Event::Failure, Phase::Closed) => {
                self.failures += 1;
                if self.failures >= self.policy.threshold.max(1) {
                    self.open(at);
                }
            }
            (Event::Success, Phase::Probing { .. }) if is_probe => self.close(),
            (Event::Failure, Phase::Probing { .. }) if is_probe => {
                self.failures += 1;
                self.open(at);
            }
            (Event::Abandoned, Phase::Probing { .. }) if is_probe => self.phase = Phase::Open { until: at },
            (Event::Probe, Phase::Open { .. } | Phase::Probing { .. }) if self.has_room(at) => {
                let until = at.saturating_add(self.policy.probe_ms.max(1));
                self.phase = Phase::Probing { by: incident.to_owned(), until };
            }
            _ => {}
        }
    }

    /// How it stands now.
    pub(crate) fn state(&self, now: i64) -> BreakerState {
        match &self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { until } if now < *until => BreakerState::Open { until: *until },
            Phase::Probing { by, until } if now < *until => {
                BreakerState::HalfOpen { probe: Some(by.clone()) }
            }
            Phase::Open { .. } | Phase::Probing { .. } => BreakerState::HalfOpen { probe: None },
        }
    }

    /// Whether a probe may be sent.
    pub(crate) fn has_room(&self, now: i64) -> bool {
        self.state(now) == BreakerState::HalfOpen { probe: None }
    }

    fn close(&mut self) {
        self.phase = Phase::Closed;
        self.failures = 0;
    }

    fn open(&mut self, at: i64) {
        self.phase = Phase::Open { until: at.saturating_add(self.policy.cooldown_ms.max(0)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICY: BreakerPolicy = BreakerPolicy { threshold: 3, cooldown_ms: 100, probe_ms: 50 };

    fn event() -> impl Strategy<Value = (i64, u8, Event)> {
        let kinds = prop_oneof![
            Just(Event::Success),
            Just(Event::Failure),
            Just(Event::Abandoned),
            Just(Event::Probe)
        ];
        (0i64..60, 0u8..4, kinds)
    }

    #[test]
    fn the_whole_round() {
        let mut circuit = Circuit::new(POLICY);
        for at in [1, 2] {
            circuit.apply(at, "a", Event::Failure);
            assert_eq!(circuit.state(at), BreakerState::Closed);
        }
        circuit.apply(3, "a", Event::Failure);
        assert_eq!(circuit.state(102), BreakerState::Open { until: 103 });
        assert_eq!(circuit.state(103), BreakerState::HalfOpen { probe: None });
        circuit.apply(110, "b", Event::Probe);
        assert_eq!(circuit.state(110), BreakerState::HalfOpen { probe: Some("b".to_owned()) });
        circuit.apply(111, "late", Event::Success);
        assert_eq!(circuit.state(111), BreakerState::HalfOpen { probe: Some("b".to_owned()) });
        circuit.apply(112, "b", Event::Failure);
        assert_eq!(circuit.state(112), BreakerState::Open { until: 212 });
        circuit.apply(220, "c", Event::Probe);
        circuit.apply(221, "c", Event::Success);
        assert_eq!((circuit.state(221), circuit.failures()), (BreakerState::Closed, 0));
    }

    proptest! {
        #[test]
        fn one_probe_at_a_time_and_only_a_success_closes(events in prop::collection::vec(event(), 0..60)) {
            let mut circuit = Circuit::new(POLICY);
            let mut now = 0;
            for (wait, who, event) in events {
                now += wait;
                let who = who.to_string();
                let (before, room) = (circuit.state(now), circuit.has_room(now));
                circuit.apply(now, &who, event);
                let after = circuit.state(now);
                if before != BreakerState::Closed && after == BreakerState::Closed {
                    prop_assert_eq!(event, Event::Success);
                }
                if let (BreakerState::HalfOpen { probe: Some(was) }, BreakerState::HalfOpen { probe: Some(is) }) =
                    (&before, &after)
                {
                    prop_assert_eq!(was, is);
                }
                if event == Event::Probe && !room {
                    prop_assert_eq!(before, after);
                }
            }
        }
    }
}
