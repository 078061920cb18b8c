//! `regreen bench healing`: really broken projects, and who heals them.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use regreen_bench::{Healing, HealingFigures};
use regreen_lab::{
    LabError,
    scenario::{Arm, Ran, Scenario, Stage, judge},
};
use regreen_lockfile::{diff, parse};
use regreen_steps::sha256;
use regreen_tools::{Job, Workspace, adapter};
use serde::{Deserialize, Serialize};

use crate::{
    args::{Format, HealingArgs},
    context::Context,
    exit::{BUG, FINE, Failed, INTERRUPTED, NOTHING_TO_READ, PROBLEMS, USAGE},
    output::{healing, print::print},
    voice,
};

/// What the plain retry does: it is what people write into their pipelines.
const RETRY: Arm = Arm::Retry { tries: 3, pause: Duration::from_secs(10) };

/// Runs the scenarios one after the other, so that their times are their own.
pub fn healing(context: &Context, args: &HealingArgs) -> Result<u8, Failed> {
    let chosen = chosen(args)?;
    if args.list {
        return print(&healing::list(&chosen));
    }
    let this = env::current_exe().map_err(|e| Failed::new(BUG, format!("regreen can't find itself: {e}")))?;
    let program = fs::read(&this).map_err(|e| unreadable(&this, e))?;
    let mut results = Results::open(args.results.as_deref(), sha256(&program))?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())
            .map_err(|e| Failed::new(BUG, format!("no handler for signals: {e}")))?;
    }
    let mut missing = BTreeSet::new();
    let runs: Vec<(&Scenario, Arm)> = chosen.iter().flat_map(|s| arms(s, args.all_arms, &this)).collect();
    for (done, (scenario, arm)) in runs.iter().enumerate() {
        if missing.contains(scenario.tool.id()) || results.has(scenario, arm) {
            continue;
        }
        progress(context, done, runs.len(), scenario, arm);
        match run(scenario, arm, &stop) {
            Ok(row) => results.keep(row)?,
            Err(LabError::Stopped) => {
                let help = match args.results {
                    Some(_) => "the same command goes on where this one was",
                    None => "with --results FILE it would go on where it was",
                };
                return Err(Failed::new(INTERRUPTED, "stopped").help(help));
            }
            // What isn't installed is said, and counts nowhere.
            Err(why @ LabError::Missing { .. }) => {
                voice::warning(context, &format!("{why}; its scenarios are left out"));
                missing.insert(scenario.tool.id());
            }
            Err(e) => return Err(Failed::new(BUG, e)),
        }
    }
    let figures = HealingFigures::of(&results.of(&runs));
    print(&match args.format {
        Format::Plain => healing::plain(&figures),
        Format::Json => healing::json(&figures),
    })?;
    Ok(if figures.holds() { FINE } else { PROBLEMS })
}

fn unreadable(path: &Path, why: impl std::fmt::Display) -> Failed {
    Failed::new(NOTHING_TO_READ, format!("{}: {why}", path.display()))
}

fn chosen(args: &HealingArgs) -> Result<Vec<Scenario>, Failed> {
    let all = Scenario::all().map_err(|e| Failed::new(BUG, e))?;
    let tools: BTreeSet<&str> = all.iter().map(|scenario| scenario.tool.id()).collect();
    if let Some(strange) = args.tool.iter().find(|tool| !tools.contains(tool.as_str())) {
        let known: Vec<&str> = tools.into_iter().collect();
        return Err(Failed::new(USAGE, format!("there is no scenario of `{strange}`"))
            .help(format!("use one of {}", known.join(", "))));
    }
    let named = |scenario: &Scenario| {
        args.scenarios.is_empty() || args.scenarios.iter().any(|glob| fits(glob, &scenario.id))
    };
    let of_tool =
        |scenario: &Scenario| args.tool.is_empty() || args.tool.iter().any(|t| t == scenario.tool.id());
    let chosen: Vec<Scenario> = all.iter().filter(|s| named(s) && of_tool(s)).cloned().collect();
    if chosen.is_empty() {
        return Err(Failed::new(USAGE, "no scenario has such a name")
            .help("`regreen bench healing --list` names them all"));
    }
    Ok(chosen)
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn fits(glob: &str, name: &str) -> bool {
    match glob.split_once('*') {
        None => glob == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|tail| fits(rest, tail)))
        }),
    }
}

/// Regreen last: what it is compared with has been measured then.
fn arms<'s>(scenario: &'s Scenario, all: bool, this: &Path) -> Vec<(&'s Scenario, Arm)> {
    let mut arms = match all && scenario.compared {
        true => vec![Arm::Bare, RETRY, Arm::ToolRetries],
        false => vec![],
    };
    arms.push(Arm::Regreen(this.to_owned()));
    arms.into_iter().map(|arm| (scenario, arm)).collect()
}

fn run(scenario: &Scenario, arm: &Arm, stop: &AtomicBool) -> Result<Healing, LabError> {
    let stage = Stage::set(scenario)?;
    let ran = stage.run(arm, stop)?;
    let own = matches!(arm, Arm::Regreen(_));
    Ok(Healing {
        scenario: scenario.id.clone(),
        tool: scenario.tool.id().to_owned(),
        cause: scenario.truth.clone(),
        healable: scenario.is_healable(),
        arm: arm.id().to_owned(),
        green: ran.is_green(),
        ms: u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX),
        calls: ran.calls as u64,
        touched: touched(scenario, &stage, &ran),
        versions_changed: versions_changed(&stage, &ran),
        wrong: judge(scenario, &ran).err().filter(|_| own),
    })
}

/// A control must be run once, end red unless its tool gets over it by itself, and leave the workspace as it is; what is healed may change its lockfile only.
fn touched(scenario: &Scenario, stage: &Stage, ran: &Ran) -> bool {
    if !scenario.is_healable() {
        return ran.calls > 1 || !ran.untouched || ran.is_green() != scenario.is_no_failure();
    }
    let project = stage.project();
    let own = project.lockfile();
    ran.written.iter().any(|path| project.root().join(path) != own)
}

/// Packages that were in the lockfile before it was damaged, and have another version afterwards.
fn versions_changed(stage: &Stage, ran: &Ran) -> u64 {
    let project = stage.project();
    let job = Job {
        workspace: Workspace::new(project.root(), std::collections::BTreeMap::new()),
        argv: project.install_argv().iter().map(|word| (*word).to_owned()).collect(),
    };
    let format = regreen_domain::Tool::new(project.manager().id())
        .as_ref()
        .and_then(adapter)
        .and_then(|adapter| adapter.lockfile(&job))
        .map(|place| place.format);
    let (Some(format), Some(now)) = (format, &ran.lockfile) else { return 0 };
    match (parse(format, stage.good_lockfile()), parse(format, now)) {
        (Ok(good), Ok(now)) => diff(&good, &now).version_changed.len() as u64,
        // A lockfile that is still damaged has no versions.
        _ => 0,
    }
}

/// A result as it is kept: of which program, so that another one's is not taken for it.
#[derive(Serialize, Deserialize)]
struct Kept {
    program: String,
    #[serde(rename = "run")]
    row: Healing,
}

/// What was measured so far, in memory and in the file.
struct Results {
    program: String,
    rows: Vec<Healing>,
    file: Option<(PathBuf, File)>,
}

impl Results {
    fn open(path: Option<&Path>, program: String) -> Result<Results, Failed> {
        let Some(path) = path else { return Ok(Results { program, rows: Vec::new(), file: None }) };
        let text = match fs::read_to_string(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(|e| unreadable(path, e))?,
        };
        let mut rows = Vec::new();
        for (number, line) in text.lines().enumerate() {
            match serde_json::from_str::<Kept>(line) {
                Ok(kept) if kept.program == program => rows.push(kept.row),
                Ok(_) => {}
                // The last line of a run that was killed may be half a line; it is run again.
                Err(_) if number + 1 == text.lines().count() && !text.ends_with('\n') => {}
                Err(e) => return Err(unreadable(path, format!("line {}: {e}", number + 1))),
            }
        }
        let file =
            OpenOptions::new().create(true).append(true).open(path).map_err(|e| unreadable(path, e))?;
        let mut results = Results { program, rows, file: Some((path.to_owned(), file)) };
        if !text.is_empty() && !text.ends_with('\n') {
            results.write("\n")?;
        }
        Ok(results)
    }

    fn has(&self, scenario: &Scenario, arm: &Arm) -> bool {
        self.rows.iter().any(|row| row.scenario == scenario.id && row.arm == arm.id())
    }

    fn keep(&mut self, row: Healing) -> Result<(), Failed> {
        let kept = Kept { program: self.program.clone(), row: row.clone() };
        let line = serde_json::to_string(&kept).map_err(|e| Failed::new(BUG, e))?;
        self.rows.push(row);
        self.write(&format!("{line}\n"))
    }

    fn write(&mut self, text: &str) -> Result<(), Failed> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(|e| unreadable(path, e))
    }

    /// Of these runs only: the file may hold more.
    fn of(&self, runs: &[(&Scenario, Arm)]) -> Vec<Healing> {
        let asked = |row: &&Healing| runs.iter().any(|(s, arm)| s.id == row.scenario && arm.id() == row.arm);
        self.rows.iter().filter(asked).cloned().collect()
    }
}

/// One line that is written over on a terminal, one a run elsewhere.
fn progress(context: &Context, done: usize, of: usize, scenario: &Scenario, arm: &Arm) {
    let text = format!("{}/{of} {} ({})", done + 1, scenario.id, arm.id());
    let mut err = io::stderr().lock();
    // Nobody who has closed standard error waits for progress.
    let _ = match io::stderr().is_terminal() && context.colour_stderr() {
        true => write!(err, "\r\u{1b}[K{text}"),
        false => writeln!(err, "{text}"),
    };
    if done + 1 == of && io::stderr().is_terminal() && context.colour_stderr() {
        let _ = write!(err, "\r\u{1b}[K");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (glob, name, want) in [
            ("npm-503", "npm-503", true),
            ("npm-503", "npm-5033", false),
            ("npm-*", "npm-503", true),
            ("*-503", "npm-503", true),
            ("*cache*", "pip-cache-flipped", true),
            ("*cache*", "pip-503", false),
            ("*", "x", true),
        ] {
            assert_eq!(fits(glob, name), want, "{glob} {name}");
        }
    }

    #[test]
    fn a_result_of_this_program_is_not_run_again_and_half_a_line_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        let scenarios = Scenario::all().unwrap();
        let scenario = scenarios.first().unwrap();
        let row = Healing {
            scenario: scenario.id.clone(),
            tool: "npm".to_owned(),
            cause: scenario.truth.clone(),
            healable: true,
            arm: "bare".to_owned(),
            green: false,
            ms: 3,
            calls: 1,
            touched: false,
            versions_changed: 0,
            wrong: None,
        };
        let open = |program: &str| Results::open(Some(&path), program.to_owned());
        open("a").unwrap().keep(row).unwrap();
        assert!(open("a").unwrap().has(scenario, &Arm::Bare));
        assert!(!open("a").unwrap().has(scenario, &RETRY));
        assert!(!open("b").unwrap().has(scenario, &Arm::Bare), "another program's result");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(!open("a").unwrap().has(scenario, &Arm::Bare), "half a line");
        fs::write(&path, "{}\n{}\n").unwrap();
        let refused = open("a").err().unwrap();
        assert!(refused.to_string().contains("line 1"), "{refused}");
    }
}
