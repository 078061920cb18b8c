//! What is done by the clock, once for all nodes.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use regreen_domain::Mode;
use regreen_forge::{Conclusion, hook::Sender};
use regreen_server::{Happening, Log, Task, Timetable, schedule};

use crate::{Quiet, RUN, Stage, host::NETWORK, octo, open, outcome, real_time};

#[tokio::test]
async fn what_no_hook_told_is_found_by_the_clock() {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    // No new slot begins while this runs.
    let every = Duration::from_secs(1 << 31);
    // Several nodes' clocks at once, one sweep.
    let mut clocks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let stop = tokio::time::sleep(Duration::from_millis(100));
        let (ledger, bell) = (open(stage.folder.path()).await, stage.bell.clone());
        let watched = vec![(Sender::GitHub, octo())];
        let table = Timetable { watched, every, keep_days: Some(90) };
        clocks.spawn(schedule(ledger, table, Arc::new(Quiet), bell, stop));
    }
    clocks.join_all().await;
    for kind in ["sweep", "prune"] {
        assert_eq!(stage.ledger.waiting(&[kind], real_time() + 1_000).await.unwrap().ready, 1, "{kind}");
    }
    let node = stage.start_one();
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Success);
    // No hook tells of the end either: the work is due again by itself.
    assert_eq!(outcome(&stage.closed().await), ("healed", ""));
    node.abort();
}

/// Keeps what was told to be gone.
#[derive(Default)]
struct Gone(Mutex<Vec<u64>>);

impl Log for Gone {
    fn tell(&self, happening: &Happening) {
        if let Happening::Pruned { incidents, .. } = happening {
            self.0.lock().unwrap().push(*incidents);
        }
    }
}

#[tokio::test]
async fn what_was_over_for_long_goes_once_for_all_nodes() {
    let stage = Stage::new(Mode::Observe).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.closed().await;
    node.abort();
    for (n, (keep_days, left)) in [(30, 1), (0, 0)].into_iter().enumerate() {
        let gone = Arc::new(Gone::default());
        let worker = stage.worker_by(stage.ledger.clone(), Duration::from_secs(5), real_time, gone.clone());
        let listed = Task::Prune { day: n as i64, keep_days }.listed(1);
        // Twice listed, once done.
        stage.ledger.enqueue(&[listed.work(), listed.work()]).await.unwrap();
        worker.drain().await.unwrap();
        assert_eq!(stage.ledger.outcome(listed.key()).await.unwrap().as_deref(), Some("pruned"));
        assert_eq!(stage.incidents().await.len(), left, "{keep_days}");
        assert_eq!(*gone.0.lock().unwrap(), [1 - left as u64], "{keep_days}");
    }
    assert!(stage.ledger.audit_verify(None).await.unwrap().is_sound());
}
