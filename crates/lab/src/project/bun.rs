//! A Bun project: the text lockfile, on npm's registry.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::digest::sha512_sri;
use crate::packages::{Edition, PackageManager, Release, artefact};
use crate::script::PathGlob;

use super::kind::{Kind, remove_from};
use super::{Project, closure, isolation, javascript};

/// Bun's projects.
pub(super) struct Bun;

impl Kind for Bun {
    fn program(&self) -> &'static str {
        "bun"
    }

    fn how_to_get(&self) -> &'static str {
        "scripts/test installs it below target/tools; elsewhere: npm install --global bun@1.4.5"
    }

    fn manifest_name(&self) -> &'static str {
        "package.json"
    }

    fn lockfile_name(&self) -> &'static str {
        "bun.lock"
    }

    fn install_argv(&self) -> &'static [&'static str] {
        &["bun", "install", "--frozen-lockfile"]
    }

    fn test_argv(&self) -> &'static [&'static str] {
        &["bun", "run", "test"]
    }

    fn registry_folder(&self) -> &'static str {
        "npm"
    }

    fn downloads(&self) -> &'static str {
        PathGlob::NPM_TARBALLS
    }

    fn environment(&self, base: &Path, _: &Lab) -> Vec<(&'static str, OsString)> {
        let home = isolation::home(base);
        vec![
            ("BUN_INSTALL_CACHE_DIR", isolation::cache(base).into()),
            ("BUN_TMPDIR", base.join("tmp").into()),
            ("BUN_RUNTIME_TRANSPILER_CACHE_PATH", "0".into()),
            ("npm_config_userconfig", home.join("user.npmrc").into()),
            ("BUN_CONFIG_HTTP_RETRY_COUNT", "0".into()),
            ("BUN_CONFIG_HTTP_IDLE_TIMEOUT", "3".into()),
            ("DO_NOT_TRACK", "1".into()),
        ]
    }

    fn search_path(&self, _: &Path) -> Vec<PathBuf> {
        isolation::installed_tool("bun").into_iter().collect()
    }

    fn lay_out(&self, project: &Project, lab: &Lab) -> Result<(), LabError> {
        let registry = lab.registry_url(PackageManager::Bun);
        files::make_folder(&project.base.join("tmp"))?;
        files::write(&project.root().join(".npmrc"), format!("registry={registry}\n"))?;
        javascript::lay_out(project)
    }

    fn manifest(&self, needed: &[&str]) -> String {
        javascript::manifest(needed)
    }

    /// No address stands in it, as with the public registry: Bun takes the one that it is configured with.
    fn lockfile(&self, needed: &[&str], pinned: &[Release]) -> String {
        let mut text =
            "{\n  \"lockfileVersion\": 2,\n  \"configVersion\": 1,\n  \"workspaces\": {\n    \"\": {\n      \
                        \"name\": \"lab-app\",\n      \"dependencies\": {\n"
                .to_owned();
        for release in closure(needed).into_iter().filter(|release| needed.contains(&release.name)) {
            let _infallible = writeln!(text, "        \"{}\": \"^{}.0.0\",", release.name, release.major());
        }
        text.push_str("      },\n    },\n  },\n  \"packages\": {\n");
        let packages: Vec<String> = pinned.iter().map(|release| package(*release)).collect();
        text.push_str(&packages.join("\n"));
        text.push_str("  }\n}\n");
        text
    }

    fn remove_installed(&self, project: &Project) -> Result<(), LabError> {
        remove_from(project, "node_modules")
    }

    fn checksum(&self, artefact: &[u8]) -> String {
        sha512_sri(artefact)
    }

    fn before_checksum(&self) -> &'static str {
        "\"sha512-"
    }

    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError> {
        let start = format!("    \"{gone}\": [");
        Ok(text.split_inclusive('\n').filter(|line| !line.starts_with(&start)).collect())
    }

    fn most_retries(&self) -> Vec<(&'static str, &'static str)> {
        vec![("BUN_CONFIG_HTTP_RETRY_COUNT", "10")]
    }
}

fn package(release: Release) -> String {
    let Release { name, version, needs } = release;
    let integrity = sha512_sri(&artefact(PackageManager::Bun, release, Edition::Honest));
    let needs = match needs {
        [] => "{}".to_owned(),
        needs => {
            let ranges: Vec<String> =
                needs.iter().map(|needed| format!("\"{needed}\": \"^1.0.0\"")).collect();
            format!("{{ \"dependencies\": {{ {} }} }}", ranges.join(", "))
        }
    };
    format!("    \"{name}\": [\"{name}@{version}\", \"\", {needs}, \"{integrity}\"],\n")
}
