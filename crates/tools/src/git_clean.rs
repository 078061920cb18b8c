//! Whether a file is what HEAD has: of its bytes, not of what the index says of them.
//!
//! `git diff` takes the index's word for a file that is marked as unchanged (`--assume-unchanged`) or as not checked out
//! (`--skip-worktree`), which is how people hide their own edits from it.

use std::path::Path;

use regreen_domain::RelPath;

use crate::{
    git::{git, git_line},
    workspace::Workspace,
};

/// What a tree or the index has of a file.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mode: String,
    object: String,
}

/// Whether the file is tracked and, in the work tree and the index, equal to HEAD. `None` outside git.
pub async fn is_clean(ws: &Workspace, path: &RelPath) -> Option<bool> {
    git(ws, &["rev-parse", "--git-dir"]).await?;
    Some(equals_head(ws, path).await == Some(true))
}

async fn equals_head(ws: &Workspace, path: &RelPath) -> Option<bool> {
    let head = git_line(ws, &["ls-tree", "HEAD", "--", path.as_str()]).await?;
    let staged = git_line(ws, &["ls-files", "--stage", "--", path.as_str()]).await?;
    // `<mode> blob <object>\t<path>`, and `<mode> <object> <stage>\t<path>`.
    let (head, staged) = (Entry::parse(&head, 2)?, Entry::parse(&staged, 1)?);
    let same = ["diff", "--quiet", "--no-ext-diff", "--no-textconv", "HEAD", "--", path.as_str()];
    Some(head == staged && git(ws, &same).await.is_some() && holds(ws, path, &head).await?)
}

impl Entry {
    /// A line of one file: what is in conflict has several.
    fn parse(line: &str, object: usize) -> Option<Entry> {
        let (facts, _) = line.split_once('\t').filter(|_| !line.contains('\n'))?;
        let facts: Vec<&str> = facts.split(' ').collect();
        Some(Entry { mode: (*facts.first()?).to_owned(), object: (*facts.get(object)?).to_owned() })
    }
}

/// Whether the work tree has this: as it lies there, or as git would commit it.
async fn holds(ws: &Workspace, path: &RelPath, entry: &Entry) -> Option<bool> {
    let there = ws.root.join(path.as_str());
    let kind = tokio::fs::symlink_metadata(&there).await.ok()?.file_type();
    if entry.mode == "120000" {
        let target = tokio::fs::read_link(&there).await.ok()?;
        let known = git(ws, &["cat-file", "blob", &entry.object]).await?;
        return Some(target == Path::new(std::str::from_utf8(&known).ok()?));
    }
    if !kind.is_file() {
        return Some(false);
    }
    let as_it_is = git_line(ws, &["hash-object", "--no-filters", "--", path.as_str()]).await?;
    if as_it_is == entry.object {
        return Some(true);
    }
    // Line ends, and what a filter such as Git LFS's puts in the place of a pointer.
    let of = format!("--path={path}");
    let as_committed = ["-c", "core.safecrlf=false", "hash-object", &of, "--", path.as_str()];
    Some(git_line(ws, &as_committed).await? == entry.object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeMap, ffi::OsString, fs, os::unix::fs::symlink, process::Command};

    struct Repository(tempfile::TempDir);

    impl Repository {
        /// With a lockfile in a folder, which is the workspace.
        fn new(settings: &[(&str, &str)], attributes: &str) -> Repository {
            let repository = Repository(tempfile::tempdir().unwrap());
            repository.git(&["init", "-q", "-b", "main"]);
            for (name, value) in [("user.name", "t"), ("user.email", "t@t"), ("commit.gpgSign", "false")] {
                repository.git(&["config", name, value]);
            }
            fs::create_dir(repository.0.path().join("sub")).unwrap();
            fs::write(repository.0.path().join(".gitattributes"), attributes).unwrap();
            repository.write("1\n2\n");
            symlink("lock", repository.0.path().join("sub/link")).unwrap();
            repository.git(&["add", "."]);
            repository.git(&["commit", "-q", "-m", "first"]);
            for (name, value) in settings {
                repository.git(&["config", name, value]);
            }
            repository
        }

        fn git(&self, args: &[&str]) {
            let mut git = Command::new("git");
            git.args(args).current_dir(self.0.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
            assert!(git.status().unwrap().success(), "{args:?}");
        }

        fn write(&self, text: &str) {
            fs::write(self.0.path().join("sub/lock"), text).unwrap();
        }

        async fn has_clean(&self, name: &str) -> Option<bool> {
            let mut env: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
            env.insert("GIT_CONFIG_GLOBAL".into(), "/dev/null".into());
            let ws = Workspace::new(self.0.path().join("sub"), env);
            is_clean(&ws, &RelPath::parse(name).unwrap()).await
        }
    }

    #[tokio::test]
    async fn an_edit_is_seen_whatever_the_index_was_told() {
        for hiding in ["--assume-unchanged", "--skip-worktree"] {
            let repository = Repository::new(&[], "");
            assert_eq!(repository.has_clean("lock").await, Some(true));
            repository.git(&["update-index", hiding, "sub/lock"]);
            assert_eq!(repository.has_clean("lock").await, Some(true), "{hiding}");
            repository.write("1\nmine\n");
            assert_eq!(repository.has_clean("lock").await, Some(false), "{hiding}");
            fs::remove_file(repository.0.path().join("sub/lock")).unwrap();
            assert_eq!(repository.has_clean("lock").await, Some(false), "{hiding}");
            symlink("elsewhere", repository.0.path().join("sub/lock")).unwrap();
            assert_eq!(repository.has_clean("lock").await, Some(false), "{hiding}");
        }
    }

    #[tokio::test]
    async fn what_git_would_commit_as_the_same_is_the_same() {
        let repository = Repository::new(&[("core.autocrlf", "true"), ("core.safecrlf", "true")], "");
        repository.write("1\r\n2\r\n");
        assert_eq!(repository.has_clean("lock").await, Some(true));
        repository.write("1\r\n3\r\n");
        assert_eq!(repository.has_clean("lock").await, Some(false));
        let repository = Repository::new(&[("filter.down.clean", "tr X 2")], "lock filter=down\n");
        repository.git(&["update-index", "--assume-unchanged", "sub/lock"]);
        assert_eq!(repository.has_clean("lock").await, Some(true));
        repository.write("1\nX\n");
        assert_eq!(repository.has_clean("lock").await, Some(true));
        repository.write("1\nXX\n");
        assert_eq!(repository.has_clean("lock").await, Some(false));
    }

    #[tokio::test]
    async fn what_is_staged_untracked_or_a_link_elsewhere_is_not_as_head_has_it() {
        let repository = Repository::new(&[], "");
        assert_eq!(repository.has_clean("link").await, Some(true));
        fs::remove_file(repository.0.path().join("sub/link")).unwrap();
        symlink("elsewhere", repository.0.path().join("sub/link")).unwrap();
        assert_eq!(repository.has_clean("link").await, Some(false));
        assert_eq!(repository.has_clean("none").await, Some(false));
        repository.write("staged\n");
        repository.git(&["add", "sub/lock"]);
        repository.write("1\n2\n");
        assert_eq!(repository.has_clean("lock").await, Some(false));
        let nowhere = tempfile::tempdir().unwrap();
        let ws = Workspace::new(nowhere.path().to_owned(), std::env::vars_os().collect());
        assert_eq!(is_clean(&ws, &RelPath::parse("lock").unwrap()).await, None);
    }
}
