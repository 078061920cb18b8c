//! Do the registries that the job is configured to use answer?

use std::time::Duration;

use regreen_domain::{
    Finding, HealableClass,
    HealableClass::{NetworkTimeout, RateLimited, ServiceUnavailable},
    Host, Standing,
};

use super::{dns::dns, finding};
use crate::{
    adapter::{Adapter, Job},
    remote::{Answer, Stage, ask},
};

/// Longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks each registry once. `named` is the host that the log blames: where that is none of the job's registries,
/// nothing can be told, whatever the log says. `class` is what the signature claims; a registry that fails now confirms
/// it, and one that answers now confirms that it has passed, but only where the signature speaks of nothing else
/// (`seen_failing`).
pub async fn remote(
    job: &Job,
    adapter: &dyn Adapter,
    class: HealableClass,
    named: Option<&Host>,
    seen_failing: bool,
) -> Vec<Finding> {
    let tool = adapter.tool();
    let say = |class, standing, subject: &str, says: String| {
        finding("remote", tool.clone(), class, standing, subject, says)
    };
    let remotes = adapter.remotes(job).await;
    if remotes.is_empty() {
        return vec![say(
            class,
            Standing::CannotTell,
            "",
            "it is not known which registry to ask".to_owned(),
        )];
    }
    let name = |host: &str| host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    if let Some(host) = named
        && !remotes.iter().any(|r| name(&r.host) == name(host.as_str()))
    {
        let says = format!("{host} is none of the registries that {tool} is configured to use here");
        return vec![say(class, Standing::CannotTell, host.as_str(), says)];
    }
    let mut findings = Vec::new();
    for remote in &remotes {
        let host = remote.host.as_str();
        findings.push(match ask(&remote.probe_url, PATIENCE).await {
            Answer::Serves { status } => {
                let standing = if seen_failing { Standing::Confirms } else { Standing::CannotTell };
                say(class, standing, host, format!("{host} answers now ({status})"))
            }
            Answer::Unwell { status: 429, .. } => {
                say(RateLimited, Standing::Confirms, host, format!("{host} still answers 429"))
            }
            Answer::Unwell { status, .. } => {
                say(ServiceUnavailable, Standing::Confirms, host, format!("{host} still answers {status}"))
            }
            Answer::Silent { stage: Stage::Name, .. } => {
                let says = dns(host).await;
                finding("dns", tool.clone(), NetworkTimeout, Standing::Confirms, host, says)
            }
            Answer::Silent { stage, why } => {
                say(NetworkTimeout, Standing::Confirms, host, format!("{host}: still {stage}: {why}"))
            }
            Answer::Unusable { why } => say(class, Standing::CannotTell, host, format!("{host}: {why}")),
        });
    }
    findings
}
