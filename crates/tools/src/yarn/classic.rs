//! Yarn 1. It fetches from the very addresses in `yarn.lock`, so these are its registries.

use std::path::PathBuf;

use regreen_lockfile::{Entry, Format, Manifest, unneeded};

use crate::{
    adapter::{Job, Remote, Resolver, host_of, option_value, without_user},
    cache,
    npmrc::{self, Settings, registries, registry, text_of},
};

/// Yarn 1 completes a lockfile by an install alone; without scripts, and nothing that still satisfies its range is
/// upgraded. Source: <https://classic.yarnpkg.com/en/docs/cli/install>.
pub(super) fn resolver() -> Resolver {
    let argv = vec!["yarn", "install", "--ignore-scripts", "--non-interactive", "--no-progress", "--silent"];
    Resolver { argv, env: vec![] }
}

/// Whether what is installed was installed from this lockfile for this manifest. The options of the install are given
/// again: they are part of what is compared. A lockfile with entries that nothing needs any more always fails this, though
/// Yarn installs from it: what is installed is then compared with what the packages ask for.
/// Source: yarn 1.22.22, `src/integrity-checker.js` and `src/cli/commands/check.js`.
pub(super) fn check(job: &Job, installs: bool) -> Vec<String> {
    let lock = regreen_lockfile::parse(Format::YarnClassic, text_of(job, "yarn.lock").as_bytes());
    let manifest = text_of(job, "package.json");
    let stale =
        lock.is_ok_and(|lock| !unneeded(&lock, &Manifest { root: &manifest, members: &[] }).is_empty());
    let how = if stale { "--verify-tree" } else { "--integrity" };
    let mut check: Vec<String> = ["yarn", "check", how].map(str::to_owned).to_vec();
    if installs {
        check.extend(job.argv.iter().skip(1).filter(|a| *a != "install").cloned());
    }
    check
}

/// The registries that the lockfile names; where it names none, the one that is configured.
pub(super) fn remotes(job: &Job) -> Vec<Remote> {
    let mut remotes: Vec<Remote> = Vec::new();
    let text = text_of(job, "yarn.lock");
    if let Ok(lock) = regreen_lockfile::parse(Format::YarnClassic, text.as_bytes()) {
        for remote in lock.entries.iter().filter_map(remote) {
            if !remotes.contains(&remote) {
                remotes.push(remote);
            }
        }
    }
    match remotes.is_empty() {
        true => registries(&settings(job), "https://registry.yarnpkg.com/", &text_of(job, "package.json")),
        false => remotes,
    }
}

/// The registry that an entry comes from: what stands before the package's name, else the whole host.
fn remote(entry: &Entry) -> Option<Remote> {
    let url = artifact_url(entry)?;
    match url.split_once(&format!("/{}/-/", entry.name)) {
        Some((base, _)) => registry(base),
        None => {
            let host = host_of(&url)?;
            let scheme = url.split_once("://")?.0;
            let base_url = format!("{scheme}://{host}/");
            Some(Remote { host, probe_url: base_url.clone(), base_url })
        }
    }
}

/// Yarn's cache, where nothing of the project names another one.
/// Source: <https://classic.yarnpkg.com/en/docs/yarnrc>.
pub(super) fn cache_folder(job: &Job) -> Option<PathBuf> {
    if let Some(folder) = option_value(&job.argv, &["--cache-folder"]) {
        return Some(job.workspace.root.join(folder));
    }
    let own = text_of(job, ".yarnrc");
    let elsewhere = ["cache-folder", "--cache-folder", "--install.cache-folder", "yarn-offline-mirror"];
    let named = own.lines().any(|line| {
        let key = line.split_whitespace().next().unwrap_or_default().trim_matches('"');
        elsewhere.contains(&key)
    });
    if named { None } else { cache::folder(&cache::YarnClassic, &job.workspace) }
}

/// Where an entry is fetched from.
pub(super) fn artifact_url(entry: &Entry) -> Option<String> {
    let source = entry.source.as_deref().filter(|_| !entry.local)?;
    without_user(source.split('#').next().unwrap_or(source))
}

/// What decides about the registry of a package that is not locked yet, nearest first.
/// Source: yarn 1.22.22, `src/registries/yarn-registry.js` and `npm-registry.js`.
fn settings(job: &Job) -> Settings {
    let workspace = &job.workspace;
    let mut settings = Settings::default();
    if let Some(url) = option_value(&job.argv, &["--registry"]) {
        settings.add("registry", url);
    }
    settings.add_env(workspace, &["yarn_", "npm_config_"]);
    for line in text_of(job, ".yarnrc").lines() {
        if let Some(("registry", url)) = line.trim().split_once(' ') {
            settings.add("registry", url.trim().trim_matches('"'));
        }
    }
    for file in npmrc::files(job) {
        settings.add_file(workspace, &file);
    }
    settings
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;
    use crate::workspace::Workspace;

    fn bases(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let workspace = Workspace::new(folder.path().to_owned(), BTreeMap::new());
        remotes(&Job { workspace, argv: vec!["yarn".to_owned()] }).into_iter().map(|r| r.base_url).collect()
    }

    #[test]
    fn the_lockfile_says_where_packages_come_from() {
        let lock = "# yarn lockfile v1\n\n\n\"@s/a@^1.0.0\":\n  version \"1.0.0\"\n  resolved \"https://npm.example/x/@s/a/-/a-1.0.0.tgz#aa\"\n\nb@^1.0.0:\n  version \"1.0.0\"\n  resolved \"https://registry.yarnpkg.com/b/-/b-1.0.0.tgz#bb\"\n";
        let npmrc = (".npmrc", "registry=https://other.example/\n");
        assert_eq!(
            bases(&[("yarn.lock", lock), npmrc]),
            ["https://npm.example/x/", "https://registry.yarnpkg.com/"]
        );
        assert_eq!(bases(&[npmrc]), ["https://other.example/"]);
        assert_eq!(
            bases(&[(".yarnrc", "registry \"https://rc.example\"\n"), npmrc]),
            ["https://rc.example/"]
        );
        assert_eq!(bases(&[]), ["https://registry.yarnpkg.com/"]);
    }

    #[test]
    fn the_cache_is_the_users_own() {
        let cache = |text: &str, argv: &str| {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(".yarnrc"), text).unwrap();
            let env = BTreeMap::from([("YARN_CACHE_FOLDER".into(), "/home/me/cache".into())]);
            let workspace = Workspace::new(folder.path().to_owned(), env);
            cache_folder(&Job { workspace, argv: argv.split(' ').map(str::to_owned).collect() })
        };
        let users = Some(PathBuf::from("/home/me/cache"));
        assert_eq!(cache("registry \"https://rc.example\"\n", "yarn install"), users);
        assert_eq!(cache("", "yarn install --cache-folder /x"), Some(PathBuf::from("/x")));
        // A project's own is not known: it can be anywhere, and tracked.
        assert_eq!(cache("cache-folder \"./kept\"\n", "yarn install"), None);
        assert_eq!(cache("yarn-offline-mirror ./kept\n", "yarn install"), None);
    }

    #[test]
    fn the_check_repeats_what_the_install_was_given() {
        let job = |files: &[(&str, &str)]| {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                fs::write(folder.path().join(name), text).unwrap();
            }
            let workspace = Workspace::new(folder.path().to_owned(), BTreeMap::new());
            let argv = "yarn install --frozen-lockfile --production".split(' ').map(str::to_owned).collect();
            (folder, Job { workspace, argv })
        };
        let manifest = ("package.json", "{\"dependencies\": {\"a\": \"^1.0.0\"}}");
        let entry = |name: &str| format!("{name}@^1.0.0:\n  version \"1.0.0\"\n");
        let lock = format!("# yarn lockfile v1\n\n\n{}", entry("a"));
        let (_folder, whole) = job(&[manifest, ("yarn.lock", &lock)]);
        assert_eq!(check(&whole, true).join(" "), "yarn check --integrity --frozen-lockfile --production");
        assert_eq!(check(&whole, false).join(" "), "yarn check --integrity");
        let (_folder, stale) = job(&[manifest, ("yarn.lock", &format!("{lock}\n{}", entry("b")))]);
        assert_eq!(check(&stale, true).join(" "), "yarn check --verify-tree --frozen-lockfile --production");
    }
}
