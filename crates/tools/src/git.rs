//! What git remembers: the last good versions of a file, and which history may be believed.
//!
//! Git is only read. It runs without hooks, pagers, external diffs, file-system monitors and prompts, so that
//! nothing that a repository's files configure is executed. Filters that the machine's own Git configuration names (LFS) run as they do for `git diff`.

use std::path::PathBuf;

use regreen_domain::RelPath;

use crate::{
    pull_request::{Base, pull_request},
    workspace::Workspace,
};

/// Whose first-parent history counts as provenance (invariant 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trusted {
    /// Not a pull request: HEAD's own first parents.
    Head,
    /// A pull request: the base branch, by this ref.
    Base(String),
    /// A pull request whose base branch is not in this clone: nothing can be proved.
    Unreachable(String),
}

/// Git itself, so that nothing a repository configures is executed.
pub(crate) const QUIET: [&str; 9] = [
    "git",
    "--no-optional-locks",
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
];

/// How many versions of a file are looked at.
const VERSIONS: &str = "20";

pub(crate) async fn git(ws: &Workspace, args: &[&str]) -> Option<Vec<u8>> {
    git_with(ws, args, &[]).await
}

/// What a partial clone has not, it would ask its remote for: this does not.
async fn git_offline(ws: &Workspace, args: &[&str]) -> Option<Vec<u8>> {
    git_with(ws, args, &[("GIT_NO_LAZY_FETCH", "1")]).await
}

async fn git_with(ws: &Workspace, args: &[&str], more: &[(&str, &str)]) -> Option<Vec<u8>> {
    let argv: Vec<&str> = QUIET.iter().chain(args).copied().collect();
    let mut quiet = vec![("GIT_TERMINAL_PROMPT", "0"), ("GIT_EXTERNAL_DIFF", ""), ("LC_ALL", "C")];
    quiet.extend_from_slice(more);
    let captured = ws.quietly(&argv, &quiet, None).await?;
    (captured.code == Some(0)).then_some(captured.stdout)
}

pub(crate) async fn git_line(ws: &Workspace, args: &[&str]) -> Option<String> {
    let text = String::from_utf8(git(ws, args).await?).ok()?;
    let line = text.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// The commit that is checked out.
pub async fn head(ws: &Workspace) -> Option<String> {
    git_line(ws, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).await
}

/// The branch that is checked out; `None` where a commit is, or nothing.
pub async fn branch(ws: &Workspace) -> Option<String> {
    git_line(ws, &["symbolic-ref", "--quiet", "--short", "HEAD"]).await
}

/// The address of `origin`, as the clone's configuration has it: data, and nothing is asked there. It may hold a password.
pub async fn origin(ws: &Workspace) -> Option<String> {
    git_line(ws, &["config", "--get", "remote.origin.url"]).await
}

/// Whether the commit that is checked out has the file at `path` as a program.
pub async fn is_program(ws: &Workspace, path: &RelPath) -> bool {
    let listed = git_line(ws, &["ls-tree", "HEAD", "--", path.as_str()]).await;
    listed.is_some_and(|line| line.starts_with("100755"))
}

/// The workspace's path below the top of its repository, `""` at the top, `None` outside a repository.
pub async fn prefix(ws: &Workspace) -> Option<String> {
    let text = String::from_utf8(git(ws, &["rev-parse", "--show-prefix"]).await?).ok()?;
    Some(text.trim_end_matches('\n').to_owned())
}

/// Whose history may be believed here.
pub async fn trusted(ws: &Workspace) -> Trusted {
    let Some(pull_request) = pull_request(ws) else { return Trusted::Head };
    // Only remote-tracking refs: a local branch of that name is whatever the job made it.
    let branch = match &pull_request.base {
        Base::Branch(branch) => branch.strip_prefix("refs/heads/").unwrap_or(branch),
        Base::DefaultBranch => "HEAD",
        Base::Unknown => return Trusted::Unreachable("unknown".to_owned()),
    };
    let reference = format!("refs/remotes/origin/{branch}");
    match git_line(ws, &["rev-parse", "--verify", "--quiet", &format!("{reference}^{{commit}}")]).await {
        Some(commit) => Trusted::Base(commit),
        None => Trusted::Unreachable(branch.to_owned()),
    }
}

/// Up to twenty versions of a file in the trusted first-parent history, newest first, as (commit, content).
/// Empty where there is no git, no such history, or the clone is too shallow to hold it.
pub async fn versions(ws: &Workspace, path: &RelPath) -> Vec<(String, Vec<u8>)> {
    let from = match trusted(ws).await {
        Trusted::Head => "HEAD".to_owned(),
        Trusted::Base(commit) => commit,
        Trusted::Unreachable(_) => return Vec::new(),
    };
    versions_from(ws, &from, path).await
}

/// As [`versions`], in the first-parent history of a commit that somebody named.
pub async fn versions_from(ws: &Workspace, from: &str, path: &RelPath) -> Vec<(String, Vec<u8>)> {
    let Some(prefix) = prefix(ws).await else { return Vec::new() };
    let range = ["log", "--first-parent", "--format=%H", "-n", VERSIONS, from, "--", path.as_str()];
    let Some(list) = git(ws, &range).await else { return Vec::new() };
    let mut versions = Vec::new();
    for commit in String::from_utf8_lossy(&list).lines() {
        let object = format!("{commit}:{prefix}{path}");
        if let Some(content) = git(ws, &["cat-file", "blob", &object]).await {
            versions.push((commit.to_owned(), content));
        }
    }
    versions
}

/// A file as the base commit of a pull request holds it, or HEAD's own where there is none (invariant 4).
/// `None` where it is not there or the base is not in this clone.
pub async fn trusted_file(ws: &Workspace, path: &RelPath) -> Option<Vec<u8>> {
    let from = match trusted(ws).await {
        Trusted::Head => "HEAD".to_owned(),
        Trusted::Base(commit) => commit,
        Trusted::Unreachable(_) => return None,
    };
    let prefix = prefix(ws).await?;
    git(ws, &["cat-file", "blob", &format!("{from}:{prefix}{path}")]).await
}

/// A file of a folder in the trusted commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedEntry {
    /// Its path below that folder, with `/`.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The name of its content, for [`trusted_content`].
    object: String,
}

/// The ordinary files of a folder and of those in it, as the base commit of a pull request holds them, or HEAD's own where
/// there is none (invariant 4), by path. Links are no ordinary files. Empty where the folder is not there.
pub async fn trusted_folder(ws: &Workspace, folder: &RelPath) -> Vec<TrustedEntry> {
    let from = match trusted(ws).await {
        Trusted::Head => "HEAD".to_owned(),
        Trusted::Base(commit) => commit,
        Trusted::Unreachable(_) => return Vec::new(),
    };
    let Some(prefix) = prefix(ws).await else { return Vec::new() };
    let tree = format!("{from}:{prefix}{folder}");
    let listed = git(ws, &["ls-tree", "-r", "-l", "-z", "--full-tree", &tree]).await.unwrap_or_default();
    String::from_utf8_lossy(&listed).split('\0').filter_map(TrustedEntry::parse).collect()
}

impl TrustedEntry {
    /// `<mode> blob <object> <size>\t<path>`, as `git ls-tree -l -z` prints it.
    fn parse(line: &str) -> Option<TrustedEntry> {
        let (facts, path) = line.split_once('\t')?;
        let mut facts = facts.split_ascii_whitespace();
        let (mode, kind, object, size) = (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
        let ordinary = kind == "blob" && mode.starts_with("100");
        let (path, object) = (path.to_owned(), object.to_owned());
        ordinary.then_some(TrustedEntry { path, size: size.parse().ok()?, object })
    }
}

/// What such a file holds.
pub async fn trusted_content(ws: &Workspace, entry: &TrustedEntry) -> Option<Vec<u8>> {
    git(ws, &["cat-file", "blob", &entry.object]).await
}

/// The commit that was meant by what a person typed; `None` where there is none of that name.
pub async fn commit(ws: &Workspace, typed: &str) -> Option<String> {
    let object = format!("{typed}^{{commit}}");
    git_line(ws, &["rev-parse", "--verify", "--quiet", "--end-of-options", &object]).await
}

/// Where the branch that is checked out left `commit`'s; `None` where the clone is too shallow to tell.
pub async fn merge_base(ws: &Workspace, commit: &str) -> Option<String> {
    git_line(ws, &["merge-base", "HEAD", commit]).await
}

async fn resolved(ws: &Workspace, name: &str) -> Option<String> {
    git_line(ws, &["rev-parse", "--verify", "--quiet", name]).await
}

/// A file on both sides of a merge, and as both began from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    /// `None` where it was not there.
    pub base: Option<Vec<u8>>,
    /// On the branch that is merged into.
    pub ours: Vec<u8>,
    /// On the branch that is merged.
    pub theirs: Vec<u8>,
}

/// The sides of the merge that is going on, or of the one that is checked out. `None` where there is no merge, or git does
/// not know the file on both sides.
pub async fn sides(ws: &Workspace, path: &RelPath) -> Option<Sides> {
    let (ours, theirs) = match resolved(ws, "MERGE_HEAD").await {
        Some(theirs) => (head(ws).await?, theirs),
        None => (resolved(ws, "HEAD^1").await?, resolved(ws, "HEAD^2").await?),
    };
    let base = git_line(ws, &["merge-base", &ours, &theirs]).await?;
    let path = format!("{}{path}", prefix(ws).await?);
    let base = file_at(ws, &base, &path).await;
    Some(Sides { base, ours: file_at(ws, &ours, &path).await?, theirs: file_at(ws, &theirs, &path).await? })
}

/// The top folder of the repository.
pub async fn top(ws: &Workspace) -> Option<PathBuf> {
    let text = String::from_utf8(git(ws, &["rev-parse", "--show-toplevel"]).await?).ok()?;
    Some(PathBuf::from(text.strip_suffix('\n')?))
}

/// Every file of a commit, by its path from the top. `None` where the commit can't be read.
pub async fn files_at(ws: &Workspace, commit: &str) -> Option<Vec<String>> {
    let list = git_offline(ws, &["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit]).await?;
    Some(
        list.split(|b| *b == 0)
            .filter_map(|p| String::from_utf8(p.to_vec()).ok())
            .filter(|p| !p.is_empty())
            .collect(),
    )
}

/// A file as a commit holds it, by its path from the top.
pub async fn file_at(ws: &Workspace, commit: &str, path: &str) -> Option<Vec<u8>> {
    git_offline(ws, &["cat-file", "blob", &format!("{commit}:{path}")]).await
}

/// The repository's name for people: `origin`'s path without credentials, or the folder's name.
pub async fn repository(ws: &Workspace) -> String {
    let from_env = ws.var("GITHUB_REPOSITORY").or_else(|| ws.var("CI_PROJECT_PATH")).map(str::to_owned);
    if let Some(name) = from_env {
        return name;
    }
    let path = origin(ws).await.as_deref().and_then(|url| {
        let url = url.trim_end_matches('/').trim_end_matches(".git");
        let mut parts = url.rsplit(['/', ':']);
        let (name, owner) = (parts.next()?, parts.next()?);
        (!name.is_empty() && !owner.is_empty() && !owner.contains('@')).then(|| format!("{owner}/{name}"))
    });
    path.unwrap_or_else(|| {
        ws.root.file_name().map_or_else(|| "workspace".to_owned(), |n| n.to_string_lossy().into_owned())
    })
}
