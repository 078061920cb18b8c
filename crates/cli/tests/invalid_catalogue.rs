//! A catalogue that names what does not exist: an error that says which, before anything is touched or repeated.
//!
//! The catalogue is a part of the binary, so this is the one adversity that the real `regreen` can't be brought into;
//! what it makes of such an error is the same as of every other.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use regreen_catalog::Catalog;
use regreen_decide::Policy;
use regreen_detect::ExitFacts;
use regreen_domain::CommandFacts;
use regreen_engine::{Config, Engine, EngineError, Event, Failure, Voice};
use regreen_lab::PackageManager;
use regreen_ledger::BreakerPolicy;
use regreen_logs::Dropped;
use regreen_mask::Masker;
use regreen_saga::BoxFuture;
use regreen_steps::{Rerun, RerunEnd};
use regreen_tools::{Job, Overlay, Workspace};
use support::{stage::Stage, tree};

/// A command that must not be repeated.
struct Never;

impl Rerun for Never {
    fn rerun(&self, _: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>> {
        panic!("the command was repeated");
    }
}

/// Remembers that the diagnosis was said.
#[derive(Default)]
struct Heard(Mutex<bool>);

impl Voice for Heard {
    fn tell(&self, event: Event<'_>) {
        *self.0.lock().unwrap() |= matches!(event, Event::Diagnosed(_));
    }
}

#[test]
fn a_playbook_with_an_unknown_step_is_named_and_nothing_is_done() {
    let stage = Stage::new(PackageManager::Cargo);
    let before = stage.checkout();
    let text = include_str!("../../../catalog/playbooks/wait-and-rerun.toml");
    let text = text.replace("use = \"wait-until-reachable\"", "use = \"wait-for-better-days\"");
    let catalog = Catalog::load([("playbooks/wait-and-rerun.toml", text.as_str())]).unwrap();
    let heard = Arc::new(Heard::default());
    let policy = Policy::default();
    let engine = Engine {
        catalog: Arc::new(catalog),
        config: Config {
            policy,
            recovery_timeout: Duration::from_secs(60),
            breaker: BreakerPolicy { threshold: 3, cooldown_ms: 60_000, probe_ms: 60_000 },
            mirrors: Vec::new(),
            allow_commands: false,
            yes: false,
            rerun_always: true,
            dry_run: false,
        },
        masker: Arc::new(Masker::new::<[&str; 0], &str>([])),
        voice: heard.clone(),
        counsellor: None,
    };
    let env = stage.program("true");
    let env = env.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let workspace = Workspace::new(stage.project.root().canonicalize().unwrap(), env.collect());
    let failure = Failure {
        job: Job { workspace, argv: vec!["make".to_owned()] },
        command: CommandFacts::OPAQUE,
        exit: ExitFacts { code: Some(1), ..ExitFacts::default() },
        code: 1,
        began: 0,
        ran: Duration::ZERO,
        output: b"it failed\n".to_vec(),
        dropped: Dropped::default(),
        run: "r1".to_owned(),
        usual: Vec::new(),
        kills: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let handled = runtime.block_on(engine.handle(failure, &stage.state(), Arc::new(Never)));
    let Err(EngineError::Catalog(why)) = handled else { panic!("{handled:?}") };
    assert!(why.contains("wait-and-rerun") && why.contains("wait-for-better-days"), "{why}");
    assert!(*heard.0.lock().unwrap(), "a diagnosis needs no playbook");
    assert_eq!(tree::differences(&before, &stage.checkout()), [""; 0]);
}
