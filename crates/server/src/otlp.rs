//! The figures for OpenTelemetry: sent to a collector now and then, where the operator names one. Metrics alone, no traces.
//!
//! By the OTLP/HTTP protocol with JSON: <https://opentelemetry.io/docs/specs/otlp/#otlphttp> and
//! <https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto/metrics/v1>. The figures are those of
//! `/metrics`, which come from the ledger: so nothing is counted here, and a collector that is away misses nothing but points.

use std::{future::Future, sync::Arc, time::Duration};

use regreen_ledger::{BreakerPolicy, Ledger};
use regreen_notify::{Address, post_json};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    api::{Figures, Sinks, scraped},
    happening::{Happening, Log},
    memory::chain,
    shape::{Families, Family, Worth},
    worker::now,
};

/// Where the figures are sent.
pub struct Otlp {
    /// The collector's address for metrics: `…/v1/metrics`.
    pub address: Address,
    /// Headers beside, such as a collector's token.
    pub headers: Vec<(String, String)>,
    /// How often.
    pub every: Duration,
    /// This node, as the collector knows it.
    pub node: String,
    /// The fleet's ledger, for looks.
    pub ledger: Ledger,
    /// When a circuit breaker opens.
    pub breaker: BreakerPolicy,
    /// What a failure costs.
    pub worth: Worth,
    /// The ways out to people that are configured.
    pub sinks: Sinks,
    /// Is told.
    pub log: Arc<dyn Log>,
}

impl Otlp {
    /// Sends them until `stop` is ready. A collector that does not take them is told of once, until it does.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (mut stop, figures, mut well) = (std::pin::pin!(stop), Figures::default(), true);
        loop {
            let next = async {
                sleep(self.every).await;
                self.send(&figures).await
            };
            let sent = tokio::select! {
                () = &mut stop => return,
                sent = next => sent,
            };
            match sent {
                Ok(()) => well = true,
                Err(why) => {
                    if std::mem::replace(&mut well, false) {
                        self.log.tell(&Happening::FiguresNotSent { why });
                    }
                }
            }
        }
    }

    async fn send(&self, figures: &Figures) -> Result<(), String> {
        let at = now();
        let families = scraped(&self.ledger, figures, (self.breaker, &self.worth, &self.sinks), at).await;
        let families = families.map_err(|e| chain(&e))?;
        let body = document(&families, &self.node, at).to_string();
        let (address, headers) = (self.address.clone(), self.headers.clone());
        let sent = tokio::task::spawn_blocking(move || {
            let headers: Vec<(&str, String)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            post_json(&address, &headers, body.as_bytes())
        });
        sent.await.map_err(|_| "it could not be sent".to_owned())?.map(drop).map_err(|e| e.to_string())
    }
}

/// All of them, as they are at `at`, in milliseconds since 1970.
fn document(families: &Families, node: &str, at: i64) -> Value {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let time = (i128::from(at) * 1_000_000).to_string();
    let metrics: Vec<Value> = families
        .all()
        .iter()
        .map(|Family { name, help, samples }| {
            let points: Vec<Value> = samples
                .iter()
                .map(|(labels, value)| {
                    let labels: Vec<Value> = labels.iter().map(|(key, value)| text(key, value)).collect();
                    json!({ "attributes": labels, "timeUnixNano": time, "asDouble": value })
                })
                .collect();
            json!({ "name": format!("regreen.{name}"), "description": help, "gauge": { "dataPoints": points } })
        })
        .collect();
    let resource = [
        text("service.name", "regreen"),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("service.instance.id", node),
    ];
    json!({ "resourceMetrics": [{
        "resource": { "attributes": resource },
        "scopeMetrics": [{ "scope": { "name": "regreen" }, "metrics": metrics }],
    }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_gauges_with_their_labels() {
        let mut families = Families::default();
        families.gauges("breakers", "Not closed.", &[(&[("state", "o\"pen")], 2.0), (&[], 0.5)]);
        families.gauges("none", "Without a sample.", &[]);
        let sent = document(&families, "n1", 1_700_000_000_123);
        let of = &sent["resourceMetrics"][0];
        assert_eq!(of["resource"]["attributes"][2]["value"]["stringValue"], "n1");
        let metrics = &of["scopeMetrics"][0]["metrics"];
        assert_eq!(metrics.as_array().map(Vec::len), Some(1));
        assert_eq!(
            (&metrics[0]["name"], &metrics[0]["description"]),
            (&json!("regreen.breakers"), &json!("Not closed."))
        );
        assert_eq!(
            metrics[0]["gauge"]["dataPoints"],
            json!([
                {
                    "attributes": [{ "key": "state", "value": { "stringValue": "o\"pen" } }],
                    "timeUnixNano": "1700000000123000000", "asDouble": 2.0,
                },
                { "attributes": [], "timeUnixNano": "1700000000123000000", "asDouble": 0.5 },
            ])
        );
    }
}
