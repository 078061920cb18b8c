//! Commands in a mount namespace of their own, where a folder can be read-only or a disk full, even for root.

use std::{path::Path, process::Command};

/// Wraps a command so that `script` (mounts; `$1`, `$2`, … are `paths`) is run first, seen by that command alone.
///
/// `None` where this machine gives no mount namespace: a test then says that it was skipped.
pub fn within(command: &Command, script: &str, paths: &[&Path]) -> Option<Command> {
    let mut wrapped = unshare()?;
    let shift = paths.len();
    wrapped.args(["sh", "-c", &format!("set -e\n{script}\nshift {shift}\nexec \"$@\"\n"), "mounts"]);
    wrapped.args(paths).arg(command.get_program()).args(command.get_args());
    wrapped.env_clear();
    wrapped.envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
    if let Some(folder) = command.get_current_dir() {
        // The mount may lie over the folder in which it was started.
        wrapped.current_dir("/").args(std::iter::empty::<&str>());
        return Some(entering(wrapped, folder));
    }
    Some(wrapped)
}

/// `unshare` with what it takes here: as root nothing, else a user namespace.
fn unshare() -> Option<Command> {
    let works = |arguments: &[&str]| {
        let tried = Command::new("unshare").args(arguments).args(["mount", "-t", "tmpfs", "none", "/mnt"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let arguments: &[&str] = [&["-m"][..], &["-rm"]].into_iter().find(|a| works(a))?;
    let mut command = Command::new("unshare");
    command.args(arguments);
    Some(command)
}
