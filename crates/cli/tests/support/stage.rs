//! A stage: one lab project, broken on demand, with everything that Regreen may write below one folder, and a log of
//! every call of the package manager.

use std::{
    ffi::OsString,
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use regreen_engine::State;
use regreen_lab::{
    Lab, PackageManager, Project,
    damage::{CacheDamage, LockfileDamage},
};
use tempfile::TempDir;

use super::tree;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The lockfile.
    Lockfile(LockfileDamage),
    /// The package cache.
    Cache(CacheDamage),
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code as a shell shows it.
    pub code: i32,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// The lines on standard error that are Regreen's own.
    pub fn own_lines(&self) -> String {
        let own = |line: &&str| line.starts_with("regreen:") || line.starts_with("       |");
        self.err.lines().filter(own).collect::<Vec<_>>().join("\n")
    }
}

/// A lab project on which the real `regreen` runs.
pub struct Stage {
    folder: TempDir,
    /// The registry, for scripts of faults.
    pub lab: Lab,
    /// The project.
    pub project: Project,
    /// The lockfile before it was damaged.
    pub good: Vec<u8>,
    /// The lockfile as the stage is set.
    pub set: Vec<u8>,
    cache_hit: Option<PathBuf>,
    extra: Vec<(OsString, OsString)>,
}

impl Stage {
    /// A sound project of this package manager.
    pub fn new(manager: PackageManager) -> Stage {
        let folder = tempfile::Builder::new().prefix("regreen-test-").tempdir().unwrap();
        let lab = Lab::start().unwrap();
        let project = Project::create(manager, folder.path(), &lab).unwrap();
        let good = fs::read(project.lockfile()).unwrap();
        for name in ["bin", "tmp"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let stage =
            Stage { folder, lab, project, set: good.clone(), good, cache_hit: None, extra: Vec::new() };
        stage.make_shim();
        stage
    }

    /// A project that is broken in this way.
    pub fn broken(manager: PackageManager, what: Break) -> Stage {
        let mut stage = Stage::new(manager);
        match what {
            Break::Lockfile(damage) => damage.apply(&stage.project).unwrap(),
            Break::Cache(damage) => {
                stage.project.warm_cache().unwrap();
                stage.cache_hit = Some(damage.apply(&stage.project).unwrap());
                if manager == PackageManager::Cargo && damage == CacheDamage::Truncated {
                    // What was unpacked before the damage would hide it.
                    tree::remove(&stage.project.cache().join("registry/src"));
                }
            }
        }
        stage.keep();
        stage
    }

    /// Remembers the checkout and the cache as they are now: [`Stage::reset`] comes back to this.
    pub fn keep(&mut self) {
        self.set = fs::read(self.project.lockfile()).unwrap();
        for (name, place) in [("app", self.project.root()), ("cache", self.project.cache())] {
            let kept = self.base().join("kept").join(name);
            tree::remove(&kept);
            fs::create_dir_all(kept.parent().unwrap()).unwrap();
            if place.exists() {
                tree::copy(&place, &kept);
            }
        }
    }

    /// Everything as it was kept, with no state and an empty log of calls.
    pub fn reset(&self) {
        for (name, place) in [("app", self.project.root()), ("cache", self.project.cache())] {
            tree::remove(&place);
            let kept = self.base().join("kept").join(name);
            if kept.exists() {
                tree::copy(&kept, &place);
            }
        }
        for place in [self.state_home(), self.tmp(), self.calls_file(), self.calls_apart_file()] {
            tree::remove(&place);
        }
        fs::create_dir_all(self.tmp()).unwrap();
    }

    /// The folder that holds everything.
    pub fn base(&self) -> &Path {
        self.folder.path()
    }

    /// `TMPDIR` of all commands.
    pub fn tmp(&self) -> PathBuf {
        self.base().join("tmp")
    }

    /// `XDG_STATE_HOME` of all commands.
    pub fn state_home(&self) -> PathBuf {
        self.base().join("state")
    }

    /// Regreen's state of the project.
    pub fn state(&self) -> State {
        self.state_at(&self.project.root())
    }

    /// Regreen's state of another checkout.
    pub fn state_at(&self, root: &Path) -> State {
        State::of(&self.state_home().join("regreen"), &root.canonicalize().unwrap())
    }

    /// Which path of the cache was hit.
    pub fn cache_hit(&self) -> Option<&Path> {
        self.cache_hit.as_deref()
    }

    /// The same path in the copy that was kept.
    pub fn kept_cache_hit(&self) -> Option<PathBuf> {
        let below = self.cache_hit()?.strip_prefix(self.project.cache()).unwrap().to_owned();
        Some(self.base().join("kept/cache").join(below))
    }

    /// The checkout without what installs put into it and without git's own files.
    pub fn checkout(&self) -> tree::Tree {
        tree::read(&self.project.root(), &["node_modules", "target", ".venv", "__pycache__", ".git"])
    }

    /// Sets a variable for all commands to come.
    pub fn env(&mut self, name: &str, value: impl Into<OsString>) {
        self.extra.retain(|(known, _)| known != name);
        self.extra.push((name.into(), value.into()));
    }

    /// Every call of the package manager with its arguments, oldest first.
    pub fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.calls_file()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How often the install command was run.
    pub fn installs(&self) -> usize {
        let wanted = self.project.install_argv()[1..].join(" ");
        self.calls().iter().filter(|call| **call == wanted).count()
    }

    /// Notes elsewhere what this command and its children call, so that nobody else's calls are taken for theirs.
    pub fn apart<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("TEST_CALLS", self.calls_apart_file())
    }

    /// Every call of the package manager that was noted apart.
    pub fn calls_apart(&self) -> String {
        fs::read_to_string(self.calls_apart_file()).unwrap_or_default()
    }

    /// A program in the checkout, in the project's surroundings as in a CI job. Every variable is set here and
    /// nothing is inherited.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.project.root())
            .env_clear()
            .envs(self.project.env().iter().map(|(k, v)| (k, v)))
            .env("PATH", self.search_path())
            .env("CI", "true")
            .env("TMPDIR", self.tmp())
            .env("XDG_STATE_HOME", self.state_home())
            .envs(self.extra.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null());
        command
    }

    /// `regreen` with these arguments.
    pub fn regreen(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(REGREEN);
        command.args(arguments);
        command
    }

    /// `regreen run --` the install command.
    pub fn run_install(&self) -> Command {
        let mut command = self.regreen(&["run", "--"]);
        command.args(self.project.install_argv());
        command
    }

    /// The package manager's own install, without Regreen.
    pub fn plain_install(&self) -> Said {
        let argv = self.project.install_argv();
        let mut command = self.program(argv[0]);
        command.args(&argv[1..]);
        said(&mut command)
    }

    fn make_shim(&self) {
        let name = self.project.install_argv()[0];
        let path = std::env::var_os("PATH").unwrap();
        let real = std::env::split_paths(&path).map(|f| f.join(name)).find(|f| f.is_file());
        let real = real.unwrap_or_else(|| panic!("{name} is not installed"));
        // What a test wants said is in the environment, not in this file: a search of the disk must not find it here.
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >>\"${{TEST_CALLS:-{}}}\"\n\
             if [ -n \"$TEST_SAYS\" ]; then printf '%s\\n' \"$TEST_SAYS\"; fi\nexec '{}' \"$@\"\n",
            self.calls_file().display(),
            real.display()
        );
        let shim = self.base().join("bin").join(name);
        fs::write(&shim, script).unwrap();
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn calls_file(&self) -> PathBuf {
        self.base().join("calls")
    }

    fn calls_apart_file(&self) -> PathBuf {
        self.base().join("calls-apart")
    }

    fn search_path(&self) -> OsString {
        let env = self.project.env().iter();
        let path = env.filter(|(k, _)| *k == "PATH").map(|(_, v)| v.clone()).next().unwrap_or_default();
        let folders = std::iter::once(self.base().join("bin")).chain(std::env::split_paths(&path));
        std::env::join_paths(folders).unwrap()
    }
}

/// The program under test.
pub const REGREEN: &str = env!("CARGO_BIN_EXE_regreen");

/// Runs to the end.
pub fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: shell_code(output.status),
        out: output.stdout,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The exit code as a shell shows it.
pub fn shell_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Starts it with both outputs in one file: no pipe of ours keeps an orphan alive or blocks on it.
pub fn start_into(command: &mut Command, file: &Path) -> Child {
    let out = File::create(file).unwrap();
    let err = out.try_clone().unwrap();
    command.stdout(out).stderr(err).spawn().unwrap()
}
