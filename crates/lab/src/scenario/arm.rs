//! Who is let at a broken project, and what came of it.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::stage::{Stage, picture};
use super::{Scenario, Setting};
use crate::error::LabError;
use crate::files;

/// Who is let at it. All have the same environment but for what is said here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arm {
    /// The command, once.
    Bare,
    /// The command, until it succeeds, at most so often, with a fixed pause between.
    Retry {
        /// Most tries.
        tries: u32,
        /// The pause.
        pause: Duration,
    },
    /// The command once, with the tool's own retries at what it allows.
    ToolRetries,
    /// `regreen run`, by this program.
    Regreen(PathBuf),
}

impl Arm {
    /// The stable id.
    pub const fn id(&self) -> &'static str {
        match self {
            Arm::Bare => "bare",
            Arm::Retry { .. } => "retry",
            Arm::ToolRetries => "tool-retries",
            Arm::Regreen(_) => "regreen",
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Ran {
    /// Its end, with the output of the last process.
    pub output: Output,
    /// From the start to the end, pauses included.
    pub took: Duration,
    /// Regreen's report; `null` for the other arms.
    pub report: Value,
    /// How often the wrapped command itself was run.
    pub calls: usize,
    /// Whether every file of the workspace is as it was, but for what tools install.
    pub untouched: bool,
    /// Files that are not as they were, by path below the workspace.
    pub written: Vec<String>,
    /// Copies and quarantines of Regreen that outlived their run.
    pub left_behind: Vec<PathBuf>,
    /// The lockfile afterwards.
    pub lockfile: Option<Vec<u8>>,
}

impl Ran {
    /// Whether it ended green.
    pub fn is_green(&self) -> bool {
        self.output.status.success()
    }
}

/// Longest that one run of a command may take; one that takes longer is killed, and has failed.
const LIMIT: Duration = Duration::from_secs(120);
/// How often it is asked whether a command has ended.
const LOOK: Duration = Duration::from_millis(5);

impl Stage {
    /// Lets `arm` at it. A stage is for one arm: the next gets a new one. Where `stop` is set it ends soon.
    ///
    /// # Errors
    /// [`LabError`] where a program can't be started, or the workspace can't be read; [`LabError::Stopped`].
    pub fn run(&self, arm: &Arm, stop: &AtomicBool) -> Result<Ran, LabError> {
        let report = self.folder.path().join("report.json");
        let started = Instant::now();
        let output = match arm {
            Arm::Bare => self.start(self.wrapped(&[]), stop)?,
            Arm::ToolRetries => self.start(self.wrapped(&self.scenario.tool.most_retries()), stop)?,
            Arm::Retry { tries, pause } => {
                let mut output = self.start(self.wrapped(&[]), stop)?;
                for _ in 1..*tries {
                    if output.status.success() {
                        break;
                    }
                    let until = Instant::now() + *pause;
                    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
                        std::thread::sleep(LOOK);
                    }
                    output = self.start(self.wrapped(&[]), stop)?;
                }
                output
            }
            Arm::Regreen(program) => self.start(self.regreen(program, &report)?, stop)?,
        };
        let took = started.elapsed();
        let after = picture(&self.project.root())?;
        let mut written: Vec<String> = Vec::new();
        for path in self.before.keys().chain(after.keys()) {
            if self.before.get(path) != after.get(path) {
                let below = path.strip_prefix(self.project.root()).unwrap_or(path);
                written.push(below.display().to_string());
            }
        }
        written.sort();
        written.dedup();
        let report = files::read_text(&report).ok().and_then(|text| serde_json::from_str(&text).ok());
        Ok(Ran {
            output,
            took,
            report: report.unwrap_or_default(),
            calls: self.calls(),
            untouched: written.is_empty(),
            written,
            left_behind: left_behind(self.folder.path()),
            lockfile: files::read(&self.project.lockfile()).ok(),
        })
    }

    /// Runs it in a process group of its own, and ends that group where it takes too long or `stop` is set.
    fn start(&self, mut command: Command, stop: &AtomicBool) -> Result<Output, LabError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let begun = Instant::now();
        let mut child = command
            .current_dir(self.project.root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|source| LabError::Start { program: program.clone(), source })?;
        let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let status = loop {
            if let Some(status) = child.try_wait().map_err(LabError::file("wait for", &program))? {
                break status;
            }
            let stopped = stop.load(Ordering::Relaxed);
            if stopped || begun.elapsed() > LIMIT {
                if let Some(group) = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default()) {
                    // It may have ended at this very moment.
                    let _ended = kill_process_group(group, Signal::KILL);
                }
                let status = child.wait().map_err(LabError::file("wait for", &program))?;
                if stopped {
                    return Err(LabError::Stopped);
                }
                break status;
            }
            std::thread::sleep(LOOK);
        };
        Ok(Output { status, stdout: out.join().unwrap_or_default(), stderr: err.join().unwrap_or_default() })
    }

    fn surroundings(&self, command: &mut Command) {
        let Scenario { setting, env, .. } = &self.scenario;
        command.env_clear().envs(self.project.env().iter().map(|(key, value)| (key, value)));
        command.env("PATH", self.path()).env("XDG_STATE_HOME", self.folder.path().join("state"));
        if *setting != Setting::Laptop {
            command.env("CI", "true");
        }
        if *setting == Setting::PullRequest {
            command.env("GITHUB_BASE_REF", "main");
        }
        command.envs(env);
    }

    fn wrapped(&self, more: &[(&str, &str)]) -> Command {
        let (program, arguments) =
            self.argv.split_first().map_or(("true", &[][..]), |(p, rest)| (p.as_str(), rest));
        let path = self.path();
        let program = match program.contains('/') {
            true => self.project.root().join(program),
            // The caller's own PATH must not decide.
            false => std::env::split_paths(&path)
                .map(|folder| folder.join(program))
                .find(|file| file.is_file())
                .unwrap_or_else(|| program.into()),
        };
        let mut command = Command::new(program);
        command.args(arguments);
        self.surroundings(&mut command);
        command.envs(more.iter().copied());
        command
    }

    fn regreen(&self, program: &Path, report: &Path) -> Result<Command, LabError> {
        let mut command = Command::new(program);
        self.surroundings(&mut command);
        command.arg("run").arg("--report").arg(report);
        if let Some(mirror) = &self.mirror {
            let config = self.folder.path().join("operator.toml");
            let manager = self.project.manager();
            let url = mirror.registry_url(manager);
            let url = url.trim_start_matches("sparse+");
            files::write(&config, format!("[[mirror]]\ntool = \"{}\"\nurl = \"{url}\"\n", manager.tool()))?;
            command.arg("--config").arg(config);
        }
        let argv: Vec<OsString> = self.argv.iter().map(OsString::from).collect();
        command.arg("--").args(argv);
        Ok(command)
    }
}

/// Reads a stream to its end on a thread of its own.
fn drain(stream: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What a killed process had not written is not there.
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Copies and quarantines that outlived their run.
fn left_behind(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![folder.join("state"), folder.join("cache"), folder.join("app")];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let in_before = path.parent().is_some_and(|parent| parent.ends_with("before"));
            if in_before || name == "open" || name.starts_with(".regreen-") {
                found.push(path.clone());
            }
            if path.is_dir() && !path.is_symlink() {
                todo.push(path);
            }
        }
    }
    found
}
