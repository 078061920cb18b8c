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

/// A release of this version: a program that hands over to the real one, as it is and in an archive.
pub struct Release {
    /// With a `curl` that knows it.
    pub path: String,
    /// The program's name.
    pub program: &'static str,
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
        fs::write(folder.join(&name).join("bin/regreen"), &program).unwrap();
        let plain = if cfg!(target_arch = "aarch64") { "regreen-linux-arm64" } else { "regreen-linux-amd64" };
        fs::write(folder.join(plain), &program).unwrap();
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
             case \"$url\" in */v{1}/*) exec cat \"{0}/${{url##*/}}\" > \"$out\" ;; esac
             exit 22",
            folder.display(),
            env!("CARGO_PKG_VERSION")
        );
        self::program(stage, "curl", &script);
        let tar = format!("touch {}/unpacked\nPATH=\"${{PATH#*:}}\"\nexec tar \"$@\"", folder.display());
        let path = self::program(stage, "tar", &tar);
        let release = Release { path, program: plain, archive, folder };
        release.sums(&release.sha256(plain));
        release
    }

    /// Says in the release's own list that the program has this SHA-256.
    pub fn sums(&self, sha256: &str) {
        let text = format!("{sha256}  {}\n{}  regreen.rb\n", self.program, "0".repeat(64));
        fs::write(self.folder.join("SHA256SUMS"), text).unwrap();
    }

    /// Has this file no more.
    pub fn lose(&self, file: &str) {
        fs::remove_file(self.folder.join(file)).unwrap();
    }

    /// Whether something was unpacked since the last look.
    pub fn unpacked(&self) -> bool {
        fs::remove_file(self.folder.join("unpacked")).is_ok()
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
