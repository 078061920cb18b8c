//! What is done by the clock: every repository is swept once in each slot, whichever node lists it.

use std::{future::Future, sync::Arc, time::Duration};

use regreen_forge::{Repository, hook::Sender};
use regreen_ledger::Ledger;
use tokio::{sync::Notify, time::sleep};

use crate::{
    happening::{Happening, Log},
    memory::chain,
    task::{Listed, Task},
    worker::{millis, now},
};

/// Lists a sweep of each of these repositories now and then once every `every`, until `stop` is ready. The slot of the time
/// is in the work's key, so that many nodes list it once.
pub async fn schedule(
    ledger: Ledger,
    repositories: Vec<(Sender, Repository)>,
    every: Duration,
    log: Arc<dyn Log>,
    bell: Arc<Notify>,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    let every_ms = millis(every).max(1_000);
    loop {
        let at = now();
        let slot = at.div_euclid(every_ms);
        let listed: Vec<Listed> = repositories
            .iter()
            .map(|(sender, repository)| {
                Task::Sweep { sender: *sender, repository: repository.clone(), slot }.listed(at)
            })
            .collect();
        let work: Vec<_> = listed.iter().map(Listed::work).collect();
        let wait = match ledger.enqueue(&work).await {
            Ok(_) => {
                bell.notify_one();
                (slot + 1).saturating_mul(every_ms).saturating_sub(at)
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
