//! Laws that every saga obeys whatever its steps, and the fakes they need: break it anywhere, crash it anywhere,
//! repeat every undo. And a terminal, for tests of what a person at one sees.

mod journal;
mod laws;
pub mod terminal;
mod world;

pub use journal::MemoryJournal;
pub use laws::{
    break_every_step, crash_at_every_write, nothing_without_a_journal, repeat_every_undo,
    turns_back_when_the_journal_refuses_once,
};
pub use world::{Break, Put, World};
