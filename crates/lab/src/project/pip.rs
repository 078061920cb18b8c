//! A pip project: `requirements.in` says what is needed, `requirements.txt` pins it with hashes, a virtual
//! environment takes it.
//!
//! `python3 -m venv` spends seconds on unpacking pip. The lab makes the environment without it and copies the
//! interpreter's own pip instead: a tenth of a second, and the very pip that is installed.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::digest::sha256_hex;
use crate::packages::{Edition, PackageManager, Release, artefact};
use crate::script::PathGlob;

use super::kind::Kind;
use super::{NEEDED, Project, closure, isolation, python};

/// pip's projects.
pub(super) struct Pip;

/// Asks the caller's python where its pip lies: the folder of packages, then pip's version.
const WHERE_IS_PIP: &str =
    "import os, pip; print(os.path.dirname(os.path.dirname(pip.__file__))); print(pip.__version__)";

impl Kind for Pip {
    fn program(&self) -> &'static str {
        "python3"
    }

    fn manifest_name(&self) -> &'static str {
        "requirements.in"
    }

    fn lockfile_name(&self) -> &'static str {
        "requirements.txt"
    }

    fn install_argv(&self) -> &'static [&'static str] {
        &["pip", "install", "-r", "requirements.txt"]
    }

    fn test_argv(&self) -> &'static [&'static str] {
        &["python", "-m", "unittest"]
    }

    fn registry_folder(&self) -> &'static str {
        "pip"
    }

    fn registry_url(&self, lab: SocketAddr) -> String {
        format!("http://{lab}/pip/simple/")
    }

    fn downloads(&self) -> &'static str {
        PathGlob::PIP_FILES
    }

    fn environment(&self, base: &Path, lab: &Lab) -> Vec<(&'static str, OsString)> {
        environment(base, lab)
    }

    fn search_path(&self, base: &Path) -> Vec<PathBuf> {
        vec![venv(base).join("bin")]
    }

    fn lay_out(&self, project: &Project, _: &Lab) -> Result<(), LabError> {
        python::write_code(project)?;
        make_venv(project)
    }

    fn manifest(&self, needed: &[&str]) -> String {
        needed
            .iter()
            .filter_map(|name| Release::latest(name))
            .map(|release| format!("{}~={}.0\n", release.name, release.major()))
            .collect()
    }

    fn lockfile(&self, _: &[&str], pinned: &[Release]) -> String {
        pinned
            .iter()
            .map(|release| {
                let sha256 = sha256_hex(&artefact(PackageManager::Pip, *release, Edition::Honest));
                format!("{}=={} \\\n    --hash=sha256:{sha256}\n", release.name, release.version)
            })
            .collect()
    }

    fn remove_installed(&self, project: &Project) -> Result<(), LabError> {
        uninstall(project)
    }

    fn checksum(&self, artefact: &[u8]) -> String {
        sha256_hex(artefact)
    }

    /// A hash is cut in its name, for half a hash is still a hash to pip.
    fn before_checksum(&self) -> &'static str {
        "--hash=sha"
    }

    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError> {
        let mut lines = text.lines();
        let mut kept = String::new();
        while let Some(line) = lines.next() {
            if line.starts_with(gone) {
                lines.next();
            } else {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        Ok(kept)
    }

    /// What pip installs from is the lockfile: a line without a hash is its drift.
    fn drift(&self, project: &Project) -> Result<(), LabError> {
        project.write_manifest(&[NEEDED, &["regreen-lab-omega"]].concat())?;
        let text = files::read_text(&project.lockfile())?;
        files::write(&project.lockfile(), format!("{text}regreen-lab-omega==1.0.0\n"))
    }

    fn most_retries(&self) -> Vec<(&'static str, &'static str)> {
        vec![("PIP_RETRIES", "10")]
    }
}

/// pip's own settings: an index, few and short tries, nothing of the machine's configuration.
pub(super) fn environment(base: &Path, lab: &Lab) -> Vec<(&'static str, OsString)> {
    vec![
        ("PIP_CACHE_DIR", isolation::cache(base).into()),
        ("PIP_CONFIG_FILE", "/dev/null".into()),
        ("PIP_INDEX_URL", lab.registry_url(PackageManager::Pip).into()),
        // Without it pip would neither accept nor cache an index without TLS.
        ("PIP_TRUSTED_HOST", lab.address().to_string().into()),
        // With none at all, pip hides why an index can't be reached.
        ("PIP_RETRIES", "1".into()),
        ("PIP_DEFAULT_TIMEOUT", "3".into()),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1".into()),
        ("PIP_ROOT_USER_ACTION", "ignore".into()),
        ("PIP_NO_INPUT", "1".into()),
    ]
}

/// Removes the lab's packages from the environment of a project.
pub(super) fn uninstall(project: &Project) -> Result<(), LabError> {
    let pip = venv(&project.base).join("bin/pip").display().to_string();
    let installed: Vec<&str> = closure(NEEDED).iter().map(|release| release.name).collect();
    project.must_run(&[&[pip.as_str(), "uninstall", "-y", "-q"][..], &installed].concat()).map(drop)
}

/// The virtual environment of a pip project.
fn venv(base: &Path) -> PathBuf {
    base.join("app").join(".venv")
}

/// Makes it, with pip in it.
pub(super) fn make_venv(project: &Project) -> Result<(), LabError> {
    let venv = venv(&project.base);
    python::callers_python(&["-m", "venv", "--without-pip", &venv.display().to_string()])?;
    let answer = python::callers_python(&["-c", WHERE_IS_PIP])?;
    let mut lines = answer.lines();
    let (packages, version) =
        (PathBuf::from(lines.next().unwrap_or_default()), lines.next().unwrap_or_default());
    let python = venv.join("bin/python");
    let site = project.must_run(&[
        &python.display().to_string(),
        "-c",
        "import sysconfig; print(sysconfig.get_paths()['purelib'])",
    ])?;
    let site = PathBuf::from(site.trim_end());
    files::copy_folder(&packages.join("pip"), &site.join("pip"))?;
    let info = format!("pip-{version}.dist-info");
    if packages.join(&info).is_dir() {
        files::copy_folder(&packages.join(&info), &site.join(&info))?;
    }
    let script = venv.join("bin/pip");
    files::write(
        &script,
        format!(
            "#!{}\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n",
            python.display()
        ),
    )?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))
        .map_err(LabError::file("make executable", &script))
}
