//! CI/CD variables that count: a cache's key that holds one is another once it is counted up.
//!
//! By <https://docs.gitlab.com/api/project_level_variables/>; that an update keeps what it does not name is to be read in
//! GitLab's `lib/api/ci/variables.rb`.

use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use ureq::http::Method;

use super::{client::GitLab, pipelines::at};
use crate::{
    BoxFuture, ForgeError, Repository,
    calls::{
        api::{Scope, parsed},
        sending::Sending,
    },
    wire::base::part,
};

/// A project's variable for all environments. The value of one that is masked is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub key: String,
    /// Only jobs of protected branches and tags are given it.
    pub protected: bool,
    value: Result<u64, NotACount>,
}

/// Why a variable can't be counted up. Nothing of its value is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotACount {
    /// It is masked or hidden.
    #[error("it is masked: its value is a secret, and no number to count by")]
    Masked,
    /// It is a file.
    #[error("it is a file, and no number to count by")]
    File,
    /// It holds something else.
    #[error("its value is no number to count by (0, 1, 2, …)")]
    NoNumber,
    /// Only protected branches and tags see it, and that was not asked for.
    #[error("it is protected: the caches of other branches than protected ones would stay")]
    Protected,
    /// All branches see it, and it was asked for protected ones.
    #[error("it is not protected: the caches of all branches would be forgotten")]
    NotProtected,
}

/// A step of a variable that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// What it is.
    pub from: u64,
    /// What it is to be.
    pub to: u64,
}

impl Variable {
    /// The next step, where it counts, and is given to protected branches alone or to all, as the caller thinks.
    ///
    /// # Errors
    /// [`NotACount`].
    pub fn next(&self, protected: bool) -> Result<Counted, NotACount> {
        let from = self.value?;
        match (self.protected, protected) {
            (true, false) => return Err(NotACount::Protected),
            (false, true) => return Err(NotACount::NotProtected),
            _ => {}
        }
        Ok(Counted { from, to: from.checked_add(1).ok_or(NotACount::NoNumber)? })
    }
}

#[derive(Deserialize)]
struct Shown {
    key: String,
    value: Option<String>,
    #[serde(default)]
    variable_type: Option<String>,
    #[serde(default)]
    protected: bool,
    #[serde(default)]
    masked: bool,
    #[serde(default)]
    hidden: bool,
}

impl Shown {
    fn read(self) -> Variable {
        let value = match (self.masked || self.hidden, self.variable_type.as_deref(), self.value) {
            (true, ..) => Err(NotACount::Masked),
            (_, Some("file"), _) => Err(NotACount::File),
            // As it would be written again: neither `+1` nor `007`.
            (.., value) => value
                .and_then(|text| text.parse::<u64>().ok().filter(|number| number.to_string() == text))
                .ok_or(NotACount::NoNumber),
        };
        Variable { key: self.key, protected: self.protected, value }
    }
}

impl GitLab {
    /// A project's variable, the one for all environments. A read. The token's owner has to be a maintainer.
    ///
    /// # Errors
    /// [`ForgeError::NotFound`] where there is none for all environments.
    pub async fn variable(&self, repository: &Repository, key: &str) -> Result<Variable, ForgeError> {
        let what = format!("the variable {key} of {repository}");
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let why = "a variable's name has letters, digits and `_`".to_owned();
            return Err(ForgeError::Invalid { what, why });
        }
        let shown: Shown = self.api.get(Scope::Of(repository), &what, &path(repository, key)).await?;
        match shown.key == key {
            true => Ok(shown.read()),
            false => Err(ForgeError::Garbage { what, why: "it is another variable".to_owned() }),
        }
    }

    /// Counts a variable up. Where the answer is lost it is looked first, and sent again only if it still is what it was.
    ///
    /// # Errors
    /// [`ForgeError::Unknown`] where looking does not tell, or it is a third thing by now.
    pub async fn count_up(
        &self,
        repository: &Repository,
        key: &str,
        step: Counted,
    ) -> Result<(), ForgeError> {
        let what = format!("counting up the variable {key} of {repository}");
        let body = Some(json!({ "value": step.to.to_string() }));
        let path = path(repository, key);
        let sending = Sending { repository, what: &what, method: Method::PUT, path, body, fresh: false };
        let read = |body: &[u8]| match parsed::<Shown>(body)?.read().value {
            Ok(value) if value == step.to => Ok(()),
            _ => Err("it says another value than it was given".to_owned()),
        };
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                match self.variable(repository, key).await?.value {
                    Ok(value) if value == step.to => Ok(Some(())),
                    Ok(value) if value == step.from => Ok(None),
                    _ => Err(ForgeError::Garbage {
                        what: format!("the variable {key} of {repository}"),
                        why: "somebody else has changed it meanwhile".to_owned(),
                    }),
                }
            })
        };
        self.api.change_by(&sending, read, look).await.map(drop)
    }
}

/// Of several variables of one name the one for all environments.
fn path(repository: &Repository, key: &str) -> String {
    at(repository, &format!("/variables/{}?filter%5Benvironment_scope%5D={}", part(key), part("*")))
}
