//! As whom Regreen asks.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::rsa::KeyPair;

use crate::{ForgeError, Secret};

/// As whom Regreen asks.
pub enum Credential {
    /// As nobody: public repositories, 60 calls an hour.
    None,
    /// By a token: a person's, a job's own `GITHUB_TOKEN`, or an app's for one installation.
    Token(Secret),
    /// As a GitHub App: it asks as the installation that the repository's owner made.
    App {
        /// The app's id or client id.
        id: String,
        /// Its private key.
        key: AppKey,
    },
}

/// An app's private key.
pub struct AppKey(pub(super) Box<KeyPair>);

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Credential::None => "None",
            Credential::Token(_) => "Token",
            Credential::App { .. } => "App",
        })
    }
}

impl Credential {
    /// A GitHub App by its id (or client id) and its private key, as GitHub gives it to download: PEM, PKCS#1 or PKCS#8.
    ///
    /// # Errors
    /// [`ForgeError::Invalid`] where the key is none; nothing of it is said.
    pub fn app(id: &str, pem: &str) -> Result<Credential, ForgeError> {
        let invalid =
            |why: &str| ForgeError::Invalid { what: "the app's private key".to_owned(), why: why.to_owned() };
        let (kind, der) = decoded(pem).ok_or_else(|| invalid("it is not a PEM file of one private key"))?;
        let key = match kind {
            "RSA PRIVATE KEY" => KeyPair::from_der(&der),
            "PRIVATE KEY" => KeyPair::from_pkcs8(&der),
            _ => return Err(invalid("it is not an RSA key")),
        };
        let key = key.map_err(|_| invalid("it is not a whole RSA key of 2048 bits or more"))?;
        Ok(Credential::App { id: id.trim().to_owned(), key: AppKey(Box::new(key)) })
    }
}

/// The one block of a PEM file: its label and its bytes.
fn decoded(pem: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (kind, rest) = rest.split_once("-----")?;
    let (text, _) = rest.split_once(&format!("-----END {kind}-----"))?;
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    Some((kind, STANDARD.decode(text).ok()?))
}
