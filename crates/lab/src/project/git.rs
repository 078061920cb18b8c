//! The project's history: a good state on `main`, branches, and the base branch of a pull request.

use crate::error::LabError;
use crate::files;

use super::Project;

impl Project {
    /// Commits everything that isn't ignored.
    pub fn commit(&self, message: &str) -> Result<(), LabError> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]).map(drop)
    }

    /// Makes a branch at HEAD and switches to it.
    pub fn start_branch(&self, name: &str) -> Result<(), LabError> {
        self.git(&["switch", "--quiet", "--create", name]).map(drop)
    }

    /// Switches to a branch that is there.
    pub fn switch(&self, name: &str) -> Result<(), LabError> {
        self.git(&["switch", "--quiet", name]).map(drop)
    }

    /// Makes HEAD the remote's `main`, as a fetch would have: what a pull request is compared with.
    pub fn publish_as_base(&self) -> Result<(), LabError> {
        self.git(&["update-ref", "refs/remotes/origin/main", "HEAD"])?;
        self.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]).map(drop)
    }

    /// What `git status --porcelain` says: empty where the checkout equals HEAD.
    pub fn uncommitted(&self) -> Result<String, LabError> {
        self.git(&["status", "--porcelain"])
    }

    /// Runs git in the checkout; it must succeed.
    pub fn git(&self, arguments: &[&str]) -> Result<String, LabError> {
        self.must_run(&[&["git"], arguments].concat())
    }

    pub(super) fn start_history(&self) -> Result<(), LabError> {
        files::write(
            &self.root().join(".gitignore"),
            "/node_modules/\n/target/\n/.venv/\n__pycache__/\n/.yarn/\n/.pnp.*\n/vendor/\n",
        )?;
        self.git(&["init", "--quiet", "--initial-branch", "main"])?;
        for (key, value) in [("user.name", "Lab"), ("user.email", "lab@example.invalid"), ("gc.auto", "0")] {
            self.git(&["config", key, value])?;
        }
        self.commit("a good state")
    }
}
