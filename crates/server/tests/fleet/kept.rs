//! The logs of failed jobs are kept with their incident; a store that fails costs the log and nothing else.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use regreen_domain::Mode;
use regreen_forge::Conclusion;
use regreen_ledger::LogStore;
use regreen_server::{Happening, Log, Pace};

use crate::{
    RUN, Stage,
    host::{CODE, NETWORK},
    outcome, real_time,
};

/// Counts how often it was told that no log can be kept.
#[derive(Default)]
struct Told(AtomicU32);

impl Log for Told {
    fn tell(&self, happening: &Happening) {
        if let Happening::LogsNotKept { .. } = happening {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn the_logs_of_failed_jobs_are_kept_with_their_incident() {
    let stage = Stage::new(Mode::Observe).await;
    stage.host.fail(RUN, &[("test", NETWORK), ("test", CODE)]);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    let incident = stage.closed().await;
    let kept = stage.ledger.logs_of(&incident.id).await.unwrap();
    let names: Vec<&str> = kept.iter().map(|log| log.name.as_str()).collect();
    assert_eq!(names, ["test", "test #2"]);
    let text = stage.ledger.log(&kept[0].hash).await.unwrap().unwrap();
    assert_eq!(text, NETWORK);
    node.abort();
}

#[tokio::test]
async fn a_store_of_logs_that_fails_holds_no_healing_up() {
    let stage = Stage::new(Mode::Auto).await;
    let logs = stage.folder.path().join("logs");
    let store = LogStore::at(&format!("file://{}", logs.display()), &BTreeMap::new()).unwrap();
    fs::remove_dir(&logs).unwrap();
    fs::write(&logs, "a file in its place").unwrap();
    stage.host.fail(RUN, &[("build", NETWORK), ("test", NETWORK)]);
    let told = Arc::new(Told::default());
    let pace = Pace { idle: Duration::from_millis(15), ..Pace::default() };
    let ledger = stage.ledger.clone().with_log_store(Arc::new(store));
    let worker = stage.worker_with(ledger, pace, real_time, told.clone());
    let node = tokio::spawn(worker.run(std::future::pending()));
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Success);
    let closed = stage.closed().await;
    assert_eq!(outcome(&closed).0, "healed");
    assert_eq!(stage.ledger.logs_of(&closed.id).await.unwrap(), []);
    assert_eq!(told.0.load(Ordering::SeqCst), 1);
    node.abort();
}
