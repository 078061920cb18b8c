//! Faults on demand against real package managers.
//!
//! A [`Lab`] serves a handful of packages, made on the spot, as an npm registry, a cargo sparse index and a pip
//! simple index, behind a fault proxy that follows a [`Script`]. A [`Project`] is a small real project that
//! depends on those packages, with its own home and caches; [`damage`] breaks its lockfile or its cache the way
//! they break in the field. A [`scenario`] is all of that in a file, with what must come of it. [`forge`] stands in for GitHub. Everything listens on the loopback interface only.

pub mod damage;
mod error;
mod files;
pub mod forge;
mod lab;
mod packages;
mod project;
mod proxy;
mod registry;
pub mod scenario;
mod script;

pub use error::LabError;
pub use lab::Lab;
pub use packages::{Edition, PackageManager, RELEASES, Release, artefact};
pub use project::Project;
pub use proxy::{Answer, Request};
pub use script::{Fault, Outage, PathGlob, Rule, Script, Until};
