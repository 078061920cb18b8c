//! Whether the whole audit chain holds: followed from its first entry in the background, some entries at a time, and from the beginning again
//! after a while. That it still has the head which it had before is looked at too: a chain that was written anew holds as well.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use regreen_ledger::{ChainPlace, LedgerError};
use tokio::time::sleep;

use super::House;

/// Time between two pages of entries: following it takes at most a part of a processor.
const REST: Duration = Duration::from_millis(15);
/// Time between two looks for what was written since.
const ON: Duration = Duration::from_secs(1);
/// After so many of them it is followed from the beginning again.
const AGAIN: u32 = 600;

/// What was found out about the chain.
#[derive(Default)]
pub(super) struct Chain(Mutex<Known>);

/// What is known so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) last: Option<Checked>,
    /// The entry at which a check from the beginning is that is under way.
    pub(super) at: Option<i64>,
}

/// A chain that was followed from its beginning, and on since then, or to where it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checked {
    /// When it had been followed from its beginning to its end.
    pub(super) at: i64,
    /// How far it holds.
    pub(super) place: ChainPlace,
    /// The entry that does not fit, and what does not.
    pub(super) broken: Option<(i64, String)>,
}

impl Chain {
    pub(super) fn known(&self) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Follows the chain for as long as there is a dashboard. What the ledger can't be asked for is asked again; the pages say what was known.
pub(super) async fn watch(house: Weak<House>) {
    let mut looks = 0;
    loop {
        let Some(here) = house.upgrade() else { return };
        let _asked_again = match looks {
            0 => from_the_beginning(&here).await,
            _ => on(&here).await,
        };
        here.chain.set(|known| known.at = None);
        // What is broken is looked at from its beginning: it may have been put right.
        looks = (looks + 1) % AGAIN;
        drop(here);
        sleep(ON).await;
    }
}

async fn from_the_beginning(house: &Arc<House>) -> Result<(), LedgerError> {
    let before = house.chain.known().last.filter(|last| last.broken.is_none()).map(|last| last.place);
    house.chain.set(|known| known.at = Some(0));
    let (place, mut broken) = follow(house, ChainPlace::default(), before.as_ref(), true).await?;
    if let Some(before) = before.filter(|before| before.seq > place.seq && broken.is_none()) {
        broken = Some((before.seq, "it was there at the last check, and is not any more".to_owned()));
    }
    let at = house.now();
    house.chain.set(|known| known.last = Some(Checked { at, place, broken }));
    Ok(())
}

/// What was written since.
async fn on(house: &Arc<House>) -> Result<(), LedgerError> {
    let Some(last) = house.chain.known().last else { return from_the_beginning(house).await };
    if last.broken.is_some() {
        return Ok(());
    }
    let (place, broken) = follow(house, last.place, None, false).await?;
    house.chain.set(|known| known.last = Some(Checked { at: last.at, place, broken }));
    Ok(())
}

/// From a place to the end of the chain, or to where it breaks.
async fn follow(
    house: &Arc<House>,
    mut place: ChainPlace,
    known: Option<&ChainPlace>,
    tells: bool,
) -> Result<(ChainPlace, Option<(i64, String)>), LedgerError> {
    loop {
        let step = house.ledger().follow_chain(&place, known).await?;
        if step.broken.is_some() || step.place == place {
            return Ok((step.place, step.broken));
        }
        place = step.place;
        if tells {
            house.chain.set(|known| known.at = Some(place.seq));
        }
        sleep(REST).await;
    }
}
