//! Stand-ins of programs on the PATH, and of a release that they fetch.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::Stage;

/// The repository's top.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Puts a script onto the PATH of the stage, before all others; gives that PATH.
pub fn program(stage: &Stage, name: &str, script: &str) -> String {
    let folder = stage.path("bin");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// A release of this version: its archive holds a program that hands over to the real one.
pub struct Release {
    /// With a `curl` that knows it.
    pub path: String,
    /// The archive's name.
    pub archive: String,
    folder: PathBuf,
}

impl Release {
    pub fn of(stage: &Stage) -> Release {
        let folder = stage.path("release");
        let name = format!("regreen-{}-linux-{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
        fs::create_dir_all(folder.join(&name).join("bin")).unwrap();
        let real = env!("CARGO_BIN_EXE_regreen");
        let program = format!("#!/bin/sh\nexec {real} \"$@\"\n");
        fs::write(folder.join(&name).join("bin/regreen"), program).unwrap();
        let archive = format!("{name}.tar.gz");
        let mut tar = Command::new("tar");
        tar.args(["-czf", &archive, &name]).current_dir(&folder);
        assert!(tar.status().unwrap().success());
        let script = format!(
            "out=/dev/stdout
             while [ $# -gt 0 ]; do
               case \"$1\" in
                 --output) out=\"$2\"; shift ;;
                 https://*) url=\"$1\" ;;
               esac
               shift
             done
             echo \"$url\" >> {0}/asked
             exec cat \"{0}/${{url##*/}}\" > \"$out\"",
            folder.display()
        );
        let path = self::program(stage, "curl", &script);
        let release = Release { path, archive, folder };
        release.sums(&release.sha256(&release.archive));
        release
    }

    /// Says in the release's own list that the archive has this SHA-256.
    pub fn sums(&self, sha256: &str) {
        let text = format!("{sha256}  {}\n{}  regreen.rb\n", self.archive, "0".repeat(64));
        fs::write(self.folder.join("SHA256SUMS"), text).unwrap();
    }

    /// The SHA-256 of the program in the archive.
    pub fn program_sha256(&self) -> String {
        self.sha256(&format!("{}/bin/regreen", self.archive.trim_end_matches(".tar.gz")))
    }

    /// The SHA-256 of a file, as somebody else counts it.
    pub fn sha256(&self, file: &str) -> String {
        let counted = Command::new("sha256sum").arg(file).current_dir(&self.folder).output().unwrap();
        String::from_utf8(counted.stdout).unwrap().split(' ').next().unwrap().to_owned()
    }

    /// The addresses that were asked since the last look.
    pub fn asked(&self) -> Vec<String> {
        let file = self.folder.join("asked");
        let asked = fs::read_to_string(&file).unwrap_or_default();
        let _none = fs::remove_file(file);
        asked.lines().map(str::to_owned).collect()
    }
}

/// Another one that is as long.
pub fn another(sha256: &str) -> String {
    let changed = if sha256.starts_with('0') { '1' } else { '0' };
    format!("{changed}{}", &sha256[1..])
}
