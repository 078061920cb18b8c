//! npm's configuration files, which pnpm, Yarn 1 and Bun read too: which registries a job uses.
//!
//! Read as data: no tool is started for it, for it would have to be the very one that has just failed.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    adapter::{Job, Remote, host_of, without_user},
    workspace::Workspace,
};

/// Largest configuration file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Which registries are set, from whichever place said so first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Adds what nothing has said yet about a registry; all else, credentials too, is not kept.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        if name.ends_with("registry") && !value.is_empty() {
            self.0.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }

    /// Adds the variables with one of these beginnings (in lower case), whose name npm reads in any case and with `-`
    /// for `_`. Source: @pnpm/npm-conf, `lib/conf.js`; npm, `@npmcli/config`, `lib/index.js`, `loadEnv`.
    pub(crate) fn add_env(&mut self, workspace: &Workspace, beginnings: &[&str]) {
        for (name, value) in &workspace.env {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
            let name = name.to_ascii_lowercase();
            if let Some(name) = beginnings.iter().find_map(|b| name.strip_prefix(b)) {
                self.add(&name.replace('_', "-"), value);
            }
        }
    }

    /// Adds the settings of one file, where it can be read.
    pub(crate) fn add_file(&mut self, workspace: &Workspace, path: &Path) {
        let mut text = String::new();
        let read = fs::File::open(path).and_then(|f| f.take(LARGEST).read_to_string(&mut text));
        if read.is_ok() {
            for (name, value) in pairs(&text) {
                self.add(name, &expanded(value, workspace));
            }
        }
    }

    /// The value of a setting.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The registries of single scopes: `@scope` and address.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| {
            let scope = name.strip_suffix(":registry").filter(|s| s.starts_with('@'))?;
            Some((scope, value.as_str()))
        })
    }
}

/// The `.npmrc` files that say something to a job, nearest first: the project's, the user's.
pub(crate) fn files(job: &Job) -> Vec<PathBuf> {
    let workspace = &job.workspace;
    let users = workspace
        .var("npm_config_userconfig")
        .or_else(|| workspace.var("NPM_CONFIG_USERCONFIG"))
        .map(|path| workspace.root.join(path))
        .or_else(|| workspace.home().map(|home| home.join(".npmrc")));
    std::iter::once(workspace.root.join(".npmrc")).chain(users).collect()
}

/// The default registry, and those of the scopes that `mentioned` (the text of manifest and lockfile) names.
pub(crate) fn registries(settings: &Settings, default: &str, mentioned: &str) -> Vec<Remote> {
    let used = settings.scopes().filter(|(scope, _)| mentioned.contains(&format!("{scope}/")));
    let urls = std::iter::once(settings.get("registry").unwrap_or(default)).chain(used.map(|(_, url)| url));
    let mut remotes: Vec<Remote> = Vec::new();
    for remote in urls.filter_map(registry) {
        if !remotes.contains(&remote) {
            remotes.push(remote);
        }
    }
    remotes
}

/// A registry of npm's protocol at this address. Source: npm's registry API, `GET /-/ping`.
pub(crate) fn registry(url: &str) -> Option<Remote> {
    let base_url = format!("{}/", without_user(url)?.trim_end_matches('/'));
    Some(Remote { host: host_of(&base_url)?, probe_url: format!("{base_url}-/ping"), base_url })
}

/// Where a registry of npm's protocol has the artefact of a release.
pub(crate) fn tarball(base_url: &str, name: &str, version: &str) -> String {
    let bare = name.rsplit('/').next().unwrap_or(name);
    format!("{base_url}{name}/-/{bare}-{version}.tgz")
}

/// The text of a file below the workspace, or nothing.
pub(crate) fn text_of(job: &Job, name: &str) -> String {
    let mut text = String::new();
    let read = fs::File::open(job.workspace.root.join(name))
        .and_then(|f| f.take(64 * LARGEST).read_to_string(&mut text));
    if read.is_ok() { text } else { String::new() }
}

/// `name = value` lines; `;` and `#` begin a comment. Source: the npm `ini` package.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        if line.starts_with([';', '#', '[']) {
            return None;
        }
        let (name, value) = line.split_once('=')?;
        let value = value.trim();
        let quoted = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q));
        Some((name.trim(), quoted.unwrap_or(value)))
    })
}

/// The value with `${NAME}` replaced by the environment's value, as npm does it. A name that is not set stays.
fn expanded(value: &str, workspace: &Workspace) -> String {
    let mut text = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        match after.split_once('}') {
            Some((name, after)) => {
                match workspace.var(name) {
                    Some(value) => text.push_str(value),
                    None => text.push_str(&format!("${{{name}}}")),
                }
                rest = after;
            }
            None => {
                text.push_str("${");
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn workspace(env: &[(&str, &str)]) -> Workspace {
        let env: BTreeMap<_, _> = env.iter().map(|(k, v)| (k.into(), v.into())).collect();
        Workspace::new(PathBuf::from("/nowhere"), env)
    }

    #[test]
    fn files_are_read_as_npm_reads_them() {
        let text = "; a comment\n# another\nregistry = \"https://a.example/npm\"\n@s:registry=https://${H}/\n[x]\nodd\n";
        let found: Vec<_> = pairs(text).collect();
        assert_eq!(found, [("registry", "https://a.example/npm"), ("@s:registry", "https://${H}/")]);
        let workspace = workspace(&[("H", "h.example")]);
        assert_eq!(expanded("https://${H}/${NOT}/${", &workspace), "https://h.example/${NOT}/${");
    }

    #[test]
    fn the_nearest_place_wins_and_only_scopes_in_use_count() {
        let mut settings = Settings::default();
        settings.add_env(
            &workspace(&[("NPM_CONFIG_REGISTRY", "https://user:secret@e.example/npm")]),
            &["npm_config_"],
        );
        settings.add("registry", "https://file.example/");
        settings.add("@s:registry", "https://s.example/");
        settings.add("@unused:registry", "https://unused.example/");
        let found = registries(&settings, "https://registry.npmjs.org/", "\"@s/ui\": \"^1\"");
        let bases: Vec<_> = found.iter().map(|r| r.base_url.as_str()).collect();
        assert_eq!(bases, ["https://e.example/npm/", "https://s.example/"]);
        assert_eq!(found[0].probe_url, "https://e.example/npm/-/ping");
        assert_eq!(tarball(bases[1], "@s/ui", "1.2.3"), "https://s.example/@s/ui/-/ui-1.2.3.tgz");
    }
}
