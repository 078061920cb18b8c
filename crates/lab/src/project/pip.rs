//! A pip project: `requirements.in` says what is needed, `requirements.txt` pins it with hashes, a virtual
//! environment takes it.
//!
//! `python3 -m venv` spends seconds on unpacking pip. The lab makes the environment without it and copies the
//! interpreter's own pip instead: a tenth of a second, and the very pip that is installed.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::error::LabError;
use crate::files;
use crate::packages::digest::sha256_hex;
use crate::packages::{Edition, PackageManager, Release, artefact};

use super::{Project, isolation};

const CODE: &str = "import regreen_lab_alpha\n\n\ndef greet():\n    return regreen_lab_alpha.GREETING\n";
const TEST: &str = "import unittest

from app import greet


class Greets(unittest.TestCase):
    def test_greets(self):
        self.assertEqual(greet(), \"regreen-lab-alpha 1.1.0\")
";

/// Asks the caller's python where its pip lies: the folder of packages, then pip's version.
const WHERE_IS_PIP: &str =
    "import os, pip; print(os.path.dirname(os.path.dirname(pip.__file__))); print(pip.__version__)";

pub(super) fn lay_out(project: &Project) -> Result<(), LabError> {
    let root = project.root();
    files::write(&root.join("app.py"), CODE)?;
    files::write(&root.join("test_app.py"), TEST)?;
    make_venv(project)
}

pub(super) fn manifest(needed: &[&str]) -> String {
    needed
        .iter()
        .filter_map(|name| Release::latest(name))
        .map(|release| format!("{}~={}.0\n", release.name, release.major()))
        .collect()
}

pub(super) fn lockfile(pinned: &[Release]) -> String {
    pinned
        .iter()
        .map(|release| {
            let sha256 = sha256_hex(&artefact(PackageManager::Pip, *release, Edition::Honest));
            format!("{}=={} \\\n    --hash=sha256:{sha256}\n", release.name, release.version)
        })
        .collect()
}

fn make_venv(project: &Project) -> Result<(), LabError> {
    let venv = isolation::venv(&project.base);
    callers_python(&["-m", "venv", "--without-pip", &venv.display().to_string()])?;
    let answer = callers_python(&["-c", WHERE_IS_PIP])?;
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

/// Runs the python that the caller would get, with the caller's environment: it may be a version manager's shim.
fn callers_python(arguments: &[&str]) -> Result<String, LabError> {
    let output = Command::new("python3")
        .args(arguments)
        .output()
        .map_err(|source| LabError::Start { program: "python3".to_owned(), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(LabError::Setup {
        command: format!("python3 {}", arguments.join(" ")),
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
