//! What can be typed.

mod bench;
mod cache;
#[cfg(feature = "demo")]
mod demo;
mod diagnose;
mod drafts;
mod every;
mod given;
mod init;
mod itself;
mod known;
mod ledger;
mod lockfile;
mod mcp;
mod notify;
mod once;
mod record;
mod report;
mod run;
mod serve;
mod token;
mod which;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

#[cfg(feature = "demo")]
pub use bench::HealingArgs;
pub use bench::{AccuracyArgs, Bench, CacheBenchArgs, CorpusSet, ThroughputArgs};
pub use cache::{Cache, CacheCheckArgs, CacheForgetArgs, CacheRepairArgs, CacheStatsArgs, Caches};
#[cfg(feature = "demo")]
pub use demo::{DemoArgs, DemoCause, DemoTool};
pub use diagnose::{DiagnoseArgs, DiagnosisFormat};
pub use drafts::{AcceptArgs, ImportArgs, NewArgs, SuggestArgs, TakeBackArgs};
pub use every::Every;
pub use given::Given;
pub use init::{Init, InitArgs, InitGithubArgs, InitGitlabArgs};
pub use itself::{Itself, SelfCheckArgs};
pub use known::{ExplainArgs, OwnPatterns, Patterns, Playbooks, WhichPatterns};
pub use ledger::Ledger;
pub use lockfile::{
    CheckArgs, CheckFormat, Lockfile, PlainOrJson, ProposeArgs, RepairArgs, RepairOutput, WatchArgs,
};
pub use mcp::McpArgs;
pub use notify::{Notify, NotifyTestArgs};
pub use once::{OnceArgs, OnceFormat, OnlyPart};
pub use record::{
    ANY_REASON, ApproveArgs, Audit, Breaker, DenyArgs, FeedbackArgs, IncidentFilters, Incidents, Metrics,
    MetricsArgs, MetricsFormat, PauseArgs, PausedArgs, ReopenArgs, ResetArgs, RollbackArgs, State,
    StatusArgs, UnpauseArgs,
};
pub use report::{ReportArgs, ReportFormat};
pub use run::{RerunWhen, RunArgs};
pub use serve::{DispatchArgs, ServeArgs, WorkArgs, WorkerArgs};
pub use token::{CreateArgs, Token, TokenRole};
pub use which::WhichLedger;

/// Turns red CI green again when, and only when, the infrastructure was at fault.
#[derive(Debug, Parser)]
#[command(
    name = "regreen",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = concat!("Examples:\n  regreen run -- npm ci          wrap a command: heal it if the infrastructure was at fault\n  \
                  regreen diagnose build.log     say why a job failed\n  regreen demo                   see a really broken project healed\n\n\
                  `regreen explain CODE` says what a word of its output means. The manual is the folder docs/ of\n",
                  env!("CARGO_PKG_REPOSITORY"), "."
    )
)]
pub struct Args {
    /// When to colour: only on a terminal, always or never (also NO_COLOR)
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// What was typed for this process. Ends it where that can't be understood, or asks for help.
    pub fn read() -> Args {
        let matches = Args::command().get_matches();
        let read = Args::from_arg_matches(&matches);
        let mut args = read.unwrap_or_else(|e| e.format(&mut Args::command()).exit());
        if let Command::Serve(serve) = &mut args.command {
            serve.work.given = Given::of(&Args::command(), &matches);
        }
        args
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[value(alias = "text")]
    Plain,
    /// For programs: one object a line
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a command; if the infrastructure makes it fail, heal that and run it again
    Run(RunArgs),
    /// Say why a job failed, from its log
    Diagnose(DiagnoseArgs),
    /// Say what Regreen would have done about a folder of logs: causes, counts, time
    Report(ReportArgs),
    /// Write the files by which a repository's CI is protected
    #[command(subcommand)]
    Init(Init),
    /// Check, repair and watch lockfiles on their own, without a failed job
    #[command(subcommand)]
    Lockfile(Lockfile),
    /// Check and repair the caches of package managers and compilers, or say how large and how used they are
    #[command(subcommand)]
    Cache(Cache),
    /// Say how it stands: state, incidents, and the targets beside what was measured
    Status(StatusArgs),
    /// List incidents of this workspace, show one, open one again, or decide one again
    #[command(subcommand)]
    Incidents(Incidents),
    /// Let a recovery that waits for a person's word go ahead with the next run
    Approve(ApproveArgs),
    /// Refuse a recovery that waits for a person's word
    Deny(DenyArgs),
    /// Take back what an incident did
    Rollback(RollbackArgs),
    /// Bring a recovery that was killed to its end: healed, or as before
    Resume,
    /// Heal nothing in this workspace until `unpause`; seen before the next effect of a running recovery
    Pause(PauseArgs),
    /// Heal again
    Unpause(UnpauseArgs),
    /// List circuit breakers, or close them by hand
    #[command(subcommand)]
    Breaker(Breaker),
    /// List the playbooks, show one, or rehearse them
    #[command(subcommand)]
    Playbooks(Playbooks),
    /// List the patterns, show one, prove pattern files, or draft one
    #[command(subcommand)]
    Patterns(Patterns),
    /// Say what an incident really was
    Feedback(FeedbackArgs),
    /// Give the figures to other programs
    #[command(subcommand)]
    Metrics(Metrics),
    /// Check the hash-chained audit log
    #[command(subcommand)]
    Audit(Audit),
    /// Carry what is on record from one machine to the next
    #[command(subcommand)]
    State(State),
    /// Beside the fleet: take webhooks, diagnose failed runs, and let the infrastructure's run again
    Serve(ServeArgs),
    /// The same without taking webhooks: any number of them share a ledger
    Worker(WorkerArgs),
    /// Try whether who should be told beside the fleet can be
    #[command(subcommand)]
    Notify(Notify),
    /// Put a run on the list of work by hand
    Dispatch(DispatchArgs),
    /// Make, list and take away tokens: who may read and act over HTTP
    #[command(subcommand)]
    Token(Token),
    /// Back up the ledger, restore one, prune or check it
    #[command(subcommand)]
    Ledger(Ledger),
    /// Explain a class, pattern, playbook, step kind, probe, reason or exit code
    Explain(ExplainArgs),
    /// Answer agents over the Model Context Protocol: diagnose a log, list and explain incidents
    Mcp(McpArgs),
    /// Measure how good Regreen is
    Bench {
        /// What to measure
        #[command(subcommand)]
        command: Bench,
    },
    /// Look at Regreen itself
    #[command(subcommand, name = "self")]
    Itself(Itself),
    /// Print shell completions
    #[command(
        after_help = "Example:\n  regreen completions bash > ~/.local/share/bash-completion/completions/regreen"
    )]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Break a small real project and heal it before your eyes
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Print the manual's page about the command line
    #[command(hide = true)]
    Manual {
        /// Write man pages to this folder instead, one a command
        #[arg(long, value_name = "DIR")]
        man: Option<std::path::PathBuf>,
        /// Print the description of the JSON API instead
        #[arg(long, conflicts_with = "man")]
        api: bool,
    },
}
