//! Any program, by signed webhooks as standardwebhooks.com has them (specification 1.0.0).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::{Address, Notice, SinkError, post::post};

/// A program that is told.
#[derive(Clone)]
pub struct Webhook {
    /// Where it listens.
    pub address: Address,
    /// What both sides know; `None`: it is not signed.
    pub secret: Option<Vec<u8>>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("signed", &self.secret.is_some()).finish_non_exhaustive()
    }
}

impl Webhook {
    /// The key that a secret in a file stands for: base64 behind `whsec_`, else the text itself.
    pub fn key(secret: &str) -> Vec<u8> {
        let secret = secret.trim();
        let decoded = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
        decoded.unwrap_or_else(|| secret.as_bytes().to_vec())
    }

    pub(crate) fn send(&self, notice: &Notice) -> Result<(), SinkError> {
        let now = jiff::Timestamp::now().as_second();
        let body = json!({
            "type": format!("regreen.{}", notice.kind.id()),
            "timestamp": jiff::Timestamp::from_millisecond(notice.at).unwrap_or_default().to_string(),
            "data": notice,
        })
        .to_string();
        let mut headers = vec![("webhook-id", notice.id.clone()), ("webhook-timestamp", now.to_string())];
        if let Some(secret) = &self.secret {
            headers.push(("webhook-signature", signature(secret, &notice.id, now, &body)));
        }
        post(&self.address, &headers, body.as_bytes()).map(drop)
    }
}

/// The signature that goes with a message: `v1,` and base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`; the time in seconds since 1970.
pub fn signature(secret: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        // HMAC takes keys of any length.
        return String::new();
    };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The specification's own example.
        let key = Webhook::key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed =
            signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
