//! The text of a token: `rgr_ID_SECRET`. By the id it is found; of the secret, 256 random bits, only the digest is kept.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Begins every token, so that a scanner for secrets knows one.
const TOKEN: &str = "rgr_";
/// Begins every session.
const SESSION: &str = "rgs_";
/// Digits of an id.
const ID: usize = 16;
/// Characters of a secret: 32 bytes.
const SECRET: usize = 43;

/// A token that was just made: the only moment at which its text is known.
pub struct Minted {
    /// Its id.
    pub id: String,
    /// The whole text. To be shown once, and stored nowhere.
    pub text: String,
    /// SHA-256 of its secret part, in hexadecimal digits: what is stored.
    pub digest: String,
}

/// Makes a token; `None` where the system gives no random numbers.
pub fn mint() -> Option<Minted> {
    minted(TOKEN)
}

pub(super) fn mint_session() -> Option<Minted> {
    minted(SESSION)
}

fn minted(prefix: &str) -> Option<Minted> {
    let mut random = [0u8; ID / 2 + 32];
    SystemRandom::new().fill(&mut random).ok()?;
    let (id, secret) = random.split_at(ID / 2);
    let (id, secret) = (hex(id), URL_SAFE_NO_PAD.encode(secret));
    let digest = digest(&secret);
    Some(Minted { text: format!("{prefix}{id}_{secret}"), id, digest })
}

/// A text that has the form of a token.
#[derive(Clone, Copy)]
pub(super) struct Shown<'t> {
    pub(super) id: &'t str,
    secret: &'t str,
    pub(super) is_session: bool,
}

impl<'t> Shown<'t> {
    pub(super) fn token(text: &'t str) -> Option<Shown<'t>> {
        Shown::of(text, TOKEN)
    }

    pub(super) fn session(text: &'t str) -> Option<Shown<'t>> {
        Shown::of(text, SESSION)
    }

    fn of(text: &'t str, prefix: &str) -> Option<Shown<'t>> {
        let (id, secret) = text.strip_prefix(prefix)?.split_once('_')?;
        let plain =
            |text: &str, more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        let fits = id.len() == ID && secret.len() == SECRET && plain(id, "") && plain(secret, "-_");
        fits.then_some(Shown { id, secret, is_session: prefix == SESSION })
    }

    /// What its forms carry, where they are this person's: made from the secret, and not to be turned back into it.
    pub(super) fn form_word(self, person: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        hex(hmac::sign(&key, format!("regreen form{person}").as_bytes()).as_ref())
    }

    /// The digest of its secret.
    pub(super) fn digest(self) -> String {
        digest(self.secret)
    }

    /// Whether its secret has this digest, compared in a time that says nothing about either.
    pub(super) fn fits(self, stored: &str) -> bool {
        self.digest().as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

/// SHA-256, in hexadecimal digits.
pub(super) fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_digest_alone() {
        let (one, other) = (mint().unwrap(), mint().unwrap());
        assert!(one.id != other.id && one.text != other.text);
        let shown = Shown::token(&one.text).unwrap();
        assert_eq!(shown.id, one.id);
        assert!(shown.fits(&one.digest) && !shown.fits(&other.digest) && !shown.fits(""));
        assert!(!one.text.contains(&one.digest) && one.digest.len() == 64);
        assert!(Shown::session(&one.text).is_none());
    }

    #[test]
    fn what_has_another_form_is_none() {
        let good = mint().unwrap().text;
        for bad in [
            "",
            "rgr_",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}A"),
            &good.replace("rgr", "rgx"),
        ] {
            assert!(Shown::token(bad).is_none(), "{bad}");
        }
        assert!(Shown::token(&format!("rgr_{}_{}", "a".repeat(16), "é".repeat(43))).is_none());
    }
}
