//! Go: `go.sum`, module proxies by `go env GOPROXY`.
//!
//! What protects a build (`GOSUMDB`, `GONOSUMDB`, `GOFLAGS`, `GOINSECURE`) is the job's own, and is never set here.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Checksum, Entry, Format, Lockfile};
use regreen_saga::BoxFuture;
use sha2::{Digest, Sha256};

use crate::{
    adapter::{
        Adapter, CacheScan, Job, Lockplace, Overlay, Remote, Resolver, facts, host_of, program, without_user,
        words,
    },
    archive, cache,
};

/// The Go adapter.
pub(crate) struct Go;

impl Adapter for Go {
    fn tool(&self) -> Tool {
        Tool::new("go").unwrap_or_else(|| unreachable!("`go` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        let tool = self.tool();
        match program(argv) {
            "go" => {}
            "gotestsum" | "ginkgo" => return Some(facts(tool, CommandKind::Test, false)),
            "goreleaser" => return Some(facts(tool, CommandKind::Deploy, false)),
            _ => return None,
        }
        let words = words(argv);
        // Vendored modules are read, not fetched.
        let online = !words.contains(&"-mod=vendor");
        let kind = match words.as_slice() {
            ["mod", "download" | "tidy" | "vendor", ..] | ["get" | "install", ..] => CommandKind::Install,
            ["build", ..] => CommandKind::Build,
            ["test" | "vet", ..] => CommandKind::Test,
            ["mod", "verify", ..] => return Some(facts(tool, CommandKind::Test, false)),
            _ => return Some(facts(tool, CommandKind::Opaque, false)),
        };
        Some(facts(tool, kind, online))
    }

    fn is_frozen(&self, _: &[String]) -> bool {
        // `go mod download` takes what go.sum lacks from whatever proxy it has, and so does a build where `GOFLAGS` or
        // `go env -w` say `-mod=mod`, which the command does not show. `GOPROXY` itself can name several proxies.
        false
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        let root = &job.workspace.root;
        // A workspace of several modules has a go.sum for each, and one of its own.
        let workspace =
            root.join("go.work").is_file() || job.workspace.var("GOWORK").is_some_and(|w| w != "off");
        if !is_here(job) || workspace || !root.join("go.mod").is_file() {
            return None;
        }
        let manifests = vec![RelPath::parse("go.mod")?];
        Some(Lockplace { path: RelPath::parse("go.sum")?, format: Format::GoSum, manifests })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &[]
    }

    fn resolver(&self) -> Option<Resolver> {
        // None: for a module that no checksum database knows, it takes the proxy's word.
        None
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        let root = &job.workspace.root;
        let modules = root.join("go.mod").is_file() && !root.join("vendor/modules.txt").exists();
        (is_here(job) && modules).then(|| ["go", "mod", "verify"].map(str::to_owned).to_vec())
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        Box::pin(async move {
            let said = asked(job, &["GOMODCACHE"]).await;
            let root = PathBuf::from(said.first()?);
            (root.is_absolute() && root.is_dir()).then_some(root)
        })
    }

    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        Box::pin(async move {
            let said = asked(job, &["GOMODCACHE", "GOCACHE"]).await;
            said.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect()
        })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        cache::scan_for(&cache::GoModules, &job.workspace.root, root)
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            let said = asked(job, &["GOPROXY"]).await;
            let [proxies] = said.as_slice() else { return Vec::new() };
            // `direct` and `off` are no addresses; the checksum database is asked for what go.sum lacks only. Source:
            // the Go Modules Reference, "GOPROXY".
            let bases = proxies.split([',', '|']).filter_map(|p| without_user(p.trim()));
            bases
                .filter_map(|base| {
                    let base_url = format!("{}/", base.trim_end_matches('/'));
                    Some(Remote { host: host_of(&base_url)?, probe_url: base_url.clone(), base_url })
                })
                .collect()
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let Some(version) = &entry.version else { return Vec::new() };
            let said = asked(job, &["GOPROXY", "GONOPROXY"]).await;
            let [proxies, private] = said.as_slice() else { return Vec::new() };
            // A private module's name is nobody else's business.
            if private.split(',').any(|glob| begins_as(glob.trim(), &entry.name)) {
                return Vec::new();
            }
            let file = match version.strip_suffix("/go.mod") {
                Some(version) => format!("{version}.mod"),
                None => format!("{version}.zip"),
            };
            let (module, file) = (escaped(&entry.name), escaped(&file));
            let bases = proxies.split([',', '|']).filter_map(|p| without_user(p.trim()));
            bases.map(|base| format!("{}/{module}/@v/{file}", base.trim_end_matches('/'))).collect()
        })
    }

    fn matches(&self, _: &Lockfile, entry: &Entry, checksum: &Checksum, served: &[u8]) -> Option<bool> {
        let files = match entry.version.as_deref().is_some_and(|v| v.ends_with("/go.mod")) {
            true => Some(vec![("go.mod".to_owned(), sha256(served))]),
            false => archive::zip_digests(served, sha256),
        };
        let made = files.and_then(|files| STANDARD.decode(hash(files)).ok());
        Some(made.is_some_and(|made| *checksum.digest() == made[..]))
    }

    fn use_mirror(&self, _: &str) -> Overlay {
        Overlay::default()
    }
}

/// Whether the command is about the module of this folder, and its go.mod.
fn is_here(job: &Job) -> bool {
    let elsewhere = |word: &&str| *word == "-C" || word.starts_with("-C=") || word.starts_with("-modfile");
    program(&job.argv) == "go" && !words(&job.argv).iter().any(elsewhere)
}

/// What `go env` says of these, in order; nothing where it can't be asked.
async fn asked(job: &Job, names: &[&str]) -> Vec<String> {
    let argv: Vec<&str> = ["go", "env"].iter().chain(names).copied().collect();
    let said = job.workspace.quietly(&argv, &[], None).await;
    let said = said.filter(|said| said.code == Some(0)).map(|said| said.stdout).unwrap_or_default();
    let lines: Vec<String> =
        String::from_utf8_lossy(&said).lines().map(|line| line.trim().to_owned()).collect();
    if lines.len() == names.len() { lines } else { Vec::new() }
}

/// Whether a module's path begins with what a glob of `GONOPROXY` means. Source: `module.MatchPrefixPatterns`.
fn begins_as(glob: &str, module: &str) -> bool {
    let parts: Vec<&str> = module.split('/').collect();
    let globs: Vec<&str> = glob.trim_end_matches('/').split('/').collect();
    let fits = |(glob, part): (&&str, &&str)| match glob.split_once('*') {
        Some((before, after)) => part.starts_with(before) && part.ends_with(after.trim_start_matches('*')),
        None => glob == part,
    };
    !glob.is_empty() && globs.len() <= parts.len() && globs.iter().zip(&parts).all(fits)
}

/// Capital letters as `!` and the small one. Source: the Go Modules Reference, "GOPROXY protocol".
fn escaped(path: &str) -> String {
    let escape =
        |c: char| if c.is_ascii_uppercase() { format!("!{}", c.to_ascii_lowercase()) } else { c.to_string() };
    path.chars().map(escape).collect()
}

/// Source: golang.org/x/mod/sumdb/dirhash, `Hash1`.
fn hash(mut files: Vec<(String, String)>) -> String {
    files.sort();
    let lines: String = files.iter().map(|(name, sha256)| format!("{sha256}  {name}\n")).collect();
    STANDARD.encode(Sha256::digest(lines))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_known_by_what_they_do() {
        let kind = |text: &str| {
            let argv: Vec<String> = text.split(' ').map(str::to_owned).collect();
            Go.recognise(&argv).map(|facts| (facts.kind, facts.fetches))
        };
        assert_eq!(kind("go mod download"), Some((CommandKind::Install, true)));
        assert_eq!(kind("go build -mod=vendor ./..."), Some((CommandKind::Build, false)));
        assert_eq!(kind("go test ./..."), Some((CommandKind::Test, true)));
        for text in ["go generate ./...", "go run .", "go tool x", "go"] {
            assert_eq!(kind(text), Some((CommandKind::Opaque, false)), "{text}");
        }
        assert_eq!(kind("gofmt -l ."), None);
    }

    #[test]
    fn private_modules_are_known_by_their_beginning() {
        assert!(begins_as("*.corp.example", "git.corp.example/a/b"));
        assert!(begins_as("example.com/us", "example.com/us/x"));
        assert!(!begins_as("example.com/us", "example.com/use"));
        assert!(!begins_as("", "example.com"));
    }

    #[test]
    fn the_hash_of_a_module_file_is_the_one_that_go_writes() {
        // rsc.io/quote v1.5.2, as in the Go Modules Reference and in countless go.sum files.
        let text = "module \"rsc.io/quote\"\n\nrequire \"rsc.io/sampler\" v1.3.0\n";
        let files = vec![("go.mod".to_owned(), sha256(text.as_bytes()))];
        assert_eq!(hash(files), "LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=");
        assert_eq!(escaped("github.com/Azure/x"), "github.com/!azure/x");
    }
}
