//! `[serve]` in the operator's file: how far Regreen goes beside the fleet, for which repositories, classes and playbooks.

mod otlp;
mod proxy;

use std::time::Duration;

use regreen_decide::Budget;
use regreen_domain::{FailureClass, Mode};
use regreen_engine::{EscalationConfig, FleetConfig, JobPolicy, OutageConfig, Rule, ToldConfig};
use regreen_forge::{Repository, hook::Sender};
use regreen_notify::Address;
use regreen_server::access::Proxy;
use serde::Deserialize;
use toml::Spanned;

use super::{Config, MODES, bad, budget, outage};
use crate::{
    exit::{Failed, INVALID},
    log_store::{DATABASE, NONE},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Serving {
    mode: Option<Spanned<String>>,
    keep_days: Option<Spanned<u32>>,
    #[serde(default)]
    rule: Vec<RuleFile>,
    comments: Option<CommentsFile>,
    jobs: Option<JobsFile>,
    budget: Option<budget::BudgetFile>,
    proxy: Option<proxy::ProxyFile>,
    otlp: Option<otlp::OtlpFile>,
    control: Option<ControlFile>,
    outage: Option<outage::OutageFile>,
    escalation: Option<EscalationFile>,
    told: Option<ToldFile>,
    logs: Option<LogsFile>,
    #[serde(default)]
    service: Vec<outage::ServiceFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommentsFile {
    enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlFile {
    fraction: Spanned<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobsFile {
    mode: Option<Spanned<String>>,
    #[serde(default)]
    rule: Vec<RuleFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    host: Option<Spanned<String>>,
    repository: Option<Spanned<String>>,
    class: Option<Spanned<String>>,
    playbook: Option<Spanned<String>>,
    mode: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EscalationFile {
    #[serde(default)]
    issues: bool,
    repository: Option<Spanned<String>>,
    host: Option<Spanned<String>>,
    #[serde(default)]
    codeowners: bool,
    #[serde(default)]
    assignees: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ToldFile {
    #[serde(default)]
    pull_requests: bool,
    #[serde(default)]
    check_runs: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogsFile {
    store: Spanned<String>,
}

/// What `[serve]` says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Serve {
    mode: Mode,
    /// What was over for so many days goes; `None`: nothing does.
    keep_days: Option<u32>,
    rules: Vec<Rule>,
    /// Whether commands in comments are obeyed.
    comments: bool,
    /// For jobs that ask.
    job_mode: Mode,
    job_rules: Vec<Rule>,
    budget: budget::ServeBudget,
    /// Says who has signed in.
    proxy: Option<Proxy>,
    /// Where the figures are sent.
    otlp: Option<(Address, Duration)>,
    /// The share that is left alone to compare the rest with it.
    control: f64,
    outage: OutageConfig,
    escalation: EscalationConfig,
    told: ToldConfig,
    /// Where logs are kept: `database`, `none`, or the address of a store.
    logs: String,
}

impl Default for Serve {
    /// Nothing is done beside the fleet; a job that asks goes as far as its own rules let it.
    fn default() -> Serve {
        let outage = OutageConfig { services: OutageConfig::public(), ..OutageConfig::default() };
        Serve {
            mode: Mode::Observe,
            keep_days: None,
            rules: Vec::new(),
            comments: false,
            job_mode: Mode::Auto,
            job_rules: Vec::new(),
            budget: budget::ServeBudget::default(),
            proxy: None,
            otlp: None,
            control: 0.0,
            outage,
            escalation: EscalationConfig::default(),
            told: ToldConfig::default(),
            logs: DATABASE.to_owned(),
        }
    }
}

/// Takes over what the file says, where `[budget]` says `usual`.
pub(super) fn take(
    serve: &mut Serve,
    place: &str,
    text: &str,
    file: &Serving,
    usual: Budget,
) -> Result<(), Failed> {
    let mode = |v: &Spanned<String>| Mode::parse(v.get_ref()).ok_or_else(|| bad(place, text, v, MODES));
    if let Some(v) = &file.mode {
        serve.mode = mode(v)?;
    }
    if let Some(v) = &file.keep_days {
        // Budgets and outages look back a day, and nobody repeats a run that is older than a month.
        let why = "keep-days is from 30 to 36500";
        let days = Some(*v.get_ref()).filter(|days| (30..=36_500).contains(days));
        serve.keep_days = Some(days.ok_or_else(|| bad(place, text, v, why))?);
    }
    if let Some(comments) = &file.comments {
        serve.comments = comments.enabled;
    }
    take_rules(&mut serve.rules, place, text, &file.rule)?;
    if let Some(jobs) = &file.jobs {
        if let Some(v) = &jobs.mode {
            serve.job_mode = mode(v)?;
        }
        if let Some(v) = jobs.rule.iter().find_map(|rule| rule.host.as_ref()) {
            return Err(bad(place, text, v, "jobs do not say at which host they run: leave host out here"));
        }
        take_rules(&mut serve.job_rules, place, text, &jobs.rule)?;
    }
    if let Some(file) = &file.otlp {
        serve.otlp = Some(otlp::take(place, text, file)?);
    }
    if let Some(file) = &file.proxy {
        serve.proxy = Some(proxy::take(place, text, file)?);
    }
    if let Some(file) = &file.budget {
        serve.budget = budget::take(place, text, file, usual)?;
    }
    if let Some(ControlFile { fraction }) = &file.control {
        let why = "fraction is a share from 0.0 to 0.5";
        let good = (0.0..=0.5).contains(fraction.get_ref());
        serve.control = good.then_some(*fraction.get_ref()).ok_or_else(|| bad(place, text, fraction, why))?;
    }
    serve.outage = outage::take(place, text, file.outage.as_ref(), &file.service)?;
    if let Some(LogsFile { store }) = &file.logs {
        let known = [DATABASE, NONE].contains(&store.get_ref().as_str()) || store.get_ref().contains("://");
        let why = "store is \"database\", \"none\", or an address: s3://BUCKET/PREFIX, gs://…, az://…, file:///FOLDER";
        serve.logs = known.then(|| store.get_ref().clone()).ok_or_else(|| bad(place, text, store, why))?;
    }
    if let Some(ToldFile { pull_requests, check_runs }) = file.told {
        serve.told = ToldConfig { pull_requests, check_runs };
    }
    if let Some(told) = &file.escalation {
        let name = |v: &Spanned<String>| {
            let why = "repository is \"OWNER/NAME\", in which the issue about an outage is written";
            Repository::parse(v.get_ref()).ok_or_else(|| bad(place, text, v, why))
        };
        let outages_in = told.repository.as_ref().map(name).transpose()?;
        let host = |v: &Spanned<String>| {
            let why = "host is \"github\" or \"gitlab\", at which `repository` is";
            Sender::parse(v.get_ref()).ok_or_else(|| bad(place, text, v, why))
        };
        let host = told.host.as_ref().map(host).transpose()?;
        let person = |v: &Spanned<String>| {
            let why = "assignees are accounts at the host, without the @";
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let good = (1..=100).contains(&v.get_ref().len()) && v.get_ref().chars().all(plain);
            if good { Ok(v.get_ref().clone()) } else { Err(bad(place, text, v, why)) }
        };
        let assignees = told.assignees.iter().map(person).collect::<Result<_, _>>()?;
        let (issues, codeowners) = (told.issues, told.codeowners);
        serve.escalation = EscalationConfig { issues, outages_in, host, codeowners, assignees };
    }
    Ok(())
}

fn take_rules(rules: &mut Vec<Rule>, place: &str, text: &str, file: &[RuleFile]) -> Result<(), Failed> {
    for rule in file {
        if let Some(v) = &rule.repository {
            let name = v
                .get_ref()
                .strip_suffix("/*")
                .map_or_else(|| v.get_ref().clone(), |owner| format!("{owner}/x"));
            let why = "repository is \"OWNER/NAME\", or \"OWNER/*\" for all of an owner's";
            Repository::parse(&name).ok_or_else(|| bad(place, text, v, why))?;
        }
        let class = match &rule.class {
            None => None,
            Some(v) => {
                let class = FailureClass::parse(v.get_ref()).filter(|class| class.healable().is_some());
                let why = || {
                    let ids = FailureClass::ALL.into_iter().filter(|class| class.healable().is_some());
                    let ids: Vec<&str> = ids.map(FailureClass::id).collect();
                    format!("class is one that can be healed: {}", ids.join(", "))
                };
                Some(class.ok_or_else(|| bad(place, text, v, &why()))?)
            }
        };
        let mode = Mode::parse(rule.mode.get_ref());
        let host = |v: &Spanned<String>| {
            let why = "host is \"github\" or \"gitlab\"";
            Sender::parse(v.get_ref()).ok_or_else(|| bad(place, text, v, why))
        };
        rules.push(Rule {
            host: rule.host.as_ref().map(host).transpose()?,
            repository: rule.repository.as_ref().map(|v| v.get_ref().clone()),
            class,
            playbook: rule.playbook.as_ref().map(|v| v.get_ref().clone()),
            mode: mode.ok_or_else(|| bad(place, text, &rule.mode, MODES))?,
        });
    }
    Ok(())
}

impl Config {
    /// Where the figures are sent, if anywhere, and how often.
    pub fn collector(&self) -> Option<(Address, Duration)> {
        self.serve.otlp.clone()
    }

    /// What was over for so many days goes by the clock of the fleet; `None`: nothing does.
    pub fn keep_days(&self) -> Option<u32> {
        self.serve.keep_days
    }

    /// The proxy that says who has signed in, where there is one.
    pub fn proxy(&self) -> Option<Proxy> {
        self.serve.proxy.clone()
    }

    /// How far jobs may go that ask the fleet.
    pub fn jobs(&self) -> JobPolicy {
        JobPolicy {
            mode: self.serve.job_mode,
            rules: self.serve.job_rules.clone(),
            breaker: self.engine.breaker,
            fleet: None,
        }
    }

    /// Whether it is clear at which of the hosts that are asked an outage is told.
    ///
    /// # Errors
    /// Where several have a repository of that name, as far as anybody knows.
    pub fn outages_at_one_of(&self, hosts: usize) -> Result<(), Failed> {
        let EscalationConfig { outages_in, host, .. } = &self.serve.escalation;
        match (outages_in, host) {
            (Some(repository), None) if hosts > 1 => {
                let what = format!(
                    "[serve.escalation] says nothing of the host at which {repository} is, and there are credentials for several"
                );
                let help = "add host = \"github\" or host = \"gitlab\" below [serve.escalation]";
                Err(Failed::new(INVALID, what).help(help))
            }
            _ => Ok(()),
        }
    }

    /// Where the fleet's logs are kept: `database`, `none`, or the address of a store.
    pub fn log_store(&self) -> &str {
        &self.serve.logs
    }

    /// What holds beside the fleet.
    pub fn fleet(&self) -> FleetConfig {
        let mut policy = self.engine.policy.clone();
        (policy.mode, policy.control) = (self.serve.mode, self.serve.control);
        (policy.budget, policy.organisation) = self.serve.budget.over(policy.budget);
        FleetConfig {
            policy,
            rules: self.serve.rules.clone(),
            comments: self.serve.comments,
            calls: self.serve.budget.calls,
            outage: self.serve.outage.clone(),
            escalation: self.serve.escalation.clone(),
            told: self.serve.told,
            routes: self.routes(),
            // A probe there takes as long as the next attempt of a run.
            breaker: regreen_ledger::BreakerPolicy {
                probe_ms: FleetConfig::default().breaker.probe_ms,
                ..self.engine.breaker
            },
            ..FleetConfig::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn config(text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        let file = parse("config.toml", text).map_err(|e| e.to_string())?;
        config.take("config.toml", text, &file).map_err(|e| e.to_string())?;
        Ok(config)
    }

    #[test]
    fn beside_the_fleet_nothing_is_done_until_somebody_says_so() {
        let network = FailureClass::parse("network-timeout").unwrap();
        let mode = |text: &str, repository: &str| {
            let of = Repository::parse(repository).unwrap();
            config(text).unwrap().fleet().mode(Sender::GitHub, &of, network, "rerun-failed-jobs")
        };
        assert_eq!(mode("mode = \"auto\"", "octo/shop"), Mode::Observe);
        assert_eq!(mode("[serve]\nmode = \"suggest\"", "octo/shop"), Mode::Suggest);
        for (host, want) in [("github", Mode::Auto), ("gitlab", Mode::Observe)] {
            let rule = format!("[[serve.rule]]\nhost = \"{host}\"\nmode = \"auto\"");
            assert_eq!(mode(&rule, "octo/shop"), want);
        }
        assert!(!config("[serve]\nmode = \"auto\"").unwrap().fleet().comments);
        assert!(config("[serve.comments]\nenabled = true").unwrap().fleet().comments);
        let rules = "[serve]\n[[serve.rule]]\nrepository = \"octo/*\"\nclass = \"network-timeout\"\nmode = \"auto\"\n";
        assert_eq!((mode(rules, "octo/shop"), mode(rules, "other/shop")), (Mode::Auto, Mode::Observe));
    }

    #[test]
    fn logs_are_kept_where_the_operator_says() {
        let of = |text: &str| {
            config(&format!("[serve.logs]\nstore = \"{text}\"")).map(|c| c.log_store().to_owned())
        };
        assert_eq!(config("").unwrap().log_store(), DATABASE);
        for store in [DATABASE, NONE, "s3://bucket/logs"] {
            assert_eq!(of(store).unwrap(), store);
        }
        let said = of("here").unwrap_err();
        assert!(said.starts_with("config.toml:2:9: store is"), "{said}");
    }

    #[test]
    fn jobs_that_ask_have_rules_of_their_own() {
        let jobs = |text: &str| config(text).unwrap().jobs();
        assert_eq!((jobs("").mode, jobs("[serve]\nmode = \"suggest\"").mode), (Mode::Auto, Mode::Auto));
        let both = "[serve]\nmode = \"auto\"\n[serve.jobs]\nmode = \"suggest\"\n[[serve.jobs.rule]]\nrepository = \"a/b\"\nmode = \"approve\"\n";
        assert_eq!((jobs(both).mode, jobs(both).rules[0].mode), (Mode::Suggest, Mode::Approve));
        assert!(config(both).unwrap().fleet().rules.is_empty());
        let said = config("[serve.jobs]\nmode = \"ever\"\n").unwrap_err();
        assert!(said.starts_with("config.toml:2:8: mode is one of"), "{said}");
    }

    #[test]
    fn a_budget_beside_the_fleet_goes_before_the_usual_one() {
        let usual = "[budget]\nminutes-per-day = 5\ncost-per-minute = 0.5\n";
        let serve = "[serve.budget]\nattempts-per-day = 9\napi-calls-per-hour = 200\n[serve.budget.organisation]\nmoney-per-day = 3\n";
        let fleet = config(&format!("{usual}{serve}")).unwrap().fleet();
        let own = Budget {
            minutes_per_day: Some(5),
            attempts_per_day: Some(9),
            per_hour: Some(60),
            money_per_day: None,
            cost_per_minute: 0.5,
        };
        let all = Budget { money_per_day: Some(3.0), cost_per_minute: 0.5, ..Budget::default() };
        assert_eq!((fleet.policy.budget, fleet.policy.organisation), (own, all));
        assert_eq!((fleet.calls.repository, fleet.calls.organisation), (Some(200), None));
        assert_eq!(
            config(serve.split_once("[serve.budget.org").unwrap().0)
                .unwrap()
                .into_engine()
                .policy
                .budget
                .attempts_per_day,
            None
        );
        for (text, want) in [
            (serve, "config.toml:5:17: money-per-day needs cost-per-minute"),
            ("[serve.budget]\napi-calls-per-hour = 9", "config.toml:2:22: api-calls-per-hour is at least 20"),
            ("[serve.budget]\nmoney-per-day = -1", "config.toml:2:17: an amount of money"),
        ] {
            let said = config(text).unwrap_err();
            assert!(said.starts_with(want), "{said}");
        }
    }

    #[test]
    fn a_control_group_is_at_most_half_and_never_in_a_job() {
        let of = |fraction: &str| config(&format!("[serve.control]\nfraction = {fraction}\n"));
        assert_eq!(of("0.25").unwrap().fleet().policy.control, 0.25);
        assert_eq!(of("0.25").unwrap().into_engine().policy.control, 0.0);
        assert_eq!(config("").unwrap().fleet().policy.control, 0.0);
        for wrong in ["0.6", "-0.1", "nan"] {
            let said = of(wrong).unwrap_err();
            assert!(said.starts_with("config.toml:2:12: fraction is a share"), "{said}");
        }
    }

    #[test]
    fn an_outage_is_told_at_a_host_that_is_named_where_there_are_several() {
        let of = |text: &str| config(&format!("[serve.escalation]\n{text}\n"));
        let unnamed = of("repository = \"octo/ops\"").unwrap();
        assert!(unnamed.outages_at_one_of(1).is_ok());
        let said = unnamed.outages_at_one_of(2).unwrap_err().to_string();
        assert!(said.contains("octo/ops") && said.contains("host"), "{said}");
        let named = of("repository = \"octo/ops\"\nhost = \"gitlab\"").unwrap();
        assert!(named.outages_at_one_of(2).is_ok());
        assert_eq!(named.fleet().escalation.host, Some(Sender::GitLab));
        assert!(of("issues = true").unwrap().outages_at_one_of(2).is_ok());
        let said = of("host = \"gitea\"").unwrap_err();
        assert!(said.starts_with("config.toml:2:8: host is"), "{said}");
    }

    #[test]
    fn nobody_is_told_where_they_work_unless_it_says_so() {
        assert_eq!(config("").unwrap().fleet().told, ToldConfig::default());
        let told = config("[serve.told]\npull-requests = true\n").unwrap().fleet().told;
        assert_eq!((told.pull_requests, told.check_runs), (true, false));
        assert!(config("[serve.told]\ncheck-runs = true\n").unwrap().fleet().told.check_runs);
        let said = config("[serve.told]\nissues = true\n").unwrap_err();
        assert!(said.starts_with("config.toml:2:1: unknown field `issues`"), "{said}");
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_said_where_it_stands() {
        for (rule, want) in [
            ("mode = \"always\"", "config.toml:3:8: mode is one of"),
            ("host = \"gitea\"\nmode = \"auto\"", "config.toml:3:8: host is"),
            (
                "mode = \"auto\"\n[[serve.jobs.rule]]\nhost = \"gitlab\"\nmode = \"auto\"",
                "config.toml:5:8: jobs do not say",
            ),
            ("repository = \"octo\"\nmode = \"auto\"", "config.toml:3:14: repository is"),
            ("class = \"test-failure\"\nmode = \"auto\"", "config.toml:3:9: class is one that can be healed"),
            ("mode = \"auto\"\n[serve.escalation]\nrepository = \"octo\"", "config.toml:5:14: repository is"),
            ("modes = \"auto\"", "config.toml:3:1: unknown field `modes`"),
        ] {
            let said = config(&format!("[serve]\n[[serve.rule]]\n{rule}\n")).unwrap_err();
            assert!(said.starts_with(want), "{said}");
        }
    }
}
