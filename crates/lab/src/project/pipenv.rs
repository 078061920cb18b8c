//! A Pipenv project: its `Pipfile` names PyPI, and `PIPENV_PYPI_MIRROR` the lab, so that no file of it holds the
//! lab's address.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::LabError;
use crate::lab::Lab;
use crate::packages::digest::sha256_hex;
use crate::packages::{Edition, PackageManager, Release, artefact, foreign_wheel};
use crate::script::PathGlob;

use super::kind::Kind;
use super::{Project, isolation, pip, python};

/// Pipenv's projects.
pub(super) struct Pipenv;

impl Kind for Pipenv {
    fn program(&self) -> &'static str {
        "pipenv"
    }

    fn how_to_get(&self) -> &'static str {
        "run scripts/test once, which installs it below target/tools, or `pip install pipenv==2026.10.3`"
    }

    fn manifest_name(&self) -> &'static str {
        "Pipfile"
    }

    fn lockfile_name(&self) -> &'static str {
        "Pipfile.lock"
    }

    fn install_argv(&self) -> &'static [&'static str] {
        &["pipenv", "install", "--deploy"]
    }

    fn test_argv(&self) -> &'static [&'static str] {
        &["pipenv", "run", "python", "-m", "unittest"]
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
        let mut env = pip::environment(base, lab);
        // Both name the index; this one is Pipenv's.
        env.retain(|(name, _)| *name != "PIP_INDEX_URL");
        env.extend([
            ("PIPENV_PYPI_MIRROR", lab.registry_url(PackageManager::Pipenv).into()),
            ("PIPENV_CACHE_DIR", isolation::cache(base).join("pipenv").into()),
            ("PIPENV_VENV_IN_PROJECT", "1".into()),
            ("PIPENV_IGNORE_VIRTUALENVS", "1".into()),
            ("PIPENV_NOSPIN", "1".into()),
        ]);
        env
    }

    fn search_path(&self, _: &Path) -> Vec<PathBuf> {
        isolation::installed_tool("pipenv").into_iter().collect()
    }

    fn lay_out(&self, project: &Project, _: &Lab) -> Result<(), LabError> {
        python::write_code(project)?;
        pip::make_venv(project)
    }

    fn manifest(&self, needed: &[&str]) -> String {
        let asked: String = asked(needed).iter().map(|(name, range)| format!("{name} = {range}\n")).collect();
        format!(
            "[[source]]\nurl = \"https://pypi.org/simple\"\nverify_ssl = true\nname = \"pypi\"\n\n\
             [packages]\n{asked}\n[dev-packages]\n"
        )
    }

    /// As Pipenv 2026.10.3 writes it.
    fn lockfile(&self, needed: &[&str], pinned: &[Release]) -> String {
        let source = json!({ "name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true });
        let asked = Value::Object(asked(needed));
        // Source: plette, `Pipfile.get_hash`: sorted JSON without blanks.
        let hashed = json!({
            "_meta": { "requires": {}, "sources": [&source] },
            "default": &asked,
            "develop": {},
        });
        let mut packages = Map::new();
        for release in pinned {
            let files = [
                artefact(PackageManager::Pipenv, *release, Edition::Honest),
                foreign_wheel(*release, Edition::Honest),
            ];
            let mut hashes = files.map(|bytes| format!("sha256:{}", sha256_hex(&bytes)));
            hashes.sort();
            let mut entry = json!({ "hashes": hashes });
            if needed.contains(&release.name) {
                entry["index"] = json!("pypi");
            }
            entry["version"] = json!(format!("=={}", release.version));
            packages.insert(release.name.to_owned(), entry);
        }
        let lockfile = json!({
            "_meta": {
                "hash": { "sha256": sha256_hex(hashed.to_string().as_bytes()) },
                "pipfile-spec": 6,
                "requires": {},
                "sources": [source],
            },
            "default": packages,
            "develop": {},
        });
        four_spaces(&lockfile)
    }

    fn remove_installed(&self, project: &Project) -> Result<(), LabError> {
        pip::uninstall(project)
    }

    fn checksum(&self, artefact: &[u8]) -> String {
        sha256_hex(artefact)
    }

    fn before_checksum(&self) -> &'static str {
        "\"sha256:"
    }

    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError> {
        let no_json = |_| LabError::NothingToDamage("the lockfile is no JSON".to_owned());
        let mut lockfile: Value = serde_json::from_str(text).map_err(no_json)?;
        if let Some(packages) = lockfile.get_mut("default").and_then(Value::as_object_mut) {
            packages.shift_remove(gone);
        }
        Ok(four_spaces(&lockfile))
    }

    fn most_retries(&self) -> Vec<(&'static str, &'static str)> {
        vec![("PIP_RETRIES", "10")]
    }
}

/// What is asked for, sorted by name, each as JSON (and so TOML) writes it.
fn asked(needed: &[&str]) -> Map<String, Value> {
    let mut newest: Vec<Release> = needed.iter().filter_map(|name| Release::latest(name)).collect();
    newest.sort_by_key(|release| release.name);
    newest.iter().map(|r| (r.name.to_owned(), json!(format!("~={}.0", r.major())))).collect()
}

/// JSON as Python's `json.dumps(…, indent=4)` writes it, with a line end.
fn four_spaces(value: &Value) -> String {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    // What is in memory already can be written to memory.
    let _infallible = value.serialize(&mut serializer);
    format!("{}\n", String::from_utf8_lossy(&text))
}
