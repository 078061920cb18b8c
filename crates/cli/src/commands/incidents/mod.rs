//! `regreen incidents list|show|reopen|replay`.

pub mod list;
mod log;
mod reopen;
pub mod replay;
mod show;

use crate::{args::Incidents, context::Context, exit::Failed};

/// Does it.
pub fn incidents(context: &Context, command: &Incidents) -> Result<u8, Failed> {
    match command {
        Incidents::List(filters) => list::list(context, filters),
        Incidents::Show { id, log: Some(log), .. } => log::log(context, id, log),
        Incidents::Show { id, format, .. } => show::show(context, id, *format),
        Incidents::Reopen(args) => reopen::reopen(context, args),
        Incidents::Replay { id, format, which, .. } => replay::replay(context, id, *format, which),
    }
}
