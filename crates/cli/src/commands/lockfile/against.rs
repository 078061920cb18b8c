//! The same lockfiles as another commit has them: what `--against` compares with. Git is only read, and fetches nothing.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use regreen_lockfile::{Format, Lockfile, examine_changes, parse};
use regreen_tools::{Workspace, git};

use crate::{
    exit::{Failed, NOTHING_TO_READ},
    lockfiles,
    output::lockfile::{Changes, Compared},
};

/// A commit, and what is in it.
pub struct Against {
    workspace: Workspace,
    /// What was typed.
    typed: String,
    /// Where the branch that is checked out left it, or the commit itself where that can't be told.
    commit: String,
    top: PathBuf,
    files: BTreeSet<String>,
}

impl Against {
    /// Looks the commit up.
    ///
    /// # Errors
    /// Where there is no repository or no such commit.
    pub async fn new(workspace: Workspace, typed: &str) -> Result<Against, Failed> {
        let nothing = |what: String| Failed::new(NOTHING_TO_READ, what);
        let Some(top) = git::top(&workspace).await else {
            return Err(nothing("--against: this is no git repository".to_owned()));
        };
        let Some(named) = git::commit(&workspace, typed).await else {
            return Err(nothing(format!("--against: git knows no commit `{typed}`")).help(
                "in a CI job, fetch it first, e.g. `git fetch origin main` with a depth that reaches where the branch began",
            ));
        };
        let commit = git::merge_base(&workspace, &named).await.unwrap_or(named);
        let Some(files) = git::files_at(&workspace, &commit).await else {
            return Err(nothing(format!("--against: git can't read the commit {commit}")));
        };
        Ok(Against { workspace, typed: typed.to_owned(), commit, top, files: files.into_iter().collect() })
    }

    /// Lockfiles of the commit that lie below `folder` and are not among `found`: those that are there all the same,
    /// ignored by git now, and those that are gone.
    pub fn left_out(
        &self,
        folder: &Path,
        found: &[(PathBuf, Format)],
    ) -> (Vec<(PathBuf, Format)>, Vec<String>) {
        let (mut there, mut gone) = (Vec::new(), Vec::new());
        let found: BTreeSet<String> = found.iter().filter_map(|(path, _)| self.path(path)).collect();
        let Some(below) =
            folder.canonicalize().ok().and_then(|f| Some(f.strip_prefix(&self.top).ok()?.to_owned()))
        else {
            return (there, gone);
        };
        for file in self.files.iter().filter(|f| !found.contains(*f) && !lockfiles::is_installed(f)) {
            let path = Path::new(file);
            let (Some(format), Ok(rest)) = (lockfiles::format(path), path.strip_prefix(&below)) else {
                continue;
            };
            match self.top.join(path).is_file() {
                true => there.push((
                    if folder == Path::new(".") { rest.to_owned() } else { folder.join(rest) },
                    format,
                )),
                false => gone.push(rest.display().to_string()),
            }
        }
        (there, gone)
    }

    /// What changed in the lockfile since that commit.
    pub async fn compare(&self, path: &Path, format: Format, new: Option<&Lockfile>) -> Compared {
        let compared = |changes| Compared { typed: self.typed.clone(), commit: self.commit.clone(), changes };
        let Some(path) = self.path(path) else {
            return compared(Changes::Not("it lies outside of this repository".to_owned()));
        };
        if !self.files.contains(&path) {
            return compared(Changes::New);
        }
        let Some(new) = new else { return compared(Changes::Not("it can't be read now".to_owned())) };
        let Some(bytes) = git::file_at(&self.workspace, &self.commit, &path).await else {
            return compared(Changes::Not("git can't read it in that commit".to_owned()));
        };
        if format.of_content(&bytes) != format {
            return compared(Changes::Not("it was of another format then".to_owned()));
        }
        match parse(format, &bytes) {
            Err(damage) => compared(Changes::Not(format!("it could not be read then: {damage}"))),
            Ok(old) => {
                let (diff, findings) = examine_changes(&old, new);
                compared(Changes::Since(Box::new(diff), findings))
            }
        }
    }

    /// The path from the top of the repository, as git writes it.
    fn path(&self, path: &Path) -> Option<String> {
        let absolute = path
            .parent()
            .map(|p| if p == Path::new("") { Path::new(".") } else { p })?
            .canonicalize()
            .ok()?;
        let path = absolute.join(path.file_name()?);
        path.strip_prefix(&self.top).ok()?.to_str().map(str::to_owned)
    }
}
