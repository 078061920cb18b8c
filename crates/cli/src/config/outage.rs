//! `[serve.outage]` and `[[serve.service]]` in the operator's file: when failures at a service are one outage, how it is
//! waited for, and services of the operator's own.

use std::time::Duration;

use regreen_domain::Tool;
use regreen_engine::{KnownService, OutageConfig};
use serde::Deserialize;
use toml::Spanned;

use super::bad;
use crate::exit::Failed;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct OutageFile {
    enabled: Option<bool>,
    repositories: Option<Spanned<usize>>,
    within: Option<Spanned<String>>,
    answers: Option<Spanned<usize>>,
    per_minute: Option<Spanned<u32>>,
    probe_every: Option<Spanned<String>>,
    wait_at_most: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceFile {
    url: Spanned<String>,
    #[serde(default)]
    tools: Vec<Spanned<String>>,
}

/// What the file says, upon the defaults and every public service.
pub(super) fn take(
    place: &str,
    text: &str,
    file: Option<&OutageFile>,
    services: &[ServiceFile],
) -> Result<OutageConfig, Failed> {
    let mut config = OutageConfig { services: OutageConfig::public(), ..OutageConfig::default() };
    let mut own = Vec::new();
    for service in services {
        own.push(known(place, text, service)?);
    }
    own.append(&mut config.services);
    config.services = own;
    let Some(file) = file else { return Ok(config) };
    let count = |v: &Spanned<usize>, within: std::ops::RangeInclusive<usize>, why: &str| {
        Some(*v.get_ref()).filter(|n| within.contains(n)).ok_or_else(|| bad(place, text, v, why))
    };
    if let Some(v) = &file.repositories {
        // One repository's trouble is never an outage.
        config.policy.repositories = count(v, 2..=1_000, "repositories is a whole number from 2 to 1000")?;
    }
    if let Some(v) = &file.answers {
        config.policy.answers = count(v, 1..=100, "answers is a whole number from 1 to 100")?;
    }
    if let Some(v) = &file.per_minute {
        let good = (1..=60_000).contains(v.get_ref());
        let n = Some(*v.get_ref()).filter(|_| good);
        config.policy.per_minute =
            n.ok_or_else(|| bad(place, text, v, "per-minute is a whole number from 1 to 60000"))?;
    }
    let span = |v: &Spanned<String>, from: u64, to: u64, why: &str| {
        let given = humantime::parse_duration(v.get_ref()).ok();
        let good = given.filter(|t| (Duration::from_secs(from)..=Duration::from_secs(to)).contains(t));
        let ms = good.and_then(|t| i64::try_from(t.as_millis()).ok());
        ms.ok_or_else(|| bad(place, text, v, why))
    };
    if let Some(v) = &file.within {
        config.policy.within_ms = span(v, 60, 86_400, "within is a duration from 1m to 24h, e.g. \"10m\"")?;
    }
    if let Some(v) = &file.probe_every {
        config.probe_ms = span(v, 5, 600, "probe-every is a duration from 5s to 10m, e.g. \"15s\"")?;
    }
    if let Some(v) = &file.wait_at_most {
        config.wait_ms = span(v, 60, 7 * 86_400, "wait-at-most is a duration from 1m to 7days, e.g. \"6h\"")?;
    }
    if file.enabled == Some(false) {
        config.services.clear();
    }
    Ok(config)
}

fn known(place: &str, text: &str, service: &ServiceFile) -> Result<KnownService, Failed> {
    let url = service.url.get_ref();
    let why = "url is an https address without a user name; http is for this machine alone";
    let host = host_of(url).ok_or_else(|| bad(place, text, &service.url, why))?;
    let mut tools = Vec::new();
    for tool in &service.tools {
        let good = Tool::new(tool.get_ref())
            .ok_or_else(|| bad(place, text, tool, "tools are names such as \"npm\""))?;
        tools.push(good.as_str().to_owned());
    }
    Ok(KnownService { host, url: url.clone(), tools })
}

/// The host of an address that may be asked, in lower case and without a port.
fn host_of(url: &str) -> Option<String> {
    let (encrypted, rest) = match url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("http://")?),
    };
    let place = rest.split(['/', '?', '#']).next()?;
    let host = regreen_domain::Host::parse(place)?;
    let host = match host.as_str().rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host.as_str(),
    };
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    (encrypted || here).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, parse};

    fn config(text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        let file = parse("config.toml", text).map_err(|e| e.to_string())?;
        config.take("config.toml", text, &file).map_err(|e| e.to_string())?;
        Ok(config)
    }

    #[test]
    fn an_outage_is_what_the_operator_says_and_own_services_go_before_public_ones() {
        let usual = Config::default().fleet().outage;
        assert_eq!((usual.policy.repositories, usual.wait_ms), (3, 6 * 3_600_000));
        assert!(usual.services.iter().any(|service| service.host == "registry.npmjs.org"));
        let text = "[serve.outage]\nrepositories = 5\nwithin = \"5m\"\nper-minute = 60\nwait-at-most = \"1h\"\n\
                    [[serve.service]]\nurl = \"https://NPM.corp.example:8443/-/ping\"\ntools = [\"npm\"]\n";
        let fleet = config(text).unwrap().fleet().outage;
        let policy = fleet.policy;
        assert_eq!((policy.repositories, policy.within_ms, policy.per_minute), (5, 300_000, 60));
        assert_eq!((fleet.wait_ms, fleet.services[0].host.as_str()), (3_600_000, "npm.corp.example"));
        assert!(config("[serve.outage]\nenabled = false").unwrap().fleet().outage.services.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_where_it_stands() {
        for (text, want) in [
            ("[serve.outage]\nrepositories = 1", "config.toml:2:16: repositories is a whole number from 2"),
            ("[serve.outage]\nwithin = \"1s\"", "config.toml:2:10: within is a duration"),
            ("[serve.outage]\nper-minute = 0", "config.toml:2:14: per-minute is"),
            ("[[serve.service]]\nurl = \"http://corp.example/\"", "config.toml:2:7: url is an https address"),
            ("[[serve.service]]\nurl = \"https://u:p@corp.example/\"", "config.toml:2:7: url is an https"),
            ("[[serve.service]]\nurl = \"https:///x\"", "config.toml:2:7: url is an https"),
        ] {
            let said = config(text).unwrap_err();
            assert!(said.starts_with(want), "{said}");
        }
    }
}
