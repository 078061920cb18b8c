//! Bun: its text lockfile, and registries by its own variables, `bunfig.toml` and npm's configuration files. Its cache
//! holds what it has unpacked, with nothing to check it by.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;
use toml::{Table, Value};

use crate::{
    adapter::{
        Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts, option_value, program, without_user,
    },
    cache::CacheScan,
    npmrc::{self, Settings, registries, tarball, text_of},
    script,
};

/// The Bun adapter.
pub(crate) struct Bun;

/// Options that may stand before the command and take no value. Source: `bun --help` of 1.4.5.
const FLAGS: [&str; 8] =
    ["--silent", "--verbose", "-b", "--bun", "--smol", "--if-present", "--no-install", "--workspaces"];
/// Options that may stand before the command and take one.
const VALUED: [&str; 8] =
    ["--cwd", "--filter", "-F", "--config", "-c", "--env-file", "--shell", "--elide-lines"];
/// Variables whose token goes to whatever registry is set (seen with 1.4.5).
const TOKENS: [&str; 3] = ["BUN_CONFIG_TOKEN", "NPM_CONFIG_TOKEN", "npm_config_token"];
/// Largest configuration file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

impl Adapter for Bun {
    fn tool(&self) -> Tool {
        Tool::new("bun").unwrap_or_else(|| unreachable!("`bun` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        let opaque = facts(self.tool(), CommandKind::Opaque, false);
        match program(argv) {
            "bun" => {}
            "bunx" => return Some(opaque),
            _ => return None,
        }
        let Some(words) = script::words(argv, &FLAGS, &VALUED) else { return Some(opaque) };
        let kind = match words.as_slice() {
            ["install" | "i" | "ci" | "add" | "a" | "update" | "dedupe", ..] => {
                return Some(facts(self.tool(), CommandKind::Install, true));
            }
            ["test" | "check", ..] => CommandKind::Test,
            ["build", ..] => CommandKind::Build,
            ["publish", ..] | ["pm", "version", ..] => CommandKind::Deploy,
            ["run", name, ..] => script::kind(name),
            // A script's name, where it is no command of Bun's; a file is run as a program.
            [name, ..] => script::kind(name),
            [] => CommandKind::Opaque,
        };
        Some(facts(self.tool(), kind, false))
    }

    fn is_frozen(&self, argv: &[String]) -> bool {
        let Some(words) = script::words(argv, &FLAGS, &VALUED).filter(|_| program(argv) == "bun") else {
            return false;
        };
        let has = |option: &str| argv.iter().any(|a| a == option || a.starts_with(&format!("{option}=")));
        // A registry that is named beats the one in the environment.
        let loosened = ["--no-verify", "--registry", "--force", "-f", "--lockfile-only"].into_iter().any(has);
        match words.as_slice() {
            ["install" | "i"] => has("--frozen-lockfile") && !loosened,
            ["ci"] => !loosened,
            _ => false,
        }
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        // Another folder's lockfile is not this workspace's; `bun.lockb` of older ones is no text.
        if is_elsewhere(job) {
            return None;
        }
        Some(Lockplace {
            path: RelPath::parse("bun.lock")?,
            format: Format::BunLock,
            manifests: vec![RelPath::parse("package.json")?],
        })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &["node_modules"]
    }

    fn resolver(&self) -> Option<Resolver> {
        // None: `bun install --lockfile-only` writes the address of every entry anew where the registry is not the public
        // one, and then no entry is the one that the history held a checksum for.
        None
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        // Whether the lockfile can be read and satisfies the manifest. It installs and writes nothing.
        let check = ["bun", "install", "--frozen-lockfile", "--dry-run", "--ignore-scripts"];
        (!is_elsewhere(job)).then(|| check.map(str::to_owned).to_vec())
    }

    fn cache_root<'a>(&'a self, _: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        Box::pin(async move { None })
    }

    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        let named =
            ["BUN_INSTALL_CACHE_DIR", "BUN_INSTALL", "BUN_TMPDIR"].map(|name| job.workspace.var(name));
        let places: Vec<PathBuf> =
            named.into_iter().flatten().map(|path| job.workspace.root.join(path)).collect();
        Box::pin(async move { places })
    }

    fn scan_cache(&self, _: &Job, _: &Path) -> CacheScan {
        CacheScan::default()
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            let mentioned = format!("{}\n{}", text_of(job, "package.json"), text_of(job, "bun.lock"));
            registries(&settings(job), "https://registry.npmjs.org/", &mentioned)
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let Some(version) = &entry.version else { return Vec::new() };
            // The lockfile names the archive itself where it is not the public registry's.
            if let Some(url) = entry.source.as_deref().and_then(without_user).filter(|u| u.ends_with(".tgz"))
            {
                return vec![url];
            }
            let remotes = self.remotes(job).await;
            remotes.iter().map(|remote| tarball(&remote.base_url, &entry.name, version)).collect()
        })
    }

    fn use_mirror(&self, mirror: &str) -> Overlay {
        // Tokens in files are kept by host; those in the environment go to any.
        let mut env = vec![("BUN_CONFIG_REGISTRY".to_owned(), mirror.to_owned())];
        env.extend(TOKENS.map(|name| (name.to_owned(), String::new())));
        Overlay { env, args: vec![] }
    }
}

fn is_elsewhere(job: &Job) -> bool {
    option_value(&job.argv, &["--cwd"]).is_some()
}

/// What decides about registries, nearest first (seen with 1.4.5). Source: <https://bun.sh/docs/runtime/bunfig>.
fn settings(job: &Job) -> Settings {
    let workspace = &job.workspace;
    let mut settings = Settings::default();
    let named = option_value(&job.argv, &["--registry"]).or_else(|| workspace.var("BUN_CONFIG_REGISTRY"));
    settings.add("registry", named.unwrap_or_default());
    settings.add_env(workspace, &["npm_config_"]);
    let own = option_value(&job.argv, &["--config", "-c"]).unwrap_or("bunfig.toml");
    add_bunfig(&mut settings, &workspace.root.join(own));
    let users = workspace.var("XDG_CONFIG_HOME").map(Path::new).or_else(|| workspace.home());
    if let Some(folder) = users {
        add_bunfig(&mut settings, &folder.join(".bunfig.toml"));
    }
    for file in npmrc::files(job) {
        settings.add_file(workspace, &file);
    }
    settings
}

fn add_bunfig(settings: &mut Settings, path: &Path) {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text));
    let Some(config) = read.ok().and_then(|_| text.parse::<Table>().ok()) else { return };
    let Some(install) = config.get("install").and_then(Value::as_table) else { return };
    // An address, or a table with it and the credentials.
    let url = |value: &Value| -> Option<String> {
        value.as_str().or_else(|| value.get("url")?.as_str()).map(str::to_owned)
    };
    if let Some(url) = install.get("registry").and_then(url) {
        settings.add("registry", &url);
    }
    for (scope, value) in install.get("scopes").and_then(Value::as_table).into_iter().flatten() {
        if let Some(url) = url(value) {
            settings.add(&format!("@{}:registry", scope.trim_start_matches('@')), &url);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workspace;

    fn argv(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn what_an_argv_does() {
        for (command, expected) in [
            ("bun install --frozen-lockfile", CommandKind::Install),
            ("bun ci", CommandKind::Install),
            ("bun --filter web add x", CommandKind::Install),
            ("bun test --coverage", CommandKind::Test),
            ("bun run lint", CommandKind::Test),
            ("bun run --silent build", CommandKind::Build),
            ("bun publish", CommandKind::Deploy),
            ("bun run deploy.ts", CommandKind::Opaque),
            ("bun --watch install", CommandKind::Opaque),
            ("bunx vite build", CommandKind::Opaque),
            ("bun", CommandKind::Opaque),
        ] {
            let facts = Bun.recognise(&argv(command)).unwrap();
            assert_eq!(
                (facts.kind, facts.fetches),
                (expected, expected == CommandKind::Install),
                "{command}"
            );
        }
        assert!(Bun.recognise(&argv("bundle install")).is_none());
    }

    #[test]
    fn a_mirror_serves_frozen_installs_only_and_gets_no_token() {
        for (command, frozen) in [
            ("bun install --frozen-lockfile", true),
            ("bun ci", true),
            ("bun install", false),
            ("bun install --frozen-lockfile --no-verify", false),
            ("bun ci --registry=https://r.example", false),
            ("bun add x --frozen-lockfile", false),
        ] {
            assert_eq!(Bun.is_frozen(&argv(command)), frozen, "{command}");
        }
        let added = Bun.use_mirror("https://m.example/").env;
        assert!(added.contains(&("BUN_CONFIG_TOKEN".to_owned(), String::new())));
    }

    #[test]
    fn registries_are_those_of_the_nearest_place() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = |command: &str, env: &[(&str, &str)]| -> Vec<String> {
            let env = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let job = Job { workspace: Workspace::new(folder.path().to_owned(), env), argv: argv(command) };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(Bun.remotes(&job)).into_iter().map(|remote| remote.base_url).collect()
        };
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(hosts("bun install", &[]), ["https://registry.npmjs.org/"]);
        write(".npmrc", "registry=https://npmrc.example/\n");
        write(
            "bunfig.toml",
            "[install]\nregistry = { url = \"https://u:p@bunfig.example/\", token = \"$T\" }\n\
             [install.scopes]\nus = \"https://us.example/\"\nother = \"https://other.example/\"\n",
        );
        write("package.json", "{\"dependencies\": {\"@us/ui\": \"1\"}}");
        assert_eq!(hosts("bun install", &[]), ["https://bunfig.example/", "https://us.example/"]);
        let own = ("BUN_CONFIG_REGISTRY", "https://own.example/");
        let npm = ("NPM_CONFIG_REGISTRY", "https://npm.example/");
        assert_eq!(hosts("bun install", &[npm])[0], "https://npm.example/");
        assert_eq!(hosts("bun install", &[npm, own])[0], "https://own.example/");
        assert_eq!(hosts("bun ci --registry https://r.example", &[npm, own])[0], "https://r.example/");
    }
}
