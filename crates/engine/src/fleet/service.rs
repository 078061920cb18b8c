//! The services that jobs depend on, and whether they serve. A log may select one that is known; nothing is sent to any other.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    sync::PoisonError,
    time::{Duration, Instant},
};

use regreen_decide::outage::OutagePolicy;
use regreen_detect::Detection;
use regreen_domain::Tool;
use regreen_saga::BoxFuture;
use regreen_tools::{
    remote::{Answer, ask_only},
    services::PUBLIC,
};

/// Longest that a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A service that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownService {
    /// Its host, in lower case and without a port.
    pub host: String,
    /// Where it is asked.
    pub url: String,
    /// Tools whose jobs use it where their logs name no host.
    pub tools: Vec<String>,
}

/// When failures at a service are an outage, and how it is waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct OutageConfig {
    /// When they are one, and how fast what waited is let go.
    pub policy: OutagePolicy,
    /// Time between two questions to a service that is down, at first, in milliseconds; later a twentieth of how long it has been.
    pub probe_ms: i64,
    /// Longest that a run waits for a service, in milliseconds.
    pub wait_ms: i64,
    /// What may be asked; of several for one tool the first. Without any there is no outage mode.
    pub services: Vec<KnownService>,
}

impl Default for OutageConfig {
    /// No service is known; every 15 s at first; six hours.
    fn default() -> OutageConfig {
        OutageConfig {
            policy: OutagePolicy::default(),
            probe_ms: 15_000,
            wait_ms: 6 * 3_600_000,
            services: Vec::new(),
        }
    }
}

impl OutageConfig {
    /// Every public service that is known.
    pub fn public() -> Vec<KnownService> {
        let known = |service: &regreen_tools::services::Service| KnownService {
            host: service.host.to_owned(),
            url: service.probe_url.to_owned(),
            tools: service.tools.iter().map(|tool| (*tool).to_owned()).collect(),
        };
        PUBLIC.iter().map(known).collect()
    }

    /// The known service with this host.
    pub(super) fn service(&self, host: &str) -> Option<&KnownService> {
        self.services.iter().find(|service| service.host == host)
    }

    /// At which service a job failed: the first known one that its evidence names. Where it names only strangers, at none that
    /// is known; where it names nobody, at the one that its tool uses.
    pub(super) fn service_of(&self, found: &Detection) -> Option<&KnownService> {
        let captured = found.host().map(|host| bare(host.as_str()));
        let told = found.diagnosis.evidence.iter().flat_map(|line| hosts(&line.text));
        self.first_of(captured.into_iter().chain(told), found.diagnosis.tool.as_ref())
    }

    /// As [`OutageConfig::service_of`], of evidence that is on record.
    pub(super) fn service_in<'a>(
        &self,
        lines: impl Iterator<Item = &'a str>,
        tool: Option<&str>,
    ) -> Option<&KnownService> {
        self.first_of(lines.flat_map(hosts), tool.and_then(Tool::new).as_ref())
    }

    fn first_of(&self, named: impl Iterator<Item = String>, tool: Option<&Tool>) -> Option<&KnownService> {
        let named: Vec<String> = named.collect();
        if named.is_empty() {
            return tool.and_then(|tool| self.service_for(tool));
        }
        named.iter().find_map(|host| self.service(host))
    }

    /// At which service a job failed that says so itself: as [`OutageConfig::service_of`], from less.
    pub(super) fn service_by(&self, host: Option<&str>, tool: Option<&str>) -> Option<&KnownService> {
        match host {
            Some(host) => self.service(&bare(host)),
            None => self.service_for(&Tool::new(tool?)?),
        }
    }

    fn service_for(&self, tool: &Tool) -> Option<&KnownService> {
        self.services.iter().find(|service| service.tools.iter().any(|of| of == tool.as_str()))
    }
}

/// The hosts of the web addresses in a line.
fn hosts(line: &str) -> Vec<String> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '@' | '_'));
    let after = line.split("://").skip(1);
    after
        .filter_map(|rest| rest.split(ends).next())
        .map(|place| bare(place.rsplit_once('@').map_or(place, |(_, host)| host)))
        .filter(|host| host.contains('.'))
        .collect()
}

/// A host without its port, in lower case.
fn bare(host: &str) -> String {
    host.split(':').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

/// Asks services whether they serve.
pub trait Remotes: Send + Sync {
    /// One plain question, followed nowhere.
    fn ask<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Answer>;
}

/// Asks over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network;

impl Remotes for Network {
    fn ask<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Answer> {
        Box::pin(ask_only(url, PATIENCE))
    }
}

/// What a service was seen to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It serves.
    Serves,
    /// It does not, and asks to be left alone for so many milliseconds.
    Down(i64),
    /// That can't be told from here.
    CannotTell,
}

/// What a look showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    pub(super) seen: Seen,
    /// Where the service was asked for it, and nobody had just done so: how long its answer took, where one came.
    pub(super) asked: Option<Option<Duration>>,
}

/// What was seen lately, by host, and when: many runs that fail at once ask once.
#[derive(Debug, Default)]
pub struct Lately(Mutex<BTreeMap<String, (i64, Seen)>>);

impl Lately {
    fn of(&self, host: &str, since: i64) -> Option<Seen> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(host).filter(|(at, _)| *at > since).map(|(_, seen)| *seen)
    }

    fn note(&self, host: &str, at: i64, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), (at, seen));
    }
}

/// Asks a service, unless that was done since `since`.
pub(super) async fn look(
    remotes: &dyn Remotes,
    config: &OutageConfig,
    lately: &Lately,
    service: &KnownService,
    since: i64,
    now: i64,
) -> Looked {
    if let Some(seen) = lately.of(&service.host, since) {
        return Looked { seen, asked: None };
    }
    let begun = Instant::now();
    let answer = remotes.ask(&service.url).await;
    let took = begun.elapsed();
    let took = matches!(answer, Answer::Serves { .. } | Answer::Unwell { .. }).then_some(took);
    let seen = match answer {
        Answer::Serves { .. } => Seen::Serves,
        // That is about how often this node, or its neighbours, asked; jobs run elsewhere.
        Answer::Unwell { status: 403 | 429, .. } => Seen::CannotTell,
        Answer::Unwell { retry_after, .. } => {
            let wait = retry_after.unwrap_or_default().as_millis();
            Seen::Down(i64::try_from(wait).unwrap_or(0))
        }
        Answer::Unusable { .. } => Seen::CannotTell,
        // Nothing comes back: from there, or is it this node that reaches nobody?
        Answer::Silent { .. } => {
            let mut others = config.services.iter().filter(|other| other.host != service.host).take(3);
            let alone = loop {
                match others.next() {
                    None => break true,
                    Some(other) if matches!(remotes.ask(&other.url).await, Answer::Silent { .. }) => {}
                    Some(_) => break false,
                }
            };
            if alone && config.services.len() > 1 { Seen::CannotTell } else { Seen::Down(0) }
        }
    };
    lately.note(&service.host, now, seen);
    Looked { seen, asked: Some(took) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_addresses_and_nowhere_else() {
        for (line, want) in [
            ("request to https://registry.npmjs.org/left-pad failed", vec!["registry.npmjs.org"]),
            (
                "GET http://Me:pw@Host.Example:8080/a and (https://b.example.)",
                vec!["host.example", "b.example"],
            ),
            ("registry.npmjs.org is down, see ://", vec![]),
            ("https://localhost:1/ https://", vec![]),
        ] {
            assert_eq!(hosts(line), want, "{line}");
        }
    }
}
