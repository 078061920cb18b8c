//! Outage mode: the same cause at the same service in several repositories within a short time is one outage.
//!
//! While it lasts nothing is attempted: every attempt would fail, cost budget and load a service that is on its knees.
//! The service is asked instead, and once it answers again the work that waited is let go one by one, at a bounded rate
//! and with jitter, so that the drain does not bring it down once more. Pure: times are arguments.
//!
//! On jitter: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog (2015).

use std::collections::{BTreeMap, BTreeSet};

use regreen_domain::HealableClass;

use crate::random::Random;

/// A failure at a service that could be told: [`concerns`] says which classes are worth reporting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting<'a> {
    /// Its class.
    pub class: HealableClass,
    /// The service: a host that the operator or the catalogue knows, never one that only a log names.
    pub service: &'a str,
    /// The repository whose job failed.
    pub repository: &'a str,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// When failures are one outage, and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutagePolicy {
    /// Repositories that must have met the cause.
    pub repositories: usize,
    /// Within so many milliseconds.
    pub within_ms: i64,
    /// Answers in a row after which a service counts as back.
    pub answers: usize,
    /// Attempts let go in a minute once it is back; at least one is.
    pub per_minute: u32,
}

impl Default for OutagePolicy {
    /// Three repositories in ten minutes; two answers; five a second.
    fn default() -> OutagePolicy {
        OutagePolicy { repositories: 3, within_ms: 10 * MINUTE, answers: 2, per_minute: 300 }
    }
}

/// A service that several repositories could not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// What it looks like from the jobs.
    pub class: HealableClass,
    /// Which service.
    pub service: String,
    /// The first sighting of those that made it an outage.
    pub began: i64,
    /// The repositories that met it since, sorted.
    pub repositories: Vec<String>,
}

const MINUTE: i64 = 60_000;

/// Whether a failure of this class can be an outage of a service: what is damaged or full on one machine can't.
pub const fn concerns(class: HealableClass) -> bool {
    match class {
        HealableClass::NetworkTimeout | HealableClass::ServiceUnavailable | HealableClass::RateLimited => {
            true
        }
        HealableClass::LockfileCorruption
        | HealableClass::CacheCorruption
        | HealableClass::ResourceExhausted
        | HealableClass::RunnerFailure => false,
    }
}

/// The outages that these sightings, in any order, amount to at `now`; sorted by service and class.
///
/// An outage is there while the last `within_ms` hold sightings of enough repositories. One that began earlier counts
/// from the earliest sighting that belongs to it without a gap of `within_ms`. A clock that was set back makes sightings
/// of the future: they count, so that nobody's wrong clock ends an outage.
pub fn outages(sightings: &[Sighting<'_>], policy: &OutagePolicy, now: i64) -> Vec<Outage> {
    let mut by_cause: BTreeMap<(&str, HealableClass), Vec<&Sighting<'_>>> = BTreeMap::new();
    for sighting in sightings.iter().filter(|s| concerns(s.class) && !s.service.is_empty()) {
        by_cause.entry((sighting.service, sighting.class)).or_default().push(sighting);
    }
    let mut found = Vec::new();
    for ((service, class), mut seen) in by_cause {
        seen.sort_by_key(|s| std::cmp::Reverse(s.at));
        let recent: BTreeSet<&str> = seen
            .iter()
            .take_while(|s| now.saturating_sub(s.at) < policy.within_ms)
            .map(|s| s.repository)
            .collect();
        if recent.is_empty() || recent.len() < policy.repositories {
            continue;
        }
        let mut began = now;
        let mut repositories = BTreeSet::new();
        for sighting in seen {
            if began.saturating_sub(sighting.at) >= policy.within_ms {
                break;
            }
            began = began.min(sighting.at);
            repositories.insert(sighting.repository.to_owned());
        }
        let repositories = repositories.into_iter().collect();
        found.push(Outage { class, service: service.to_owned(), began, repositories });
    }
    found
}

/// Whether a service counts as back: its latest probes, oldest first, all answered, and there were enough of them.
pub fn is_back(probes: &[bool], policy: &OutagePolicy) -> bool {
    let needed = policy.answers.max(1);
    probes.len() >= needed && probes.iter().rev().take(needed).all(|answered| *answered)
}

/// When each waiting item may go, once the service answers at `back`; in the order of `waiting`.
///
/// Each item has a slot of its own, `60000 / per_minute` milliseconds long, and goes at a random moment in it. So no
/// minute has more than `per_minute + 1` of them, and the last one goes within `waiting.len() / per_minute` minutes.
/// The order is drawn from `seed` too: no repository is first by its name.
pub fn drain(waiting: &[&str], back: i64, policy: &OutagePolicy, seed: u64) -> Vec<i64> {
    let mut order: Vec<(f64, usize)> =
        waiting.iter().enumerate().map(|(i, id)| (Random::new(seed, id).uniform(), i)).collect();
    order.sort_by(|(a, i), (b, j)| a.total_cmp(b).then(i.cmp(j)));
    let per_minute = i64::from(policy.per_minute.max(1));
    let mut at = vec![back; waiting.len()];
    let mut jitter = Random::new(seed, "jitter");
    for (slot, (_, i)) in (0i64..).zip(order) {
        let (start, end) = (slot * MINUTE / per_minute, (slot + 1) * MINUTE / per_minute);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "within a minute")]
        let within = ((end - start) as f64 * jitter.uniform()) as i64;
        at[i] = back.saturating_add(start + within);
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sighting(repository: &str, at: i64) -> Sighting<'_> {
        Sighting { class: HealableClass::ServiceUnavailable, service: "registry.example", repository, at }
    }

    #[test]
    fn several_repositories_make_an_outage_and_one_alone_does_not() {
        let policy = OutagePolicy::default();
        let alone: Vec<_> = (0..50).map(|at| sighting("a/a", at)).collect();
        assert_eq!(outages(&alone, &policy, 60), []);
        let several = [sighting("a/a", 5), sighting("c/c", 7), sighting("b/b", 6), sighting("a/a", 9)];
        let found = outages(&several, &policy, 60);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].began, found[0].repositories.join(" ")), (5, "a/a b/b c/c".to_owned()));
    }

    #[test]
    fn it_ends_when_nothing_is_seen_any_more_and_begins_where_it_began() {
        let policy = OutagePolicy::default();
        let old = sighting("z/z", -20 * MINUTE);
        let long: Vec<_> = (0..30)
            .map(|i| sighting(["a/a", "b/b", "c/c"][usize::try_from(i % 3).unwrap()], i * MINUTE))
            .chain([old])
            .collect();
        let found = outages(&long, &policy, 30 * MINUTE);
        assert_eq!((found[0].began, found[0].repositories.len()), (0, 3), "the old one is another matter");
        assert_eq!(outages(&long, &policy, 37 * MINUTE + 1), [], "two are left in the last ten minutes");
    }

    #[test]
    fn another_service_another_class_and_one_machine_s_trouble_are_apart() {
        let policy = OutagePolicy::default();
        let three = |change: fn(&mut Sighting<'_>)| {
            let mut seen = [sighting("a/a", 1), sighting("b/b", 2), sighting("c/c", 3)];
            change(&mut seen[2]);
            outages(&seen, &policy, 4).len()
        };
        assert_eq!(three(|_| ()), 1);
        assert_eq!(three(|s| s.service = "other.example"), 0);
        assert_eq!(three(|s| s.class = HealableClass::RateLimited), 0);
        let full = |s: Sighting<'static>| Sighting { class: HealableClass::ResourceExhausted, ..s };
        let seen = [full(sighting("a/a", 1)), full(sighting("b/b", 2)), full(sighting("c/c", 3))];
        assert_eq!(outages(&seen, &policy, 4), []);
        let nameless = |s: Sighting<'static>| Sighting { service: "", ..s };
        let seen = [nameless(sighting("a/a", 1)), nameless(sighting("b/b", 2)), nameless(sighting("c/c", 3))];
        assert_eq!(outages(&seen, &policy, 4), [], "an unknown service is never \"all of them\"");
    }

    #[test]
    fn a_service_is_back_after_answers_in_a_row() {
        let policy = OutagePolicy::default();
        assert!(!is_back(&[], &policy));
        assert!(!is_back(&[true], &policy));
        assert!(!is_back(&[true, true, false], &policy));
        assert!(!is_back(&[true, false, true], &policy));
        assert!(is_back(&[false, true, true], &policy));
        assert!(!is_back(&[], &OutagePolicy { answers: 0, ..policy }), "not asked is not answered");
    }

    proptest! {
        #[test]
        fn no_minute_of_a_drain_has_more_than_its_rate_and_nobody_waits_longer_than_needed(
            n in 0usize..400, per_minute in 0u32..400, back in 0i64..1_000_000, seed: u64
        ) {
            let policy = OutagePolicy { per_minute, ..OutagePolicy::default() };
            let names: Vec<String> = (0..n).map(|i| format!("o/{i}")).collect();
            let waiting: Vec<&str> = names.iter().map(String::as_str).collect();
            let at = drain(&waiting, back, &policy, seed);
            prop_assert_eq!(&at, &drain(&waiting, back, &policy, seed));
            let mut sorted = at;
            sorted.sort_unstable();
            let rate = per_minute.max(1) as usize;
            prop_assert!(sorted.iter().all(|at| *at >= back));
            if let Some(last) = sorted.last() {
                let slots = i64::try_from(n).unwrap() * MINUTE / i64::try_from(rate).unwrap();
                prop_assert!(*last <= back + slots);
            }
            for (i, from) in sorted.iter().enumerate() {
                let within = sorted[i..].iter().take_while(|at| **at - from < MINUTE).count();
                prop_assert!(within <= rate + 1, "{within} in a minute, {rate} allowed");
            }
        }

        #[test]
        fn fewer_repositories_than_needed_are_never_an_outage(
            seen in proptest::collection::vec((0usize..4, -100_000i64..100_000), 0..60), needed in 5usize..9
        ) {
            let names = ["a/a", "b/b", "c/c", "d/d"];
            let seen: Vec<_> = seen.into_iter().map(|(who, at)| sighting(names[who], at)).collect();
            let policy = OutagePolicy { repositories: needed, ..OutagePolicy::default() };
            prop_assert_eq!(outages(&seen, &policy, 0), []);
        }
    }
}
