//! What the dashboard shows of the settings that hold beside the fleet.

use std::time::Duration;

use regreen_engine::FleetConfig;
use regreen_server::{Settings, Value};

use crate::args::WorkArgs;

/// The settings, each with who said so.
pub fn settings(fleet: &FleetConfig, args: &WorkArgs) -> Settings {
    Settings {
        breaker: fleet.breaker,
        services: fleet.outage.services.iter().map(|service| service.host.clone()).collect(),
        github: site_of(&args.github_api),
        gitlab: args.gitlab_url.clone(),
        values: values(fleet),
    }
}

fn values(fleet: &FleetConfig) -> Vec<Value> {
    let usual = FleetConfig::default();
    let (own, default) = (rows(fleet), rows(&usual));
    let source = |i: usize, value: &str| match default.get(i) {
        Some((_, usual)) if usual == value => "as it is by itself",
        _ => "the operator",
    };
    let values = own.into_iter().enumerate().map(|(i, (name, value))| Value {
        source: source(i, &value).to_owned(),
        name: name.to_owned(),
        value,
    });
    let rules = fleet.rules.iter().enumerate().map(|(i, rule)| {
        let class = rule.class.map_or("any class", |class| class.id());
        let of = [rule.repository.as_deref().unwrap_or("any repository"), class];
        let playbook = rule.playbook.as_deref().unwrap_or("any playbook");
        Value {
            name: format!("serve.rule {}", i + 1),
            value: format!("{} for {}, {}, {playbook}", rule.mode.id(), of[0], of[1]),
            source: "the operator".to_owned(),
        }
    });
    values.chain(rules).collect()
}

/// Names as in the operator's file, and values; for every configuration the same names in the same order.
fn rows(fleet: &FleetConfig) -> Vec<(&'static str, String)> {
    let (policy, outage) = (&fleet.policy, &fleet.outage);
    let denied: Vec<String> = policy.deny.iter().map(ToString::to_string).collect();
    let number = |n: Option<u32>| n.map_or_else(|| "no limit".to_owned(), |n| n.to_string());
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    vec![
        ("serve.mode", policy.mode.id().to_owned()),
        ("confidence-threshold", format!("{:.2}", policy.threshold)),
        ("max-recovery-attempts", policy.max_attempts.to_string()),
        ("max-risk", policy.max_risk.id().to_owned()),
        ("deny", if denied.is_empty() { "nothing".to_owned() } else { denied.join(", ") }),
        ("budget.per-hour", number(policy.budget.per_hour)),
        ("budget.minutes-per-day", number(policy.budget.minutes_per_day)),
        ("circuit-breaker-threshold", fleet.breaker.threshold.to_string()),
        ("circuit-breaker-cooldown", span(fleet.breaker.cooldown_ms)),
        ("serve.comments.enabled", yes(fleet.comments)),
        ("serve.escalation.issues", yes(fleet.escalation.issues)),
        ("serve.outage.repositories", outage.policy.repositories.to_string()),
        ("serve.outage.within", span(outage.policy.within_ms)),
        ("serve.outage.per-minute", outage.policy.per_minute.to_string()),
        ("serve.outage.wait-at-most", span(outage.wait_ms)),
    ]
}

fn span(ms: i64) -> String {
    humantime::format_duration(Duration::from_millis(ms.max(0).unsigned_abs())).to_string()
}

/// Where people see what is at GitHub, by the address of its API.
fn site_of(api: &str) -> String {
    let api = api.trim_end_matches('/');
    match api.strip_suffix("/api/v3") {
        Some(site) => site.to_owned(),
        None => api.replacen("://api.", "://", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_a_run_where_its_host_is() {
        assert_eq!(site_of("https://api.github.com"), "https://github.com");
        assert_eq!(site_of("https://ghe.example/api/v3/"), "https://ghe.example");
    }

    #[test]
    fn each_setting_says_who_said_so() {
        let mut fleet = FleetConfig::default();
        fleet.policy.max_attempts = 9;
        let shown = values(&fleet);
        let of = |name: &str| {
            shown.iter().find(|value| value.name == name).map(|v| (v.value.clone(), v.source.clone()))
        };
        assert_eq!(of("max-recovery-attempts"), Some(("9".to_owned(), "the operator".to_owned())));
        assert_eq!(of("serve.mode"), Some(("observe".to_owned(), "as it is by itself".to_owned())));
    }
}
