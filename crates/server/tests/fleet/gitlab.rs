//! GitLab's pipelines, from its hook to the outcome: the real client against the stand-in that was made from GitLab's
//! documentation.

mod notes;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use regreen_domain::Mode;
use regreen_engine::{EscalationConfig, Fleet, FleetConfig, Lately, LiveCatalog};
use regreen_forge::{
    Backoff, GitLab, Options, Repository, Secret,
    hook::{Delivery, Sender, read},
};
use regreen_lab::forge::{Trouble, What, gitlab};
use regreen_ledger::{Incident, IncidentFilter, Ledger, State};
use regreen_mask::Masker;
use regreen_server::{Inbox as _, LedgerInbox, NewDelivery, Pace, Timetable, Worker, schedule};
use serde_json::json;
use tokio::{sync::Notify, task::JoinHandle};

use crate::{Quiet, open, outcome};

const NAME: &str = "garden/tools/rake";

/// A log of GitLab's runner around these lines.
fn trace(lines: &str) -> Vec<u8> {
    format!(
        "Running with gitlab-runner 17.5.0 (9882d9c7)\n  on shared-1 abcdefgh\n\
         section_start:1764406800:prepare_executor\r\x1b[0KPreparing the \"docker\" executor\n\
         section_end:1764406801:prepare_executor\r\x1b[0K\n\
         section_start:1764406801:step_script\r\x1b[0KExecuting \"step_script\" stage of the job script\n\
         {lines}section_end:1764406900:step_script\r\x1b[0K\nERROR: Job failed: exit code 1\n"
    )
    .into_bytes()
}

fn network() -> Vec<u8> {
    trace(
        "$ npm ci\nnpm error code ECONNRESET\n\
         npm error network request to https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz failed, reason: read ECONNRESET\n\
         npm error network This is a problem related to network connectivity.\n",
    )
}

fn code() -> Vec<u8> {
    trace(
        "$ npm test\nFAIL src/cart.test.js\n  \u{25cf} cart \u{203a} adds two items\n\
         \x20   expect(received).toBe(expected) // Object.is equality\n    Expected: 2\n    Received: 1\n\
         \x20     at Object.<anonymous> (src/cart.test.js:14:20)\nTests:       1 failed, 3 passed, 4 total\n",
    )
}

struct Stage {
    mode: Mode,
    comments: bool,
    folder: tempfile::TempDir,
    host: gitlab::GitLab,
    ledger: Ledger,
    bell: Arc<Notify>,
}

impl Stage {
    async fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path()).await;
        let host = gitlab::GitLab::start().unwrap();
        host.world().token = Some("glpat-test".to_owned());
        host.world().add(NAME, &[("package.json", b"{}\n")]);
        let bell = Arc::new(Notify::new());
        Stage { mode: Mode::Auto, comments: false, folder, host, ledger, bell }
    }

    /// A node that works until it is killed.
    async fn node(&self, lease: Duration) -> JoinHandle<()> {
        let backoff = Backoff { base: Duration::from_millis(2), most: Duration::from_millis(8), tries: 4 };
        let options = Options { backoff, ..Options::default() };
        let client = GitLab::new(&self.host.url(), Some(Secret::new("glpat-test")), options).unwrap();
        let mut config = FleetConfig { look_ms: 30, stumble_ms: 30, ..FleetConfig::default() };
        (config.policy.mode, config.comments) = (self.mode, self.comments);
        config.escalation = EscalationConfig { issues: true, ..EscalationConfig::default() };
        let fleet = Fleet {
            sender: Sender::GitLab,
            catalog: LiveCatalog::new(regreen_builtin::catalog().unwrap()),
            config,
            masker: Arc::new(Masker::new(Vec::<&[u8]>::new())),
            forge: Arc::new(client),
            remotes: Arc::<crate::outage::Registry>::default(),
            lately: Lately::default(),
        };
        let fleets = BTreeMap::from([(Sender::GitLab, Arc::new(fleet))]);
        let pace = Pace { lease, idle: Duration::from_millis(10), ..Pace::default() };
        let ledger = open(self.folder.path()).await;
        let worker = Worker::new(ledger, fleets, "node".to_owned(), pace, Arc::new(Quiet), self.bell.clone());
        tokio::spawn(worker.run(std::future::pending()))
    }

    /// The hook of a pipeline's end as GitLab's documentation has it.
    async fn hook(&self, id: &str, pipeline: u64) {
        let payload = {
            let mut world = self.host.world();
            let found = world.pipeline(NAME, pipeline).unwrap();
            let ended = found.jobs.iter().filter_map(|job| job.finished_at).max();
            let ended = ended.map(|at| at.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis());
            let builds: Vec<_> = found
                .latest()
                .map(|job| json!({ "id": job.id, "status": job.status, "user": { "username": job.user } }))
                .collect();
            json!({
                "object_kind": "pipeline",
                "object_attributes": {
                    "id": pipeline, "ref": found.reference, "sha": found.sha, "status": found.status,
                    "source": found.source, "finished_at": format!("{ended:?}"),
                },
                "user": { "username": "ann" },
                "project": { "path_with_namespace": NAME },
                "builds": builds,
            })
        };
        let event = read(Sender::GitLab, "Pipeline Hook", payload.to_string().as_bytes());
        let delivery =
            Delivery { sender: Sender::GitLab, id: id.to_owned(), name: "Pipeline Hook".to_owned(), event };
        let inbox = LedgerInbox::new(self.ledger.clone(), self.bell.clone());
        inbox.receive(&[NewDelivery { delivery, at: 1 }]).await.unwrap();
    }

    fn retries(&self) -> usize {
        self.host.world().count("POST", "/retry")
    }

    fn finish(&self, pipeline: u64, status: &str) {
        self.host.world().pipeline(NAME, pipeline).unwrap().finish(status);
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The only incident, once nothing is asked about it any more either.
    async fn closed_at_last(&self) -> Incident {
        let begun = Instant::now();
        loop {
            let mut all = self.ledger.incidents(&IncidentFilter::default()).await.unwrap();
            if all.len() == 1 && all[0].state == State::Closed {
                return all.remove(0);
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "still open: {all:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The only incident, once it is closed.
    async fn closed(&self) -> Incident {
        let begun = Instant::now();
        loop {
            let mut all = self.ledger.incidents(&IncidentFilter::default()).await.unwrap();
            if let [one] = all.as_mut_slice()
                && one.state != State::Open
            {
                return all.remove(0);
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "still open: {all:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

const LEASE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_pipeline_that_the_network_failed_is_healed_once() {
    let stage = Stage::new().await;
    let log = network();
    let (pipeline, jobs) =
        stage.host.world().add_failed(NAME, &[("build", &log), ("docs", &log), ("lint", &code())]);
    // It may fail: that is not why the pipeline failed, and none of Regreen's business.
    stage.host.world().pipeline(NAME, pipeline).unwrap().jobs[2].allow_failure = true;
    let node = stage.node(LEASE).await;
    stage.hook("one", pipeline).await;
    stage.until("they never ran again", || stage.retries() == 2).await;
    stage.finish(pipeline, "success");
    stage.hook("two", pipeline).await;
    let incident = stage.closed().await;
    assert_eq!(outcome(&incident), ("healed", ""));
    assert_eq!((incident.place.repository.as_deref(), incident.attempt), (Some(NAME), 1));
    assert_eq!(incident.command, ["build", "docs"]);
    // Told again, found by the clock: it is known.
    stage.hook("three", pipeline).await;
    let watched = vec![(Sender::GitLab, Repository::parse(NAME).unwrap())];
    let stop = tokio::time::sleep(Duration::from_millis(100));
    let (ledger, bell) = (stage.ledger.clone(), stage.bell.clone());
    let table = Timetable { watched, every: Duration::from_secs(900), keep_days: None };
    schedule(ledger, table, Arc::new(Quiet), bell, stop).await;
    assert_eq!(stage.retries(), 2);
    let world = stage.host.world();
    assert!(jobs[..2].iter().all(|job| world.count("POST", &format!("/jobs/{job}/retry")) == 1));
    assert_eq!(world.count("POST", ""), 2);
    node.abort();
}

#[tokio::test]
async fn what_no_hook_told_is_found_by_the_clock_and_a_second_end_of_a_pipeline_is_another_piece_of_work() {
    let stage = Stage::new().await;
    let (pipeline, _) = stage.host.world().add_failed(NAME, &[("build", &network())]);
    let node = stage.node(LEASE).await;
    let watched = vec![(Sender::GitLab, Repository::parse(NAME).unwrap())];
    let stop = tokio::time::sleep(Duration::from_millis(30));
    let (ledger, bell) = (stage.ledger.clone(), stage.bell.clone());
    let table = Timetable { watched, every: Duration::from_secs(900), keep_days: None };
    schedule(ledger, table, Arc::new(Quiet), bell, stop).await;
    stage.until("it never ran again", || stage.retries() == 1).await;
    stage.finish(pipeline, "failed");
    stage.hook("one", pipeline).await;
    // It failed again, and was not healed; and then it is tried again, as often as the policy lets it.
    let closed = async |count: usize| {
        let begun = Instant::now();
        loop {
            let all = stage.ledger.incidents(&IncidentFilter::default()).await.unwrap();
            let ended = all.iter().filter(|one| one.outcome.as_deref() == Some("rolled-back")).count();
            if ended == count {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{all:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    closed(1).await;
    stage.until("the second end was not looked at", || stage.retries() == 2).await;
    stage.finish(pipeline, "failed");
    stage.hook("two", pipeline).await;
    closed(2).await;
    node.abort();
}

#[tokio::test]
async fn what_may_not_run_again_is_left_alone() {
    type Make = fn(&mut gitlab::World, u64);
    let cases: [(&str, Make, (&str, &str)); 6] = [
        (
            "one of two is code",
            |world, id| world.pipeline(NAME, id).unwrap().jobs[1].trace = code(),
            ("left-alone", "code-failure"),
        ),
        (
            "one of two has no log and no word of the host's",
            |world, id| world.pipeline(NAME, id).unwrap().jobs[1].trace = Vec::new(),
            ("left-alone", "unknown-cause"),
        ),
        (
            "a trigger job failed",
            |world, id| {
                let down = gitlab::Bridge { id: 9, name: "down".to_owned(), status: "failed".to_owned() };
                world.pipeline(NAME, id).unwrap().bridges.push(down);
            },
            ("left-alone", "unknown-cause"),
        ),
        (
            "a stage that deploys would follow",
            |world, id| {
                let jobs = &mut world.pipeline(NAME, id).unwrap().jobs;
                let last = jobs.last_mut().unwrap();
                (last.name, last.stage) = ("eu-west".to_owned(), "deploy".to_owned());
            },
            ("left-alone", "deploy-job"),
        ),
        (
            "a trigger job that deploys would follow",
            |world, id| {
                let down = gitlab::Bridge {
                    id: 9,
                    name: "deploy-production".to_owned(),
                    status: "skipped".to_owned(),
                };
                world.pipeline(NAME, id).unwrap().bridges.push(down);
            },
            ("left-alone", "deploy-job"),
        ),
        (
            "a fork",
            |world, id| {
                let found = world.pipeline(NAME, id).unwrap();
                found.source = "merge_request_event".to_owned();
                found.reference = "refs/merge-requests/3/head".to_owned();
                world.projects.get_mut(NAME).unwrap().merge_requests.push(gitlab::MergeRequest {
                    iid: 3,
                    source_project: 77,
                    source: "sharper".to_owned(),
                    target: "main".to_owned(),
                    state: "opened".to_owned(),
                    closed_at: None,
                    title: String::new(),
                    description: String::new(),
                });
            },
            ("left-alone", "untrusted-fork"),
        ),
    ];
    for (name, make, want) in cases {
        let stage = Stage::new().await;
        let log = network();
        let (pipeline, _) = stage.host.world().add_failed(NAME, &[("build", &log), ("docs", &log)]);
        make(&mut stage.host.world(), pipeline);
        let node = stage.node(LEASE).await;
        stage.hook("one", pipeline).await;
        assert_eq!(outcome(&stage.closed().await), want, "{name}");
        assert_eq!(stage.host.world().count("POST", ""), 0, "{name}");
        node.abort();
    }
}

#[tokio::test]
async fn a_downstream_pipeline_is_not_touched_and_the_hosts_word_counts_where_there_is_no_log() {
    let stage = Stage::new().await;
    let (down, _) = stage.host.world().add_failed(NAME, &[("build", &network())]);
    stage.host.world().pipeline(NAME, down).unwrap().source = "parent_pipeline".to_owned();
    let (lost, jobs) = stage.host.world().add_failed(NAME, &[("build", b"")]);
    let reason = Some("runner_system_failure".to_owned());
    stage.host.world().pipeline(NAME, lost).unwrap().jobs[0].failure_reason = reason;
    let node = stage.node(LEASE).await;
    stage.hook("one", down).await;
    stage.hook("two", lost).await;
    stage.until("the lost runner's job never ran again", || stage.retries() == 1).await;
    stage.finish(lost, "success");
    assert_eq!(outcome(&stage.closed().await), ("healed", ""));
    assert_eq!(stage.host.world().count("POST", &format!("/jobs/{}/retry", jobs[0])), 1);
    node.abort();
}

#[tokio::test]
async fn a_node_that_dies_between_two_retries_is_gone_on_with_and_nothing_runs_twice() {
    let stage = Stage::new().await;
    let log = network();
    let (pipeline, jobs) = stage.host.world().add_failed(NAME, &[("build", &log), ("docs", &log)]);
    let second = format!("/jobs/{}/retry", jobs[1]);
    stage.host.world().troubles.push(Trouble::once("POST", &second, What::Hang));
    let lease = Duration::from_millis(400);
    let first = stage.node(lease).await;
    stage.hook("one", pipeline).await;
    stage.until("the second was never sent", || stage.host.world().count("POST", &second) == 1).await;
    first.abort();
    let _killed = first.await;
    let node = stage.node(lease).await;
    stage.until("the second was never sent again", || stage.host.world().count("POST", &second) == 2).await;
    stage
        .until("it does not run", || {
            let mut world = stage.host.world();
            world.pipeline(NAME, pipeline).unwrap().latest().filter(|job| job.status == "pending").count()
                == 2
        })
        .await;
    stage.finish(pipeline, "success");
    assert_eq!(outcome(&stage.closed().await), ("healed", ""));
    let mut world = stage.host.world();
    let tries = |name: &str, world: &mut gitlab::World| {
        world.pipeline(NAME, pipeline).unwrap().jobs.iter().filter(|job| job.name == name).count()
    };
    assert_eq!((tries("build", &mut world), tries("docs", &mut world)), (2, 2));
    node.abort();
}

#[tokio::test]
async fn what_needs_a_person_is_one_issue_and_closed_when_the_job_is_green() {
    let stage = Stage::new().await;
    let log = trace("$ npm ci\nnpm error code E401\nnpm error Incorrect or missing password.\n");
    let (failed, _) = stage.host.world().add_failed(NAME, &[("build", &log)]);
    let node = stage.node(LEASE).await;
    stage.hook("one", failed).await;
    let open = || stage.host.world().projects[NAME].issues.iter().map(|one| one.open).collect::<Vec<_>>();
    stage.until("nobody was told", || open() == [true]).await;
    let (again, _) = stage.host.world().add_failed(NAME, &[("build", b"fine")]);
    // What ends in the millisecond in which people were told may be older.
    tokio::time::sleep(Duration::from_millis(5)).await;
    {
        let mut world = stage.host.world();
        let found = world.pipeline(NAME, again).unwrap();
        for job in &mut found.jobs {
            job.status = "success".to_owned();
            job.finished_at = Some(std::time::SystemTime::now());
            job.user = "ann".to_owned();
        }
        found.settle();
    }
    stage.hook("two", again).await;
    stage.until("it was not closed", || open() == [false]).await;
    assert_eq!(stage.retries(), 0);
    node.abort();
}
