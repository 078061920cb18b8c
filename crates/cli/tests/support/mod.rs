//! What the end-to-end tests share: a stage with a broken lab project, the real `regreen` on it, and ways to look at
//! what is left afterwards without asking Regreen.

#![allow(dead_code, reason = "each test binary uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

pub mod aftermath;
pub mod dice;
pub mod mounts;
pub mod processes;
pub mod record;
pub mod screen;
pub mod stage;
pub mod toolchain;
pub mod tree;
