//! The wrapper as others see it: the example binary, started as a process of its own.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod exit;
mod left_behind;
mod limits;
mod signals;
mod streams;
mod terminal;
mod wrapper;
