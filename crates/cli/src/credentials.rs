//! Where credentials come from: files and the environment. Wherever what they hold turns up, it is masked.

use std::{fs, io::ErrorKind, path::Path};

use regreen_forge::Secret;

use crate::{
    context::Context,
    exit::{Failed, NOTHING_TO_READ},
};

/// The text of a file that holds a secret. From now on it is masked wherever it turns up.
///
/// # Errors
/// Where it can't be read, or is no text; nothing of it is said.
pub fn secret_file(context: &Context, path: &Path) -> Result<String, Failed> {
    let text = fs::read_to_string(path).map_err(|e| match e.kind() {
        ErrorKind::InvalidData => Failed::new(
            NOTHING_TO_READ,
            format!("{}: a secret has to be text, and this is not", path.display()),
        )
        .help(
            "one made of random bytes can be written as hexadecimal digits, e.g. by `openssl rand -hex 32`",
        ),
        _ => Failed::new(NOTHING_TO_READ, format!("{}: {e}", path.display())),
    })?;
    context.hide(&text);
    Ok(text)
}

/// The token from where GitHub's own tools take it: `GITHUB_TOKEN`, then `GH_TOKEN`.
pub fn github_token(context: &Context) -> Option<Secret> {
    let named = |name: &str| context.secret(name);
    named("GITHUB_TOKEN").or_else(|| named("GH_TOKEN")).map(|token| Secret::new(&token))
}
