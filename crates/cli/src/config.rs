//! Configuration: the operator's file outside the checkout, the environment, flags; and the repository's own, which
//! may only tighten (invariant 4).

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use regreen_decide::{Budget, Policy};
use regreen_domain::{Mode, RelPath, Risk, Tool};
use regreen_engine::{Config as EngineConfig, Event, Voice};
use regreen_ledger::BreakerPolicy;
use regreen_lockfile::AllowedHost;
use regreen_steps::Mirror;
use regreen_tools::{Workspace, git};
use serde::Deserialize;
use toml::Spanned;

mod budget;
#[cfg(test)]
mod described;
#[cfg(test)]
mod environment;
mod limits;
mod metrics;
mod notify;
mod outage;
mod range;
mod serve;

use self::range::{ATTEMPTS, BREAKER, MODES, THRESHOLD, TIMEOUT, attempts, threshold, timeout};
use crate::{
    context::Context,
    exit::{Failed, INVALID},
    passed,
};

/// A configuration file. Every value remembers where it stands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    mode: Option<Spanned<String>>,
    confidence_threshold: Option<Spanned<f64>>,
    max_recovery_attempts: Option<Spanned<u32>>,
    recovery_timeout: Option<Spanned<String>>,
    circuit_breaker_threshold: Option<Spanned<u32>>,
    circuit_breaker_cooldown: Option<Spanned<String>>,
    max_risk: Option<Spanned<String>>,
    patterns: Option<Spanned<String>>,
    playbooks: Option<Spanned<String>>,
    allow_commands: Option<bool>,
    deny: Option<Vec<Spanned<String>>>,
    promotion: Option<limits::Promoting>,
    budget: Option<limits::Budgeting>,
    #[serde(default)]
    mirror: Vec<MirrorFile>,
    lockfile: Option<LockfileFile>,
    serve: Option<serve::Serving>,
    notify: Option<notify::Notifying>,
    metrics: Option<metrics::MetricsFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LockfileFile {
    allow_hosts: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MirrorFile {
    tool: Spanned<String>,
    url: Spanned<String>,
}

/// The configuration in force.
#[derive(Debug, Clone)]
pub struct Config {
    engine: EngineConfig,
    /// Hosts that lockfiles may name beside the default registries; `None` where no list is configured.
    pub allowed_hosts: Option<Vec<AllowedHost>>,
    serve: serve::Serve,
    notify: notify::Notify,
    metrics: metrics::Costs,
}

impl Default for Config {
    fn default() -> Self {
        let engine = EngineConfig {
            policy: Policy {
                budget: Budget { per_hour: Some(60), ..Budget::default() },
                ..Policy::default()
            },
            recovery_timeout: Duration::from_secs(300),
            breaker: BreakerPolicy { threshold: 3, cooldown_ms: 30 * 60 * 1000, probe_ms: 15 * 60 * 1000 },
            mirrors: Vec::new(),
            allow_commands: false,
            yes: false,
            rerun_always: false,
            dry_run: false,
        };
        Config {
            engine,
            allowed_hosts: None,
            serve: serve::Serve::default(),
            notify: notify::Notify::default(),
            metrics: metrics::Costs::default(),
        }
    }
}

/// Loads the configuration of a workspace.
///
/// # Errors
/// The file with line and column, or the variable, that is wrong.
pub async fn load(
    context: &Context,
    file: Option<&Path>,
    workspace: &Workspace,
    voice: &dyn Voice,
) -> Result<Config, Failed> {
    let mut config = operators(context, file, workspace)?;
    config.take_environment(workspace)?;
    let repository = RelPath::parse(".regreen/config.toml");
    if let Some(path) = repository
        && let Some(bytes) = git::trusted_file(workspace, &path).await
    {
        let text = String::from_utf8_lossy(&bytes);
        let place = format!("{path} (of the trusted commit)");
        let file = parse(&place, &text)?;
        config.tighten(&place, &text, &file, voice)?;
    }
    Ok(config)
}

/// The operator's own patterns: the folder that was given, or that the operator's file names; relative to that file.
///
/// # Errors
/// As [`load`], about the operator's file.
pub fn patterns_folder(
    context: &Context,
    given: Option<&Path>,
    config: Option<&Path>,
    workspace: &Workspace,
) -> Result<Option<PathBuf>, Failed> {
    if let Some(folder) = given.filter(|folder| !folder.as_os_str().is_empty()) {
        return Ok(Some(folder.to_owned()));
    }
    let named = operators_file(context, config, workspace)?;
    Ok(named.and_then(|(folder, file)| Some(folder.join(file.patterns?.get_ref()))))
}

/// The operator's own playbooks: the folder that the operator's file names, relative to that file, and whether their
/// commands may run.
///
/// # Errors
/// As [`load`], about the operator's file.
pub fn playbooks_folder(
    context: &Context,
    config: Option<&Path>,
    workspace: &Workspace,
) -> Result<Option<(PathBuf, bool)>, Failed> {
    let named = operators_file(context, config, workspace)?;
    Ok(named.and_then(|(folder, file)| {
        Some((folder.join(file.playbooks?.get_ref()), file.allow_commands == Some(true)))
    }))
}

/// The operator's file and the folder that it lies in; `REGREEN_CONFIG` names it where no flag does.
fn operators_file(
    context: &Context,
    config: Option<&Path>,
    workspace: &Workspace,
) -> Result<Option<(PathBuf, File)>, Failed> {
    let Some((path, text)) = operator_file(context, config, workspace)? else { return Ok(None) };
    let file = parse(&path.display().to_string(), &text)?;
    Ok(Some((path.parent().unwrap_or(Path::new("")).to_owned(), file)))
}

/// What the operator's file says, and the defaults: nothing of the repository is looked at.
///
/// # Errors
/// The file with line and column that is wrong.
pub fn operators(context: &Context, file: Option<&Path>, workspace: &Workspace) -> Result<Config, Failed> {
    let mut config = Config::default();
    if let Some((path, text)) = operator_file(context, file, workspace)? {
        let file = parse(&path.display().to_string(), &text)?;
        config.take(&path.display().to_string(), &text, &file)?;
    }
    Ok(config)
}

/// Where the operator's file lies, and what it says.
pub fn operator_file(
    context: &Context,
    given: Option<&Path>,
    workspace: &Workspace,
) -> Result<Option<(PathBuf, String)>, Failed> {
    let from_env =
        |name: &str| context.env.get(OsStr::new(name)).map(PathBuf::from).filter(|p| p.is_absolute());
    let usual = || {
        let folder = from_env("XDG_CONFIG_HOME").or_else(|| from_env("HOME").map(|h| h.join(".config")))?;
        Some(folder.join("regreen/config.toml"))
    };
    let named = context.env.get(OsStr::new("REGREEN_CONFIG")).filter(|v| !v.is_empty()).map(PathBuf::from);
    let given = given.map(Path::to_owned).or(named);
    let Some(path) = given.clone().or_else(usual) else { return Ok(None) };
    let absolute = match path.canonicalize() {
        Ok(absolute) => absolute,
        Err(e) if e.kind() == io::ErrorKind::NotFound && given.is_none() => return Ok(None),
        Err(e) => return Err(Failed::new(INVALID, format!("{}: {e}", path.display()))),
    };
    if absolute.starts_with(workspace.checkout()) {
        let what = format!("{} lies inside the checkout, whose files may only tighten", path.display());
        return Err(
            Failed::new(INVALID, what).help("keep the operator's configuration outside the repository")
        );
    }
    let text = fs::read_to_string(&absolute);
    let text = text.map_err(|e| Failed::new(INVALID, format!("{}: {e}", path.display())))?;
    Ok(Some((path, text)))
}

fn parse(place: &str, text: &str) -> Result<File, Failed> {
    toml::from_str(text).map_err(|e| {
        let at = e.span().map_or(String::new(), |span| position(text, span.start));
        Failed::new(INVALID, format!("{place}{at}: {}", e.message()))
    })
}

fn position(text: &str, at: usize) -> String {
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    format!(":{line}:{column}")
}

/// A value that is out of range, with its place.
fn bad<T>(place: &str, text: &str, value: &Spanned<T>, why: &str) -> Failed {
    Failed::new(INVALID, format!("{place}{}: {why}", position(text, value.span().start)))
}

impl Config {
    /// What the engine needs.
    pub fn into_engine(self) -> EngineConfig {
        self.engine
    }

    /// Flags come last.
    pub fn apply_flags(&mut self, mode: Option<&str>, yes: bool, rerun_always: bool, dry_run: bool) {
        if let Some(mode) = mode.and_then(Mode::parse) {
            self.engine.policy.mode = mode;
        }
        self.engine.yes = yes;
        self.engine.rerun_always = rerun_always;
        self.engine.dry_run = dry_run;
    }

    fn take(&mut self, place: &str, text: &str, file: &File) -> Result<(), Failed> {
        let policy = &mut self.engine.policy;
        if let Some(v) = &file.mode {
            policy.mode = Mode::parse(v.get_ref()).ok_or_else(|| bad(place, text, v, MODES))?;
        }
        if let Some(v) = &file.confidence_threshold {
            policy.threshold = threshold(*v.get_ref()).ok_or_else(|| bad(place, text, v, THRESHOLD))?;
        }
        if let Some(v) = &file.max_recovery_attempts {
            policy.max_attempts = attempts(*v.get_ref()).ok_or_else(|| bad(place, text, v, ATTEMPTS))?;
        }
        if let Some(v) = &file.max_risk {
            let risk = Risk::parse(v.get_ref());
            policy.max_risk =
                risk.ok_or_else(|| bad(place, text, v, "max-risk is one of low, medium, high"))?;
        }
        if let Some(v) = &file.recovery_timeout {
            self.engine.recovery_timeout =
                timeout(v.get_ref()).ok_or_else(|| bad(place, text, v, TIMEOUT))?;
        }
        if let Some(v) = &file.circuit_breaker_threshold {
            let good = (1..=100).contains(v.get_ref());
            self.engine.breaker.threshold =
                good.then_some(*v.get_ref()).ok_or_else(|| bad(place, text, v, BREAKER))?;
        }
        if let Some(v) = &file.circuit_breaker_cooldown {
            let duration = timeout(v.get_ref());
            let why = "circuit-breaker-cooldown is a duration from 1s to 24h, e.g. \"30m\"";
            let duration = duration.ok_or_else(|| bad(place, text, v, why))?;
            self.engine.breaker.cooldown_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        }
        limits::take(&mut self.engine.policy, place, text, file)?;
        if let Some(serving) = &file.serve {
            let usual = self.engine.policy.budget;
            serve::take(&mut self.serve, place, text, serving, usual)?;
        }
        if let Some(notifying) = &file.notify {
            let folder = Path::new(place).parent().unwrap_or(Path::new(""));
            notify::take(&mut self.notify, folder, place, text, notifying)?;
        }
        if let Some(costs) = &file.metrics {
            metrics::take(&mut self.metrics, place, text, costs)?;
        }
        self.engine.allow_commands |= file.allow_commands == Some(true);
        for mirror in &file.mirror {
            let tool = Tool::new(mirror.tool.get_ref()).filter(|t| regreen_tools::adapter(t).is_some());
            let tool = tool.ok_or_else(|| {
                let known: Vec<_> = regreen_tools::all().iter().map(|a| a.tool().to_string()).collect();
                bad(place, text, &mirror.tool, &format!("tool is one of {}", known.join(", ")))
            })?;
            let url = mirror.url.get_ref();
            let good = (url.starts_with("https://") || url.starts_with("http://")) && !url.contains('@');
            if !good {
                let why = "url is an http or https address without a user name";
                return Err(bad(place, text, &mirror.url, why));
            }
            self.engine.mirrors.push(Mirror { tool, url: url.clone() });
        }
        for host in file.lockfile.iter().flat_map(|l| &l.allow_hosts).flatten() {
            let why = "allow-hosts holds hosts such as \"npm.example.com\" or \"*.example.com\"";
            let allowed = AllowedHost::parse(host.get_ref()).ok_or_else(|| bad(place, text, host, why))?;
            self.allowed_hosts.get_or_insert_default().push(allowed);
        }
        Ok(())
    }

    fn take_environment(&mut self, workspace: &Workspace) -> Result<(), Failed> {
        let wrong = |name: &str, why: &str| Failed::new(INVALID, format!("the variable {name}: {why}"));
        if let Some(v) = workspace.var("REGREEN_MODE") {
            self.engine.policy.mode = Mode::parse(v).ok_or_else(|| wrong("REGREEN_MODE", MODES))?;
        }
        if let Some(v) = workspace.var("CONFIDENCE_THRESHOLD") {
            let value = v.parse().ok().and_then(threshold);
            self.engine.policy.threshold = value.ok_or_else(|| wrong("CONFIDENCE_THRESHOLD", THRESHOLD))?;
        }
        if let Some(v) = workspace.var("MAX_RECOVERY_ATTEMPTS") {
            let value = v.parse().ok().and_then(attempts);
            self.engine.policy.max_attempts =
                value.ok_or_else(|| wrong("MAX_RECOVERY_ATTEMPTS", ATTEMPTS))?;
        }
        if let Some(v) = workspace.var("RECOVERY_TIMEOUT") {
            self.engine.recovery_timeout = timeout(v).ok_or_else(|| wrong("RECOVERY_TIMEOUT", TIMEOUT))?;
        }
        if workspace.var(passed::VARIABLE).is_some_and(|v| !matches!(v, "0" | "1")) {
            return Err(wrong(passed::VARIABLE, "0 or 1"));
        }
        if let Some(v) = workspace.var("CIRCUIT_BREAKER_THRESHOLD") {
            let value = v.parse().ok().filter(|n| (1..=100).contains(n));
            self.engine.breaker.threshold =
                value.ok_or_else(|| wrong("CIRCUIT_BREAKER_THRESHOLD", BREAKER))?;
        }
        Ok(())
    }

    /// Takes over what is stricter than what stands, and says what it does not take over.
    fn tighten(&mut self, place: &str, text: &str, file: &File, voice: &dyn Voice) -> Result<(), Failed> {
        let mut theirs = self.clone();
        theirs.take(place, text, file)?;
        let (ours, theirs) = (&mut self.engine, theirs.engine);
        let mut ignored = Vec::new();
        let mut note = |looser: bool, key: &'static str| {
            if looser {
                ignored.push(key);
            }
        };
        note(theirs.policy.mode > ours.policy.mode, "mode");
        note(theirs.policy.threshold < ours.policy.threshold, "confidence-threshold");
        note(theirs.policy.max_attempts > ours.policy.max_attempts, "max-recovery-attempts");
        note(theirs.policy.max_risk > ours.policy.max_risk, "max-risk");
        note(theirs.recovery_timeout > ours.recovery_timeout, "recovery-timeout");
        note(theirs.breaker.threshold > ours.breaker.threshold, "circuit-breaker-threshold");
        note(theirs.breaker.cooldown_ms < ours.breaker.cooldown_ms, "circuit-breaker-cooldown");
        for (looser, key) in limits::looser(&theirs.policy, &ours.policy, file) {
            note(looser, key);
        }
        note(!file.mirror.is_empty(), "mirror");
        note(file.patterns.is_some(), "patterns");
        note(file.playbooks.is_some(), "playbooks");
        note(file.allow_commands == Some(true), "allow-commands");
        note(file.lockfile.is_some(), "lockfile");
        note(file.serve.is_some(), "serve");
        note(file.notify.is_some(), "notify");
        note(file.metrics.is_some(), "metrics");
        ours.policy.mode = ours.policy.mode.min(theirs.policy.mode);
        ours.policy.threshold = ours.policy.threshold.max(theirs.policy.threshold);
        ours.policy.max_attempts = ours.policy.max_attempts.min(theirs.policy.max_attempts);
        ours.policy.max_risk = ours.policy.max_risk.min(theirs.policy.max_risk);
        limits::tighten(&mut ours.policy, &theirs.policy);
        ours.recovery_timeout = ours.recovery_timeout.min(theirs.recovery_timeout);
        ours.breaker.threshold = ours.breaker.threshold.min(theirs.breaker.threshold);
        ours.breaker.cooldown_ms = ours.breaker.cooldown_ms.max(theirs.breaker.cooldown_ms);
        if !ignored.is_empty() {
            let why =
                format!("{place}: ignored, because a repository may only tighten: {}", ignored.join(", "));
            voice.tell(Event::Warning(&why));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regreen_engine::{Event, Voice};

    use super::{Config, parse};

    struct Silent;

    impl Voice for Silent {
        fn tell(&self, _: Event<'_>) {}
    }

    /// A line of a configuration: right, out of range, of another kind, or no TOML at all.
    fn line() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec![
            "mode",
            "confidence-threshold",
            "max-recovery-attempts",
            "recovery-timeout",
            "circuit-breaker-threshold",
            "circuit-breaker-cooldown",
            "max-risk",
            "patterns",
            "lockfile.allow-hosts",
            "deny",
            "promotion.to",
            "budget.per-hour",
            "budget.minutes-per-day",
            "budget.money-per-day",
            "budget.cost-per-minute",
            "colour",
        ]);
        let value = prop::sample::select(vec![
            "\"observe\"",
            "\"auto\"",
            "\"low\"",
            "\"high\"",
            "0.5",
            "0.99",
            "1e308",
            "nan",
            "0",
            "3",
            "20",
            "-1",
            "\"1s\"",
            "\"24h\"",
            "\"9999999999999999999s\"",
            "[\"*\"]",
            "[\"npm.example.com\"]",
            "[\"tool:npm\"]",
            "10000",
            "{}",
            "\"\\u0000\"",
        ]);
        let mirror = Just("[[mirror]]\ntool = \"npm\"\nurl = \"https://m.example\"".to_owned());
        prop_oneof![
            8 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
            1 => mirror,
            1 => "\\PC{0,40}",
        ]
    }

    proptest! {
        #[test]
        fn no_repository_file_loosens_anything(lines in prop::collection::vec(line(), 0..6)) {
            let text = lines.join("\n");
            let mut config = Config::default();
            let before = config.engine.clone();
            let Ok(file) = parse("here", &text) else { return Ok(()) };
            let taken = config.tighten("here", &text, &file, &Silent);
            let (was, is) = (before.policy, &config.engine.policy);
            prop_assert!(is.mode <= was.mode && is.max_risk <= was.max_risk && is.max_attempts <= was.max_attempts);
            prop_assert!(is.threshold >= was.threshold && is.threshold <= 1.0, "{text}");
            prop_assert!(config.engine.recovery_timeout <= before.recovery_timeout);
            prop_assert!(config.engine.breaker.threshold <= before.breaker.threshold);
            prop_assert!(config.engine.breaker.cooldown_ms >= before.breaker.cooldown_ms);
            prop_assert!(was.deny.iter().all(|line| is.deny.contains(line)) && is.promotion == was.promotion);
            let (old, new) = (was.budget, is.budget);
            prop_assert!(new.per_hour.unwrap() <= old.per_hour.unwrap(), "{text}");
            prop_assert_eq!((new.money_per_day, new.cost_per_minute), (old.money_per_day, old.cost_per_minute));
            prop_assert!(config.engine.mirrors.is_empty() && config.allowed_hosts.is_none());
            // What an operator's file may not say, a repository's may not either.
            prop_assert_eq!(taken.is_ok(), Config::default().take("here", &text, &file).is_ok());
        }
    }
}
