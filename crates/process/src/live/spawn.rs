//! Starts the command, or says why it can't be started.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::Errno;
use rustix::process::Pid;

use super::LiveCommand;
use super::channel::ChildEnds;
use crate::error::StartError;
use crate::run_id::VARIABLE;

/// Starts the command as the leader of a new process group. Its ends of the channels are closed here, so that ours
/// see the end of the output.
pub(super) fn spawn(command: &LiveCommand, ends: ChildEnds) -> Result<Pid, StartError> {
    let clone = |end: &std::os::fd::OwnedFd| end.try_clone().map_err(StartError::system("copy a descriptor"));
    let start = |program: &OsStr, first: Option<&Path>| -> Result<io::Result<Pid>, StartError> {
        let mut process = Command::new(program);
        process.args(first).args(&command.args).process_group(0);
        process.stdout(clone(&ends.stdout)?).stderr(clone(&ends.stderr)?);
        process.envs(command.env.iter().map(|(name, value)| (name, value)));
        if let Some(run_id) = &command.run_id {
            process.env(VARIABLE, run_id.value_for_child(env::var_os(VARIABLE).as_deref()));
        }
        if let Some(folder) = &command.cwd {
            process.current_dir(folder);
        }
        // The supervisor waits for it, by its pid.
        Ok(process.spawn().map(|child| Pid::from_child(&child)))
    };
    match start(&command.program, None)? {
        Ok(child) => Ok(child),
        // A script without `#!`: shells and `env` run it by the shell, so a wrapper must.
        Err(error) if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
            let script = locate(command).unwrap_or_else(|| PathBuf::from(&command.program));
            start(OsStr::new("/bin/sh"), Some(&script))?.map_err(|error| explain(command, error))
        }
        Err(error) => Err(explain(command, error)),
    }
}

fn explain(command: &LiveCommand, error: io::Error) -> StartError {
    let program = command.program.to_string_lossy().into_owned();
    match (&command.cwd, error.kind()) {
        (Some(folder), _) if !folder.is_dir() => StartError::WorkingDirectory(folder.clone()),
        // The program itself may be there and only the interpreter in its first line missing.
        (_, io::ErrorKind::NotFound) if locate(command).is_none() => StartError::NotFound { program },
        _ => StartError::NotExecutable { program, source: error },
    }
}

/// The file that the program's name stands for.
fn locate(command: &LiveCommand) -> Option<PathBuf> {
    let name = Path::new(&command.program);
    let base = command.cwd.as_deref().unwrap_or(Path::new(""));
    if command.program.as_bytes().contains(&b'/') {
        return base.join(name).is_file().then(|| name.to_owned());
    }
    let given =
        command.env.iter().rev().find(|(variable, _)| variable == "PATH").map(|(_, value)| value.clone());
    let path = given.or_else(|| env::var_os("PATH"))?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| base.join(file).is_file())
}
