//! `[serve.otlp]`: where the figures are sent for OpenTelemetry.

use std::time::Duration;

use regreen_notify::Address;
use serde::Deserialize;
use toml::Spanned;

use super::bad;
use crate::exit::Failed;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OtlpFile {
    endpoint: Spanned<String>,
    every: Option<Spanned<String>>,
}

/// What the file says: the collector's address for metrics, and how often it is told.
pub(super) fn take(place: &str, text: &str, file: &OtlpFile) -> Result<(Address, Duration), Failed> {
    let base = file.endpoint.get_ref().trim_end_matches('/');
    let address = Address::parse(&format!("{base}/v1/metrics"));
    let address = address.map_err(|e| bad(place, text, &file.endpoint, &format!("endpoint: {e}")))?;
    let every = match &file.every {
        None => Duration::from_secs(60),
        Some(every) => {
            let good = |t: &Duration| (Duration::from_secs(10)..=Duration::from_secs(3600)).contains(t);
            let read = humantime::parse_duration(every.get_ref()).ok().filter(good);
            read.ok_or_else(|| bad(place, text, every, "every is a duration from 10s to 1h, e.g. \"60s\""))?
        }
    };
    Ok((address, every))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_leave_the_machine_over_tls_alone() {
        let read = |text: &str| {
            let file = toml::from_str::<OtlpFile>(text).map_err(|e| e.to_string())?;
            take("config.toml", text, &file).map_err(|e| e.to_string())
        };
        let of = |base: &str| Address::parse(&format!("{base}/v1/metrics")).unwrap();
        let usual = (of("http://127.0.0.1:4318"), Duration::from_secs(60));
        assert_eq!(read("endpoint = \"http://127.0.0.1:4318/\""), Ok(usual));
        let slow = (of("https://otel.example"), Duration::from_secs(600));
        assert_eq!(read("endpoint = \"https://otel.example\"\nevery = \"10m\""), Ok(slow));
        for (text, want) in [
            ("endpoint = \"http://otel.example:4318\"", "must begin with https://"),
            ("endpoint = \"https://u:p@otel.example\"", "no user name or password"),
            ("endpoint = \"https://otel.example\"\nevery = \"1s\"", "every is a duration"),
            ("every = \"1m\"", "missing field `endpoint`"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(want) && !said.contains("u:p@"), "{text}\n{said}");
        }
    }
}
