//! pnpm: `pnpm-lock.yaml`, registries by npm's configuration files. Its store is content-addressed and is read by
//! another module.

use std::path::{Path, PathBuf};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;

use crate::{
    adapter::{Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts, option_value, program},
    cache::{self, CacheScan},
    npmrc::{self, Settings, registries, tarball, text_of},
    script,
};

/// The pnpm adapter.
pub(crate) struct Pnpm;

/// Options that may stand before the command and take no value. Source: <https://pnpm.io/pnpm-cli>.
const FLAGS: [&str; 14] = [
    "-r",
    "--recursive",
    "-s",
    "--silent",
    "-w",
    "--workspace-root",
    "--stream",
    "--parallel",
    "--aggregate-output",
    "--color",
    "--no-color",
    "--frozen-lockfile",
    "--offline",
    "--prefer-offline",
];
/// Options that may stand before the command and take one.
const VALUED: [&str; 10] = [
    "--filter",
    "-F",
    "--filter-prod",
    "--reporter",
    "--loglevel",
    "--workspace-concurrency",
    "--registry",
    "--store-dir",
    "-C",
    "--dir",
];
/// Options under which `node_modules` can be asked about without repeating them: what they choose is on record there.
const ON_RECORD: [&str; 16] = [
    "--frozen-lockfile",
    "--no-frozen-lockfile",
    "--prefer-frozen-lockfile",
    "--offline",
    "--prefer-offline",
    "--prod",
    "-P",
    "--production",
    "--dev",
    "-D",
    "--no-optional",
    "--ignore-scripts",
    "--silent",
    "-s",
    "-r",
    "--recursive",
];

impl Adapter for Pnpm {
    fn tool(&self) -> Tool {
        Tool::new("pnpm").unwrap_or_else(|| unreachable!("`pnpm` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        if program(argv) != "pnpm" {
            return None;
        }
        let opaque = facts(self.tool(), CommandKind::Opaque, false);
        let Some(words) = script::words(argv, &FLAGS, &VALUED) else { return Some(opaque) };
        let script = words.get(1).copied().unwrap_or_default();
        let kind = match words.first().copied() {
            // Aliases by `pnpm help`.
            Some(
                "install" | "i" | "add" | "update" | "up" | "upgrade" | "fetch" | "dedupe" | "ci"
                | "clean-install",
            ) => {
                let online = !argv.iter().any(|a| a == "--offline");
                return Some(facts(self.tool(), CommandKind::Install, online));
            }
            Some("test" | "t" | "tst") => CommandKind::Test,
            Some("publish" | "unpublish" | "deprecate" | "dist-tag" | "version" | "deploy" | "login") => {
                CommandKind::Deploy
            }
            Some("run" | "run-script") => script::kind(script),
            // Any other word that is no command of pnpm's is a script's name.
            Some(name) => script::kind(name),
            None => CommandKind::Opaque,
        };
        Some(facts(self.tool(), kind, false))
    }

    fn is_frozen(&self, argv: &[String]) -> bool {
        let Some(words) = script::words(argv, &FLAGS, &VALUED).filter(|_| program(argv) == "pnpm") else {
            return false;
        };
        let frozen = argv.iter().any(|a| a == "--frozen-lockfile");
        let loosened = argv.iter().any(|a| {
            matches!(
                a.as_str(),
                "--fix-lockfile" | "--no-frozen-lockfile" | "--update-checksums" | "--no-lockfile"
            )
        });
        // `fetch` reads nothing but the lockfile. Source: <https://pnpm.io/cli/fetch>.
        match words.as_slice() {
            ["install" | "i"] => frozen && !loosened,
            ["ci" | "clean-install" | "fetch"] => !loosened,
            _ => false,
        }
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        // Another folder's lockfile is not this workspace's.
        if option_value(&job.argv, &["-C", "--dir", "--lockfile-dir"]).is_some() {
            return None;
        }
        Some(Lockplace {
            path: RelPath::parse("pnpm-lock.yaml")?,
            format: Format::PnpmLock,
            manifests: vec![RelPath::parse("package.json")?],
        })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &["node_modules"]
    }

    fn resolver(&self) -> Option<Resolver> {
        // Keeps every version that still satisfies its range; fetches metadata alone. A `.pnpmfile.cjs` is project
        // code that the wrapped command has run already; it may change what is resolved, so it is not left out.
        let argv = vec![
            "pnpm",
            "install",
            "--lockfile-only",
            "--ignore-scripts",
            "--no-frozen-lockfile",
            "--silent",
        ];
        Some(Resolver { argv, env: vec![] })
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        let installs = script::words(&job.argv, &FLAGS, &VALUED)
            .is_some_and(|w| matches!(w.as_slice(), ["install" | "i" | "ci" | "clean-install"]));
        let mut options = job.argv.iter().skip(1).filter(|a| a.starts_with('-'));
        let on_record = options.all(|a| ON_RECORD.contains(&a.as_str()) || a.starts_with("--reporter="));
        // Whether manifest, lockfile and `node_modules` are of one make. Before version 10 pnpm does not know the
        // setting and has nothing like it; the command's own second run has compared them then.
        // Source: <https://pnpm.io/settings#verifydepsbeforerun>.
        let check: &[&str] = if installs && on_record {
            &["pnpm", "--config.verify-deps-before-run=error", "exec", "true"]
        } else {
            // Whether the lockfile satisfies the manifest, by what is on this machine alone.
            &["pnpm", "install", "--frozen-lockfile", "--lockfile-only", "--offline", "--ignore-scripts"]
        };
        Some(check.iter().map(|&a| a.to_owned()).collect())
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        Box::pin(async move {
            let root = match option_value(&job.argv, &["--store-dir"]) {
                Some(path) => Some(job.workspace.root.join(path)),
                None => cache::folder(&cache::PnpmStore, &job.workspace),
            };
            root.filter(|root| root.is_dir())
        })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        cache::scan_for(&cache::PnpmStore, &job.workspace.root, root)
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            let settings = settings(job);
            let mentioned = format!("{}\n{}", text_of(job, "package.json"), text_of(job, "pnpm-lock.yaml"));
            registries(&settings, "https://registry.npmjs.org/", &mentioned)
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let Some(version) = &entry.version else { return Vec::new() };
            let remotes = self.remotes(job).await;
            remotes.iter().map(|remote| tarball(&remote.base_url, &entry.name, version)).collect()
        })
    }

    fn use_mirror(&self, mirror: &str) -> Overlay {
        // Credentials are kept by host, so none goes to the mirror (seen with 10.34.9 and 12.21.0). Version 11 has
        // renamed the variables.
        Overlay {
            env: ["npm_config_registry", "pnpm_config_registry"]
                .map(|name| (name.to_owned(), mirror.to_owned()))
                .to_vec(),
            args: vec![],
        }
    }
}

/// What decides about registries, nearest first. Sources: <https://pnpm.io/npmrc>, <https://pnpm.io/configuring>.
fn settings(job: &Job) -> Settings {
    let workspace = &job.workspace;
    let mut settings = Settings::default();
    if let Some(url) = option_value(&job.argv, &["--registry"]) {
        settings.add("registry", url);
    }
    settings.add_env(workspace, &["npm_config_", "pnpm_config_"]);
    for file in npmrc::files(job) {
        settings.add_file(workspace, &file);
    }
    let config = workspace
        .var("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| workspace.home().map(|home| home.join(".config")));
    if let Some(folder) = config {
        settings.add_file(workspace, &folder.join("pnpm/rc"));
    }
    settings
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{adapter::recognise, workspace::Workspace};

    fn kind(command: &str) -> (CommandKind, bool) {
        let argv: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        let facts = recognise(&argv);
        assert_eq!(facts.tool, Tool::new("pnpm"), "{command}");
        (facts.kind, facts.fetches)
    }

    #[test]
    fn what_an_argv_does() {
        for (command, expected) in [
            ("pnpm install --frozen-lockfile", (CommandKind::Install, true)),
            ("pnpm i", (CommandKind::Install, true)),
            ("pnpm -r --filter web install", (CommandKind::Install, true)),
            ("pnpm install --offline", (CommandKind::Install, false)),
            ("pnpm test", (CommandKind::Test, false)),
            ("pnpm run test:unit", (CommandKind::Test, false)),
            ("pnpm -r build", (CommandKind::Build, false)),
            ("pnpm lint", (CommandKind::Test, false)),
            ("pnpm dlx create-app", (CommandKind::Opaque, false)),
            ("pnpm exec jest", (CommandKind::Opaque, false)),
            ("pnpm publish", (CommandKind::Deploy, false)),
            ("pnpm -r publish", (CommandKind::Deploy, false)),
            ("pnpm run deploy", (CommandKind::Deploy, false)),
            ("pnpm --unknown install", (CommandKind::Opaque, false)),
            ("pnpm", (CommandKind::Opaque, false)),
        ] {
            assert_eq!(kind(command), expected, "{command}");
        }
    }

    #[test]
    fn a_mirror_serves_frozen_installs_only() {
        for (command, frozen) in [
            ("pnpm install --frozen-lockfile --prod", true),
            ("pnpm fetch", true),
            ("pnpm install", false),
            ("pnpm install --frozen-lockfile --update-checksums", false),
            ("pnpm add left-pad --frozen-lockfile", false),
            ("npm ci", false),
        ] {
            let argv: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(Pnpm.is_frozen(&argv), frozen, "{command}");
        }
    }

    #[test]
    fn the_check_never_installs_by_other_options_than_the_command() {
        let check = |command: &str| {
            let workspace = Workspace::new(PathBuf::from("/nowhere"), std::collections::BTreeMap::new());
            let argv = command.split(' ').map(str::to_owned).collect();
            Pnpm.consistency_check(&Job { workspace, argv }).unwrap_or_default().join(" ")
        };
        let of_modules = "pnpm --config.verify-deps-before-run=error exec true";
        assert_eq!(check("pnpm install --frozen-lockfile --prod"), of_modules);
        for other in ["pnpm fetch", "pnpm install --node-linker=hoisted", "pnpm add left-pad", "pnpm test"] {
            assert!(check(other).contains("--lockfile-only --offline"), "{other}");
        }
    }
}
