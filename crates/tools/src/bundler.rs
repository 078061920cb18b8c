//! Bundler and `gem`: `Gemfile.lock`, gem servers by `Gemfile.lock` and Bundler's mirror settings.
//!
//! The `Gemfile` is code. Nothing here runs it but the check behind a command that has just run it too.

mod index;
mod settings;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Checksum, Entry, Format};
use regreen_saga::BoxFuture;

use self::settings::{mirrored, setting};
use crate::{
    adapter::{
        Adapter, CacheScan, DamagedEntry, Job, Lockplace, Overlay, Remote, Resolver, facts, host_of,
        option_value, program, without_user, words,
    },
    cache,
    remote::fetch,
};

/// The Bundler adapter.
pub(crate) struct Bundler;

/// The public gem server. Source: `Gem::DEFAULT_HOST`.
const RUBYGEMS: &str = "https://rubygems.org/";
/// Longest that a page of the index may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where Bundler puts what it downloads. Source: bundler 2.3, `Source::Rubygems#fetch_gem`.
const WHERE: &str =
    "print(Bundler.feature_flag.global_gem_cache? ? Bundler.user_cache : Bundler.bundle_path.join('cache'))";

impl Adapter for Bundler {
    fn tool(&self) -> Tool {
        Tool::new("bundler").unwrap_or_else(|| unreachable!("`bundler` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        let tool = self.tool();
        let words = words(argv);
        Some(match program(argv) {
            "bundle" | "bundler" => bundle(tool, &words),
            "gem" => match words.first() {
                Some(&"install" | &"i" | &"fetch" | &"update") => {
                    let online = !words.iter().any(|w| *w == "--local" || *w == "-l");
                    facts(tool, CommandKind::Install, online)
                }
                Some(&"push" | &"yank" | &"owner" | &"signin" | &"signout" | &"cert") => {
                    facts(tool, CommandKind::Deploy, false)
                }
                Some(&"build") => facts(tool, CommandKind::Build, false),
                _ => facts(tool, CommandKind::Opaque, false),
            },
            _ => return None,
        })
    }

    fn is_frozen(&self, _: &[String]) -> bool {
        // Whether it is frozen stands in its configuration, and the lockfile holds checksums only where somebody has asked
        // Bundler 2.5 or later for them: without them, a mirror's own word would be all that vouches for its gems.
        false
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        if program(&job.argv) == "gem" {
            return None;
        }
        let root = &job.workspace.root;
        // Bundler prefers the newer names where both are there. Source: `SharedHelpers#find_gemfile`.
        let gemfile = match job.workspace.var("BUNDLE_GEMFILE") {
            Some(named) => Path::new(named).strip_prefix(root).ok().and_then(Path::to_str).unwrap_or(named),
            None if root.join("gems.rb").is_file() => "gems.rb",
            None => "Gemfile",
        };
        let lockfile = match gemfile.strip_suffix("gems.rb") {
            Some(folder) => format!("{folder}gems.locked"),
            None => format!("{gemfile}.lock"),
        };
        let manifests = RelPath::parse(gemfile).into_iter().collect();
        Some(Lockplace { path: RelPath::parse(&lockfile)?, format: Format::GemfileLock, manifests })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &[]
    }

    fn resolver(&self) -> Option<Resolver> {
        // None: `bundle lock` runs the Gemfile, which is code.
        None
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        match program(&job.argv) {
            "gem" => None,
            _ => Some(["bundle", "check"].map(str::to_owned).to_vec()),
        }
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        Box::pin(async move {
            if program(&job.argv) == "gem" {
                return None;
            }
            // Where it is depends on Ruby's version and on what Debian has made of it: Bundler knows. No Gemfile is run.
            let said = job.workspace.quietly(&["ruby", "-rbundler", "-e", WHERE], &[], None).await?;
            let root = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
            (said.code == Some(0) && root.is_absolute() && root.is_dir()).then_some(root)
        })
    }

    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        let root = &job.workspace.root;
        let mut places = vec![root.join("vendor/bundle"), root.join(".bundle")];
        places.extend(setting(job, "BUNDLE_PATH").map(|path| root.join(path)));
        let own = ["GEM_HOME", "BUNDLE_USER_HOME", "BUNDLE_USER_CACHE"];
        places.extend(own.iter().filter_map(|name| job.workspace.var(name)).map(|path| root.join(path)));
        Box::pin(async move { places })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        let mut scan = cache::scan_for(&cache::BUNDLER, &job.workspace.root, root);
        // What Bundler compares a gem with, as far as it has noted it: the index of its server.
        if let Some(user) = cache::folder(&cache::BUNDLER, &job.workspace) {
            let known: Vec<String> = scan.damaged.iter().map(|entry| entry.path.to_string()).collect();
            for (path, why) in index::contradicted(&user.join("compact_index"), root) {
                if let Some(path) = RelPath::parse(&path).filter(|path| !known.contains(&path.to_string())) {
                    scan.damaged.push(DamagedEntry { path, why });
                }
            }
        }
        scan
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        let sources = if program(&job.argv) == "gem" { gem_sources(job) } else { self.locked_sources(job) };
        let mut found: Vec<Remote> = Vec::new();
        for base in sources.iter().filter_map(|source| without_user(source)) {
            let base_url = format!("{}/", base.trim_end_matches('/'));
            let Some(host) = host_of(&base_url) else { continue };
            if !found.iter().any(|known| known.base_url == base_url) {
                // A short page of the compact index; where a server has no such gem, its 404 says that it is up.
                found.push(Remote { host, probe_url: format!("{base_url}info/rake"), base_url });
            }
        }
        Box::pin(async move { found })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let Some(version) = &entry.version else { return Vec::new() };
            let source = entry.source.as_deref().unwrap_or(RUBYGEMS);
            let own = without_user(&mirrored(job, source)).map(|u| format!("{}/", u.trim_end_matches('/')));
            let remotes = self.remotes(job).await;
            remotes
                .iter()
                .filter(|remote| Some(&remote.base_url) == own.as_ref())
                .map(|remote| format!("{}gems/{}-{version}.gem", remote.base_url, entry.name))
                .collect()
        })
    }

    fn promised<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Option<Checksum>> {
        Box::pin(async move {
            let version = entry.version.as_deref()?;
            let urls = self.artifact_urls(job, entry).await;
            let (base, _) = urls.first()?.rsplit_once("gems/")?;
            let page = fetch(&format!("{base}info/{}", entry.name), PATIENCE).await.ok()?;
            index::promised(&String::from_utf8_lossy(&page), version)
        })
    }

    fn use_mirror(&self, _: &str) -> Overlay {
        Overlay::default()
    }
}

/// What `bundle …` does. Without a command it installs.
fn bundle(tool: Tool, words: &[&str]) -> CommandFacts {
    let online = !words.iter().any(|w| *w == "--local" || *w == "--prefer-local");
    let kind = match words {
        [] | ["install" | "i" | "update" | "lock" | "cache" | "package" | "pack" | "add", ..] => {
            return facts(tool, CommandKind::Install, online);
        }
        ["check" | "doctor", ..] => CommandKind::Test,
        ["release", ..] => CommandKind::Deploy,
        ["exec" | "e", program, rest @ ..] => executed(program, rest),
        _ => CommandKind::Opaque,
    };
    facts(tool, kind, false)
}

/// What `bundle exec …` does: the project's own work, whose words about a network are not Bundler's.
fn executed(program: &str, rest: &[&str]) -> CommandKind {
    let task = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let tests = |task: &str| {
        let mut words = task.split([':', '/', '_', '.', '-']);
        words.any(|word| {
            matches!(word, "test" | "tests" | "spec" | "specs" | "rspec" | "minitest" | "lint" | "rubocop")
        })
    };
    match program.rsplit('/').next().unwrap_or(program) {
        "rspec" | "cucumber" | "rubocop" | "standardrb" | "minitest" | "m" | "mutant" | "steep" | "srb" => {
            CommandKind::Test
        }
        "rake" | "rails" | "ruby" if tests(task) => CommandKind::Test,
        "jekyll" | "middleman" | "nanoc" if task == "build" => CommandKind::Build,
        "cap" | "kamal" | "fastlane" | "mina" => CommandKind::Deploy,
        "gem" if matches!(task, "push" | "yank") => CommandKind::Deploy,
        _ => CommandKind::Opaque,
    }
}

impl Bundler {
    /// The gem servers that the lockfile names, each as its mirror where one is configured.
    fn locked_sources(&self, job: &Job) -> Vec<String> {
        let place = self.lockfile(job).map(|place| job.workspace.root.join(place.path.as_str()));
        let text = place.and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut section = "";
        let mut sources = Vec::new();
        for line in text.lines() {
            if !line.starts_with(' ') {
                section = line.trim_end();
            } else if let (Some(remote), "GEM") = (line.strip_prefix("  remote: "), section) {
                sources.push(mirrored(job, remote.trim_end()));
            }
        }
        if sources.is_empty() {
            sources.push(mirrored(job, RUBYGEMS));
        }
        sources
    }
}

/// The sources that `gem` is told, or the public server. Source: `gem help install`, `Gem::ConfigFile`.
fn gem_sources(job: &Job) -> Vec<String> {
    if let Some(source) = option_value(&job.argv, &["-s", "--source"]) {
        return vec![source.to_owned()];
    }
    let config = job.workspace.home().map(|home| home.join(".gemrc"));
    let config = config.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let listed =
        config.lines().skip_while(|line| !line.trim_start_matches(':').starts_with("sources:")).skip(1);
    let listed: Vec<String> = listed
        .map_while(|line| line.trim_start().strip_prefix("- "))
        .map(|source| source.trim_matches(['"', '\'', ' ']).to_owned())
        .collect();
    match listed.is_empty() {
        true => vec![RUBYGEMS.to_owned()],
        false => listed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> CommandKind {
        let argv: Vec<String> = text.split(' ').map(str::to_owned).collect();
        Bundler.recognise(&argv).map_or(CommandKind::Opaque, |facts| facts.kind)
    }

    #[test]
    fn commands_are_known_by_what_they_do() {
        for text in
            ["bundle", "bundle install --jobs 4", "bundler update rake", "gem install rake", "bundle lock"]
        {
            assert_eq!(kind(text), CommandKind::Install, "{text}");
        }
        for text in [
            "bundle exec rspec spec",
            "bundle exec rake test:unit",
            "bundle exec bin/rails test",
            "bundle check",
        ] {
            assert_eq!(kind(text), CommandKind::Test, "{text}");
        }
        for text in ["gem push a.gem", "bundle exec cap production", "bundle exec gem push a.gem"] {
            assert_eq!(kind(text), CommandKind::Deploy, "{text}");
        }
        for text in [
            "bundle exec rake",
            "bundle exec ruby run.rb",
            "bundle --version",
            "gem list",
            "bundle exec latest",
        ] {
            assert_eq!(kind(text), CommandKind::Opaque, "{text}");
        }
    }

    #[test]
    fn servers_are_those_of_the_lockfile_through_their_mirrors() {
        let folder = tempfile::tempdir().unwrap();
        let lock = "GIT\n  remote: https://git.example/x.git\n\nGEM\n  remote: https://rubygems.org/\n  remote: \
                    https://user:secret@gems.example/private\n  specs:\n";
        fs::write(folder.path().join("Gemfile.lock"), lock).unwrap();
        let env = [("BUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/", "http://mirror.example/gems")];
        let env = env.map(|(name, value)| (name.into(), value.into())).into_iter().collect();
        let workspace = crate::Workspace::new(folder.path().to_owned(), env);
        let job = Job { workspace, argv: vec!["bundle".to_owned(), "install".to_owned()] };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bases: Vec<String> =
            runtime.block_on(Bundler.remotes(&job)).into_iter().map(|r| r.base_url).collect();
        assert_eq!(bases, ["http://mirror.example/gems/", "https://gems.example/private/"]);
        fs::create_dir(folder.path().join(".bundle")).unwrap();
        fs::write(
            folder.path().join(".bundle/config"),
            "---\nBUNDLE_MIRROR__ALL: \"https://all.example/\"\n",
        )
        .unwrap();
        let bases: Vec<String> =
            runtime.block_on(Bundler.remotes(&job)).into_iter().map(|r| r.base_url).collect();
        assert_eq!(bases, ["https://all.example/"]);
    }
}
