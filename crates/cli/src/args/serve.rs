//! What can be typed about work beside the fleet.

use std::{net::SocketAddr, num::NonZeroU64, path::PathBuf, time::Duration};

use clap::{Parser, builder::NonEmptyStringValueParser, value_parser};
use regreen_forge::{Repository, hook::Sender};

use super::{
    given::Given,
    once::OnceArgs,
    which::{WhichLedger, beside_the_fleet},
};

/// Arguments of `serve`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen serve --github-secret-file /etc/regreen/hook --github-token-file /etc/regreen/token\n  \
                  regreen serve --gitlab-secret-file /etc/regreen/hook --gitlab-token-file /etc/regreen/token\n  \
                  regreen serve --listen 127.0.0.1:8787 --ledger postgres://regreen@db/regreen\n\n\
                  Webhooks come to /hooks/github and /hooks/gitlab; /healthz and /readyz answer a supervisor. It\n\
                  listens on this machine only unless told otherwise: put what ends TLS in front of it.\n\
                  Secrets come from files or from REGREEN_GITHUB_WEBHOOK_SECRET, REGREEN_GITLAB_WEBHOOK_TOKEN,\n\
                  REGREEN_JOB_TOKEN, REGREEN_GITHUB_TOKEN and REGREEN_GITLAB_TOKEN. The mode is `observe`\n\
                  until `[serve]` in the operator's configuration says more. SIGTERM and Ctrl-C end what is\n\
                  under way first."
)]
pub struct ServeArgs {
    /// Where to take webhooks
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
    /// A file with a secret of GitHub's webhooks; several while it is being changed
    #[arg(long, value_name = "FILE")]
    pub github_secret_file: Vec<PathBuf>,
    /// A file with a token of GitLab's webhooks; several while it is being changed
    #[arg(long, value_name = "FILE")]
    pub gitlab_secret_file: Vec<PathBuf>,
    /// A file with a token by which `regreen run --server` shows that it is a job of yours; several while it is being changed
    #[arg(long, value_name = "FILE")]
    pub job_token_file: Vec<PathBuf>,
    /// Let programs on this machine read what is on record without a token; only where no proxy leads here
    #[arg(long)]
    pub read_here: bool,
    /// Take webhooks, and leave the work to `regreen worker`
    #[arg(long)]
    pub no_work: bool,
    #[command(flatten)]
    pub work: WorkArgs,
}

/// Arguments of `worker`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen worker --ledger postgres://regreen@db/regreen --github-token-file /etc/regreen/token\n  \
                  regreen worker --once --dry-run --watch octo-org/octo-repo\n  \
                  regreen worker --once --mode auto --run octo-org/octo-repo/1589141559\n\n\
                  Any number of them may share a ledger; each piece of work is done by one at a time.\n\n\
                  --once is for where no process stays, such as a scheduled job: the work's list, what is known and\n\
                  what was begun are in the ledger, which has to be kept from one pass to the next. Exit code then: 0\n\
                  it is done, whatever the causes are; 5 the CI host did not let some of it be done, and it is tried\n\
                  again by a later pass."
)]
pub struct WorkerArgs {
    #[command(flatten)]
    pub once: OnceArgs,
    #[command(flatten)]
    pub work: WorkArgs,
}

/// How work is done.
#[derive(Debug, Parser)]
#[command(mut_arg("ledger", beside_the_fleet))]
pub struct WorkArgs {
    #[command(flatten)]
    pub at: WhichLedger,
    /// The operator's configuration (default: regreen/config.toml in the user's configuration folder)
    #[arg(long, value_name = "FILE", env = "REGREEN_CONFIG")]
    pub config: Option<PathBuf>,
    /// A file with the token by which GitHub is asked
    #[arg(long, value_name = "FILE")]
    pub github_token_file: Option<PathBuf>,
    /// Ask as this GitHub App, by its id or client id
    #[arg(long, value_name = "ID", requires = "github_app_key_file", conflicts_with = "github_token_file")]
    pub github_app: Option<String>,
    /// A file with the app's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "github_app")]
    pub github_app_key_file: Option<PathBuf>,
    /// GitHub's API; of an enterprise's own, https://HOST/api/v3
    #[arg(long, value_name = "URL", default_value = "https://api.github.com", value_parser = NonEmptyStringValueParser::new())]
    pub github_api: String,
    /// A file with the token by which GitLab is asked (scope `api`)
    #[arg(long, value_name = "FILE")]
    pub gitlab_token_file: Option<PathBuf>,
    /// GitLab; one's own, https://HOST[/PATH]
    #[arg(long, value_name = "URL", default_value = "https://gitlab.com", value_parser = NonEmptyStringValueParser::new())]
    pub gitlab_url: String,
    /// Look for failures in this repository that no webhook told; several may be named
    #[arg(long, value_name = "OWNER/REPO", value_parser = repository)]
    pub watch: Vec<Repository>,
    /// Look for failures in this project of GitLab's that no webhook told; several may be named
    #[arg(long, value_name = "GROUP/PROJECT", value_parser = repository)]
    pub watch_gitlab: Vec<Repository>,
    /// How often to look for them
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    pub sweep_every: Duration,
    /// How many runs are worked on at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u16).range(1..=256))]
    pub at_once: u16,
    /// After this long another node goes on with what a dead one had
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = lease)]
    pub lease: Duration,
    /// How each of them came.
    #[arg(skip)]
    pub given: Given,
}

/// Arguments of `dispatch`.
#[derive(Debug, Parser)]
#[command(mut_arg("ledger", beside_the_fleet))]
#[command(after_help = "Examples:\n  regreen dispatch octo-org/octo-repo 1589141559\n  \
                  regreen dispatch --gitlab group/project 4711\n\n\
                  The run is put on the list of work, and whichever `regreen serve` or `regreen worker` shares the\n\
                  ledger takes it up. What it may do there is what it may do by itself.")]
pub struct DispatchArgs {
    /// It is a pipeline of GitLab's
    #[arg(long)]
    pub gitlab: bool,
    /// Whose run it is
    #[arg(value_name = "OWNER/REPO", value_parser = repository)]
    pub repository: Repository,
    /// The run's or pipeline's id, as in its address
    #[arg(value_name = "RUN")]
    pub run: NonZeroU64,
    #[command(flatten)]
    pub at: WhichLedger,
}

pub(super) fn repository(text: &str) -> Result<Repository, String> {
    Repository::parse(text).ok_or_else(|| "a repository is OWNER/NAME".to_owned())
}

pub(super) fn host(text: &str) -> Result<Sender, String> {
    Sender::parse(text).ok_or_else(|| "a host is github or gitlab".to_owned())
}

fn lease(text: &str) -> Result<Duration, String> {
    let lease = humantime::parse_duration(text).map_err(|e| e.to_string())?;
    let good = (Duration::from_millis(500)..=Duration::from_secs(3600)).contains(&lease);
    good.then_some(lease).ok_or_else(|| "a lease is 500ms to 1h".to_owned())
}
