//! Yarn: one program with two behaviours. Yarn 1 ("classic") and Yarn 2 and later ("berry") share little more than the
//! names of their commands; which of them a project uses is read from its files, never asked of the project's code.

mod archive;
mod berry;
mod classic;
mod flavour;

use std::path::{Path, PathBuf};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Checksum, Entry, Format, Lockfile};
use regreen_saga::BoxFuture;

use crate::{
    adapter::{Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts, matches, option_value, program},
    cache::{self, CacheScan},
    patience::{self, Trouble},
    script,
};

use flavour::Flavour;

/// The Yarn adapter.
pub(crate) struct Yarn;

/// Options without a value that may stand before the command, or stand alone: `yarn --frozen-lockfile` installs.
/// Sources: `yarn --help` of 1.22.22; <https://yarnpkg.com/cli/install>.
const FLAGS: [&str; 27] = [
    "-s",
    "--silent",
    "--verbose",
    "--json",
    "--offline",
    "--prefer-offline",
    "--frozen-lockfile",
    "--pure-lockfile",
    "--non-interactive",
    "--no-progress",
    "--production",
    "--prod",
    "--ignore-scripts",
    "--ignore-engines",
    "--ignore-optional",
    "--ignore-platform",
    "--check-files",
    "--force",
    "--flat",
    "--no-bin-links",
    "--immutable",
    "--immutable-cache",
    "--check-cache",
    "--check-resolutions",
    "--refresh-lockfile",
    "--inline-builds",
    "--no-immutable",
];
/// Options with a value that may.
const VALUED: [&str; 9] = [
    "--cwd",
    "--mutex",
    "--registry",
    "--cache-folder",
    "--modules-folder",
    "--network-concurrency",
    "--network-timeout",
    "--production",
    "--mode",
];

impl Adapter for Yarn {
    fn tool(&self) -> Tool {
        Tool::new("yarn").unwrap_or_else(|| unreachable!("`yarn` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        if !matches!(program(argv), "yarn" | "yarnpkg") {
            return None;
        }
        let opaque = facts(self.tool(), CommandKind::Opaque, false);
        let Some(words) = script::words(argv, &FLAGS, &VALUED) else { return Some(opaque) };
        let online = !argv.iter().any(|a| a == "--offline");
        let install = facts(self.tool(), CommandKind::Install, online);
        let kind = match words.as_slice() {
            [] | ["install" | "add" | "upgrade" | "up" | "dedupe", ..] | ["workspaces", "focus", ..] => {
                return Some(install);
            }
            ["publish" | "npm" | "version" | "tag" | "owner" | "login", ..] => CommandKind::Deploy,
            ["run", name, ..] | ["workspace", _, "run", name, ..] | ["workspace", _, name, ..] => {
                script::kind(name)
            }
            // Any word that is no command of Yarn's is a script's name.
            [name, ..] => script::kind(name),
        };
        Some(facts(self.tool(), kind, false))
    }

    fn is_frozen(&self, argv: &[String]) -> bool {
        // Yarn 1 fetches from the addresses in its lockfile, whatever registry is set: a mirror can't serve it.
        program(argv).starts_with("yarn")
            && script::words(argv, &FLAGS, &VALUED).is_some_and(|w| matches!(w.as_slice(), [] | ["install"]))
            && argv.iter().any(|a| a == "--immutable")
            && !argv.iter().any(|a| a == "--refresh-lockfile" || a.starts_with("--mode"))
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        // Another folder's lockfile is not this workspace's.
        if option_value(&job.argv, &["--cwd"]).is_some() {
            return None;
        }
        Some(Lockplace {
            path: RelPath::parse("yarn.lock")?,
            format: match flavour::of_lockfile(job).unwrap_or_else(|| flavour::of(job)) {
                Flavour::Classic => Format::YarnClassic,
                Flavour::Berry => Format::YarnBerry,
            },
            manifests: vec![RelPath::parse("package.json")?],
        })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        // Yarn 2 and later keeps archives, what it has unpacked and its notes on an install below `.yarn`.
        &["node_modules", ".yarn"]
    }

    fn resolver(&self) -> Option<Resolver> {
        Some(classic::resolver())
    }

    fn resolver_for(&self, job: &Job) -> Option<Resolver> {
        Some(match flavour::of(job) {
            Flavour::Classic => classic::resolver(),
            Flavour::Berry => berry::resolver(),
        })
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        let words = script::words(&job.argv, &FLAGS, &VALUED);
        let installs = words.is_some_and(|w| matches!(w.as_slice(), [] | ["install"]));
        Some(match flavour::of(job) {
            Flavour::Classic => classic::check(job, installs),
            Flavour::Berry => berry::check(installs),
        })
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        Box::pin(async move {
            let root = match flavour::of(job) {
                Flavour::Classic => classic::cache_folder(job),
                Flavour::Berry => berry::cache_folder(job),
            };
            root.filter(|root| root.is_absolute() && root.is_dir())
        })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        match flavour::of(job) {
            Flavour::Classic => cache::scan_for(&cache::YarnClassic, &job.workspace.root, root),
            Flavour::Berry => cache::scan_for(&cache::YarnBerry, &job.workspace.root, root),
        }
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            match flavour::of(job) {
                Flavour::Classic => classic::remotes(job),
                Flavour::Berry => berry::remotes(job),
            }
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            match flavour::of(job) {
                Flavour::Classic => classic::artifact_url(entry).into_iter().collect(),
                Flavour::Berry => berry::artifact_urls(job, entry),
            }
        })
    }

    fn matches(&self, lock: &Lockfile, entry: &Entry, checksum: &Checksum, served: &[u8]) -> Option<bool> {
        match lock.format {
            Format::YarnBerry => berry::packed(lock, entry, served).map(|packed| matches(checksum, &packed)),
            _ => Some(matches(checksum, served)),
        }
    }

    fn use_mirror(&self, mirror: &str) -> Overlay {
        berry::use_mirror(mirror)
    }

    fn patient(&self, job: &Job, trouble: Trouble) -> Overlay {
        let mut overlay = patience::patient(&self.tool(), job, trouble);
        // Yarn 2 and later refuses to start with a setting that it doesn't know.
        let foreign = match flavour::of(job) {
            Flavour::Classic => "yarn_http_",
            Flavour::Berry => "yarn_network_timeout",
        };
        overlay.env.retain(|(name, _)| !name.to_ascii_lowercase().starts_with(foreign));
        overlay
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, ffi::OsString};

    use super::*;
    use crate::{adapter::recognise, workspace::Workspace};

    #[test]
    fn what_an_argv_does() {
        use CommandKind as K;
        for (command, expected) in [
            ("yarn", (K::Install, true)),
            ("yarn --frozen-lockfile", (K::Install, true)),
            ("yarn install --immutable", (K::Install, true)),
            ("yarn install --offline", (K::Install, false)),
            ("yarn --cwd web install", (K::Install, true)),
            ("yarn workspaces focus --production", (K::Install, true)),
            ("yarn test", (K::Test, false)),
            ("yarn run test:unit", (K::Test, false)),
            ("yarn workspace web build", (K::Build, false)),
            ("yarn workspace web run lint", (K::Test, false)),
            ("yarn build", (K::Build, false)),
            ("yarn --version", (K::Opaque, false)),
            ("yarn dlx create-app", (K::Opaque, false)),
            ("yarn workspaces foreach run build", (K::Opaque, false)),
            ("yarn npm publish", (K::Deploy, false)),
            ("yarn publish", (K::Deploy, false)),
            ("yarn deploy", (K::Deploy, false)),
        ] {
            let argv: Vec<OsString> = command.split(' ').map(OsString::from).collect();
            let facts = recognise(&argv);
            assert_eq!(facts.tool, Tool::new("yarn"), "{command}");
            assert_eq!((facts.kind, facts.fetches), expected, "{command}");
        }
    }

    #[test]
    fn each_yarn_is_told_to_be_patient_in_its_own_words() {
        for (manifest, expected) in [
            ("{\"packageManager\": \"yarn@1.22.22\"}", &["yarn_network_timeout"][..]),
            ("{\"packageManager\": \"yarn@4.1.0\"}", &["YARN_HTTP_RETRY", "YARN_HTTP_TIMEOUT"]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("package.json"), manifest).unwrap();
            let workspace = Workspace::new(folder.path().to_owned(), BTreeMap::new());
            let job = Job { workspace, argv: vec!["yarn".to_owned()] };
            let overlay = Yarn.patient(&job, Trouble::default());
            assert_eq!(overlay.env.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_mirror_serves_immutable_installs_only() {
        for (command, frozen) in [
            ("yarn install --immutable", true),
            ("yarn --immutable", true),
            ("yarn install --frozen-lockfile", false),
            ("yarn add left-pad --immutable", false),
            ("yarn install --immutable --refresh-lockfile", false),
            ("npm install --immutable", false),
        ] {
            let argv: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(Yarn.is_frozen(&argv), frozen, "{command}");
        }
    }
}
