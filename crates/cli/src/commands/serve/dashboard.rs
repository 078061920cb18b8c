//! What the dashboard shows of the settings that hold beside the fleet.

use std::{ffi::OsStr, path::PathBuf};

use regreen_forge::Repository;
use regreen_ledger::Ledger;
use regreen_server::{Settings, Value, Values};

use super::collector;
use crate::{
    args::{ServeArgs, WorkArgs},
    config::{Config, DEFAULT},
    context::Context,
    exit::Failed,
    log_store,
};

/// The settings, each with who said so; nothing of them is a secret.
///
/// # Errors
/// Where a variable is no text.
pub fn settings(
    context: &Context,
    config: &Config,
    ledger: &Ledger,
    args: &ServeArgs,
) -> Result<Settings, Failed> {
    let fleet = config.fleet();
    let mut values = config.effective();
    values.push(Values { about: "As whom it asks".to_owned(), values: credentials(context, args) });
    values.push(Values { about: "This process".to_owned(), values: process(context, config, ledger, args)? });
    let masker = context.masker();
    for one in values.iter_mut().flat_map(|of| &mut of.values) {
        one.value = masker.mask(&one.value).into_owned();
    }
    Ok(Settings {
        breaker: fleet.breaker,
        services: fleet.outage.services.iter().map(|service| service.host.clone()).collect(),
        github: site_of(&args.work.github_api),
        gitlab: args.work.gitlab_url.clone(),
        values,
        patience: Settings::PATIENCE,
    })
}

fn value(name: &str, value: impl Into<String>, source: impl Into<String>) -> Value {
    Value { name: name.to_owned(), value: value.into(), source: source.into() }
}

fn process(
    context: &Context,
    config: &Config,
    ledger: &Ledger,
    args: &ServeArgs,
) -> Result<Vec<Value>, Failed> {
    let work = &args.work;
    let flag = |name: &str, of: String| {
        let how = work.given.how(name).unwrap_or(DEFAULT);
        value(&format!("--{name}"), of, how)
    };
    let store = match is_set(context, "REGREEN_LOG_STORE") {
        true => "variable REGREEN_LOG_STORE".to_owned(),
        false => config.source("serve.logs.store"),
    };
    let repositories = |of: &[Repository]| match of {
        [] => "none".to_owned(),
        of => of.iter().map(Repository::as_str).collect::<Vec<_>>().join(", "),
    };
    Ok(vec![
        flag("config", config.operators_file().unwrap_or("none").to_owned()),
        flag("ledger", ledger.place().to_owned()),
        value("serve.logs.store", address(&log_store::named(context, config)?), store),
        flag("listen", args.listen.to_string()),
        flag("read-here", if args.read_here { "yes" } else { "no" }.to_owned()),
        flag("no-work", if args.no_work { "yes" } else { "no" }.to_owned()),
        flag("watch", repositories(&work.watch)),
        flag("watch-gitlab", repositories(&work.watch_gitlab)),
        flag("sweep-every", humantime::format_duration(work.sweep_every).to_string()),
        flag("at-once", work.at_once.to_string()),
        flag("lease", humantime::format_duration(work.lease).to_string()),
        flag("github-api", address(&work.github_api)),
        flag("gitlab-url", address(&work.gitlab_url)),
    ])
}

/// Which secrets there are, and whence: never what they are.
fn credentials(context: &Context, args: &ServeArgs) -> Vec<Value> {
    let work = &args.work;
    let mut rows = vec![github(context, work)];
    let gitlab = work.gitlab_token_file.as_slice();
    let gitlab: Vec<_> = gitlab.iter().collect();
    let (flag, variable) = ("gitlab-token-file", "REGREEN_GITLAB_TOKEN");
    rows.push(secret(context, "token for GitLab", flag, &gitlab, variable, false));
    for (name, flag, files, variable) in [
        (
            "secrets of GitHub’s webhooks",
            "github-secret-file",
            &args.github_secret_file,
            "REGREEN_GITHUB_WEBHOOK_SECRET",
        ),
        (
            "tokens of GitLab’s webhooks",
            "gitlab-secret-file",
            &args.gitlab_secret_file,
            "REGREEN_GITLAB_WEBHOOK_TOKEN",
        ),
        ("tokens of jobs", "job-token-file", &args.job_token_file, "REGREEN_JOB_TOKEN"),
    ] {
        rows.push(secret(context, name, flag, &files.iter().collect::<Vec<_>>(), variable, true));
    }
    rows.push(secret(context, "headers for the collector", "", &[], collector::HEADERS, false));
    rows
}

fn github(context: &Context, work: &WorkArgs) -> Value {
    match (&work.github_app, &work.github_app_key_file) {
        (Some(id), Some(key)) => {
            let said = format!("app {id}, its key in {}", key.display());
            value("credential for GitHub", said, "flag --github-app")
        }
        _ => {
            let (name, flag) = ("credential for GitHub", "github-token-file");
            let files = work.github_token_file.as_slice();
            secret(context, name, flag, &files.iter().collect::<Vec<_>>(), "REGREEN_GITHUB_TOKEN", false)
        }
    }
}

/// Secrets in files and a variable: where both are named, both count, or else the files alone.
fn secret(
    context: &Context,
    name: &str,
    flag: &str,
    files: &[&PathBuf],
    variable: &str,
    both: bool,
) -> Value {
    let mut said: Vec<String> = files.iter().map(|path| format!("in {}", path.display())).collect();
    let mut sources = Vec::new();
    if !files.is_empty() {
        sources.push(format!("flag --{flag}"));
    }
    if is_set(context, variable) && (both || files.is_empty()) {
        said.push("set, not shown".to_owned());
        sources.push(format!("variable {variable}"));
    }
    match said.is_empty() {
        true => value(name, "none", DEFAULT),
        false => value(name, said.join(", "), sources.join(" and ")),
    }
}

fn is_set(context: &Context, variable: &str) -> bool {
    context.env.get(OsStr::new(variable)).is_some_and(|value| !value.is_empty())
}

/// An address without a user's name, a password and what stands behind a question mark.
fn address(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (at, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!("{scheme}://{}{path}", at.rsplit('@').next().unwrap_or_default())
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
    use std::{ffi::OsString, sync::Arc};

    use clap::Parser as _;
    use regreen_ledger::AsIs;

    use super::*;
    use crate::{
        args::{Args, Colour, Command},
        config, context,
    };

    #[test]
    fn people_see_a_run_where_its_host_is() {
        assert_eq!(site_of("https://api.github.com"), "https://github.com");
        assert_eq!(site_of("https://ghe.example/api/v3/"), "https://ghe.example");
        let of = address("https://u:p@host.example/a?key=1");
        assert_eq!((of.as_str(), address("database").as_str()), ("https://host.example/a", "database"));
    }

    /// What is shown where this file and these variables and words are given.
    fn shown(file: &str, variables: &[(&str, &str)], words: &[&str]) -> Vec<Value> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, file).unwrap();
        let mut context = Context::new(Colour::Never, None);
        context.env = variables.iter().map(|(name, value)| (OsString::from(name), value.into())).collect();
        let typed = ["regreen", "serve"].iter().chain(words);
        let Command::Serve(args) = Args::parse_from(typed).command else { panic!("not `serve`") };
        let config = config::operators(&context, Some(&path), &context.workspace().unwrap()).unwrap();
        let ledger = folder.path().join("ledger.db");
        let opened = context::runtime().unwrap().block_on(Ledger::open(&ledger, Arc::new(AsIs))).unwrap();
        let settings = settings(&context, &config, &opened, &args).unwrap();
        let place = format!("{}/", folder.path().display());
        let plain = |mut value: Value| {
            value.source = value.source.replace(&place, "");
            value
        };
        settings.values.into_iter().flat_map(|of| of.values).map(plain).collect()
    }

    fn of(shown: &[Value], name: &str) -> (String, String) {
        let found = shown.iter().find(|value| value.name == name);
        found.map(|v| (v.value.clone(), v.source.clone())).unwrap_or_default()
    }

    #[test]
    fn each_setting_says_who_said_so() {
        let file = "max-recovery-attempts = 3\n[budget]\nper-hour = 60\n[serve]\nmode = \"observe\"\n\
                    [[serve.rule]]\nhost = \"gitlab\"\nmode = \"auto\"\n[serve.logs]\nstore = \"none\"\n";
        let own = shown(file, &[], &[]);
        let pair = |value: &str, source: &str| (value.to_owned(), source.to_owned());
        // What is said and would hold anyway was said all the same.
        assert_eq!(of(&own, "max-recovery-attempts"), pair("3", "config.toml:1"));
        assert_eq!(of(&own, "serve.mode"), pair("observe", "config.toml:5"));
        assert_eq!(of(&own, "serve.budget.per-hour"), pair("60", "budget.per-hour in config.toml:3"));
        assert_eq!(of(&own, "max-risk"), pair("medium", "default"));
        let rule = "auto at GitLab for any repository, any class, any playbook";
        assert_eq!(of(&own, "serve.rule 1"), pair(rule, "config.toml:6"));
        assert_eq!(of(&own, "serve.logs.store"), pair("none", "config.toml:10"));
        let by_variable = shown(file, &[("REGREEN_LOG_STORE", "database")], &[]);
        assert_eq!(of(&by_variable, "serve.logs.store"), pair("database", "variable REGREEN_LOG_STORE"));
    }

    #[test]
    fn no_secret_is_shown() {
        let secret = "hunter2-hunter2-hunter2";
        let variables = [
            "REGREEN_GITHUB_TOKEN",
            "REGREEN_GITLAB_TOKEN",
            "REGREEN_GITHUB_WEBHOOK_SECRET",
            "REGREEN_GITLAB_WEBHOOK_TOKEN",
            "REGREEN_JOB_TOKEN",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ];
        let set: Vec<(&str, &str)> = variables.iter().map(|name| (*name, secret)).collect();
        // Nothing says of this that it is one.
        let key = "key-in-an-address";
        let file = format!(
            "[serve.otlp]\nendpoint = \"https://otel.example/{key}\"\n[[serve.service]]\n\
             url = \"https://npm.example/ping?key={key}\"\n"
        );
        let own = shown(&file, &set, &["--gitlab-url", &format!("https://u:{key}@gitlab.example")]);
        let tells = |text: &str| text.contains(secret) || text.contains(key);
        assert!(!own.iter().any(|one| tells(&one.value) || tells(&one.source)), "{own:?}");
        for name in variables {
            assert!(own.iter().any(|one| one.source.contains(name)), "{name}: {own:?}");
        }
        let place = "https://otel.example, its path not shown".to_owned();
        assert_eq!(of(&own, "serve.otlp.endpoint"), (place, "config.toml:2".to_owned()));
    }
}
