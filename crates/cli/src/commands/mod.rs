//! One file a command; the error of any of them is printed here and nowhere else.

mod accept;
mod approve;
mod audit;
mod bench;
mod breaker;
mod cache;
mod cache_bench;
mod completions;
#[cfg(feature = "demo")]
mod demo;
mod diagnose;
mod drafts;
mod explain;
mod feedback;
#[cfg(feature = "demo")]
mod healing;
mod import;
mod incidents;
mod init;
mod itself;
mod ledger;
mod lockfile;
mod manual;
mod mcp;
mod metrics;
mod notify;
mod patterns;
mod pause;
mod playbooks;
mod prove;
mod report;
mod resume;
mod rollback;
mod run;
mod serve;
mod state;
mod status;
mod suggest;
mod throughput;
mod token;

use crate::{
    args::{Args, Bench, Command},
    context::Context,
    exit::Failed,
    voice,
};

#[cfg(test)]
pub use diagnose::about as diagnosed;

/// Runs the command and gives the exit code.
pub fn dispatch(args: Args) -> u8 {
    let context = Context::new(args.color, args.command.ledger());
    let done = match args.command {
        Command::Run(run) => run::run(&context, run),
        Command::Diagnose(diagnose) => diagnose::diagnose(&context, &diagnose),
        Command::Report(args) => report::report(&context, &args),
        Command::Init(command) => init::init(&context, &command),
        Command::Lockfile(command) => lockfile::lockfile(&context, &command),
        Command::Cache(command) => cache::cache(&context, &command),
        Command::Status(status) => status::status(&context, &status),
        Command::Incidents(command) => incidents::incidents(&context, &command),
        Command::Approve(approve) => approve::approve(&context, &approve),
        Command::Deny(deny) => approve::deny(&context, &deny),
        Command::Rollback(rollback) => rollback::rollback(&context, &rollback),
        Command::Resume => resume::resume(&context, None),
        Command::Pause(pause) => pause::pause(&context, &pause),
        Command::Unpause(args) => pause::unpause(&context, &args),
        Command::Breaker(command) => breaker::breaker(&context, &command),
        Command::Playbooks(command) => playbooks::playbooks(&context, &command),
        Command::Patterns(command) => patterns::patterns(&context, &command),
        Command::Feedback(feedback) => feedback::feedback(&context, &feedback),
        Command::Metrics(command) => metrics::metrics(&context, &command),
        Command::Audit(command) => audit::audit(&context, &command),
        Command::State(command) => state::state(&context, &command),
        Command::Serve(args) => serve::serve(&context, &args),
        Command::Worker(args) => serve::worker(&context, &args),
        Command::Notify(command) => notify::notify(&context, &command),
        Command::Dispatch(args) => serve::dispatch(&context, &args),
        Command::Token(command) => token::token(&context, &command),
        Command::Ledger(command) => ledger::ledger(&context, &command),
        Command::Explain(explain) => explain::explain(&context, &explain.code),
        Command::Mcp(args) => mcp::mcp(&context, &args),
        Command::Bench { command: Bench::Accuracy(args) } => bench::accuracy(&args),
        Command::Bench { command: Bench::Throughput(args) } => throughput::throughput(&args),
        #[cfg(feature = "demo")]
        Command::Bench { command: Bench::Healing(args) } => healing::healing(&context, &args),
        Command::Bench { command: Bench::Cache(args) } => cache_bench::cache(&context, &args),
        Command::Itself(command) => itself::itself(&context, &command),
        Command::Completions { shell } => completions::completions(shell),
        #[cfg(feature = "demo")]
        Command::Demo(demo) => demo::demo(&context, &demo),
        Command::Manual { man: Some(folder), .. } => manual::man(&folder),
        Command::Manual { api: true, .. } => manual::api(),
        Command::Manual { .. } => manual::manual(),
    };
    match done {
        Ok(code) => code,
        Err(failed) => report(&context, &failed),
    }
}

/// Prints an error, masked.
pub fn report(context: &Context, failed: &Failed) -> u8 {
    voice::error(context, &context.masker().mask(&failed.to_string()));
    failed.code
}
