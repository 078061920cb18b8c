//! `[metrics]`: what a failure costs a person. Nothing is assumed where nothing is said.

use regreen_server::shape::Worth;
use serde::Deserialize;
use toml::Spanned;

use super::{Config, bad, limits::money};
use crate::exit::Failed;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MetricsFile {
    minutes_per_failure: Option<Spanned<f64>>,
    cost_per_minute: Option<Spanned<f64>>,
}

/// What `[metrics]` says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Costs {
    minutes_per_failure: Option<f64>,
    cost_per_minute: Option<f64>,
}

/// Takes over what the file says.
pub(super) fn take(costs: &mut Costs, place: &str, text: &str, file: &MetricsFile) -> Result<(), Failed> {
    if let Some(v) = &file.minutes_per_failure {
        if !(0.0..=1440.0).contains(v.get_ref()) {
            return Err(bad(place, text, v, "minutes-per-failure is a number of minutes from 0 to 1440"));
        }
        costs.minutes_per_failure = Some(*v.get_ref());
    }
    if let Some(v) = &file.cost_per_minute {
        costs.cost_per_minute = Some(money(place, text, v)?);
    }
    Ok(())
}

impl Config {
    /// What a failure costs, and what runners do: as the budget beside the fleet has it.
    pub fn worth(&self) -> Worth {
        let runner = self.fleet().policy.budget.cost_per_minute;
        Worth {
            minutes_per_failure: self.metrics.minutes_per_failure,
            cost_per_minute: self.metrics.cost_per_minute,
            runner_cost_per_minute: (runner > 0.0).then_some(runner),
        }
    }
}

#[cfg(test)]
mod tests {
    use regreen_server::shape::Worth;

    use super::super::{Config, parse};

    fn worth(text: &str) -> Result<Worth, String> {
        let mut config = Config::default();
        let file = parse("config.toml", text).map_err(|e| e.to_string())?;
        config.take("config.toml", text, &file).map_err(|e| e.to_string())?;
        Ok(config.worth())
    }

    #[test]
    fn nothing_is_assumed_of_what_a_failure_costs() {
        assert_eq!(worth(""), Ok(Worth::default()));
        let said =
            "[budget]\ncost-per-minute = 0.5\n[metrics]\nminutes-per-failure = 12.5\ncost-per-minute = 1\n";
        let all = Worth {
            minutes_per_failure: Some(12.5),
            cost_per_minute: Some(1.0),
            runner_cost_per_minute: Some(0.5),
        };
        assert_eq!(worth(said), Ok(all));
        let beside = format!("{said}[serve.budget]\ncost-per-minute = 0.008\n");
        assert_eq!(worth(&beside).map(|w| w.runner_cost_per_minute), Ok(Some(0.008)));
        let wrong = worth("[metrics]\nminutes-per-failure = -1").unwrap_err();
        assert!(
            wrong.contains("config.toml:2:23: minutes-per-failure is a number of minutes from 0 to 1440"),
            "{wrong}"
        );
    }
}
