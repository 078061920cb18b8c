//! What every command shares: the environment, the folder, the masker. Read once, here.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    io::{self, IsTerminal},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use regreen_catalog::Catalog;
use regreen_engine::{Engine, EngineError, State, state_root};
use regreen_mask::{Masker, secrets_of};
use regreen_process::interrupts::Interrupts;
use regreen_tools::Workspace;

use crate::{
    args::Colour,
    config,
    exit::{self, Failed},
    voice::Terminal,
};

/// The program's surroundings.
pub struct Context {
    /// The environment.
    pub env: BTreeMap<OsString, OsString>,
    /// The ledger that was named on the command line or by REGREEN_LEDGER, for a command that takes one.
    pub ledger: Option<String>,
    colour: Colour,
    /// Secrets that files hold, and what masks them once it was made.
    masks: Mutex<(Vec<String>, Option<Arc<Masker>>)>,
}

impl Context {
    /// Reads the surroundings.
    pub fn new(colour: Colour, ledger: Option<&str>) -> Self {
        Context {
            env: env::vars_os().collect(),
            ledger: ledger.map(str::to_owned),
            colour,
            masks: Mutex::default(),
        }
    }

    /// Takes secrets out of text: the patterns of providers, the values of variables named like secrets, the passwords of
    /// addresses in variables, and what [`Context::hide`] was told before.
    pub fn masker(&self) -> Arc<Masker> {
        let mut masks = self.masks.lock().unwrap_or_else(PoisonError::into_inner);
        let (hidden, made) = &mut *masks;
        let make = || {
            let secrets =
                |(name, value): (&OsString, &OsString)| secrets_of(&name.to_string_lossy(), value.as_bytes());
            let variables = self.env.iter().flat_map(secrets);
            Arc::new(Masker::new(variables.chain(hidden.iter().map(|secret| secret.clone().into_bytes()))))
        };
        made.get_or_insert_with(make).clone()
    }

    /// From now on this is taken out of text too, and each of its lines: what a file of secrets holds.
    pub fn hide(&self, secret: &str) {
        let mut masks = self.masks.lock().unwrap_or_else(PoisonError::into_inner);
        masks
            .0
            .extend(std::iter::once(secret.trim()).chain(secret.lines().map(str::trim)).map(str::to_owned));
        masks.1 = None;
    }

    /// The value of a variable that holds a secret, where there is one.
    pub fn secret(&self, name: &str) -> Option<String> {
        let value = self.env.get(OsStr::new(name)).filter(|value| !value.is_empty())?;
        value.to_str().map(str::to_owned)
    }

    /// Whether to colour what goes to standard error.
    pub fn colour_stderr(&self) -> bool {
        self.colours(io::stderr().is_terminal())
    }

    /// Whether to colour what goes to standard output.
    pub fn colour_stdout(&self) -> bool {
        self.colours(io::stdout().is_terminal())
    }

    fn colours(&self, terminal: bool) -> bool {
        let no_color = self.env.get(OsStr::new("NO_COLOR")).is_some_and(|v| !v.is_empty());
        let dumb = self.env.get(OsStr::new("TERM")).is_some_and(|v| v == "dumb");
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && !no_color && !dumb,
        }
    }

    /// The folder in which Regreen was started, with the environment.
    ///
    /// # Errors
    /// Where the folder is gone or can't be entered.
    pub fn workspace(&self) -> Result<Workspace, Failed> {
        let root = env::current_dir().and_then(|path| path.canonicalize()).map_err(|e| {
            Failed::new(exit::NOTHING_TO_READ, format!("the current folder can't be used: {e}"))
        })?;
        Ok(Workspace::new(root, self.env.clone()))
    }

    /// The state folder of a workspace, and whether it will not outlive the machine.
    pub fn state(&self, workspace: &Workspace) -> (State, bool) {
        let (root, temporary): (PathBuf, bool) = state_root(&self.env);
        (State::of(&root, &workspace.root), temporary)
    }
}

/// The catalogue in the binary.
///
/// # Errors
/// A bug: a binary with an invalid catalogue does not pass its own tests.
pub fn catalog() -> Result<Catalog, Failed> {
    regreen_builtin::catalog().map_err(|e| Failed::new(exit::INVALID, e))
}

/// The pipeline for a command that acts on what is on record, by the operator's `file` where one was named.
///
/// # Errors
/// The configuration's.
pub async fn engine(
    context: &Context,
    file: Option<&Path>,
    workspace: &Workspace,
    voice: Arc<Terminal>,
) -> Result<Engine, Failed> {
    let config = config::load(context, file, workspace, &*voice).await?;
    Ok(Engine {
        catalog: Arc::new(catalog()?),
        config: config.into_engine(),
        masker: context.masker(),
        voice,
        counsellor: None,
    })
}

/// A runtime for the acting crates; made only when there is something to do.
///
/// # Errors
/// Where the system gives no threads or files.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failed::new(exit::BUG, format!("failed to start the runtime: {e}")))
}

/// `work` on what is on record, or an end where somebody asks for it: what it ran is ended with it, and what it had begun
/// can be resumed.
///
/// # Errors
/// The work's own; the end that was asked for; or where the system refuses to tell of signals.
pub async fn unless_interrupted<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let interrupts = Interrupts::listen().map_err(|e| Failed::new(exit::BUG, e))?;
    tokio::select! {
        biased;
        done = work => done,
        signal = interrupts.asked(1) => Err(EngineError::Interrupted { signal, unfinished: true }.into()),
    }
}
