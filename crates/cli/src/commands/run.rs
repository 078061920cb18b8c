//! `regreen run -- CMD`: the command live, and if it fails, the whole pipeline behind it. Whatever goes wrong in
//! Regreen itself, the command's own verdict stands.

use std::{
    ffi::OsStr,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_detect::ExitFacts;
use regreen_domain::CommandFacts;
use regreen_engine::{Engine, EngineError, Event, Failure, Handled, Voice};
use regreen_logs::Dropped;
use regreen_process::{
    RunId, Spool, Status,
    live::{Ended, Why},
};
use regreen_show::harmless::harmless;
use regreen_tools::{Job, Overlay, Workspace, memory::Kills, recognise};

use crate::{
    args::{RerunWhen, RunArgs},
    commands::{report, resume},
    config,
    context::{Context, runtime},
    custom::{self, Known},
    exit::{self, Failed},
    fleet_server::FleetServer,
    live::{Wrapped, unfinished},
    output::{json, step},
    own_playbooks, passed,
    voice::Terminal,
};

/// Runs it.
pub fn run(context: &Context, args: RunArgs) -> Result<u8, Failed> {
    let run_id = RunId::new(new_run_id()).map_err(|e| Failed::new(exit::BUG, e))?;
    let workspace = context.workspace();
    if let Ok(workspace) = &workspace
        && let Some(code) = finish_what_stands_open(context, args.config.as_deref(), workspace)
    {
        return Ok(code);
    }
    let wrapped = Wrapped::new(&args, run_id.clone());
    let began = since_1970().as_millis();
    let kills = Kills::now();
    let (ended, spool) = match wrapped.run(&Overlay::default()) {
        Ok(ran) => ran,
        Err(start) => {
            let code = u8::try_from(start.exit_code()).unwrap_or(127);
            return Err(Failed::new(code, start));
        }
    };
    let code = u8::try_from(ended.exit_code()).unwrap_or(1);
    if let (0, Why::Normal, Ok(workspace)) = (code, ended.why, &workspace) {
        remember(context, workspace, &args, &spool);
    }
    if args.github && code == 0 {
        tell_github(context, &args, None);
    }
    // Who pressed Ctrl-C wants an end, not a diagnosis.
    if code == 0 || matches!(ended.why, Why::Interrupted(_)) {
        return Ok(code);
    }
    let workspace = match workspace {
        Ok(workspace) => workspace,
        Err(failed) => {
            report(context, &failed);
            return Ok(code);
        }
    };
    let (state, temporary) = context.state(&workspace);
    let voice = Arc::new(Terminal::new(context));
    if let Some(tree) = &ended.process_tree {
        voice.tell(Event::Warning(&format!("it was ended; what was running then:\n{tree}")));
    }
    if temporary {
        voice.tell(Event::Warning(
            "there is no HOME; what Regreen remembers lasts only as long as the temporary folder",
        ));
    }
    let mut workspace = workspace;
    workspace.run = Some(run_id);
    let handled = catch_unwind(AssertUnwindSafe(|| {
        let job = Job { workspace, argv: text_argv(&args) };
        let usual = match remembers(context) {
            true => passed::recall(&state, &job.argv, &context.masker()),
            false => Vec::new(),
        };
        let failure = Failure { usual, kills: Some(kills), ..failure(job, &args, began, &ended, &spool) };
        heal(context, &args, failure, &state, &wrapped, voice.clone())
    }));
    match handled {
        Ok(Ok(Came::Interrupted(code))) => Ok(code),
        Ok(Ok(Came::Handled(handled, warnings))) => {
            if let Some(path) = &args.report {
                let line = json::outcome(&handled, &warnings);
                let line = context.masker().mask(&line).into_owned();
                if let Err(e) = fs::write(path, line) {
                    report(context, &Failed::new(exit::LEDGER, format!("{}: {e}", path.display())));
                }
            }
            if args.github {
                tell_github(context, &args, Some(&handled));
            }
            Ok(u8::try_from(handled.code).unwrap_or(code))
        }
        Ok(Err(failed)) => {
            report(context, &failed);
            voice.tell(Event::Warning("Regreen could not do its work; the command's own exit code stands"));
            Ok(code)
        }
        Err(_panic) => {
            report(context, &Failed::new(exit::BUG, "Regreen has a bug; the command's own exit code stands"));
            Ok(code)
        }
    }
}

/// Tells the GitHub step what came of it. That this fails is said, and changes nothing.
fn tell_github(context: &Context, args: &RunArgs, handled: Option<&Handled>) {
    let command = context.masker().mask(&text_argv(args).join(" ")).into_owned();
    if let Err(failed) = step::of_a_run(context, &command, handled) {
        report(context, &failed);
    }
}

/// Whatever comes of it, the command is run: it is what the job is about. `Some` where somebody asks for an end meanwhile.
fn finish_what_stands_open(context: &Context, config: Option<&Path>, workspace: &Workspace) -> Option<u8> {
    let (state, _) = context.state(workspace);
    if !unfinished(&state) {
        return None;
    }
    match catch_unwind(AssertUnwindSafe(|| resume::resume(context, config))) {
        Ok(Ok(_)) => None,
        Ok(Err(failed)) => {
            let code = report(context, &failed);
            exit::is_by_signal(code).then_some(code)
        }
        Err(_panic) => {
            report(context, &Failed::new(exit::BUG, "Regreen has a bug; the command is run all the same"));
            None
        }
    }
}

/// Whether the operator lets what passing commands print be remembered. What is neither on nor off is off here, and an
/// error where the configuration is read.
fn remembers(context: &Context) -> bool {
    context.env.get(OsStr::new(passed::VARIABLE)).is_none_or(|value| value == "1")
}

/// Remembers what it prints when all is well. That this fails is never the command's error, nor worth a word.
fn remember(context: &Context, workspace: &Workspace, args: &RunArgs, spool: &Spool) {
    let (state, temporary) = context.state(workspace);
    if temporary || !remembers(context) {
        return;
    }
    let _forgotten = catch_unwind(AssertUnwindSafe(|| {
        let output = spool.last(passed::OUTPUT);
        if !output.is_empty() {
            let _unwritten = passed::remember(&state, &text_argv(args), &output, &context.masker());
        }
    }));
}

fn heal(
    context: &Context,
    args: &RunArgs,
    failure: Failure,
    state: &regreen_engine::State,
    wrapped: &Wrapped,
    voice: Arc<Terminal>,
) -> Result<Came, Failed> {
    let runtime = runtime()?;
    let came = runtime.block_on(async {
        let wrapped = wrapped.heard().map_err(|e| Failed::new(exit::BUG, e))?;
        let mut config =
            config::load(context, args.config.as_deref(), &failure.job.workspace, &*voice).await?;
        config.apply_flags(args.mode.as_deref(), args.yes, args.rerun == RerunWhen::Always, args.dry_run);
        let workspace = &failure.job.workspace;
        let given = args.own.patterns.as_deref();
        let own = config::patterns_folder(context, given, args.config.as_deref(), workspace)?;
        let Known { catalog, mut warnings } = custom::known(workspace, own.as_deref()).await?;
        let with_own = own_playbooks::with(context, args.config.as_deref(), workspace, catalog)?;
        let catalog = with_own.catalog;
        warnings.extend(with_own.warnings);
        for warning in &warnings {
            voice.tell(Event::Warning(&harmless(warning)));
        }
        let counsellor = FleetServer::named(context, args, voice.clone())?;
        let engine = Engine {
            catalog: Arc::new(catalog),
            config: config.into_engine(),
            masker: context.masker(),
            voice: voice.clone(),
            counsellor,
        };
        match engine.handle(failure, state, Arc::new(wrapped)).await {
            Err(ended @ EngineError::Interrupted { unfinished, .. }) => {
                let then = match unfinished {
                    true => "what was begun is taken back by `regreen resume` or the next `regreen run`",
                    false => "nothing was changed",
                };
                voice.tell(Event::Warning(&format!("{ended}; {then}")));
                Ok(Came::Interrupted(Failed::from(ended).code))
            }
            handled => Ok(Came::Handled(Box::new(handled?), warnings)),
        }
    });
    // What still looks at files in the background changes nothing, and is not waited for.
    runtime.shutdown_timeout(LOOKING);
    came
}

/// What came of it.
enum Came {
    /// An end, with warnings on the way.
    Handled(Box<Handled>, Vec<String>),
    /// Somebody asked for an end; the exit code.
    Interrupted(u8),
}

/// Longest that is waited for what is at work in the background.
const LOOKING: Duration = Duration::from_secs(1);

fn failure(job: Job, args: &RunArgs, began: u128, ended: &Ended, spool: &Spool) -> Failure {
    let content = spool.take();
    let (code, signal) = match ended.status {
        Status::Exit(code) => (Some(code), None),
        Status::Signal(signal) => (None, Some(signal)),
    };
    let command: CommandFacts = recognise(&args.cmd);
    Failure {
        run: job.workspace.run.as_ref().map(ToString::to_string).unwrap_or_default(),
        job,
        command,
        exit: ExitFacts { code, signal, timed_out: ended.why == Why::TimedOut, idle: ended.why == Why::Idle },
        code: ended.exit_code(),
        began: i64::try_from(began).unwrap_or(0),
        ran: ended.duration,
        output: content.bytes,
        dropped: Dropped { lines: content.dropped_lines, bytes: content.dropped_bytes },
        usual: Vec::new(),
        kills: None,
    }
}

fn text_argv(args: &RunArgs) -> Vec<String> {
    args.cmd.iter().map(|a| a.to_string_lossy().into_owned()).collect()
}

fn new_run_id() -> String {
    format!("{:x}-{:x}", since_1970().as_nanos(), std::process::id())
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}
