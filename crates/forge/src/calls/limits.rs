//! A host's limits: what is left of its hour or minute, what asks to slow down, and what is left to others.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use crate::{Budget, ForgeError, Quota};

/// What an answer tells of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// What is left.
    pub(crate) budget: Option<Budget>,
    /// Until when nothing may be asked, and by whose limit.
    pub(crate) closed: Option<(SystemTime, Quota)>,
}

/// What is known of the limits, by credential (an app's installations have one each).
#[derive(Debug)]
pub(crate) struct Limits {
    reserve: f64,
    known: Mutex<HashMap<u64, Known>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    budget: Option<Budget>,
    closed: Option<(SystemTime, Quota)>,
}

impl Limits {
    pub(crate) fn new(reserve: f64) -> Limits {
        Limits { reserve: reserve.clamp(0.0, 1.0), known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call may be sent.
    pub(crate) fn may_send(&self, whose: u64, now: SystemTime) -> Result<(), ForgeError> {
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

    /// What was last told.
    pub(crate) fn known_of(&self, whose: u64) -> Option<Budget> {
        self.known().get(&whose).and_then(|known| known.budget)
    }

    /// Takes note of what an answer told; an error where it says that a limit was reached.
    pub(crate) fn learn(&self, whose: u64, told: Told) -> Result<(), ForgeError> {
        let mut all = self.known();
        let known = all.entry(whose).or_default();
        known.budget = told.budget.or(known.budget);
        let Some((until, quota)) = told.closed else { return Ok(()) };
        known.closed = Some((until, quota));
        Err(ForgeError::RateLimited { until, quota })
    }

    /// Of several credentials' limits the tightest.
    pub(crate) fn budget(&self) -> Option<Budget> {
        let all = self.known();
        let share = |budget: &Budget| budget.remaining as f64 / budget.limit.max(1) as f64;
        all.values().filter_map(|known| known.budget).min_by(|a, b| share(a).total_cmp(&share(b)))
    }
}
