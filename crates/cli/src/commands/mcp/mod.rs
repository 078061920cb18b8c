//! `regreen mcp`: agents ask over standard input and output, by the Model Context Protocol.
//!
//! Whatever it answers was read from logs and repositories that anybody may have written to: it is masked, made harmless,
//! and said to be no instruction.

mod answer;
mod desk;
mod door;
#[cfg(test)]
mod hostile;
mod tools;

use std::{
    io::{self, BufReader, IsTerminal},
    rc::Rc,
};

use rmcp::{ServiceExt, service::ServerInitializeError};

use crate::{
    args::{Colour, McpArgs, WhichPatterns},
    commands::mcp::{answer::Answers, desk::Desk, door::door},
    context::{Context, runtime},
    custom,
    exit::{FINE, Failed, USAGE},
    voice,
};

/// Answers until the client closes standard input.
pub fn mcp(context: &Context, args: &McpArgs) -> Result<u8, Failed> {
    if io::stdin().is_terminal() {
        voice::progress(context, "this waits for a client of the Model Context Protocol; Ctrl-C ends it");
    }
    let known = custom::known_here(context, args.own.patterns.as_deref(), None)?;
    let which = WhichPatterns { own: args.own.clone(), config: None };
    let own = Context::new(Colour::Never, context.ledger.as_deref());
    let answers = Answers::new(own, known, which, &args.logs, args.allow_actions)?;
    let (door, stopped) = door(BufReader::new(io::stdin()), io::stdout());
    runtime()?.block_on(tokio::task::LocalSet::new().run_until(serve(Rc::new(answers), door)))?;
    match stopped.gave_up() {
        false => Ok(FINE),
        true => Err(Failed::new(USAGE, "what came in on standard input is no Model Context Protocol")
            .help("let an agent start `regreen mcp`; `regreen diagnose -` reads a log from standard input")),
    }
}

/// Answers whoever speaks through the door.
async fn serve<W: io::Write + Send + 'static>(
    answers: Rc<Answers>,
    door: door::Door<W>,
) -> Result<(), Failed> {
    let running = match Desk(answers).serve(door).await {
        Ok(running) => running,
        // Somebody looked in and went away.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(e) => {
            return Err(Failed::new(USAGE, format!("the client's first words were not understood: {e}")));
        }
    };
    let _reason = running.waiting().await;
    Ok(())
}
