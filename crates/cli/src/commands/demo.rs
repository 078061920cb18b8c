//! `regreen demo [CAUSE]`: breaks a small real project and heals it before the reader's eyes, with the real package
//! manager and a registry on the loopback interface. Nothing outside a temporary folder is touched.

use std::{
    env,
    ffi::OsStr,
    io::{self, Write},
    path::{self, Path},
    process::{Command, Stdio},
    time::Instant,
};

use regreen_lab::{
    Fault, Lab, LabError, Outage, PackageManager, Project, Script, Until,
    damage::{CacheDamage, LockfileDamage},
};

use crate::{
    args::{DemoArgs, DemoCause, DemoTool},
    context::Context,
    exit::{BUG, FINE, Failed, NOTHING_TO_READ},
};

/// What has to be there.
const NEEDS: &str = "it needs git, and npm, cargo or python3 with pip";

/// Breaks it, shows the break, and lets `regreen run` heal it.
pub fn demo(context: &Context, args: &DemoArgs) -> Result<u8, Failed> {
    let known = [DemoTool::Npm, DemoTool::Cargo, DemoTool::Pip].map(manager);
    let found = known.into_iter().find(|manager| installed(context, manager.program()));
    let Some(manager) = args.tool.map(manager).or(found) else {
        let why = "none of the package managers is installed that the demo can use";
        return Err(Failed::new(NOTHING_TO_READ, why).help(NEEDS));
    };
    let program = manager.program();
    if let Some(absent) = [program, "git"].into_iter().find(|name| !installed(context, name)) {
        return Err(Failed::new(NOTHING_TO_READ, format!("`{absent}` is not installed")).help(NEEDS));
    }
    let folder = tempfile::Builder::new().prefix("regreen-demo-").tempdir();
    let folder = folder.map_err(|e| Failed::new(NOTHING_TO_READ, format!("no temporary folder: {e}")))?;
    let lab = Lab::start().map_err(failed)?;
    let project = Project::create(manager, folder.path(), &lab).map_err(failed)?;
    say(
        context,
        &format!(
            "A small {program} project was made in {}, with a registry on {}.",
            folder.path().display(),
            lab.address()
        ),
    )?;
    let broken = break_it(args.cause, &project, &lab).map_err(failed)?;
    say(context, &format!("It is broken now: {broken}"))?;
    let argv = project.install_argv();
    // The command runs elsewhere.
    let report = args.report.as_deref().map(path::absolute).transpose();
    let report = report.map_err(|e| Failed::new(NOTHING_TO_READ, format!("the report's file: {e}")))?;
    say(context, &format!("$ regreen run -- {}", argv.join(" ")))?;
    let started = Instant::now();
    let status = wrapped(context, &project, folder.path(), argv, report.as_deref())?
        .status()
        .map_err(|e| Failed::new(BUG, format!("failed to start regreen itself: {e}")))?;
    let took = started.elapsed().as_secs_f64();
    let code = u8::try_from(status.code().unwrap_or(1)).unwrap_or(1);
    if code == FINE {
        say(
            context,
            &format!("Green again after {took:.1} s, with exit code 0. The temporary folder is deleted now."),
        )?;
    } else {
        say(context, &format!("Not healed: exit code {code} after {took:.1} s. Please report this."))?;
    }
    Ok(code)
}

fn manager(tool: DemoTool) -> PackageManager {
    match tool {
        DemoTool::Npm => PackageManager::Npm,
        DemoTool::Cargo => PackageManager::Cargo,
        DemoTool::Pip => PackageManager::Pip,
    }
}

fn break_it(cause: DemoCause, project: &Project, lab: &Lab) -> Result<String, LabError> {
    let lockfile = project.lockfile();
    let name = lockfile.file_name().and_then(OsStr::to_str).unwrap_or("the lockfile");
    Ok(match cause {
        DemoCause::Lockfile => {
            LockfileDamage::Truncated.apply(project)?;
            format!("{name} ends in the middle, as a crashed write leaves it.")
        }
        DemoCause::Checksum => {
            LockfileDamage::WrongChecksum.apply(project)?;
            format!("one checksum in {name} is wrong.")
        }
        DemoCause::Cache => {
            project.warm_cache()?;
            let damage = match project.manager() {
                PackageManager::Npm => CacheDamage::FolderIsFile,
                PackageManager::Cargo => CacheDamage::Truncated,
                _ => CacheDamage::Flipped,
            };
            let path = damage.apply(project)?;
            if project.manager() == PackageManager::Cargo {
                // What was unpacked before the damage would hide it.
                let _absent = std::fs::remove_dir_all(project.cache().join("registry/src"));
            }
            format!("the package cache is damaged at {}.", path.display())
        }
        DemoCause::Network => {
            lab.set_script(Script::fault(project.manager().downloads(), Fault::Reset, Until::Times(1)));
            "the registry resets the first download.".to_owned()
        }
        DemoCause::Service => {
            lab.set_script(Script::down(Outage::Seconds(4.0)));
            "the registry is down, and will be back in four seconds.".to_owned()
        }
    })
}

/// This very program, in the project's own surroundings.
fn wrapped(
    context: &Context,
    project: &Project,
    folder: &Path,
    argv: &[&str],
    report: Option<&Path>,
) -> Result<Command, Failed> {
    let this = env::current_exe().map_err(|e| Failed::new(BUG, format!("regreen can't find itself: {e}")))?;
    let colour = if context.colour_stderr() { "always" } else { "never" };
    let mut command = Command::new(this);
    command
        .args(["--color", colour, "run"])
        .args(report.iter().flat_map(|path| [OsStr::new("--report"), path.as_os_str()]))
        .arg("--")
        .args(argv)
        .current_dir(project.root())
        .env_clear()
        .envs(project.env().iter().map(|(k, v)| (k, v)))
        .env("CI", "true")
        .env("XDG_STATE_HOME", folder.join("state"))
        .stdin(Stdio::null());
    Ok(command)
}

fn installed(context: &Context, program: &str) -> bool {
    let path = context.env.get(OsStr::new("PATH")).cloned().unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn say(context: &Context, text: &str) -> Result<(), Failed> {
    let mark = if context.colour_stdout() { "\u{1b}[1m==\u{1b}[0m" } else { "==" };
    match writeln!(io::stdout().lock(), "{mark} {text}") {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failed::new(BUG, format!("standard output: {e}")))
        }
        _ => Ok(()),
    }
}

fn failed(error: LabError) -> Failed {
    Failed::new(BUG, error)
}
