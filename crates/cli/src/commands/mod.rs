//! One file a command; the error of any of them is printed here and nowhere else.

#[cfg(feature = "demo")]
mod demo;
mod diagnose;
mod resume;
mod run;

use crate::{
    args::{Args, Command},
    context::Context,
    exit::Failed,
    voice,
};

/// Runs the command and gives the exit code.
pub fn dispatch(args: Args) -> u8 {
    let context = Context::new(args.color);
    let done = match args.command {
        Command::Run(run) => run::run(&context, run),
        Command::Diagnose(diagnose) => diagnose::diagnose(&context, &diagnose),
        Command::Resume => resume::resume(&context),
        #[cfg(feature = "demo")]
        Command::Demo(demo) => demo::demo(&context, &demo),
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
