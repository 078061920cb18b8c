//! What proves a sender: shared secrets, compared in a time that says nothing about them.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;

/// Shortest secret, in bytes: what is shorter can be guessed from one recorded delivery.
const SHORTEST: usize = 16;

/// A secret that is shared with a sender. Never shown.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// A secret that anybody could guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a webhook secret has at least {SHORTEST} bytes; make one with `openssl rand -hex 32`")]
pub struct WeakSecret;

impl Secret {
    /// This text as a secret, without white space around it, as it stands in a file.
    ///
    /// # Errors
    /// [`WeakSecret`] below 16 bytes.
    pub fn new(text: &str) -> Result<Secret, WeakSecret> {
        let text = text.trim();
        if text.len() < SHORTEST { Err(WeakSecret) } else { Ok(Secret(text.as_bytes().to_vec())) }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The secrets of one sender: more than one while they are being changed. Without any, nobody is proven.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// These.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Secrets {
        Secrets(secrets.into_iter().collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them signed `body` by HMAC-SHA256. All are tried, whichever fits.
    pub(super) fn signed(&self, body: &[u8], signature: &[u8]) -> bool {
        let mut fits = Choice::from(0);
        for Secret(key) in &self.0 {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { continue };
            mac.update(body);
            fits |= mac.finalize().into_bytes()[..].ct_eq(signature);
        }
        fits.into()
    }

    /// Whether `token` is one of them. Digests are compared, so that the time does not tell their lengths either.
    pub fn hold(&self, token: &str) -> bool {
        let token = Sha256::digest(token);
        let mut fits = Choice::from(0);
        for Secret(secret) in &self.0 {
            fits |= Sha256::digest(secret)[..].ct_eq(&token[..]);
        }
        fits.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets::new(texts.iter().map(|text| Secret::new(text).unwrap()))
    }

    #[test]
    fn the_documented_example_is_verified() {
        // From GitHub's "Validating webhook deliveries", section "Testing the webhook payload validation".
        let secret = secrets(&["It's a Secret to Everybody"]);
        let signature = [
            0x75, 0x71, 0x07, 0xea, 0x0e, 0xb2, 0x50, 0x9f, 0xc2, 0x11, 0x22, 0x1c, 0xce, 0x98, 0x4b, 0x8a,
            0x37, 0x57, 0x0b, 0x6d, 0x75, 0x86, 0xc2, 0x2c, 0x46, 0xf4, 0x37, 0x9c, 0x8b, 0x04, 0x3e, 0x17,
        ];
        assert!(secret.signed(b"Hello, World!", &signature));
        assert!(!secret.signed(b"Hello, World?", &signature));
        assert!(!secret.signed(b"Hello, World!", &signature[..31]));
        assert!(!secret.signed(b"Hello, World!", b""));
    }

    #[test]
    fn each_of_several_secrets_is_accepted_and_none_proves_nothing() {
        let both = secrets(&["the-old-one-is-long", "the-new-one-is-long"]);
        assert!(both.hold("the-old-one-is-long") && both.hold("the-new-one-is-long"));
        assert!(!both.hold("the-old-one-is-lon") && !both.hold(""));
        assert!(!Secrets::default().hold("") && !Secrets::default().signed(b"", b""));
    }

    #[test]
    fn a_secret_is_long_enough_and_never_shown() {
        assert_eq!(Secret::new(" fifteen-bytes-x \n").unwrap_err(), WeakSecret);
        let secret = Secret::new("0123456789abcdef\n").unwrap();
        assert!(!format!("{secret:?}").contains("0123"));
        assert!(Secrets::new([secret]).hold("0123456789abcdef"));
    }
}
