//! The package managers, one module each: which argv is theirs, where their lockfile, cache and remotes are,
//! and what may be asked of them. And the probes, which look at a job through them.

pub mod adapter;
mod archive;
mod bun;
mod bundler;
pub mod cache;
mod cargo;
mod composer;
pub mod git;
pub mod git_clean;
mod git_commit;
mod go;
pub mod locks;
pub mod memory;
mod npm;
mod npmrc;
mod patience;
mod pip;
mod pipenv;
mod pnpm;
mod poetry;
pub mod probe;
mod pull_request;
mod python;
pub mod remote;
pub mod runtime;
mod script;
pub mod services;
pub mod space;
mod uv;
mod workspace;
mod yarn;

pub use adapter::{Adapter, Job, Lockplace, Overlay, Remote, Resolver, adapter, all, recognise};
pub use cache::{Cache, CacheScan, DamagedEntry};
pub use cargo::members as cargo_members;
pub use git_commit::commit_file;
pub use patience::Trouble;
pub use pull_request::{Base, PullRequest, pull_request};
pub use workspace::Workspace;
