//! What is to be done about a diagnosis.

use std::collections::BTreeMap;

use crate::{Flow, HealableClass, Risk};

/// The policy's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Carry the plan out.
    Heal(Plan),
    /// Say what would heal it, and why it is not done now.
    Suggest {
        /// The plan that would be carried out.
        plan: Plan,
        /// What stands in the way.
        because: Refusal,
    },
    /// Do nothing, and say why.
    Nothing {
        /// What stands in the way.
        because: Refusal,
    },
}

/// A playbook made ready for one incident. It can be built for a healable class only.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The class that it heals.
    pub class: HealableClass,
    /// Id of the playbook.
    pub playbook: String,
    /// The most that it can spoil.
    pub risk: Risk,
    /// In this order.
    pub steps: Vec<PlannedStep>,
    /// Paths that the steps may write, relative to the workspace or named by a root (`cache:npm`).
    pub paths: Vec<String>,
}

/// One step of a plan: a kind of the closed set, with checked arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// Unique within the plan.
    pub id: String,
    /// Step kind.
    pub kind: String,
    /// Arguments, already checked; nothing a log said stands here but through a typed hole.
    pub args: BTreeMap<String, String>,
    /// Arguments that are lists: fixed strings of an operator's playbook, without any hole.
    pub lists: BTreeMap<String, Vec<String>>,
    /// When it runs, and how often and how long it is tried.
    pub flow: Flow,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $explain:literal;)+) => {
        /// Why nothing is done, or not by itself. Each has a stable id that `regreen explain` knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Refusal { $($(#[$doc])* $variant),+ }

        impl Refusal {
            /// Every refusal.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$variant),+];

            /// The stable id.
            pub const fn id(self) -> &'static str {
                match self { $(Refusal::$variant => $id),+ }
            }

            /// One or two sentences: what stands in the way and what to do about it.
            pub const fn explain(self) -> &'static str {
                match self { $(Refusal::$variant => $explain),+ }
            }

            /// The refusal with this id.
            pub fn parse(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|r| r.id() == id)
            }
        }
    };
}

refusals! {
    /// Invariant 1.
    CodeFailure = "code-failure", "the project's own code, tests or configuration failed; Regreen never hides that";
    /// Invariant 7.
    UnknownCause = "unknown-cause", "the cause is not known, so nothing is done; label it with `regreen feedback` to teach it";
    /// Advise classes.
    AdviceOnly = "advice-only", "credentials, trust, toolchains and dependencies are never changed by Regreen; the advice says what a person can do";
    /// No playbook of the catalogue fits.
    NoPlaybook = "no-playbook", "no playbook heals this cause with this tool yet";
    /// Below the confidence threshold.
    BelowThreshold = "below-threshold", "the confidence is below the threshold (CONFIDENCE_THRESHOLD)";
    /// A signature alone is not enough.
    NotConfirmed = "not-confirmed", "the log says so, but no probe of the workspace, cache or remote confirmed it";
    /// A probe saw something that must not be healed.
    Tampering = "possible-tampering", "the bytes do not match a checksum that nothing trustworthy contradicts; this can be tampering, and a person must look";
    /// Manifest drift.
    ManifestDrift = "manifest-drift", "the lockfile no longer agrees with its manifest; regenerate it and commit both, Regreen does not choose versions in silence";
    /// Invariant 8.
    NotRepeatable = "not-repeatable", "the command is not known to be repeatable; wrap the install command itself, or say --rerun=always";
    /// Invariant 7.
    DeployJob = "deploy-job", "deploy, publish, release, migrate and signing jobs are never re-run by themselves";
    /// Invariant 7.
    UntrustedFork = "untrusted-fork", "the pull request comes from a fork; nothing is healed there";
    /// Invariant 10.
    UncommittedChanges = "uncommitted-changes", "the file has uncommitted changes and this is not a CI job; say --yes to let Regreen repair it";
    /// Invariant 10.
    NotDisposable = "not-disposable", "the playbook does what Regreen itself can't put back, and this is not a CI job; say --yes to let it";
    /// Nothing inside the job can heal it.
    NotInJob = "not-in-job", "the runner itself failed; nothing inside the job heals that: the job must run again on another runner, which is the CI system's to do";
    /// Attempts per commit and job.
    AttemptsUsedUp = "attempts-used-up", "the attempts for this commit and job are used up (MAX_RECOVERY_ATTEMPTS)";
    /// The playbook was tried a moment ago.
    Cooldown = "cooldown", "the playbook was tried a moment ago and its cooldown is not over";
    /// Time budget.
    TimeUsedUp = "time-used-up", "the time for recovery is used up (RECOVERY_TIMEOUT)";
    /// Circuit breaker.
    BreakerOpen = "breaker-open", "the circuit breaker for this cause is open after repeated failures; see `regreen breaker list`";
    /// Outage mode: in a job the fleet goes on later; beside the fleet the wait was too long.
    ServiceDown = "service-down", "a service that the job needs is down: where a fleet's server said so, it runs the jobs again once the service answers; beside the fleet it was waited for as long as is waited, so run them again once it answers";
    /// Money and minutes.
    BudgetUsedUp = "budget-used-up", "what recovery may cost in this repository in 24 hours is used up (`[budget]`, beside the fleet `[serve.budget]`, in the operator's configuration)";
    /// By the day.
    DailyAttemptsUsedUp = "daily-attempts-used-up", "as many recoveries began in this repository within 24 hours as may (`attempts-per-day` under `[budget]`, beside the fleet `[serve.budget]`)";
    /// Against storms.
    RetryBudgetUsedUp = "retry-budget-used-up", "so many recoveries began within the hour that something larger is wrong; look at the cause, or raise `per-hour` under `[budget]`";
    /// All repositories of an owner or group together.
    OrganisationBudgetUsedUp = "organisation-budget-used-up", "what recovery may cost in all repositories of this owner or group together is used up: attempts, minutes or money (`[serve.budget.organisation]`)";
    /// Requests to the CI host.
    CallsUsedUp = "api-budget-used-up", "as many requests were sent to the CI host on behalf of this repository, or of all of its owner or group, as may be within an hour (`api-calls-per-hour` under `[serve.budget]`); what is to be done there goes on when the hour is over";
    /// Left alone so that the others can be compared with it.
    ControlGroup = "control-group", "it would have been healed, and was drawn to be left alone, so that it can be told what healing brings (`[serve.control]`); whoever needs it sends it off again by hand";
    /// The deny list.
    Denied = "denied", "the deny list names this class, pattern, playbook or tool (`deny` in the operator's or the repository's configuration)";
    /// Kill switch.
    Paused = "paused", "healing is paused; `regreen unpause` ends that";
    /// Mode.
    ModeObserve = "mode-observe", "the mode is observe: diagnosed and recorded only";
    /// Mode.
    ModeSuggest = "mode-suggest", "the mode is suggest: say --mode=auto or --yes to let Regreen act";
    /// Mode.
    ModeApprove = "mode-approve", "the mode is approve: `regreen approve` lets it act";
    /// It got stuck last time.
    Demoted = "demoted", "this playbook could not be taken back when it was last tried here, so a person must agree: `regreen approve`; once it has healed again it acts by itself";
    /// Risk above what the setting allows.
    RiskTooHigh = "risk-too-high", "the playbook's risk is above what is allowed here";
    /// Another Regreen holds the workspace or the cache.
    Busy = "busy", "another regreen is healing this workspace or cache, and did not end within the time for recovery";
    /// What was tried has no other after it.
    NoFallback = "no-fallback", "what was tried did not help or could not, and the playbook names nothing more that may be tried after it (`fallback`)";
    /// A step's preflight looked and found nothing it may do.
    Blocked = "blocked", "a look before acting found that the playbook cannot help here";
}
