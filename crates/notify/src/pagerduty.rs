//! PagerDuty's Events API v2 (developer.pagerduty.com, *Send an alert event*).

use serde_json::{Value, json};

use crate::{Address, Kind, Notice, Severity, SinkError, notice::short, post::post};

/// Where PagerDuty takes events, of accounts in the US; in the EU it is `https://events.eu.pagerduty.com/v2/enqueue`.
const EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";

/// A service at PagerDuty.
#[derive(Clone)]
pub struct PagerDuty {
    /// Where events go; `None`: PagerDuty's own in the US.
    pub address: Option<Address>,
    /// The integration's key.
    pub routing_key: String,
}

impl std::fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PagerDuty").finish_non_exhaustive()
    }
}

impl PagerDuty {
    pub(crate) fn send(&self, notice: &Notice) -> Result<(), SinkError> {
        let address = match &self.address {
            Some(address) => address.clone(),
            None => Address::parse(EVENTS).map_err(|e| SinkError::Refused { why: e.to_string() })?,
        };
        post(&address, &[], event(&self.routing_key, notice).to_string().as_bytes()).map(drop)
    }
}

/// An alert is known by what it is about, so that the same failure again is no second alert, and its end resolves it.
fn event(routing_key: &str, notice: &Notice) -> Value {
    // What is stuck is over when a person says so, and not when the same failure is healed elsewhere.
    let about = match notice.kind {
        Kind::Stuck => notice.incident.as_ref().unwrap_or(&notice.id),
        _ => &notice.subject,
    };
    let key = short(&format!("regreen/{about}"), 255);
    if matches!(notice.kind, Kind::Healed | Kind::OutageEnded) {
        return json!({"routing_key": routing_key, "event_action": "resolve", "dedup_key": key});
    }
    let severity = match notice.kind.severity() {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    };
    let details: serde_json::Map<String, Value> = notice
        .facts()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(short(&value, 1_000))))
        .chain([("Text".to_owned(), Value::from(short(&notice.lines.join("\n"), 4_000)))])
        .chain(notice.evidence.iter().map(|text| ("Evidence".to_owned(), Value::from(short(text, 2_000)))))
        .collect();
    let links: Vec<Value> =
        notice.safe_link().map(|link| json!({"href": link, "text": "Look at it"})).into_iter().collect();
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": key,
        "client": "Regreen",
        "payload": {
            "summary": short(&format!("{}: {}", notice.kind.words(), notice.title), 1_024),
            "source": notice.repository.as_deref().unwrap_or("regreen"),
            "severity": severity,
            "timestamp": jiff::Timestamp::from_millisecond(notice.at).unwrap_or_default().to_string(),
            "class": notice.class,
            "custom_details": details,
        },
        "links": links,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::notice;

    #[test]
    fn what_is_over_resolves_what_began() {
        let began = Notice { kind: Kind::OutageBegan, ..notice() };
        let (began, ended) =
            (event("k", &began), event("k", &Notice { kind: Kind::OutageEnded, ..notice() }));
        assert_eq!(began["event_action"], "trigger");
        assert_eq!(ended["event_action"], "resolve");
        assert_eq!(began["dedup_key"], ended["dedup_key"]);
        let (healed, stuck) = (event("k", &notice()), event("k", &Notice { kind: Kind::Stuck, ..notice() }));
        assert_ne!(healed["dedup_key"], stuck["dedup_key"]);
        let long =
            Notice { title: "x".repeat(5_000), subject: "y".repeat(5_000), kind: Kind::Stuck, ..notice() };
        let event = event("k", &long);
        assert!(event["payload"]["summary"].as_str().unwrap().chars().count() <= 1_024);
        assert!(event["dedup_key"].as_str().unwrap().chars().count() <= 255);
        assert_eq!(event["payload"]["severity"], "critical");
    }
}
