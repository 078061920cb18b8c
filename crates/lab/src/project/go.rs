//! A Go module with a test: `go.mod`, `go.sum`, and the lab as its module proxy.
//!
//! Go has no setting for time-outs or retries of its downloads.

use std::ffi::OsString;
use std::path::Path;

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::{Edition, PackageManager, Release, go_files_hash, go_mod_hash, module_path};

use super::kind::{Kind, remove_from};
use super::{Project, isolation};

/// Go's projects.
pub(super) struct Go;

const CODE: &str = "// Package app is a project of the Regreen lab.
package app

import (
\talpha \"lab.example/regreen-lab-alpha\"
\t_ \"lab.example/regreen-lab-gamma/v2\"
)

// Greet says which package greets.
func Greet() string {
\treturn alpha.Greeting
}
";
const TEST: &str = "package app

import \"testing\"

func TestGreet(t *testing.T) {
\tif Greet() != \"regreen-lab-alpha 1.1.0\" {
\t\tt.Fatal(Greet())
\t}
}
";

impl Kind for Go {
    fn program(&self) -> &'static str {
        "go"
    }

    fn manifest_name(&self) -> &'static str {
        "go.mod"
    }

    fn lockfile_name(&self) -> &'static str {
        "go.sum"
    }

    fn install_argv(&self) -> &'static [&'static str] {
        &["go", "mod", "download"]
    }

    fn test_argv(&self) -> &'static [&'static str] {
        &["go", "test", "./..."]
    }

    fn registry_folder(&self) -> &'static str {
        "go"
    }

    fn downloads(&self) -> &'static str {
        "/go/**.zip"
    }

    fn environment(&self, base: &Path, lab: &Lab) -> Vec<(&'static str, OsString)> {
        vec![
            ("GOPROXY", lab.registry_url(PackageManager::Go).into()),
            // The lab's modules are in no checksum database.
            ("GONOSUMDB", "lab.example".into()),
            ("GOMODCACHE", isolation::cache(base).into()),
            ("GOCACHE", base.join("build-cache").into()),
            ("GOENV", "off".into()),
            // So that the folder can be removed.
            ("GOFLAGS", "-modcacherw".into()),
            ("CGO_ENABLED", "0".into()),
        ]
    }

    fn lay_out(&self, project: &Project, _: &Lab) -> Result<(), LabError> {
        let root = project.root();
        files::write(&root.join("app.go"), CODE)?;
        files::write(&root.join("app_test.go"), TEST)
    }

    fn manifest(&self, needed: &[&str]) -> String {
        let required = |releases: &[Release], mark: &str| -> String {
            let mut lines: Vec<String> =
                releases.iter().map(|r| format!("\t{} v{}{mark}\n", module_path(*r), r.version)).collect();
            lines.sort();
            lines.concat()
        };
        let (direct, indirect): (Vec<Release>, Vec<Release>) =
            super::closure(needed).into_iter().partition(|release| needed.contains(&release.name));
        format!(
            "module lab.example/app\n\ngo 1.19\n\nrequire (\n{})\n\nrequire (\n{})\n",
            required(&direct, ""),
            required(&indirect, " // indirect")
        )
    }

    fn lockfile(&self, _: &[&str], pinned: &[Release]) -> String {
        let mut lines: Vec<String> = pinned
            .iter()
            .flat_map(|release| {
                let at = format!("{} v{}", module_path(*release), release.version);
                [
                    format!("{at} {}\n", go_files_hash(*release, Edition::Honest)),
                    format!("{at}/go.mod {}\n", go_mod_hash(*release)),
                ]
            })
            .collect();
        lines.sort();
        lines.concat()
    }

    fn remove_installed(&self, project: &Project) -> Result<(), LabError> {
        remove_from(project, "vendor")
    }

    fn checksum(&self, artefact: &[u8]) -> String {
        let release = |edition| {
            let releases = crate::packages::RELEASES.iter();
            let mut found =
                releases.filter(|r| crate::packages::artefact(PackageManager::Go, **r, edition) == artefact);
            found.next().map(|release| go_files_hash(*release, edition))
        };
        release(Edition::Honest).or_else(|| release(Edition::Tampered)).unwrap_or_default()
    }

    fn before_checksum(&self) -> &'static str {
        "/go.mod h1:"
    }

    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError> {
        Ok(text.split_inclusive('\n').filter(|line| !line.contains(gone)).collect())
    }

    fn forget_unpacked(&self, project: &Project) -> Result<(), LabError> {
        files::remove(&project.cache().join("lab.example"))
    }

    fn most_retries(&self) -> Vec<(&'static str, &'static str)> {
        vec![]
    }
}
