//! The one use-case: [`Engine::handle`] takes a failure and brings it to its end, and [`Engine::resume`] does the same
//! for one that a process left behind. The order of the pipeline, nothing else.

mod approval;
mod attempt;
mod cache_repair;
mod closing;
mod config;
mod counsel;
mod error;
mod event;
mod experience;
mod fleet;
mod foreseen;
mod handle;
mod held;
mod inputs;
mod interrupted;
mod live_catalog;
mod look;
mod patch;
mod playbooks;
mod rehearse;
mod replay;
mod resume;
mod rollback;
mod setting;
mod shared_repair;
mod state;

pub use cache_repair::{CacheRepair, CacheRepaired};
pub use config::Config;
pub use counsel::{COUNSEL_VERSION, Counsel, Counsellor, Question};
pub use error::EngineError;
pub use event::{Event, Voice};
pub use fleet::{ALL as PAUSED_FLEET, is_paused, pause_scope};
pub use fleet::{
    Answer, CallBudget, CallsUsedUp, ESCALATION, EndedRun, EscalationConfig, Fleet, FleetConfig, Foreseen,
    GivenUp, Hand, JobPolicy, Kept, KnownService, Lately, Letter, NOTICE, Network, Next, NotTold, OUTAGE,
    Obeyed, Order, OutageConfig, OutageTold, Prospect, Put, Remotes, Rule, Said, Settled, Spot, TOLD,
    Telling, Tended, ToldConfig, Unfinished, escalation_of, outage_of,
};
pub use fleet::{is_latest as fleet_is_latest, run_of as fleet_run_of};
pub use handle::{Engine, Failure, Handled};
pub use live_catalog::{Known, LiveCatalog};
pub use look::{diagnose_log, diagnose_log_with};
pub use patch::unified;
pub use playbooks::{check_own as check_own_playbook, join as join_playbooks};
pub use rehearse::{Rehearsed, RehearsedKind, rehearse};
pub use replay::{Difference, ReplayError, Replayed, replay};
pub use resume::Resumed;
pub use setting::{place, setting};
pub use state::{State, StateError, state_root};
