//! The locks of one handling: the workspace's, and at most one cache's, in this order. They are taken before the looks
//! on which a decision rests, so that what was seen is still so when it is acted upon.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use regreen_domain::HealableClass;
use regreen_tools::Job;

use crate::{
    error::EngineError,
    event::Event,
    handle::Engine,
    look::Look,
    state::{Lock, State, StateError, lock},
};

/// What this process holds.
#[derive(Default)]
pub(crate) struct Held {
    workspace: Option<Lock>,
    cache: Option<(PathBuf, Lock)>,
}

/// How locks were come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Got {
    /// Nothing more had to be taken.
    Already,
    /// At once: nobody was at work here.
    AtOnce,
    /// Somebody else was at work here: the world may have changed.
    AfterWaiting,
    /// Somebody else still is.
    Busy,
}

impl Held {
    /// The cache whose lock is held.
    pub(crate) fn cache(&self) -> Option<&Path> {
        self.cache.as_ref().map(|(root, _)| root.as_path())
    }

    /// Lets the cache go: nothing more is done to it, and others wait.
    pub(crate) fn release_cache(&mut self) {
        self.cache = None;
    }

    /// Notes for whoever waits that damage of this class was taken away here, or is about to be.
    pub(crate) fn note_repair(&self, class: HealableClass, at: i64) -> Result<(), StateError> {
        let held = match class {
            HealableClass::CacheCorruption => self.cache.as_ref().map(|(_, lock)| lock),
            HealableClass::LockfileCorruption => self.workspace.as_ref(),
            _ => None,
        };
        held.map_or(Ok(()), |lock| lock.note(class, at))
    }

    /// Takes the locks that a healing of what `seen` suspects would need.
    pub(crate) async fn take(
        &mut self,
        engine: &Engine,
        state: &State,
        job: &Job,
        seen: &Look,
        deadline: Instant,
    ) -> Result<Got, EngineError> {
        if seen.suspects.is_empty() {
            return Ok(Got::Already);
        }
        let mut got = Got::Already;
        if self.workspace.is_none() {
            let waiting =
                || engine.voice.tell(Event::Progress("another regreen is healing this workspace; waiting"));
            match lock(&state.workspace_lock(), deadline, waiting).await {
                Err(StateError::Busy(_)) => return Ok(Got::Busy),
                Err(e) => return Err(e.into()),
                Ok((lock, waited)) => {
                    self.workspace = Some(lock);
                    got = if waited { Got::AfterWaiting } else { Got::AtOnce };
                }
            }
        }
        let root = match seen.adapter() {
            Some(adapter) if seen.suspects.contains(&HealableClass::CacheCorruption) => {
                adapter.cache_root(job).await
            }
            _ => None,
        };
        let Some(root) = root else { return Ok(got) };
        if self.cache() == Some(&root) {
            return Ok(got);
        }
        // Never two: who holds one and waits for another could wait for somebody who waits for the first.
        self.cache = None;
        let waiting = || engine.voice.tell(Event::Progress("another regreen is healing this cache; waiting"));
        match lock(&state.cache_lock(&root), deadline, waiting).await {
            Err(StateError::Busy(_)) => Ok(Got::Busy),
            Err(e) => Err(e.into()),
            Ok((lock, waited)) => {
                self.cache = Some((root, lock));
                Ok(if waited || got == Got::AfterWaiting { Got::AfterWaiting } else { Got::AtOnce })
            }
        }
    }
}
