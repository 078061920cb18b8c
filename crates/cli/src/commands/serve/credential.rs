//! As whom CI hosts are asked.

use std::sync::Arc;

use regreen_forge::{Credential, Forge, GitHub, Options, Secret, hook::Sender};

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
    let Some(credential) = github(context, args)? else { return Ok(Vec::new()) };
    let github = GitHub::new(&args.github_api, credential, Options::default());
    let github = github.map_err(|e| Failed::new(INVALID, format!("--github-api: {e}")))?;
    Ok(vec![(Sender::GitHub, Arc::new(github))])
}

/// As whom GitHub is asked; `None` where nobody said.
fn github(context: &Context, args: &WorkArgs) -> Result<Option<Credential>, Failed> {
    if let (Some(id), Some(path)) = (&args.github_app, &args.github_app_key_file) {
        let app = Credential::app(id, &secret_file(context, path)?);
        return app.map(Some).map_err(|e| Failed::new(INVALID, format!("{}: {e}", path.display())));
    }
    let token = match &args.github_token_file {
        Some(path) => Some(secret_file(context, path)?),
        None => context.secret("REGREEN_GITHUB_TOKEN"),
    };
    let token = token.filter(|token| !token.trim().is_empty());
    Ok(token.map(|token| Credential::Token(Secret::new(&token))))
}
