//! Arguments of `cache`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{Format, WhichLedger};

/// What `cache` does.
#[derive(Debug, Subcommand)]
pub enum Cache {
    /// Read the caches of package managers and compilers, and name what is damaged in them
    Check(CacheCheckArgs),
    /// Take the damaged entries out of the caches, so that their tools fetch them anew
    Repair(CacheRepairArgs),
    /// Say how large the caches are, of what they are made, and whether they are of use
    Stats(CacheStatsArgs),
    /// Make a CI host forget its own cache of one key: delete it at GitHub, count its key up at GitLab
    Forget(CacheForgetArgs),
}

/// Which caches.
#[derive(Debug, Args)]
pub struct Caches {
    /// Tools or caches, e.g. npm or cargo; without one, every cache that is here
    #[arg(value_name = "TOOL")]
    pub tools: Vec<String>,
    /// The cache's folder, where it is not the usual one; what kind it is shows by its layout, or by TOOL
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
}

/// Arguments of `cache check`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen cache check\n  regreen cache check npm cargo\n  \
                  regreen cache check npm --path ci-cache/_cacache --format json\n\n\
                  Nothing is written, and nothing is started. Damaged is what contradicts a checksum or\n\
                  its own format; what can't be read is not called damaged. The health is the share of\n\
                  checked entries that are sound.\n\n\
                  Exit code: 0 no damage was found, 18 something is damaged, 3 there is no such cache,\n\
                  130 interrupted.")]
pub struct CacheCheckArgs {
    /// Which caches.
    #[command(flatten)]
    pub caches: Caches,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `cache repair`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen cache repair --dry-run\n  regreen cache repair npm --prefetch\n  \
                  regreen cache repair gradle --registry https://repo.maven.apache.org/maven2/\n\n\
                  Exactly what `cache check` names is moved aside, under the cache's lock, and is deleted\n\
                  once a second look finds the cache sound; else it is put back. Nothing is moved while\n\
                  the registry that fills the gap does not answer. A repair that was killed is brought\n\
                  to its end by `regreen resume`.\n\n\
                  Exit code: 0 all are sound now, 14 refused, 15 taken back, 16 stuck, 3 there is no\n\
                  such cache, 130 interrupted before anything was done."
)]
pub struct CacheRepairArgs {
    /// Which caches.
    #[command(flatten)]
    pub caches: Caches,
    /// Fetch what was taken out, from the tool's own registries, where the cache knows its digest
    #[arg(long)]
    pub prefetch: bool,
    /// The registry that fills the gaps, where the tool's own is not known or not meant
    #[arg(long, value_name = "URL", value_parser = address)]
    pub registry: Option<String>,
    /// Look whether it could be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The operator's configuration (default: regreen/config.toml in the user's configuration folder)
    #[arg(long, value_name = "FILE", env = "REGREEN_CONFIG")]
    pub config: Option<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
}

fn address(text: &str) -> Result<String, String> {
    let fits =
        ["https://", "http://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    let whole = !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
    if fits && whole { Ok(text.to_owned()) } else { Err("an http(s) address without a user".to_owned()) }
}

/// Arguments of `cache stats`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen cache stats\n  regreen cache stats npm --format json\n\n\
                  Uses are known by the access times of the file system, where it keeps them.\n\n\
                  Exit code: 0, 3 there is no such cache, 130 interrupted.")]
pub struct CacheStatsArgs {
    /// Which caches.
    #[command(flatten)]
    pub caches: Caches,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `cache forget`.
#[derive(Debug, Parser)]
#[command(
    group(clap::ArgGroup::new("host").required(true).args(["github", "gitlab"])),
    after_help = "Examples:\n  regreen cache forget --github octo-org/shop --key npm-linux-4f1c --dry-run\n  \
                  regreen cache forget --github octo-org/shop --key npm-linux-4f1c --ref refs/heads/main\n  \
                  regreen cache forget --gitlab garden/rake --variable CACHE_VERSION\n\n\
                  At GitHub the caches of exactly this key are deleted, of one ref or of each; the token\n\
                  in GITHUB_TOKEN or GH_TOKEN has to write actions. GitLab's caches can't be deleted from\n\
                  outside: there a variable is counted up that the `key:` in .gitlab-ci.yml is made with,\n\
                  so that jobs begin with a new cache; the token in GITLAB_TOKEN is a maintainer's with\n\
                  the scope `api`. A variable that is masked, a file, or no number is refused.\n\n\
                  Who did it is in the audit log, before the host is asked. While healing is paused there,\n\
                  it is refused.\n\n\
                  Exit code: 0 done, 3 there is no such cache or variable, 5 the host did not do it,\n\
                  14 refused."
)]
pub struct CacheForgetArgs {
    /// The repository at GitHub whose caches are deleted
    #[arg(long, value_name = "OWNER/REPO", requires = "key", value_parser = super::serve::repository)]
    pub github: Option<regreen_forge::Repository>,
    /// The whole key of the caches
    #[arg(long, value_name = "KEY", requires = "github", value_parser = whole_key)]
    pub key: Option<String>,
    /// Those of this ref alone, e.g. refs/heads/main or refs/pull/7/merge
    #[arg(long = "ref", value_name = "REF", requires = "github", value_parser = whole_ref)]
    pub reference: Option<String>,
    /// The project at GitLab whose variable is counted up
    #[arg(long, value_name = "GROUP/PROJECT", requires = "variable", value_parser = super::serve::repository)]
    pub gitlab: Option<regreen_forge::Repository>,
    /// The project's CI/CD variable, for all environments
    #[arg(long, value_name = "NAME", requires = "gitlab", value_parser = variable)]
    pub variable: Option<String>,
    /// It is a protected one: the caches of protected branches and tags are meant
    #[arg(long, requires = "gitlab")]
    pub protected: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Address of the API of a GitHub Enterprise server, e.g. https://HOST/api/v3
    #[arg(long, value_name = "URL", env = "GITHUB_API_URL", default_value = "https://api.github.com")]
    pub api_url: String,
    /// Address of a GitLab of one's own, e.g. https://HOST
    #[arg(long, value_name = "URL", env = "CI_SERVER_URL", default_value = "https://gitlab.com")]
    pub gitlab_url: String,
    /// Whose audit log says who did it, and whose pauses hold
    #[command(flatten)]
    pub at: WhichLedger,
}

fn whole_key(text: &str) -> Result<String, String> {
    let good = !text.trim().is_empty() && !text.contains(char::is_control);
    if good { Ok(text.to_owned()) } else { Err("name the whole key of the caches that are meant".to_owned()) }
}

fn whole_ref(text: &str) -> Result<String, String> {
    let good = text.strip_prefix("refs/").is_some_and(|rest| !rest.trim_matches('/').is_empty());
    if good {
        Ok(text.to_owned())
    } else {
        Err("a ref is refs/heads/BRANCH, refs/pull/NUMBER/merge, …".to_owned())
    }
}

fn variable(text: &str) -> Result<String, String> {
    let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if good { Ok(text.to_owned()) } else { Err("a variable's name has letters, digits and `_`".to_owned()) }
}
