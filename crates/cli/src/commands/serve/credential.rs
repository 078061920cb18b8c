//! As whom CI hosts are asked.

use std::{path::Path, sync::Arc};

use regreen_forge::{Credential, Forge, GitHub, GitLab, Options, Secret, hook::Sender};

use super::secret_file;
use crate::{
    args::WorkArgs,
    context::Context,
    exit::{Failed, INVALID},
};

/// A host that can be asked.
pub(super) type Known = (Sender, Arc<dyn Forge>);

/// Every host for which there is a credential.
///
/// # Errors
/// Where a file can't be read, or the host's address is none.
pub(super) fn hosts(context: &Context, args: &WorkArgs) -> Result<Vec<Known>, Failed> {
    let mut known: Vec<Known> = Vec::new();
    if let Some(credential) = github(context, args)? {
        let github = GitHub::new(&args.github_api, credential, Options::default());
        let github = github.map_err(|e| Failed::new(INVALID, format!("--github-api: {e}")))?;
        known.push((Sender::GitHub, Arc::new(github)));
    }
    if let Some(token) = token(context, args.gitlab_token_file.as_deref(), "REGREEN_GITLAB_TOKEN")? {
        let gitlab = GitLab::new(&args.gitlab_url, Some(token), Options::default());
        let gitlab = gitlab.map_err(|e| Failed::new(INVALID, format!("--gitlab-url: {e}")))?;
        known.push((Sender::GitLab, Arc::new(gitlab)));
    }
    Ok(known)
}

/// As whom GitHub is asked; `None` where nobody said.
fn github(context: &Context, args: &WorkArgs) -> Result<Option<Credential>, Failed> {
    if let (Some(id), Some(path)) = (&args.github_app, &args.github_app_key_file) {
        let app = Credential::app(id, &secret_file(context, path)?);
        return app.map(Some).map_err(|e| Failed::new(INVALID, format!("{}: {e}", path.display())));
    }
    let token = token(context, args.github_token_file.as_deref(), "REGREEN_GITHUB_TOKEN")?;
    Ok(token.map(Credential::Token))
}

/// A token from a file, or else from a variable; `None` where there is none.
fn token(context: &Context, file: Option<&Path>, variable: &str) -> Result<Option<Secret>, Failed> {
    let token = match file {
        Some(path) => Some(secret_file(context, path)?),
        None => context.secret(variable),
    };
    Ok(token.filter(|token| !token.trim().is_empty()).map(|token| Secret::new(&token)))
}
