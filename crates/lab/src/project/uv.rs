//! A uv project: `pyproject.toml` names the lab as its default index, `uv.lock` pins versions, addresses and hashes.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::error::LabError;
use crate::lab::Lab;
use crate::packages::digest::sha256_hex;
use crate::packages::{Edition, PackageManager, Release, artefact, foreign_name, foreign_wheel, wheel_name};
use crate::script::PathGlob;

use super::kind::{ADDRESS, Kind, remove_from, without_block};
use super::{Project, isolation, python};

/// uv's projects.
pub(super) struct Uv;

impl Kind for Uv {
    fn program(&self) -> &'static str {
        "uv"
    }

    fn how_to_get(&self) -> &'static str {
        "run scripts/test once, which installs it below target/tools, or `pip install uv==0.13.9`"
    }

    fn manifest_name(&self) -> &'static str {
        "pyproject.toml"
    }

    fn lockfile_name(&self) -> &'static str {
        "uv.lock"
    }

    fn install_argv(&self) -> &'static [&'static str] {
        &["uv", "sync", "--locked"]
    }

    fn test_argv(&self) -> &'static [&'static str] {
        &["uv", "run", "python", "-m", "unittest"]
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

    fn environment(&self, base: &Path, _: &Lab) -> Vec<(&'static str, OsString)> {
        let mut env: Vec<(&'static str, OsString)> = vec![
            ("UV_CACHE_DIR", isolation::cache(base).into()),
            ("UV_HTTP_TIMEOUT", "3".into()),
            ("UV_HTTP_RETRIES", "0".into()),
            ("UV_PYTHON_DOWNLOADS", "never".into()),
        ];
        env.extend(python::interpreter().map(|python| ("UV_PYTHON", python.into())));
        env
    }

    fn search_path(&self, _: &Path) -> Vec<PathBuf> {
        isolation::installed_tool("uv").into_iter().collect()
    }

    fn lay_out(&self, project: &Project, _: &Lab) -> Result<(), LabError> {
        python::write_code(project)?;
        make_environment(project)
    }

    fn manifest(&self, needed: &[&str]) -> String {
        let asked = needed
            .iter()
            .filter_map(|name| Release::latest(name))
            .map(|release| format!("    \"{}~={}.0\",\n", release.name, release.major()))
            .collect::<String>();
        format!(
            "[project]\nname = \"lab-app\"\nversion = \"1.0.0\"\nrequires-python = \">=3.9\"\n\
             dependencies = [\n{asked}]\n\n\
             [[tool.uv.index]]\nname = \"lab\"\nurl = \"http://{ADDRESS}/pip/simple/\"\ndefault = true\n"
        )
    }

    /// As uv 0.13.9 writes it, revision 5.
    fn lockfile(&self, needed: &[&str], pinned: &[Release]) -> String {
        let mut direct: Vec<Release> = needed.iter().filter_map(|name| Release::latest(name)).collect();
        direct.sort_by_key(|release| release.name);
        let asked: String = direct
            .iter()
            .map(|release| {
                format!("    {{ name = \"{}\", specifier = \"~={}.0\" }},\n", release.name, release.major())
            })
            .collect();
        let names: Vec<&str> = direct.iter().map(|release| release.name).collect();
        let mut text = format!(
            "version = 1\nrevision = 5\nrequires-python = \">=3.9\"\n\n\
             [[package]]\nname = \"lab-app\"\nversion = \"1.0.0\"\nsource = {{ virtual = \".\" }}\n{}\n\
             [package.metadata]\nrequires-dist = [\n{asked}]\n",
            dependencies(&names)
        );
        for release in pinned {
            text.push_str(&entry(*release));
        }
        text
    }

    fn remove_installed(&self, project: &Project) -> Result<(), LabError> {
        remove_from(project, ".venv")?;
        make_environment(project)
    }

    fn checksum(&self, artefact: &[u8]) -> String {
        sha256_hex(artefact)
    }

    fn before_checksum(&self) -> &'static str {
        "hash = \"sha256:"
    }

    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError> {
        Ok(without_block(text, &format!("[[package]]\nname = \"{gone}\"\n")))
    }

    fn most_retries(&self) -> Vec<(&'static str, &'static str)> {
        vec![("UV_HTTP_RETRIES", "10")]
    }
}

/// `uv sync` makes one itself, `uv pip` wants one.
fn make_environment(project: &Project) -> Result<(), LabError> {
    project.must_run(&["uv", "venv", "--quiet"]).map(drop)
}

fn dependencies(names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let lines: String = names.iter().map(|name| format!("    {{ name = \"{name}\" }},\n")).collect();
    format!("dependencies = [\n{lines}]\n")
}

fn entry(release: Release) -> String {
    let Release { name, version, needs } = release;
    let sha256 = sha256_hex(&artefact(PackageManager::Uv, release, Edition::Honest));
    let of_foreign = sha256_hex(&foreign_wheel(release, Edition::Honest));
    let wheel = |file: String, sha256: &str| {
        format!("    {{ url = \"http://{ADDRESS}/pip/files/{file}\", hash = \"sha256:{sha256}\" }},\n")
    };
    format!(
        "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
         source = {{ registry = \"http://{ADDRESS}/pip/simple/\" }}\n{}wheels = [\n{}{}]\n",
        dependencies(needs),
        wheel(wheel_name(release), &sha256),
        wheel(foreign_name(release), &of_foreign)
    )
}
