//! A GitHub App's tokens: one for itself, signed here and good for minutes, and one for each installation, got by it and kept
//! until shortly before it expires.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use tokio::sync::Mutex;
use ureq::http::Method;

use super::{
    answers::{Installation, InstallationToken},
    api::{Api, Scope, parsed, unreachable},
    host::Octocat,
};
use crate::{ForgeError, Repository, Secret, calls::host::Host as _};

/// So long before it expires a token is not used any more.
const MARGIN: Duration = Duration::from_secs(300);

/// An app's own token: GitHub takes ten minutes at most, and clocks differ.
pub(super) fn own_token(id: &str, key: &KeyPair, now: SystemTime) -> Result<Secret, ForgeError> {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = serde_json::json!({ "iat": seconds.saturating_sub(60), "exp": seconds + 540, "iss": id });
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).map_err(|_| {
        ForgeError::Invalid { what: "the app's private key".to_owned(), why: "it does not sign".to_owned() }
    })?;
    Ok(Secret::new(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// The installations' tokens, by the owner of the repositories.
#[derive(Debug, Default)]
pub(super) struct Installations(Mutex<HashMap<String, Installed>>);

#[derive(Debug, Clone)]
struct Installed {
    id: u64,
    token: Option<(Secret, SystemTime)>,
}

impl Installations {
    /// The token for a repository, and the installation that it is of.
    pub(super) async fn token(
        &self,
        api: &Api<Octocat>,
        repository: &Repository,
        now: SystemTime,
    ) -> Result<(Secret, u64), ForgeError> {
        // Held while asking, so that many calls at once ask for one token.
        let mut known = self.0.lock().await;
        let owner = repository.owner().to_ascii_lowercase();
        let installed = match known.get(&owner) {
            Some(installed) => installed.clone(),
            None => {
                let path = format!("/repos/{repository}/installation");
                let found: Installation =
                    api.get(Scope::App, "the app's installation", &path).await.map_err(|e| match e {
                        ForgeError::NotFound { .. } => ForgeError::Denied {
                            what: repository.to_string(),
                            why: "the app is not installed there".to_owned(),
                        },
                        other => other,
                    })?;
                Installed { id: found.id, token: None }
            }
        };
        if let Some((token, until)) = &installed.token
            && now + MARGIN < *until
        {
            return Ok((token.clone(), installed.id));
        }
        let path = format!("/app/installations/{}/access_tokens", installed.id);
        let made: InstallationToken = make_token(api, &path).await.inspect_err(|_| {
            // It may have been installed anew, under another id.
            known.remove(&owner);
        })?;
        let token = Secret::new(&made.token);
        known.insert(owner, Installed { id: installed.id, token: Some((token.clone(), made.expires_at.0)) });
        Ok((token, installed.id))
    }

    /// Forgets a token that the host does not take any more.
    pub(super) async fn forget(&self, repository: &Repository) {
        self.0.lock().await.remove(&repository.owner().to_ascii_lowercase());
    }
}

/// A new token for an installation. Making one too many does no harm, so it is tried again like a read.
async fn make_token(api: &Api<Octocat>, path: &str) -> Result<InstallationToken, ForgeError> {
    let what = "a token for the app's installation";
    let mut failures = 0;
    loop {
        let ask = api.ask(Method::POST, api.base.at(path), Vec::new(), Some(b"{}".to_vec()));
        let error = match api.send(Scope::App, what, ask).await {
            Ok(answer) => match answer? {
                answer if answer.status < 300 => match parsed(&answer.body) {
                    Ok(token) => return Ok(token),
                    Err(why) => ForgeError::Garbage { what: what.to_owned(), why },
                },
                answer if answer.status >= 500 => {
                    let why = format!("status {}", answer.status);
                    ForgeError::Unreachable { what: what.to_owned(), why }
                }
                answer => return Err(api.host.refusal(what, answer.status, api.host.message(&answer))),
            },
            Err(broken) => unreachable(what, broken),
        };
        failures += 1;
        if failures >= api.options.backoff.tries {
            return Err(error);
        }
        api.options.backoff.wait(failures).await;
    }
}
