//! A small real project for one package manager: manifest, lockfile, code with a test, caches and git history.
//!
//! Everything that belongs to it lies below one folder: `app/` is the checkout, `home/` the HOME of its commands,
//! `cache/` the package manager's cache. Lockfiles are written down, not asked for: they equal what the real tool
//! writes (the lab's tests compare them), so that setting up a scenario takes no network and few milliseconds.

mod bun;
mod bundler;
mod cargo;
mod composer;
mod git;
mod go;
mod isolation;
mod javascript;
mod kind;
mod npm;
mod pip;
mod pipenv;
mod pnpm;
mod poetry;
mod python;
mod uv;
mod yarn;
mod yarn_berry;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::{PackageManager, Release};

/// A project in a folder of its own, committed on branch `main`.
#[derive(Debug)]
pub struct Project {
    manager: PackageManager,
    base: PathBuf,
    lab: SocketAddr,
    env: Vec<(&'static str, OsString)>,
}

/// What a new project needs, by name; each at its newest release.
pub(crate) const NEEDED: &[&str] = &["regreen-lab-alpha", "regreen-lab-gamma"];

impl Project {
    /// Makes a project below `base`, which takes its packages from `lab`, and commits it.
    pub fn create(manager: PackageManager, base: &Path, lab: &Lab) -> Result<Project, LabError> {
        let env = isolation::environment(manager, base, lab);
        isolation::must_find(manager, &env)?;
        let project = Project { manager, base: base.to_owned(), lab: lab.address(), env };
        files::make_folder(&base.join("home"))?;
        files::make_folder(&project.root())?;
        manager.kind().lay_out(&project, lab)?;
        project.write_dependencies(NEEDED)?;
        project.start_history()?;
        Ok(project)
    }

    /// Whose project it is.
    pub fn manager(&self) -> PackageManager {
        self.manager
    }

    /// The checkout.
    pub fn root(&self) -> PathBuf {
        self.base.join("app")
    }

    /// The HOME of its commands.
    pub fn home(&self) -> PathBuf {
        isolation::home(&self.base)
    }

    /// The package manager's cache: npm's `cache`, `CARGO_HOME`, pip's cache folder.
    pub fn cache(&self) -> PathBuf {
        isolation::cache(&self.base)
    }

    /// The file that people edit to say what the project needs.
    pub fn manifest(&self) -> PathBuf {
        self.root().join(self.manager.kind().manifest_name())
    }

    /// The file that pins every version and checksum.
    pub fn lockfile(&self) -> PathBuf {
        self.root().join(self.manager.kind().lockfile_name())
    }

    /// The command that a CI job installs with.
    pub fn install_argv(&self) -> &'static [&'static str] {
        self.manager.kind().install_argv()
    }

    /// The command that a CI job tests with.
    pub fn test_argv(&self) -> &'static [&'static str] {
        self.manager.kind().test_argv()
    }

    /// The whole environment of its commands: own HOME and caches, no retries, short time-outs. Nothing of the
    /// caller's environment but what finds the tools. `CI` is not set.
    pub fn env(&self) -> &[(&'static str, OsString)] {
        &self.env
    }

    /// A command in the checkout with exactly [`Project::env`].
    pub fn command(&self, argv: &[&str]) -> Command {
        let (program, arguments) = argv.split_first().unwrap_or((&"true", &[]));
        let mut command = Command::new(self.program(program));
        command
            .args(arguments)
            .current_dir(self.root())
            .env_clear()
            .envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs a command in the checkout to its end, however it ends.
    pub fn run(&self, argv: &[&str]) -> Result<Output, LabError> {
        let program = argv.first().copied().unwrap_or_default();
        self.command(argv).output().map_err(|source| LabError::Start { program: program.to_owned(), source })
    }

    /// Runs a command that sets the stage: it must succeed.
    pub fn must_run(&self, argv: &[&str]) -> Result<String, LabError> {
        let output = self.run(argv)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let output_text = format!("{}{}", text(&output.stdout), text(&output.stderr));
        Err(LabError::Setup { command: argv.join(" "), status: output.status, output: output_text })
    }

    /// Fills the cache by one real install, and removes what it installed.
    pub fn warm_cache(&self) -> Result<(), LabError> {
        self.must_run(self.install_argv())?;
        self.remove_installed()
    }

    /// Removes what an install put into the checkout. The cache stays.
    pub fn remove_installed(&self) -> Result<(), LabError> {
        self.manager.kind().remove_installed(self)
    }

    /// Writes manifest and lockfile so that they say, in agreement, that the project needs these packages.
    pub fn write_dependencies(&self, needed: &[&str]) -> Result<(), LabError> {
        self.write_manifest(needed)?;
        self.write_lockfile(needed)
    }

    /// Writes the manifest alone: the way to a drift.
    pub fn write_manifest(&self, needed: &[&str]) -> Result<(), LabError> {
        let kind = self.manager.kind();
        files::write(&self.manifest(), kind.addressed(&kind.manifest(needed), self.lab))
    }

    /// Writes the lockfile alone.
    pub fn write_lockfile(&self, needed: &[&str]) -> Result<(), LabError> {
        let kind = self.manager.kind();
        let text = kind.lockfile(needed, &closure(needed));
        files::write(&self.lockfile(), kind.addressed(&text, self.lab))
    }

    /// A bare program name is looked up in the project's own PATH, not the caller's.
    fn program(&self, name: &str) -> OsString {
        let path = self.env.iter().find(|(key, _)| *key == "PATH").map(|(_, value)| value.clone());
        let found = path.as_deref().and_then(|path| isolation::find_program(name, path));
        found.map_or_else(|| OsString::from(name), PathBuf::into_os_string)
    }
}

/// The newest releases of these packages and of all that they need, sorted by name.
pub(crate) fn closure(needed: &[&str]) -> Vec<Release> {
    let mut found: Vec<Release> = Vec::new();
    let mut open: Vec<&str> = needed.to_vec();
    while let Some(name) = open.pop() {
        if let Some(release) = Release::latest(name).filter(|release| !found.contains(release)) {
            open.extend(release.needs);
            found.push(release);
        }
    }
    found.sort_by_key(|release| release.name);
    found
}
