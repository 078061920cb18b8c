//! What holds beside the fleet, setting by setting, each with where it stands. Of a secret it is said which file holds it, never what.

use std::time::Duration;

use regreen_decide::Budget;
use regreen_engine::{FleetConfig, Rule};
use regreen_server::{Value, Values};

use super::{Config, sources::Sources};

/// Rows of one group.
struct Rows<'s> {
    sources: &'s Sources,
    rows: Vec<Value>,
}

impl Rows<'_> {
    /// What a key says, or what holds without it.
    fn say(&mut self, key: &str, value: impl Into<String>) {
        self.or(key, &[], value);
    }

    /// The same where other keys are asked when that one is silent.
    fn or(&mut self, key: &str, others: &[&str], value: impl Into<String>) {
        let source = self.sources.of_key(key, others);
        self.rows.push(Value { name: key.to_owned(), value: value.into(), source });
    }

    /// What stands any number of times; `none` where it does not.
    fn each(&mut self, key: &str, none: &str, values: impl IntoIterator<Item = String>) {
        let from = self.rows.len();
        for (i, value) in values.into_iter().enumerate() {
            let source = self.sources.of_key(&format!("{key}[{i}]"), &[]);
            self.rows.push(Value { name: format!("{key} {}", i + 1), value, source });
        }
        if self.rows.len() == from {
            self.say(key, none);
        }
    }
}

impl Config {
    /// What holds beside the fleet, by what it is about.
    pub fn effective(&self) -> Vec<Values> {
        let fleet = self.fleet();
        let group = |about: &str, fill: &dyn Fn(&mut Rows<'_>)| {
            let mut rows = Rows { sources: &self.sources, rows: Vec::new() };
            fill(&mut rows);
            Values { about: about.to_owned(), values: rows.rows }
        };
        vec![
            group("How far it goes", &|rows| reach(rows, &fleet)),
            group("What is kept", &|rows| {
                let days = self.keep_days().map_or_else(|| "for good".to_owned(), |n| format!("{n} days"));
                rows.say("serve.keep-days", days);
            }),
            group("Jobs that ask", &|rows| {
                let jobs = self.jobs();
                rows.say("serve.jobs.mode", jobs.mode.id());
                rows.each("serve.jobs.rule", "none", jobs.rules.iter().map(rule));
            }),
            group("What it may cost", &|rows| costs(rows, &fleet)),
            group("What a failure costs a person", &|rows| {
                let worth = self.worth();
                let said = |of: Option<f64>| of.map_or_else(|| "not said".to_owned(), |of| of.to_string());
                rows.say("metrics.minutes-per-failure", said(worth.minutes_per_failure));
                rows.say("metrics.cost-per-minute", said(worth.cost_per_minute));
            }),
            group("Services that are down", &|rows| outages(rows, &fleet)),
            group("Who is told", &|rows| self.telling(rows, &fleet)),
            group("Who may, and where figures go", &|rows| self.doors(rows)),
        ]
    }

    fn telling(&self, rows: &mut Rows<'_>, fleet: &FleetConfig) {
        let (issues, told) = (&fleet.escalation, fleet.told);
        let repository = issues.outages_in.as_ref().map_or("none", |of| of.as_str());
        let host = issues.host.map_or_else(|| "the only one that is asked".to_owned(), |h| h.to_string());
        rows.say("serve.escalation.issues", yes(issues.issues));
        rows.say("serve.escalation.repository", repository);
        rows.say("serve.escalation.host", host);
        rows.say("serve.escalation.codeowners", yes(issues.codeowners));
        rows.say("serve.escalation.assignees", list(&issues.assignees, "nobody"));
        rows.say("serve.told.pull-requests", yes(told.pull_requests));
        rows.say("serve.told.check-runs", yes(told.check_runs));
        rows.each("notify.sink", "none", self.ways());
        let rules = fleet.routes.rules.iter().map(|rule| {
            let kinds: Vec<&str> = rule.kinds.iter().map(|kind| kind.id()).collect();
            format!(
                "{} of {} in {}, {}",
                list(&rule.sinks, "nobody"),
                list(&kinds, "everything but healed"),
                rule.repository.as_deref().unwrap_or("any repository"),
                rule.class.as_deref().unwrap_or("any class")
            )
        });
        rows.each("notify.rule", "nobody is told", rules);
    }

    fn doors(&self, rows: &mut Rows<'_>) {
        match self.proxy() {
            None => rows.say("serve.proxy", "none: nobody is believed by a header"),
            Some(proxy) => {
                rows.say("serve.proxy.user-header", proxy.user.as_str());
                rows.say(
                    "serve.proxy.groups-header",
                    proxy.groups.as_ref().map_or("none", |name| name.as_str()),
                );
                rows.say("serve.proxy.trusted", list(&proxy.from, ""));
                let role = proxy.otherwise.map_or("nothing that no rule says", |role| role.id());
                rows.say("serve.proxy.role", role);
                let groups = proxy.by_group.iter().map(|(of, role)| format!("group {of}: {}", role.id()));
                let users = proxy.by_user.iter().map(|(of, role)| format!("{of}: {}", role.id()));
                let rules: Vec<String> = groups.chain(users).collect();
                rows.say("serve.proxy.rule", list(&rules, "none"));
            }
        }
        match self.collector() {
            None => rows.say("serve.otlp", "nowhere"),
            Some((address, every)) => {
                rows.say("serve.otlp.endpoint", format!("{}, its path not shown", address.origin()));
                rows.say("serve.otlp.every", humantime::format_duration(every).to_string());
            }
        }
    }
}

fn reach(rows: &mut Rows<'_>, fleet: &FleetConfig) {
    let policy = &fleet.policy;
    rows.say("serve.mode", policy.mode.id());
    rows.each("serve.rule", "none", fleet.rules.iter().map(rule));
    rows.say("confidence-threshold", format!("{}", policy.threshold));
    rows.say("max-recovery-attempts", policy.max_attempts.to_string());
    rows.say("max-risk", policy.max_risk.id());
    rows.say("deny", list(&policy.deny, "nothing"));
    match policy.promotion {
        None => rows.say("promotion", "none: no playbook earns more than its mode"),
        Some(promotion) => {
            rows.say("promotion.to", promotion.to.id());
            rows.say("promotion.at", format!("{}", promotion.at));
        }
    }
    rows.say("serve.control.fraction", format!("{}", policy.control));
    rows.say("serve.comments.enabled", yes(fleet.comments));
    rows.say("circuit-breaker-threshold", fleet.breaker.threshold.to_string());
    rows.say("circuit-breaker-cooldown", span(fleet.breaker.cooldown_ms));
}

fn costs(rows: &mut Rows<'_>, fleet: &FleetConfig) {
    let limits = |budget: &Budget| {
        [
            ("attempts-per-day", limit(budget.attempts_per_day)),
            ("per-hour", limit(budget.per_hour)),
            ("minutes-per-day", limit(budget.minutes_per_day)),
            ("money-per-day", limit(budget.money_per_day)),
        ]
    };
    for (name, value) in limits(&fleet.policy.budget) {
        rows.or(&format!("serve.budget.{name}"), &[&format!("budget.{name}")], value);
    }
    let cost = fleet.policy.budget.cost_per_minute;
    let cost = if cost > 0.0 { cost.to_string() } else { "not said".to_owned() };
    rows.or("serve.budget.cost-per-minute", &["budget.cost-per-minute"], cost);
    rows.say("serve.budget.api-calls-per-hour", limit(fleet.calls.repository));
    for (name, value) in limits(&fleet.policy.organisation) {
        rows.say(&format!("serve.budget.organisation.{name}"), value);
    }
    rows.say("serve.budget.organisation.api-calls-per-hour", limit(fleet.calls.organisation));
}

fn outages(rows: &mut Rows<'_>, fleet: &FleetConfig) {
    let outage = &fleet.outage;
    let is_on = !outage.services.is_empty();
    rows.say("serve.outage.enabled", yes(is_on));
    rows.say("serve.outage.repositories", outage.policy.repositories.to_string());
    rows.say("serve.outage.within", span(outage.policy.within_ms));
    rows.say("serve.outage.answers", outage.policy.answers.to_string());
    rows.say("serve.outage.probe-every", span(outage.probe_ms));
    rows.say("serve.outage.per-minute", outage.policy.per_minute.to_string());
    rows.say("serve.outage.wait-at-most", span(outage.wait_ms));
    if !is_on {
        return rows.say("serve.service", "none is asked");
    }
    // The operator's own come first.
    let own = (0..).take_while(|i| rows.sources.has(&format!("serve.service[{i}]"))).count();
    let (own, public) = outage.services.split_at(own.min(outage.services.len()));
    let of = |service: &regreen_engine::KnownService| {
        // What stands behind a question mark may be a key.
        let url = service.url.split(['?', '#']).next().unwrap_or_default();
        format!("{url} for {}", list(&service.tools, "no tool"))
    };
    rows.each("serve.service", "none of the operator’s own", own.iter().map(of));
    let hosts: Vec<&str> = public.iter().map(|service| service.host.as_str()).collect();
    let (name, source) = ("public services".to_owned(), super::sources::DEFAULT.to_owned());
    rows.rows.push(Value { name, value: list(&hosts, "none"), source });
}

fn rule(rule: &Rule) -> String {
    format!(
        "{} at {} for {}, {}, {}",
        rule.mode.id(),
        rule.host.map_or_else(|| "any host".to_owned(), |host| host.to_string()),
        rule.repository.as_deref().unwrap_or("any repository"),
        rule.class.map_or("any class", |class| class.id()),
        rule.playbook.as_deref().unwrap_or("any playbook")
    )
}

fn list<T: ToString>(of: &[T], none: &str) -> String {
    match of {
        [] => none.to_owned(),
        of => of.iter().map(T::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn limit<T: ToString>(limit: Option<T>) -> String {
    limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string())
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

pub(super) fn span(ms: i64) -> String {
    humantime::format_duration(Duration::from_millis(ms.max(0).unsigned_abs())).to_string()
}
