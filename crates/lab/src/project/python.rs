//! What the projects of Python's package managers share: code, a test, and the interpreter.

use std::path::PathBuf;
use std::process::Command;

use crate::error::LabError;
use crate::files;

use super::Project;

const CODE: &str = "import regreen_lab_alpha\n\n\ndef greet():\n    return regreen_lab_alpha.GREETING\n";
const TEST: &str = "import unittest

from app import greet


class Greets(unittest.TestCase):
    def test_greets(self):
        self.assertEqual(greet(), \"regreen-lab-alpha 1.1.0\")
";

/// Writes the code and its test.
pub(super) fn write_code(project: &Project) -> Result<(), LabError> {
    let root = project.root();
    files::write(&root.join("app.py"), CODE)?;
    files::write(&root.join("test_app.py"), TEST)
}

/// The interpreter itself behind what the caller's PATH leads to, which may be a version manager's shim that works
/// in the caller's home alone.
pub(super) fn interpreter() -> Option<PathBuf> {
    let said = callers_python(&["-c", "import sys; print(sys.executable)"]).ok()?;
    Some(PathBuf::from(said.trim_end()))
}

/// Runs the python that the caller would get, with the caller's environment: it may be a version manager's shim.
pub(super) fn callers_python(arguments: &[&str]) -> Result<String, LabError> {
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

/// Makes a virtual environment without pip, for tools that need none in it.
pub(super) fn make_environment(project: &Project) -> Result<(), LabError> {
    let folder = project.root().join(".venv");
    callers_python(&["-m", "venv", "--without-pip", &folder.display().to_string()]).map(drop)
}
