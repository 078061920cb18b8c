//! One file a command; the error of any of them is printed here and nowhere else.

mod bench;
#[cfg(feature = "demo")]
mod demo;
mod diagnose;
mod explain;
mod record;
mod resume;
mod run;

use clap::CommandFactory;

use crate::{
    args::{Args, Audit, Bench, Command, Incidents},
    context::Context,
    exit::Failed,
    voice,
};

pub use record::print_out as print;

/// Runs the command and gives the exit code.
pub fn dispatch(args: Args) -> u8 {
    let context = Context::new(args.color);
    let done = match args.command {
        Command::Run(run) => run::run(&context, run),
        Command::Diagnose(diagnose) => diagnose::diagnose(&context, &diagnose),
        Command::Resume => resume::resume(&context),
        Command::Status => record::status(&context),
        Command::Incidents { command: Incidents::List { limit } } => record::incidents(&context, limit),
        Command::Incidents { command: Incidents::Show { id } } => record::incident(&context, &id),
        Command::Audit { command: Audit::Verify { head } } => record::audit(&context, head.as_deref()),
        Command::Feedback { incident, class, note } => {
            record::feedback(&context, &incident, class, note.as_deref())
        }
        Command::Pause { reason } => record::pause(&context, &reason),
        Command::Unpause => record::unpause(&context),
        Command::Playbooks => explain::playbooks(),
        Command::Patterns => explain::patterns(),
        Command::Explain { code } => explain::explain(&code),
        Command::Bench { command: Bench::Accuracy(args) } => bench::accuracy(&args),
        Command::Completions { shell } => completions(shell),
        #[cfg(feature = "demo")]
        Command::Demo(demo) => demo::demo(&context, &demo),
    };
    match done {
        Ok(code) => code,
        Err(failed) => report(&context, &failed),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<u8, Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "regreen", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Prints an error, masked.
pub fn report(context: &Context, failed: &Failed) -> u8 {
    voice::error(context, &context.masker().mask(&failed.to_string()));
    failed.code
}
