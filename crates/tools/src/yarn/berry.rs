//! Yarn 2 and later: configuration in `.yarnrc.yml`, checksums of archives that Yarn packs itself.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use regreen_lockfile::{Entry, Lockfile};

use crate::{
    adapter::{Job, Overlay, Remote, Resolver},
    cache,
    npmrc::{Settings, registries, tarball, text_of},
};

use super::archive;

/// Completes the lockfile and links nothing, so that no script runs. In a CI job Yarn would refuse to write it.
/// Source: <https://yarnpkg.com/cli/install#options>, `--mode=update-lockfile`.
pub(super) fn resolver() -> Resolver {
    Resolver {
        argv: vec!["yarn", "install", "--mode=update-lockfile"],
        env: vec![("YARN_ENABLE_IMMUTABLE_INSTALLS", "false"), ("YARN_ENABLE_TELEMETRY", "0")],
    }
}

/// An install that may change nothing of the lockfile and builds nothing; where the command was no plain install, only
/// whether every package that is asked for is locked.
pub(super) fn check(installs: bool) -> Vec<String> {
    let check: &[&str] = if installs {
        &["yarn", "install", "--immutable", "--mode=skip-build"]
    } else {
        &["yarn", "info", "--all", "--recursive", "--name-only"]
    };
    check.iter().map(|&word| word.to_owned()).collect()
}

/// The registries by `.yarnrc.yml` and the environment, which wins.
/// Source: <https://yarnpkg.com/configuration/yarnrc>.
pub(super) fn remotes(job: &Job) -> Vec<Remote> {
    let mut settings = Settings::default();
    if let Some(url) = job.workspace.var("YARN_NPM_REGISTRY_SERVER") {
        settings.add("registry", url);
    }
    let folders = job.workspace.root.ancestors().chain(job.workspace.home());
    for folder in folders {
        read_yarnrc(&folder.join(".yarnrc.yml"), &mut settings, job);
    }
    let mentioned = format!("{}\n{}", text_of(job, "package.json"), text_of(job, "yarn.lock"));
    registries(&settings, "https://registry.yarnpkg.com/", &mentioned)
}

/// The cache of all projects, where this one uses it: a project's own may be committed, and is left to its people.
/// Source: <https://yarnpkg.com/configuration/yarnrc>, `enableGlobalCache`, `cacheFolder`, `globalFolder`.
pub(super) fn cache_folder(job: &Job) -> Option<PathBuf> {
    let own = job.workspace.root.join(".yarn/cache").exists();
    let asked = |name: &str| job.workspace.var(name).is_some();
    let elsewhere = ["enableGlobalCache", "cacheFolder", "globalFolder"];
    let named = text_of(job, ".yarnrc.yml")
        .lines()
        .any(|line| line.split_once(':').is_some_and(|(key, _)| elsewhere.contains(&key.trim_matches('"'))));
    let global = !own && !named && !asked("YARN_ENABLE_GLOBAL_CACHE") && !asked("YARN_CACHE_FOLDER");
    cache::folder(&cache::YarnBerry, &job.workspace).filter(|_| global)
}

/// Where the registries have the release's own archive.
pub(super) fn artifact_urls(job: &Job, entry: &Entry) -> Vec<String> {
    let Some(version) = &entry.version else { return Vec::new() };
    remotes(job).iter().map(|remote| tarball(&remote.base_url, &entry.name, version)).collect()
}

/// What the checksum in the lockfile is of: the archive as Yarn packs it anew. Only for version 4's way of packing,
/// without compression.
pub(super) fn packed(lock: &Lockfile, entry: &Entry, served: &[u8]) -> Option<Vec<u8>> {
    (lock.checksum_scheme() == Some("10c0")).then(|| archive::repacked(&entry.name, served)).flatten()
}

/// A token that is set for no registry in particular would go to the mirror too: it is taken away. Those that are set
/// for a registry or a scope stay there. Source: berry, `packages/plugin-npm/sources/npmConfigUtils.ts`.
pub(super) fn use_mirror(mirror: &str) -> Overlay {
    let env = [
        ("YARN_NPM_REGISTRY_SERVER", mirror),
        ("YARN_NPM_AUTH_TOKEN", ""),
        ("YARN_NPM_AUTH_IDENT", ""),
        ("YARN_NPM_ALWAYS_AUTH", "false"),
    ];
    Overlay { env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), args: vec![] }
}

/// Largest configuration file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The `npmRegistryServer` at the top and of each of the `npmScopes`; more of YAML is not needed for these.
fn read_yarnrc(path: &Path, settings: &mut Settings, job: &Job) {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|f| f.take(LARGEST).read_to_string(&mut text));
    if read.is_err() {
        return;
    }
    let (mut top, mut scope) = (String::new(), String::new());
    for line in text.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')) {
        let depth = line.len() - line.trim_start().len();
        let Some((name, value)) = line.trim().split_once(':') else { continue };
        let name = name.trim_matches(['"', '\'']);
        let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        let value = expanded(value, job);
        if depth == 0 {
            name.clone_into(&mut top);
            scope.clear();
            if name == "npmRegistryServer" {
                settings.add("registry", &value);
            }
        } else if top == "npmScopes" && value.is_empty() {
            name.clone_into(&mut scope);
        } else if top == "npmScopes" && name == "npmRegistryServer" && !scope.is_empty() {
            settings.add(&format!("@{scope}:registry"), &value);
        }
    }
}

/// `${NAME}` and `${NAME-default}`, as <https://yarnpkg.com/configuration/yarnrc> describes them.
fn expanded(value: &str, job: &Job) -> String {
    let Some((before, rest)) = value.split_once("${") else { return value.to_owned() };
    let Some((inside, after)) = rest.split_once('}') else { return value.to_owned() };
    let (name, default) = inside.split_once('-').unwrap_or((inside, ""));
    let set = job.workspace.var(name.trim_end_matches(':')).unwrap_or(default);
    format!("{before}{set}{}", expanded(after, job))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::workspace::Workspace;

    fn job(files: &[(&str, &str)], env: &[(&str, &str)]) -> (tempfile::TempDir, Job) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let env: BTreeMap<_, _> = env.iter().map(|(k, v)| (k.into(), v.into())).collect();
        let workspace = Workspace::new(folder.path().to_owned(), env);
        (folder, Job { workspace, argv: vec!["yarn".to_owned()] })
    }

    #[test]
    fn a_cache_of_the_projects_own_is_not_looked_at() {
        let cache = |files: &[(&str, &str)], env: &[(&str, &str)]| {
            let (_folder, job) = job(files, &[env, &[("YARN_GLOBAL_FOLDER", "/home/me/berry")]].concat());
            cache_folder(&job)
        };
        let users = Some(PathBuf::from("/home/me/berry/cache"));
        assert_eq!(cache(&[(".yarnrc.yml", "nodeLinker: node-modules\n")], &[]), users);
        assert_eq!(cache(&[(".yarnrc.yml", "enableGlobalCache: false\n")], &[]), None);
        assert_eq!(cache(&[(".yarnrc.yml", "cacheFolder: ./kept\n")], &[]), None);
        assert_eq!(cache(&[], &[("YARN_CACHE_FOLDER", "/x")]), None);
    }

    #[test]
    fn registries_by_configuration_and_environment() {
        let rc = "# ours\nnpmRegistryServer: \"https://${HOST-npm.example}/x\"\nnpmScopes:\n  s:\n    npmAlwaysAuth: true\n    npmRegistryServer: https://s.example\n  unused:\n    npmRegistryServer: https://unused.example\nnodeLinker: pnp\n";
        let files = [(".yarnrc.yml", rc), ("package.json", "{\"dependencies\": {\"@s/a\": \"^1\"}}")];
        let bases = |env: &[(&str, &str)]| {
            let (_folder, job) = job(&files, env);
            remotes(&job).into_iter().map(|r| r.base_url).collect::<Vec<_>>()
        };
        assert_eq!(bases(&[]), ["https://npm.example/x/", "https://s.example/"]);
        assert_eq!(bases(&[("HOST", "h.example")])[0], "https://h.example/x/");
        assert_eq!(bases(&[("YARN_NPM_REGISTRY_SERVER", "https://e.example")])[0], "https://e.example/");
    }

    #[test]
    fn no_credential_goes_to_a_mirror() {
        let overlay = use_mirror("https://mirror.example/");
        for name in ["YARN_NPM_AUTH_TOKEN", "YARN_NPM_AUTH_IDENT"] {
            assert!(overlay.env.contains(&(name.to_owned(), String::new())), "{name}");
        }
    }
}
