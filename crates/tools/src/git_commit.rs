//! One file, committed on the branch that is checked out, and nothing else: no hook runs, no signature program, no filter
//! of the repository's, and what is staged stays staged.

use regreen_domain::RelPath;

use crate::{
    git::{self, QUIET},
    workspace::Workspace,
};

/// Commits the file at `path` below the workspace as it is on disk, and gives the new commit.
///
/// # Errors
/// A sentence: no branch is checked out, a merge or rebase is going on, git knows no author, the branch has moved.
pub async fn commit_file(ws: &Workspace, path: &RelPath, message: &str) -> Result<String, String> {
    let head = git::head(ws).await.ok_or("there is no commit yet")?;
    let branch = line(ws, &["symbolic-ref", "--quiet", "HEAD"], &[])
        .await
        .map_err(|_| "no branch is checked out".to_owned())?;
    for (name, what) in
        [("MERGE_HEAD", "a merge"), ("CHERRY_PICK_HEAD", "a cherry-pick"), ("REVERT_HEAD", "a revert")]
    {
        if line(ws, &["rev-parse", "--verify", "--quiet", name], &[]).await.is_ok() {
            return Err(format!("{what} is going on; write the file and go on with it yourself"));
        }
    }
    let prefix = git::prefix(ws).await.ok_or("this is no git repository")?;
    let full = format!("{prefix}{path}");
    let listed = line(ws, &["ls-tree", "--full-tree", &head, "--", &full], &[]).await.unwrap_or_default();
    let mode = if listed.starts_with("100755") { "100755" } else { "100644" };
    let object = line(ws, &["hash-object", "-w", "--no-filters", "--", path.as_str()], &[]).await?;
    let entry = format!("{mode},{object},{full}");
    // An index of its own, so that the commit holds this file alone.
    let folder = line(ws, &["rev-parse", "--absolute-git-dir"], &[]).await?;
    let index = format!("{folder}/regreen-{}.index", std::process::id());
    let tree = tree(ws, &head, &entry, &index).await;
    let _gone = std::fs::remove_file(&index);
    let tree = tree?;
    let commit = line(ws, &["commit-tree", &tree, "-p", &head, "-m", message], &[]).await?;
    run(ws, &["update-ref", "-m", "regreen lockfile repair", &branch, &commit, &head], &[]).await?;
    run(ws, &["update-index", "--add", "--cacheinfo", &entry], &[]).await?;
    Ok(commit)
}

async fn tree(ws: &Workspace, head: &str, entry: &str, index: &str) -> Result<String, String> {
    let own = [("GIT_INDEX_FILE", index)];
    run(ws, &["read-tree", head], &own).await?;
    run(ws, &["update-index", "--add", "--cacheinfo", entry], &own).await?;
    line(ws, &["write-tree"], &own).await
}

async fn run(ws: &Workspace, args: &[&str], more: &[(&str, &str)]) -> Result<Vec<u8>, String> {
    let argv: Vec<&str> = QUIET.iter().chain(args).copied().collect();
    let mut env = vec![("GIT_TERMINAL_PROMPT", "0"), ("LC_ALL", "C")];
    env.extend_from_slice(more);
    let said = ws.quietly(&argv, &env, None).await.ok_or("git could not be run")?;
    match said.code {
        Some(0) => Ok(said.stdout),
        _ => {
            let words = String::from_utf8_lossy(&said.stderr);
            let first = words.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
            Err(format!("`git {}` failed: {first}", args.first().copied().unwrap_or_default()))
        }
    }
}

async fn line(ws: &Workspace, args: &[&str], more: &[(&str, &str)]) -> Result<String, String> {
    let text = run(ws, args, more).await?;
    Ok(String::from_utf8_lossy(&text).trim_end_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeMap, ffi::OsString, fs, path::Path, process::Command};

    fn git(folder: &Path, args: &[&str]) -> String {
        let out =
            Command::new("git").args(args).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").output();
        let out = out.unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    #[tokio::test]
    async fn only_the_file_and_no_hook() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        git(at, &["init", "-q", "-b", "main"]);
        for (name, value) in
            [("user.name", "t"), ("user.email", "t@t"), ("commit.gpgSign", "true"), ("gpg.program", "false")]
        {
            git(at, &["config", name, value]);
        }
        fs::create_dir(at.join("sub")).unwrap();
        for name in ["sub/lock", "other"] {
            fs::write(at.join(name), "1\n").unwrap();
        }
        git(at, &["add", "."]);
        git(at, &["commit", "-q", "--no-gpg-sign", "-m", "first"]);
        let hook = at.join(".git/hooks/reference-transaction");
        fs::create_dir_all(at.join(".git/hooks")).unwrap();
        fs::write(&hook, "#!/bin/sh\ntouch hooked\nexit 1\n").unwrap();
        Command::new("chmod").arg("+x").arg(&hook).status().unwrap();
        fs::write(at.join("other"), "2\n").unwrap();
        git(at, &["-c", "core.hooksPath=/dev/null", "add", "other"]);
        fs::write(at.join("sub/lock"), "2\n").unwrap();
        let mut env: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        env.insert("GIT_CONFIG_GLOBAL".into(), "/dev/null".into());
        let ws = Workspace::new(at.join("sub"), env);
        let path = RelPath::parse("lock").unwrap();
        let commit = commit_file(&ws, &path, "the lockfile is whole again").await.unwrap();
        assert_eq!(git(at, &["rev-parse", "main"]), commit);
        assert_eq!(
            git(at, &["show", "--name-only", "--format=%s", "HEAD"]),
            "the lockfile is whole again\n\nsub/lock"
        );
        assert_eq!(git(at, &["status", "--porcelain"]), "M  other");
        assert!(!at.join("hooked").exists() && !at.join("sub/hooked").exists());
        git(at, &["-c", "core.hooksPath=/dev/null", "checkout", "-q", "--detach"]);
        assert_eq!(commit_file(&ws, &path, "x").await, Err("no branch is checked out".to_owned()));
    }
}
