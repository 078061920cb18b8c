//! Arguments of `lockfile`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};
use regreen_forge::{GitHub, Repository};
use regreen_lockfile::AllowedHost;

/// What `lockfile` does.
#[derive(Debug, Subcommand)]
pub enum Lockfile {
    /// Check lockfiles without the network and without the tools that wrote them
    Check(CheckArgs),
    /// Make damaged lockfiles whole again by what their history held, without starting a tool
    Repair(RepairArgs),
    /// Check lockfiles whenever they change, and say what changed in them
    Watch(WatchArgs),
}

/// Arguments of `lockfile check`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen lockfile check\n  regreen lockfile check --allow-host npm.example.com package-lock.json\n  \
                  regreen lockfile check --against origin/main --format sarif > lockfiles.sarif\n\n\
                  Below a folder, what git ignores and folders of installed packages are left out; name a file to\n\
                  check it all the same. `regreen explain RULE` says what a finding means.\n\n\
                  Exit code: 0 nothing is wrong (warnings and notes count as nothing), 18 a lockfile has errors,\n\
                  3 a file can't be read or there is no lockfile, 4 the configuration is invalid."
)]
pub struct CheckArgs {
    /// Lockfiles, and folders that are searched for them
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// A host that packages may come from, beside the tool's default registry; `*.example.com` for all below. With
    /// any such host, given here or configured, every other host is an error. May be repeated
    #[arg(long, value_name = "HOST", value_parser = host)]
    pub allow_host: Vec<AllowedHost>,
    /// Compare with this commit or branch, where this branch left it, and say what changed: a checksum that changed
    /// without its version is an error
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// The operator's configuration (default: regreen/config.toml in the user's configuration folder)
    #[arg(long, value_name = "FILE", env = "REGREEN_CONFIG")]
    pub config: Option<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = CheckFormat::Plain)]
    pub format: CheckFormat,
}

/// How to say what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people
    #[value(alias = "text")]
    Plain,
    /// For programs: one object a line, one line a lockfile
    Json,
    /// SARIF 2.1.0, one document for all lockfiles
    Sarif,
}

/// Arguments of `lockfile repair`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen lockfile repair                       # the patch, on standard output\n  \
                  regreen lockfile repair | git apply\n  \
                  regreen lockfile repair --output write package-lock.json\n  \
                  regreen lockfile repair --against origin/main --commit\n  \
                  regreen lockfile repair --pull-request --dry-run   # what would be sent\n  \
                  regreen lockfile repair --pull-request --base main --github OWNER/REPO\n\n\
                  Damaged lines, checksums and conflicts of a merge are put right by the versions of the lockfile\n\
                  in the first-parent history of HEAD (in a pull request's job, of its base branch). No undamaged\n\
                  entry is changed, and nothing comes in that neither the history nor a side of the merge held: no\n\
                  host, no checksum. No tool of the project is started, and nothing of the checkout is executed.\n\n\
                  --pull-request commits the repaired lockfile at GitHub, on a branch of Regreen's own, and opens a\n\
                  pull request; nothing is pushed by git, and the file here stays as it is. Run again, it finds the\n\
                  one that is open; one that a person closed is not opened again while it would say the same. The\n\
                  token comes from GITHUB_TOKEN or GH_TOKEN, and has to write contents and pull requests.\n\n\
                  Exit code: 0 every lockfile is whole, was repaired or is proposed; 18 there is damage, and a\n\
                  repair that was only shown; 17 there is damage that nothing may repair here, a person must look;\n\
                  15 it was tried (the tool's result is not acceptable, the commit failed) and everything is as\n\
                  before; 5 GitHub did not take it now; 3 a file can't be read or there is no lockfile. Of several,\n\
                  the first that occurs of 3, 5, 15, 17, 18."
)]
pub struct RepairArgs {
    /// Lockfiles, and folders that are searched for them
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Only say what would be done
    #[arg(long, conflicts_with_all = ["commit", "output", "with_tool"])]
    pub dry_run: bool,
    /// Write the repaired file, and commit it and nothing else on the branch that is checked out. No hook is run
    #[arg(long, conflicts_with = "output")]
    pub commit: bool,
    /// What to do with a repaired lockfile
    #[arg(long, value_enum, default_value_t = RepairOutput::Patch)]
    pub output: RepairOutput,
    /// Propose each repaired lockfile as a pull request
    #[arg(long, conflicts_with_all = ["commit", "output"])]
    pub pull_request: bool,
    #[command(flatten)]
    pub propose: ProposeArgs,
    /// Believe the first-parent history of this commit or branch
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// Where the history alone is not enough, let the lockfile's own tool complete the last good version, with scripts off.
    /// It reads the checkout's configuration and asks its registries: only in a checkout that you trust
    #[arg(long)]
    pub with_tool: bool,
    /// How to say it
    #[arg(long, value_enum, default_value_t = PlainOrJson::Plain)]
    pub format: PlainOrJson,
}

/// Where a pull request goes, and by whose word.
#[derive(Debug, Parser)]
pub struct ProposeArgs {
    /// Whose repository it is (default: what `origin` names)
    #[arg(long, value_name = "OWNER/REPO", value_parser = two_parts, requires = "pull_request")]
    pub github: Option<Repository>,
    /// The branch that is damaged, and that the pull request is to go to (default: the one that is checked out)
    #[arg(long, value_name = "BRANCH", value_parser = NonEmptyStringValueParser::new(), requires = "pull_request")]
    pub base: Option<String>,
    /// A file with the token by which GitHub is asked
    #[arg(long, value_name = "FILE", requires = "pull_request")]
    pub github_token_file: Option<PathBuf>,
    /// GitHub's API; of an enterprise's own, https://HOST/api/v3
    #[arg(long, value_name = "URL", env = "GITHUB_API_URL", default_value = GitHub::PUBLIC)]
    pub github_api: String,
}

fn two_parts(text: &str) -> Result<Repository, String> {
    let parsed = Repository::parse(text).filter(|repository| !repository.owner().contains('/'));
    parsed.ok_or_else(|| "a repository is OWNER/REPO".to_owned())
}

/// What becomes of a repaired lockfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RepairOutput {
    /// A patch on standard output that `git apply` takes; no file is written
    Patch,
    /// The file is replaced
    Write,
}

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlainOrJson {
    /// For people
    #[value(alias = "text")]
    Plain,
    /// For programs: one object a line
    Json,
}

/// Arguments of `lockfile watch`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen lockfile watch\n  regreen lockfile watch --format json web api\n  \
                  regreen lockfile watch --once --against origin/main\n\n\
                  The kernel says when a file changes; where it can't (a network file system, too many watches),\n\
                  files are looked at every --interval. A checksum that changed while the version stayed is an error.\n\n\
                  Exit code: 0 ended by Ctrl-C or SIGTERM; with --once 18 where a lockfile has errors; 3 there is\n\
                  no lockfile, or a file can't be read."
)]
pub struct WatchArgs {
    /// Lockfiles, and folders that are searched for them
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Check once what is there now, say what changed since the commit, and end
    #[arg(long)]
    pub once: bool,
    /// Compare the first look with this commit or branch (default: HEAD, where there is one)
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// Look every so often instead of waiting for the kernel, e.g. 2s
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub interval: Option<std::time::Duration>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = PlainOrJson::Plain)]
    pub format: PlainOrJson,
}

fn host(text: &str) -> Result<AllowedHost, String> {
    AllowedHost::parse(text).ok_or_else(|| {
        "a host such as npm.example.com, npm.example.com:8443 or *.example.com, without protocol and path"
            .to_owned()
    })
}
