//! A repaired lockfile as a pull request, sent to the host by its API. Nothing is pushed by git, and nothing is started.

use std::{collections::BTreeSet, fs, path::Path};

use regreen_domain::RelPath;
use regreen_engine::unified;
use regreen_forge::{
    Change, Credential, FileChange, Forge, ForgeError, GitHub, Marker, NotAllowed, Options, Remote,
    Repository, Secret,
};
use regreen_lockfile::{Agreement, Lockfile, Repair, Suspect, parse, split_conflict};
use regreen_show::{harmless::harmless, proposal::Mended};
use regreen_tools::{
    Workspace,
    git::{self, Trusted},
    pull_request,
};
use sha2::{Digest, Sha256};

use crate::{
    args::ProposeArgs,
    context::Context,
    credentials::{github_token, secret_file},
    exit::{Failed, NOTHING_TO_READ, REFUSED, REMOTE, USAGE},
    output::lockfile::repaired::{Opened, PullRequest, Repaired, State},
};

/// Where pull requests go.
pub struct Proposer {
    repository: Repository,
    base: String,
    /// Whose history is believed, in a word.
    believed: String,
    /// `None` where it is only said what would be sent.
    client: Option<GitHub>,
}

/// A lockfile that was made whole, and where it lies.
pub struct Made<'a> {
    /// Its folder.
    pub ws: &'a Workspace,
    /// Its path as it was given.
    pub path: &'a Path,
    /// Its name in its folder.
    pub name: &'a RelPath,
    /// As it was, with all that it was repaired by.
    pub suspect: &'a Suspect<'a>,
    /// As it is whole.
    pub whole: &'a [u8],
    /// How it was repaired.
    pub repair: &'a Repair,
}

impl Proposer {
    /// Finds out where to send them, and as whom; asks nobody yet.
    ///
    /// # Errors
    /// Where one of that is not known, or nothing may be proposed here.
    pub async fn new(
        context: &Context,
        args: &ProposeArgs,
        dry_run: bool,
        against: Option<&str>,
        ws: &Workspace,
    ) -> Result<Proposer, Failed> {
        if pull_request(ws).is_some_and(|pull_request| pull_request.foreign) {
            let what = "--pull-request: this job looks at code of another repository, and nothing is proposed on its word";
            return Err(Failed::new(REFUSED, what)
                .help("run it in a job of the branch itself, on push or by schedule"));
        }
        let usage = |what: &str, help: &str| Failed::new(USAGE, what.to_owned()).help(help);
        let bad_api = || usage("--github-api: not an address of an API", "it is https://HOST/api/v3");
        let host = GitHub::host(&args.github_api).ok_or_else(bad_api)?;
        let repository = match &args.github {
            Some(repository) => repository.clone(),
            None => of_origin(ws, &host).await?,
        };
        let base = match &args.base {
            Some(base) => base.strip_prefix("refs/heads/").unwrap_or(base).to_owned(),
            None => git::branch(ws).await.ok_or_else(|| {
                usage(
                    "no branch is checked out, so nothing says where a pull request is to go",
                    "name it by --base BRANCH",
                )
            })?,
        };
        let believed = match (against, git::trusted(ws).await) {
            (Some(typed), _) => typed.to_owned(),
            (None, Trusted::Base(commit)) => commit,
            (None, _) => "HEAD".to_owned(),
        };
        let client = match dry_run {
            true => None,
            false => Some(client(context, args)?),
        };
        Ok(Proposer { repository, base, believed, client })
    }

    /// Proposes it, or says what would be proposed.
    ///
    /// # Errors
    /// Where the host did not take it now.
    pub async fn propose(
        &self,
        context: &Context,
        made: &Made<'_>,
        repaired: &mut Repaired,
    ) -> Result<(), Failed> {
        let old = made.suspect.bytes;
        if fs::symlink_metadata(made.path).is_ok_and(|metadata| metadata.is_symlink()) {
            repaired.no_patch("not proposed: it is a link; name the file itself".to_owned());
            return Ok(());
        }
        let Some(prefix) = git::prefix(made.ws).await else {
            repaired.no_patch("not proposed: it lies in no git repository".to_owned());
            return Ok(());
        };
        let path = format!("{prefix}{}", made.name);
        let masker = context.masker();
        let patch = unified(&path, &String::from_utf8_lossy(old), &String::from_utf8_lossy(made.whole));
        // What would be sent otherwise would not fit the file any more.
        if masker.would_change(patch.as_bytes()) {
            repaired.no_patch("not proposed: it would show a secret; use `--output write`".to_owned());
            return Ok(());
        }
        let (title, body) = self.text(&path, made, repaired);
        let fingerprint = self.fingerprint(&path);
        let sent = PullRequest {
            repository: self.repository.to_string(),
            base: self.base.clone(),
            branch: format!("regreen/lockfile-{fingerprint}"),
            title: masker.mask(&title).into_owned(),
            body: masker.mask(&body).into_owned(),
            opened: None,
        };
        let sent = repaired.pull_request.insert(sent);
        let Some(client) = &self.client else {
            // A text as it is applies; one that is none is only described.
            repaired.patch = std::str::from_utf8(old).is_ok().then_some(patch);
            return Ok(());
        };
        let marker = Marker::parse(&format!("lockfile/{fingerprint}"))
            .ok_or_else(|| Failed::new(crate::exit::BUG, "a fingerprint is no marker"))?;
        let done = masker.mask(&repaired.said).into_owned();
        let change = Change {
            base: sent.base.clone(),
            branch: sent.branch.clone(),
            files: vec![FileChange {
                path: path.clone(),
                before: Some(old.to_vec()),
                after: made.whole.to_vec(),
                executable: git::is_program(made.ws, made.name).await,
            }],
            message: format!("{path} is whole again\n\nregreen lockfile repair: {done}"),
            title: sent.title.clone(),
            body: sent.body.clone(),
            marker,
        };
        match client.propose_change(&self.repository, &change).await {
            Ok(proposal) => {
                sent.opened = Some(Opened {
                    number: proposal.number,
                    url: harmless(&masker.mask(&proposal.url)),
                    commit: proposal.commit,
                    done: proposal.done,
                });
                repaired.state = State::Proposed;
            }
            Err(ForgeError::NotAllowed { why: NotAllowed::Changed { .. }, .. }) => {
                repaired.no_patch(format!(
                    "not proposed: `{}` at {} holds another one than this; push it, or use `--output write`",
                    self.base, self.repository
                ))
            }
            Err(ForgeError::NotAllowed { why: NotAllowed::Declined { number }, .. }) => repaired.no_patch(
                format!("not proposed: pull request #{number} said the same, and a person closed it"),
            ),
            Err(e) => return Err(self.failed(&e, &harmless(&masker.mask(&e.to_string())))),
        }
        Ok(())
    }

    /// The same for the same lockfile on the same branch: there is one pull request for it at a time.
    fn fingerprint(&self, path: &str) -> String {
        let mut hash = Sha256::new();
        for part in [self.repository.folded().as_str(), &self.base, path] {
            hash.update(part);
            hash.update([0]);
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    fn text(&self, path: &str, made: &Made<'_>, repaired: &Repaired) -> (String, String) {
        let suspect = made.suspect;
        let whole = parse(suspect.format, made.whole).ok();
        let manifest =
            whole.as_ref().map(suspect.agreement).map_or_else(String::new, |agreement| match agreement {
                Agreement::Agrees => match suspect.format.manifest() {
                    Some(manifest) => format!("it agrees with {manifest} beside it"),
                    None => "it agrees with its manifest".to_owned(),
                },
                Agreement::Drift(why) => format!("it does not agree with its manifest: {}", why.join("; ")),
                Agreement::NotChecked(why) => {
                    format!("whether it agrees with its manifest was not checked: {why}")
                }
            });
        let changes: Vec<String> = match &repaired.changes {
            Some(changes) if !changes.is_empty() => changes.to_string().lines().map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let mended = Mended {
            path,
            base: &self.base,
            damage: repaired.damage.as_deref(),
            done: &repaired.said,
            changes: &changes,
            versions_changed: repaired.changes.as_ref().map_or(0, |changes| changes.version_changed.len()),
            entries: whole.as_ref().map_or(0, |whole| whole.entries.len()),
            unheld: whole.as_ref().map_or(0, |whole| unheld(whole, suspect)),
            believed: &self.believed,
            // One that is as damaged as this is no witness.
            versions: suspect.history.iter().filter(|version| version.bytes != suspect.bytes).count(),
            from: made.repair.commit(),
            manifest: &manifest,
        };
        (mended.title(), mended.body())
    }

    fn failed(&self, error: &ForgeError, shown: &str) -> Failed {
        let (code, help) = match error {
            ForgeError::NotFound { .. } => (
                NOTHING_TO_READ,
                format!("is `{}` there, has `{}` been pushed, and may the token read it?", self.repository, self.base),
            ),
            ForgeError::Denied { .. } => (
                REMOTE,
                "the token has to be good, and may write contents and pull requests (in a workflow: `permissions: {contents: write, pull-requests: write}`)".to_owned(),
            ),
            ForgeError::Invalid { .. } => (USAGE, "see `regreen lockfile repair --help`".to_owned()),
            _ => (REMOTE, "run the same command again later: what is there by then is not sent twice".to_owned()),
        };
        Failed::new(code, shown.to_owned()).help(help)
    }
}

/// Packages whose version neither the file as it was, nor its history, nor a side of the merge holds.
fn unheld(whole: &Lockfile, suspect: &Suspect<'_>) -> usize {
    let split = split_conflict(suspect.bytes).ok();
    let sides = suspect.sides.or(split.as_ref());
    let parsed: Vec<Lockfile> = std::iter::once(suspect.bytes)
        .chain(sides.into_iter().flat_map(|sides| [sides.ours.as_slice(), sides.theirs.as_slice()]))
        .filter_map(|bytes| parse(suspect.format, bytes).ok())
        .collect();
    let known = parsed.iter().chain(suspect.history.iter().map(|version| &version.lockfile));
    let held: BTreeSet<(&str, Option<&str>)> =
        known.flat_map(|l| &l.entries).map(|e| (e.name.as_str(), e.version.as_deref())).collect();
    whole.entries.iter().filter(|e| !held.contains(&(e.name.as_str(), e.version.as_deref()))).count()
}

/// The repository that the clone was made of.
async fn of_origin(ws: &Workspace, host: &str) -> Result<Repository, Failed> {
    let help = "name the repository by --github OWNER/REPO";
    let usage = |what: String| Failed::new(USAGE, what).help(help);
    let Some(origin) = git::origin(ws).await else {
        return Err(usage("--pull-request: this clone has no remote called `origin`".to_owned()));
    };
    // It may hold a password, so nothing of it is shown but the host.
    let Some(remote) = Remote::parse(&origin) else {
        return Err(usage(format!("--pull-request: `origin` is not the address of a repository at {host}")));
    };
    if remote.host != host {
        let what = format!("--pull-request: `origin` is at {}, and not at {host}", harmless(&remote.host));
        return Err(Failed::new(USAGE, what)
            .help("only GitHub takes pull requests here; name the API of a server of your own by --github-api https://HOST/api/v3"));
    }
    match remote.repository.owner().contains('/') {
        true => Err(usage(format!("--pull-request: `origin` is not OWNER/REPO at {host}"))),
        false => Ok(remote.repository),
    }
}

fn client(context: &Context, args: &ProposeArgs) -> Result<GitHub, Failed> {
    let token = match &args.github_token_file {
        Some(path) => {
            Some(secret_file(context, path)?).filter(|text| !text.trim().is_empty()).map(|t| Secret::new(&t))
        }
        None => github_token(context),
    };
    let Some(token) = token else {
        let what = "--pull-request: there is no token by which GitHub could be asked";
        return Err(Failed::new(USAGE, what).help(
            "set GITHUB_TOKEN or GH_TOKEN, or name a file by --github-token-file; --dry-run needs none",
        ));
    };
    GitHub::new(&args.github_api, Credential::Token(token), Options::default())
        .map_err(|e| Failed::new(USAGE, format!("--github-api: {e}")))
}
