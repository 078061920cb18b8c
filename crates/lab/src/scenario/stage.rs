//! Setting a scenario up: the project, its history, and what breaks.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::{Scenario, Setting};
use crate::damage::{CacheDamage, LockfileDamage};
use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::project::Project;

/// A scenario that is set up in a folder of its own. Dropping it removes everything.
#[derive(Debug)]
pub struct Stage {
    pub(super) scenario: Scenario,
    pub(super) folder: tempfile::TempDir,
    pub(super) mirror: Option<Lab>,
    pub(super) project: Project,
    pub(super) argv: Vec<String>,
    pub(super) before: BTreeMap<PathBuf, Vec<u8>>,
    /// The lockfile before it was damaged.
    good: Vec<u8>,
    _lab: Lab,
}

impl Stage {
    /// Sets it up: a sound project first, then the damage, and last the registry's faults.
    ///
    /// # Errors
    /// [`LabError`] where the stage can't be set.
    pub fn set(scenario: &Scenario) -> Result<Stage, LabError> {
        let folder = tempfile::Builder::new()
            .prefix("regreen-scenario-")
            .tempdir()
            .map_err(LabError::file("make", &env::temp_dir()))?;
        let lab = Lab::start()?;
        let mirror = scenario.mirror.then(Lab::start).transpose()?;
        let project = Project::create(scenario.tool, folder.path(), &lab)?;
        let argv = match &scenario.command {
            Some(argv) => argv.clone(),
            None => project.install_argv().iter().map(|word| (*word).to_owned()).collect(),
        };
        let good = files::read(&project.lockfile())?;
        break_it(scenario, &project)?;
        lab.set_script(scenario.registry.clone());
        let before = picture(&project.root())?;
        count_calls(folder.path(), &project, &argv)?;
        Ok(Stage { scenario: scenario.clone(), folder, mirror, project, argv, before, good, _lab: lab })
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The lockfile before it was damaged.
    pub fn good_lockfile(&self) -> &[u8] {
        &self.good
    }

    /// How often the wrapped command itself was run so far.
    pub(super) fn calls(&self) -> usize {
        fs::read_to_string(calls(self.folder.path())).unwrap_or_default().lines().count()
    }

    /// PATH with the shim that counts calls in front.
    pub(super) fn path(&self) -> std::ffi::OsString {
        let path = project_path(&self.project);
        let folders = std::iter::once(shims(self.folder.path())).chain(env::split_paths(&path));
        env::join_paths(folders).unwrap_or(path)
    }
}

fn break_it(scenario: &Scenario, project: &Project) -> Result<(), LabError> {
    for (path, text) in &scenario.files {
        let path = project.root().join(path);
        files::write(&path, text)?;
        if text.starts_with("#!") {
            make_executable(&path)?;
        }
    }
    if scenario.setting == Setting::PullRequest {
        project.publish_as_base()?;
        project.start_branch("feature")?;
    }
    if !scenario.files.is_empty() {
        project.commit("files")?;
    }
    if scenario.warm {
        project.warm_cache()?;
    }
    if scenario.evil_history {
        // The base does not hold the package at all; the first commit of the branch brings it with the attacker's
        // checksum, the second puts the honest one in its place.
        let honest = files::read(&project.lockfile())?;
        let name = project.lockfile().file_name().unwrap_or_default().to_string_lossy().into_owned();
        project.git(&["rm", "-q", "--cached", &name])?;
        project.git(&["commit", "-q", "-m", "base without a lockfile"])?;
        project.publish_as_base()?;
        LockfileDamage::TamperedChecksum.apply(project)?;
        project.commit("evil")?;
        files::write(&project.lockfile(), honest)?;
        project.commit("honest")?;
    }
    if let Some(damage) = scenario.lockfile {
        damage.apply(project)?;
    }
    if let Some(damage) = scenario.cache {
        damage.apply(project)?;
        // What was unpacked before the damage would hide damage to what it was unpacked from.
        if matches!(damage, CacheDamage::Flipped | CacheDamage::Truncated | CacheDamage::IsFolder) {
            project.manager().kind().forget_unpacked(project)?;
        }
    }
    if scenario.committed {
        project.commit("damage")?;
    }
    Ok(())
}

fn calls(folder: &Path) -> PathBuf {
    folder.join("calls")
}

fn shims(folder: &Path) -> PathBuf {
    folder.join("shims")
}

fn project_path(project: &Project) -> std::ffi::OsString {
    project.env().iter().find(|(key, _)| *key == "PATH").map(|(_, value)| value.clone()).unwrap_or_default()
}

/// Puts a script in front of the wrapped program that counts the calls with exactly these arguments.
fn count_calls(folder: &Path, project: &Project, argv: &[String]) -> Result<(), LabError> {
    let shims = shims(folder);
    files::make_folder(&shims)?;
    let Some((program, arguments)) = argv.split_first() else { return Ok(()) };
    let path = project_path(project);
    let real = env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    // A program of the checkout's own is started by its path, and not counted.
    let Some(real) = real.filter(|_| !program.contains('/')) else { return Ok(()) };
    let script = format!(
        "#!/bin/sh\nif [ \"$*\" = '{}' ]; then echo call >> '{}'; fi\nexec '{}' \"$@\"\n",
        arguments.join(" "),
        calls(folder).display(),
        real.display()
    );
    let shim = shims.join(program);
    files::write(&shim, script)?;
    make_executable(&shim)
}

fn make_executable(path: &Path) -> Result<(), LabError> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .map_err(LabError::file("make executable", path))
}

/// Folders that no picture of a workspace shows: git's own files, and what tools install.
const NOT_IN_THE_PICTURE: [&str; 7] =
    [".git", "node_modules", "target", ".venv", "__pycache__", "vendor", ".yarn"];
/// The one file that a tool installs in the place of a folder: Plug'n'Play's.
const INSTALLED_FILE: &str = ".pnp.cjs";

/// Every file of the workspace with its bytes.
pub(super) fn picture(root: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, LabError> {
    let mut seen = BTreeMap::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        let entries = fs::read_dir(&folder).map_err(LabError::file("list", &folder))?;
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().map_err(LabError::file("look at", &path))?;
            if kind.is_dir() {
                if !name.to_str().is_some_and(|name| NOT_IN_THE_PICTURE.contains(&name)) {
                    todo.push(path);
                }
            } else if kind.is_file() && name != INSTALLED_FILE {
                let bytes = files::read(&path)?;
                seen.insert(path, bytes);
            }
        }
    }
    Ok(seen)
}
