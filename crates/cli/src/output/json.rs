//! Version 1 of the JSON shape of a `run`: that of a diagnosis, with how it ended.

use regreen_engine::Handled;
use regreen_show::{Named, json};

/// One line for the end of a `run`, with what was left out in diagnosing it.
pub fn outcome(handled: &Handled, warnings: &[String]) -> String {
    let named = Named {
        host: handled.host.clone(),
        package: handled.package.clone(),
        tool: handled.diagnosis.tool.clone(),
    };
    let ended = json::Ended {
        outcome: handled.outcome.id(),
        because: handled.because.map(regreen_domain::Refusal::id),
        incident: &handled.incident,
        findings: &handled.findings,
        named: &named,
    };
    json::outcome(&handled.diagnosis, &ended, warnings)
}
