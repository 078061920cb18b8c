//! A journal in memory that can die after any number of writes, as a process would.

use crate::{
    journal::{Fact, Journal, JournalError},
    step::BoxFuture,
};

/// Facts in memory; `fuel` is how many more writes it takes.
#[derive(Debug, Default, Clone)]
pub struct MemoryJournal {
    /// What was written.
    pub facts: Vec<Fact>,
    /// Writes left; `None` is endless.
    pub fuel: Option<usize>,
    /// Writes until it refuses one, and one only.
    pub refuses_once: Option<usize>,
}

impl MemoryJournal {
    /// One that takes so many entries and then refuses all, as when its process is killed.
    pub fn dying_after(entries: usize) -> MemoryJournal {
        MemoryJournal { fuel: Some(entries), ..MemoryJournal::default() }
    }
}

impl Journal for MemoryJournal {
    fn append<'a>(&'a mut self, fact: &'a Fact) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let refuses = self.refuses_once;
            self.refuses_once = refuses.and_then(|left| left.checked_sub(1));
            if refuses == Some(0) {
                return Err(JournalError { doing: "write", source: "not this time".into() });
            }
            match &mut self.fuel {
                Some(0) => return Err(JournalError { doing: "write", source: "out of fuel".into() }),
                Some(fuel) => *fuel -= 1,
                None => {}
            }
            self.facts.push(fact.clone());
            Ok(())
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<Fact>, JournalError>> {
        let facts = self.facts.clone();
        Box::pin(async move { Ok(facts) })
    }
}
