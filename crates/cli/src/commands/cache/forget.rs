//! `regreen cache forget`: a CI host's own caches of one key, and a cache key's number at GitLab.

use std::collections::BTreeMap;

use regreen_engine::is_paused;
use regreen_forge::{
    Credential, Forge, ForgeError, GitHub, GitLab, Options, Repository, Secret, hook::Sender,
};
use regreen_ledger::{Forgetting, Ledger};
use regreen_show::harmless::harmless;

use crate::{
    args::CacheForgetArgs,
    context::{Context, runtime},
    credentials::github_token,
    exit::{FINE, Failed, NOTHING_TO_READ, REFUSED, REMOTE, USAGE},
    output::{cache::size, print::print},
    record::{self, actor, now},
};

/// What a host is asked with, for its errors.
struct Asked<'a> {
    context: &'a Context,
    token: &'static str,
    may: &'static str,
}

/// Forgets, or says what would be forgotten.
pub fn forget(context: &Context, args: &CacheForgetArgs) -> Result<u8, Failed> {
    match (&args.github, &args.key, &args.gitlab, &args.variable) {
        (Some(repository), Some(key), None, None) => {
            runtime()?.block_on(at_github(context, args, repository, key))
        }
        (None, None, Some(project), Some(variable)) => {
            runtime()?.block_on(at_gitlab(context, args, project, variable))
        }
        _ => Err(Failed::new(USAGE, "it is not said which cache is meant")
            .help("give --github with --key, or --gitlab with --variable")),
    }
}

async fn at_github(
    context: &Context,
    args: &CacheForgetArgs,
    repository: &Repository,
    key: &str,
) -> Result<u8, Failed> {
    let token = github_token(context).ok_or_else(|| none("GITHUB_TOKEN or GH_TOKEN"))?;
    let client = GitHub::new(&args.api_url, Credential::Token(token), Options::default());
    let client = client.map_err(|e| Failed::new(USAGE, format!("--api-url: {e}")))?;
    let asked = Asked { context, token: "GITHUB_TOKEN or GH_TOKEN", may: "may write actions" };
    let listed = client.caches(repository, Some(key), args.reference.as_deref()).await;
    let mut by_ref: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    // GitHub lists by the beginning of a key.
    for cache in listed.map_err(|e| asked.failed(&e))?.into_iter().filter(|cache| cache.key == key) {
        let (caches, bytes) = by_ref.entry(cache.reference).or_default();
        (*caches, *bytes) = (*caches + 1, bytes.saturating_add(cache.bytes));
    }
    if by_ref.is_empty() {
        let at = args.reference.as_ref().map(|at| format!(" of {}", harmless(at))).unwrap_or_default();
        return Err(Failed::new(
            NOTHING_TO_READ,
            format!("{repository} has no cache of exactly this key{at}"),
        )
        .help("the repository's page Actions, Caches lists keys and refs"));
    }
    if args.dry_run {
        for (reference, (caches, bytes)) in &by_ref {
            print(&format!("{}: would delete {caches}, {}\n", harmless(reference), size(*bytes)))?;
        }
        return Ok(FINE);
    }
    let ledger = allowed(context, Sender::GitHub, repository).await?;
    for (reference, (_, bytes)) in &by_ref {
        let what = format!("key {key} of {reference}");
        let of = Forgetting { host: &args.api_url, repository: repository.as_str(), what: &what };
        let doing = client.delete_cache(repository, key, reference);
        let gone = on_record(&ledger, &of, doing, |gone| format!("deleted {gone}")).await?;
        let gone = gone.map_err(|e| asked.failed(&e))?;
        let of = harmless(reference);
        print(&match gone {
            0 => format!("{of}: is gone already\n"),
            _ => format!("{of}: deleted {gone}, {}\n", size(*bytes)),
        })?;
    }
    Ok(FINE)
}

async fn at_gitlab(
    context: &Context,
    args: &CacheForgetArgs,
    project: &Repository,
    variable: &str,
) -> Result<u8, Failed> {
    let token = context.secret("GITLAB_TOKEN").ok_or_else(|| none("GITLAB_TOKEN"))?;
    let client = GitLab::new(&args.gitlab_url, Some(Secret::new(&token)), Options::default());
    let client = client.map_err(|e| Failed::new(USAGE, format!("--gitlab-url: {e}")))?;
    let may = "has the scope `api`, of a maintainer; a variable of a group, or for one environment only, is not meant";
    let asked = Asked { context, token: "GITLAB_TOKEN", may };
    let read = client.variable(project, variable).await.map_err(|e| asked.failed(&e))?;
    let step = read.next(args.protected).map_err(|why| {
        Failed::new(REFUSED, format!("{variable} of {project}: {why}")).help(
            "name a variable that holds a number and that the cache's `key:` is made with; --protected for a protected one",
        )
    })?;
    let (from, to) = (step.from, step.to);
    if args.dry_run {
        return print(&format!("{variable}: {from}, would be {to}\n"));
    }
    let ledger = allowed(context, Sender::GitLab, project).await?;
    let what = format!("variable {variable} from {from} to {to}");
    let of = Forgetting { host: &args.gitlab_url, repository: project.as_str(), what: &what };
    let doing = client.count_up(project, variable, step);
    let done = on_record(&ledger, &of, doing, |()| "counted up".to_owned()).await?;
    done.map_err(|e| asked.failed(&e))?;
    print(&format!("{variable}: {from} → {to}\n"))
}

/// The ledger in which it is put on record; refused while healing is paused in its workspace or beside its fleet.
async fn allowed(context: &Context, host: Sender, repository: &Repository) -> Result<Ledger, Failed> {
    let ledger = record::write(context).await?;
    let here = context.ledger.is_none() && ledger.paused("workspace").await?.is_some();
    if here || is_paused(&ledger, host, repository.as_str()).await? {
        let ends = if here { "regreen unpause" } else { "regreen unpause --fleet" };
        return Err(Failed::new(REFUSED, format!("healing is paused for {repository}"))
            .help(format!("`{ends}` ends that; `regreen status` says who paused it")));
    }
    Ok(ledger)
}

/// Says what is to be done, does it, and says what came of it.
async fn on_record<T>(
    ledger: &Ledger,
    of: &Forgetting<'_>,
    doing: impl Future<Output = Result<T, ForgeError>>,
    says: impl FnOnce(&T) -> String,
) -> Result<Result<T, ForgeError>, Failed> {
    let actor = actor();
    ledger.forgetting(of, &actor, now()).await?;
    let done = doing.await;
    let came_of_it = match &done {
        Ok(done) => says(done),
        Err(e) => e.to_string(),
    };
    ledger.forgotten(of, &came_of_it, &actor, now()).await?;
    Ok(done)
}

fn none(variable: &str) -> Failed {
    Failed::new(USAGE, "there is no token by which the host could be asked").help(format!("set {variable}"))
}

impl Asked<'_> {
    fn failed(&self, error: &ForgeError) -> Failed {
        let shown = harmless(&self.context.masker().mask(&error.to_string()));
        let (code, help) = match error {
            ForgeError::NotFound { .. } | ForgeError::Denied { .. } => {
                let code = if matches!(error, ForgeError::Denied { .. }) { REMOTE } else { NOTHING_TO_READ };
                (
                    code,
                    format!("see that the name is right, and that the token in {} {}", self.token, self.may),
                )
            }
            ForgeError::Invalid { .. } => (USAGE, "see `regreen cache forget --help`".to_owned()),
            ForgeError::Unknown { .. } => {
                (REMOTE, "look with --dry-run what is there, before it is tried again".to_owned())
            }
            _ => (REMOTE, "run the same command again later".to_owned()),
        };
        Failed::new(code, shown).help(help)
    }
}
