//! How far a playbook may go by its record: promoted by evidence, demoted by a failure.

use regreen_domain::{Confidence, Counts, Mode, Outcome};

use crate::{Policy, Record};

/// The mode of a playbook with this record under this policy.
///
/// It rises to what the operator lets it earn where the lower end of the interval of its healed share reaches the mark
/// and its latest incident was healed; never from `observe`, by which everything is stopped. One that got stuck falls to `approve` until it has healed again: a person must
/// have looked.
pub fn earned(policy: &Policy, record: Option<&Record>) -> Mode {
    if policy.approved {
        return policy.mode;
    }
    let Some(record) = record else { return policy.mode };
    match (record.last, policy.promotion) {
        (Some(Outcome::Stuck), _) => policy.mode.min(Mode::Approve),
        (Some(Outcome::Healed), Some(promotion))
            if policy.mode > Mode::Observe && least_share(record) >= promotion.at =>
        {
            policy.mode.max(promotion.to)
        }
        _ => policy.mode,
    }
}

fn least_share(record: &Record) -> f64 {
    let n = record.healed.saturating_add(record.failed);
    Confidence::wilson(Counts { hits: n, right: record.healed, n }).value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Promotion;

    fn policy(mode: Mode, promotion: Option<Promotion>) -> Policy {
        Policy { mode, promotion, ..Policy::default() }
    }

    fn record(healed: u32, failed: u32, last: Outcome) -> Record {
        Record { healed, failed, last: Some(last), ..Record::default() }
    }

    #[test]
    fn a_mode_is_earned_by_enough_outcomes_and_lost_by_one_failure() {
        let earning = policy(Mode::Approve, Some(Promotion { to: Mode::Auto, at: 0.8 }));
        // 15 of 15: the interval begins at 0.796; 16 of 16: at 0.806.
        for (healed, failed, last, want) in [
            (15, 0, Outcome::Healed, Mode::Approve),
            (16, 0, Outcome::Healed, Mode::Auto),
            (16, 0, Outcome::RolledBack, Mode::Approve),
            (40, 1, Outcome::Healed, Mode::Auto),
            (40, 20, Outcome::Healed, Mode::Approve),
        ] {
            let record = record(healed, failed, last);
            assert_eq!(earned(&earning, Some(&record)), want, "{record:?}");
        }
        assert_eq!(
            earned(&policy(Mode::Approve, None), Some(&record(99, 0, Outcome::Healed))),
            Mode::Approve
        );
        assert_eq!(earned(&earning, None), Mode::Approve);
    }

    #[test]
    fn what_got_stuck_waits_for_a_person_and_a_promotion_never_lowers() {
        let auto = policy(Mode::Auto, Some(Promotion { to: Mode::Suggest, at: 0.5 }));
        assert_eq!(earned(&auto, Some(&record(50, 1, Outcome::Stuck))), Mode::Approve);
        assert_eq!(earned(&auto, Some(&record(50, 1, Outcome::Healed))), Mode::Auto);
        assert_eq!(earned(&policy(Mode::Observe, None), Some(&record(0, 1, Outcome::Stuck))), Mode::Observe);
        let observes = policy(Mode::Observe, Some(Promotion { to: Mode::Auto, at: 0.5 }));
        assert_eq!(earned(&observes, Some(&record(99, 0, Outcome::Healed))), Mode::Observe);
        let approved = Policy { approved: true, ..auto };
        assert_eq!(earned(&approved, Some(&record(0, 1, Outcome::Stuck))), Mode::Auto);
    }
}
