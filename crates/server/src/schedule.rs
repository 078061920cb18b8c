//! What is done by the clock: every repository is swept once in each slot, and what is old goes once a day, whichever node
//! lists it.

use std::{future::Future, sync::Arc, time::Duration};

use regreen_forge::{Repository, hook::Sender};
use regreen_ledger::Ledger;
use tokio::{sync::Notify, time::sleep};

use crate::{
    happening::{Happening, Log},
    memory::chain,
    task::{Listed, Task},
    worker::{DAY, millis, now},
};

/// What is to be done, and how often.
#[derive(Debug, Clone)]
pub struct Timetable {
    /// Repositories in which failures are looked for that no hook told.
    pub watched: Vec<(Sender, Repository)>,
    /// How often.
    pub every: Duration,
    /// What was over for so many days goes, once a day; `None`: nothing does.
    pub keep_days: Option<u32>,
}

impl Timetable {
    /// All that is due in the slots of this time, and how long the earliest of them lasts yet, both in milliseconds.
    fn at(&self, at: i64) -> (Vec<Listed>, i64) {
        let every = millis(self.every).max(1_000);
        let mut listed = Vec::new();
        for (sender, repository) in &self.watched {
            let (sender, repository, slot) = (*sender, repository.clone(), at.div_euclid(every));
            listed.push(Task::Sweep { sender, repository, slot }.listed(at));
        }
        let day = at.div_euclid(DAY);
        if let Some(keep_days) = self.keep_days {
            listed.push(Task::Prune { day, keep_days }.listed(at));
        }
        let ends = |length: i64| (at.div_euclid(length) + 1).saturating_mul(length).saturating_sub(at);
        (listed, ends(every).min(ends(DAY)))
    }
}

/// Lists what a timetable says now and in each of its slots, until `stop` is ready. The slot of the time is in the work's
/// key, so that many nodes list it once.
pub async fn schedule(
    ledger: Ledger,
    table: Timetable,
    log: Arc<dyn Log>,
    bell: Arc<Notify>,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    loop {
        let (listed, ends) = table.at(now());
        let work: Vec<_> = listed.iter().map(Listed::work).collect();
        let wait = match ledger.enqueue(&work).await {
            Ok(_) => {
                bell.notify_one();
                ends
            }
            Err(e) => {
                log.tell(&Happening::WorkUnavailable { why: chain(&e) });
                5_000
            }
        };
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(1_000).max(10));
        tokio::select! {
            () = &mut stop => return,
            () = sleep(wait) => {}
        }
    }
}
