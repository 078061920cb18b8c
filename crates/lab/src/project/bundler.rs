//! A Bundler project: rubygems.org replaced by the lab, a `Gemfile.lock` in deployment mode, gems below
//! `vendor/bundle`.
//!
//! Debian's Bundler 2.3 writes no checksums into the lockfile: what it downloads it compares with what the gem
//! server's index says.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::digest::sha256_hex;
use crate::packages::{PackageManager, Release};

use super::kind::{Kind, remove_from};
use super::{Project, isolation};

/// Bundler's projects.
pub(super) struct Bundler;

const CODE: &str = "require \"regreen-lab-alpha\"

def greet
  RegreenLabAlpha::GREETING
end
";
const TEST: &str = "require_relative \"../app\"

abort \"greets #{greet}\" unless greet == \"regreen-lab-alpha 1.1.0\"
";

impl Kind for Bundler {
    fn program(&self) -> &'static str {
        "bundle"
    }

    fn manifest_name(&self) -> &'static str {
        "Gemfile"
    }

    fn lockfile_name(&self) -> &'static str {
        "Gemfile.lock"
    }

    fn install_argv(&self) -> &'static [&'static str] {
        &["bundle", "install"]
    }

    fn test_argv(&self) -> &'static [&'static str] {
        &["bundle", "exec", "ruby", "test/greet.rb"]
    }

    fn registry_folder(&self) -> &'static str {
        "bundler"
    }

    fn downloads(&self) -> &'static str {
        "/bundler/gems/*"
    }

    fn environment(&self, base: &Path, _: &Lab) -> Vec<(&'static str, OsString)> {
        vec![
            ("BUNDLE_USER_HOME", isolation::cache(base).into()),
            // As setup-ruby and most CI files have it: the lockfile is not to be changed, the gems are the job's own.
            ("BUNDLE_DEPLOYMENT", "true".into()),
            ("BUNDLE_GLOBAL_GEM_CACHE", "true".into()),
            ("BUNDLE_USER_CONFIG", config(base).into()),
            ("BUNDLE_RETRY", "0".into()),
            // Of the index alone: for gems RubyGems has no setting.
            ("BUNDLE_TIMEOUT", "3".into()),
            ("BUNDLE_SILENCE_ROOT_WARNING", "true".into()),
        ]
    }

    fn lay_out(&self, project: &Project, lab: &Lab) -> Result<(), LabError> {
        let root = project.root();
        let mirror = lab.registry_url(PackageManager::Bundler);
        // In a file: a shell passes no variable on whose name it could not have set.
        let settings = format!("---\nBUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/: \"{mirror}\"\n");
        files::write(&config(&project.base), settings)?;
        files::write(&root.join("app.rb"), CODE)?;
        files::write(&root.join("test/greet.rb"), TEST)
    }

    fn manifest(&self, needed: &[&str]) -> String {
        let gems: String = needed
            .iter()
            .filter_map(|name| Release::latest(name))
            .map(|release| format!("gem \"{}\", \"~> {}.0\"\n", release.name, release.major()))
            .collect();
        format!("source \"https://rubygems.org\"\n\n{gems}")
    }

    fn lockfile(&self, needed: &[&str], pinned: &[Release]) -> String {
        let mut text = "GEM\n  remote: https://rubygems.org/\n  specs:\n".to_owned();
        for release in pinned {
            text.push_str(&format!("    {} ({})\n", release.name, release.version));
            for needed in release.needs {
                text.push_str(&format!("      {needed} (~> 1.0)\n"));
            }
        }
        let mut sorted: Vec<Release> = needed.iter().filter_map(|name| Release::latest(name)).collect();
        sorted.sort_by_key(|release| release.name);
        let asked: String =
            sorted.iter().map(|release| format!("  {} (~> {}.0)\n", release.name, release.major())).collect();
        text.push_str(&format!(
            "\nPLATFORMS\n  {}-linux\n\nDEPENDENCIES\n{asked}\nBUNDLED WITH\n   {}\n",
            std::env::consts::ARCH,
            version()
        ));
        text
    }

    fn remove_installed(&self, project: &Project) -> Result<(), LabError> {
        remove_from(project, "vendor/bundle")
    }

    fn checksum(&self, artefact: &[u8]) -> String {
        // Of the index: this lockfile holds none.
        sha256_hex(artefact)
    }

    fn before_checksum(&self) -> &'static str {
        "regreen-lab-delta (~>"
    }

    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError> {
        let mut kept = String::new();
        let mut inside = false;
        for line in text.split_inclusive('\n') {
            inside = match line.strip_prefix("    ") {
                Some(spec) if !spec.starts_with(' ') => spec.starts_with(&format!("{gone} (")),
                Some(_) => inside,
                None => false,
            };
            if !inside {
                kept.push_str(line);
            }
        }
        Ok(kept)
    }

    fn most_retries(&self) -> Vec<(&'static str, &'static str)> {
        vec![("BUNDLE_RETRY", "10")]
    }
}

fn config(base: &Path) -> std::path::PathBuf {
    isolation::home(base).join("bundle.config")
}

/// The installed Bundler's version: a lockfile of another one makes it look for that one first.
fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let said = Command::new("bundle").arg("--version").output().map(|o| o.stdout).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        said.split_whitespace().last().unwrap_or("2.3.15").to_owned()
    })
}
