//! The exit code is the command's own, and a command that can't be started says so as in a shell.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::TempDir;

use crate::wrapper::{output, wrapper};

fn code_of(argv: &[&str]) -> i32 {
    Command::new(wrapper()).arg("--").args(argv).output().unwrap().status.code().unwrap()
}

#[test]
fn exit_codes_pass_through() {
    for code in [0, 1, 7, 125, 255] {
        assert_eq!(output(&[], &format!("exit {code}")).status.code(), Some(code));
    }
}

#[test]
fn death_by_a_signal_is_128_and_its_number() {
    for (signal, code) in [("TERM", 143), ("KILL", 137), ("SEGV", 139), ("INT", 130), ("PIPE", 141)] {
        assert_eq!(output(&[], &format!("kill -{signal} $$")).status.code(), Some(code), "{signal}");
    }
}

#[test]
fn what_is_not_there_is_127() {
    assert_eq!(code_of(&["no-such-program-anywhere"]), 127);
    assert_eq!(code_of(&["/no/such/file"]), 127);
    assert_eq!(code_of(&[""]), 127);
}

#[test]
fn what_can_not_be_run_is_126() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "#!/no/such/interpreter\n").unwrap();
    let name = file.to_str().unwrap();
    assert_eq!(code_of(&[name]), 126, "not executable");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(code_of(&[name]), 126, "no interpreter");
    assert_eq!(code_of(&[folder.path().to_str().unwrap()]), 126, "a folder");
}

#[test]
fn a_script_without_an_interpreter_line_is_run_by_the_shell() {
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "exit \"$1\"\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(code_of(&[script.to_str().unwrap(), "9"]), 9);
    let by_path =
        Command::new(wrapper()).args(["--", "script", "9"]).env("PATH", folder.path()).output().unwrap();
    assert_eq!(by_path.status.code(), Some(9));
}
