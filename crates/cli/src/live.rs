//! The wrapped command on the live terminal: the first time, and once more.

use std::{ffi::OsString, io, sync::Arc};

use regreen_engine::State;
use regreen_process::{
    RunId, Spool,
    interrupts::Interrupts,
    live::{self, LiveCommand, Options, Why},
};
use regreen_saga::BoxFuture;
use regreen_steps::{Limit, Rerun, RerunEnd};
use regreen_tools::Overlay;

use crate::args::RunArgs;

/// Runs the wrapped command, as often as asked, always in the same way.
#[derive(Clone)]
pub struct Wrapped {
    cmd: Vec<OsString>,
    options: Options,
    run: RunId,
    /// Heard while Regreen itself is at work.
    interrupts: Option<Arc<Interrupts>>,
}

impl Wrapped {
    /// The command with its limits.
    pub fn new(args: &RunArgs, run: RunId) -> Self {
        let options = Options {
            timeout: args.timeout,
            idle_timeout: args.idle_timeout,
            leave_background: args.leave_background,
            ..Options::default()
        };
        Wrapped { cmd: args.cmd.clone(), options, run, interrupts: None }
    }

    /// The same, for while Regreen itself is at work: whoever asks for an end then is heard.
    ///
    /// # Errors
    /// Where the system refuses to tell of signals.
    pub fn heard(&self) -> io::Result<Self> {
        Ok(Wrapped { interrupts: Some(Arc::new(Interrupts::listen()?)), ..self.clone() })
    }

    /// Runs it live. Its output goes through unchanged; the end of it is kept in `Spool`.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn run(&self, overlay: &Overlay) -> Result<(live::Ended, Spool), live::StartError> {
        let spool = Spool::default();
        let mut args: Vec<OsString> = self.cmd[1..].to_vec();
        // cargo's toolchain stands before everything else.
        let at = usize::from(args.first().is_some_and(|a| a.to_string_lossy().starts_with('+')));
        args.splice(at..at, overlay.args.iter().map(OsString::from));
        let command = LiveCommand {
            env: overlay.env.iter().map(|(k, v)| (k.into(), v.into())).collect(),
            run_id: Some(self.run.clone()),
            ..LiveCommand::new(&self.cmd[0], args)
        };
        let options = Options { spool: spool.clone(), ..self.options.clone() };
        live::run(&command, &options).map(|ended| (ended, spool))
    }
}

impl Rerun for Wrapped {
    fn asked_to_end(&self, times: u32) -> BoxFuture<'_, i32> {
        match &self.interrupts {
            Some(interrupts) => Box::pin(interrupts.asked(times)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn rerun(&self, overlay: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>> {
        let this = self.clone();
        Box::pin(async move {
            let ran = tokio::task::spawn_blocking(move || this.run(&overlay));
            let (ended, spool) = ran.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
            let content = spool.take();
            Ok(RerunEnd {
                code: ended.exit_code(),
                log: content.bytes,
                dropped_lines: content.dropped_lines,
                dropped_bytes: content.dropped_bytes,
                limit: match ended.why {
                    Why::TimedOut => Some(Limit::Time),
                    Why::Idle => Some(Limit::Silence),
                    Why::Normal | Why::Interrupted(_) => None,
                },
                interrupted: matches!(ended.why, Why::Interrupted(_)),
                duration: ended.duration,
            })
        })
    }
}

/// Whether a recovery was left unfinished in this workspace, and nobody is at work on it: one look, no ledger.
pub fn unfinished(state: &State) -> bool {
    state.open_marker().exists() && !state.is_healing().unwrap_or(false)
}
