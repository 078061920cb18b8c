//! A terminal, for tests of what a person at one sees.

pub mod terminal;
