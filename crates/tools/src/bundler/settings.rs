//! Bundler's settings, as far as they say where gems come from and where they go.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::adapter::Job;

/// The address that stands for `source`: that of its mirror, or its own. Source: bundler 2.3, `Settings::Mirrors`.
pub(super) fn mirrored(job: &Job, source: &str) -> String {
    let source = format!("{}/", source.trim_end_matches('/'));
    let key =
        |url: &str| format!("BUNDLE_MIRROR__{}", url.replace('.', "__").replace('-', "___").to_uppercase());
    setting(job, "BUNDLE_MIRROR__ALL")
        .or_else(|| setting(job, &key(&source)))
        .or_else(|| setting(job, &key(source.trim_end_matches('/'))))
        .unwrap_or(source)
}

/// A setting by its name as an environment variable: the project's own file before the environment, and that before
/// the user's file. Source: `bundle config`'s manual page.
pub(super) fn setting(job: &Job, name: &str) -> Option<String> {
    let root = &job.workspace.root;
    let local = root.join(job.workspace.var("BUNDLE_APP_CONFIG").unwrap_or(".bundle")).join("config");
    let user = match (job.workspace.var("BUNDLE_USER_CONFIG"), job.workspace.var("BUNDLE_USER_HOME")) {
        (Some(file), _) => Some(PathBuf::from(file)),
        (None, Some(folder)) => Some(Path::new(folder).join("config")),
        (None, None) => job.workspace.home().map(|home| home.join(".bundle/config")),
    };
    in_file(&local, name)
        .or_else(|| job.workspace.var(name).map(str::to_owned))
        .or_else(|| in_file(&user?, name))
}

/// Bundler writes one `NAME: "value"` a line. Source: bundler 2.3, `YAMLSerializer`.
fn in_file(path: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty())
}
