//! A job fails in a run that goes on: nothing is done about the run, and that its service is down is known from then on.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use regreen_domain::Mode;
use regreen_forge::{
    Conclusion, Repository,
    hook::{Delivery, Event, JobEnded, Sender},
};
use regreen_server::{Inbox as _, LedgerInbox, NewDelivery};

use crate::{
    host::{CODE, JobsEnded, NETWORK, commit},
    outage::{MINUTE, NPM, Play, here},
};

/// The first job of this run has failed, and others go on.
async fn job_fails(play: &Play, repository: &str, run: u64, log: &'static str, told: Conclusion) {
    play.stage.host.fail(run, &[("build", log), ("test", "")]);
    play.stage.host.show_end(run, false);
    tell(play, repository, run, Some(1), told).await;
}

async fn tell(play: &Play, repository: &str, run: u64, attempt: Option<u32>, conclusion: Conclusion) {
    static JOBS: AtomicU64 = AtomicU64::new(1);
    let job = JOBS.fetch_add(1, Ordering::SeqCst);
    let event = Event::JobEnded(JobEnded {
        repository: Repository::parse(repository).unwrap(),
        run,
        attempt,
        job,
        name: "build".to_owned(),
        commit: commit(run),
        conclusion,
    });
    let (sender, id) = (Sender::GitHub, format!("job-{job}"));
    let delivery = Delivery { sender, id, name: "workflow_job".to_owned(), event };
    let inbox = LedgerInbox::new(play.stage.ledger.clone(), play.stage.bell.clone());
    inbox.receive(&[NewDelivery { delivery, at: play.now() }]).await.unwrap();
}

async fn outages(play: &Play) -> usize {
    play.stage.ledger.outages(9).await.unwrap().len()
}

#[tokio::test]
async fn an_outage_is_known_before_the_runs_that_met_it_have_ended() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        let host = play.stage.host.clone();
        play.stage.remotes.set(NPM, true);
        for run in 1..=3 {
            job_fails(&play, &format!("octo/r{run}"), run, NETWORK, Conclusion::Failure).await;
        }
        play.settle().await;
        let known = play.stage.ledger.outages(9).await.unwrap();
        assert!(
            matches!(known.as_slice(), [one] if one.service == NPM && one.known_at.is_some()),
            "{known:?}"
        );
        // Nothing was done about any of them, and no incident is on record before a run has ended.
        assert_eq!(play.stage.incidents().await, []);
        assert!((1..=3).all(|run| host.reruns(run) == 0));
        // The end of a run finds the outage known, waits for it, and counts once.
        host.show_end(1, true);
        play.stage.hook_of(Repository::parse("octo/r1").unwrap(), "end", 1, 1, Conclusion::Failure).await;
        play.settle().await;
        let incident = play.stage.incidents().await.remove(0);
        assert_eq!(play.stage.ledger.sightings_of(&incident.id).await.unwrap().len(), 1);
        play.stage.remotes.set(NPM, false);
        play.pass(MINUTE).await;
        assert_eq!([1, 2, 3].map(|run| host.reruns(run)), [1, 0, 0]);
        assert!(play.troubles().is_empty(), "{:?}", play.troubles());
    })
    .await;
}

#[tokio::test]
async fn a_job_that_says_nothing_of_a_service_or_may_not_be_believed_changes_nothing() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        let host = play.stage.host.clone();
        play.stage.remotes.set(NPM, true);
        for run in 1..=9 {
            let repository = format!("octo/r{run}");
            match run {
                1..=3 => job_fails(&play, &repository, run, CODE, Conclusion::Failure).await,
                4..=6 => {
                    job_fails(&play, &repository, run, NETWORK, Conclusion::Failure).await;
                    host.make_fork(run);
                }
                // It went well, whatever it printed.
                _ => job_fails(&play, &repository, run, NETWORK, Conclusion::Success).await,
            }
        }
        play.settle().await;
        assert_eq!((outages(&play).await, play.stage.incidents().await.len()), (0, 0));
        // Many jobs of one run, and many runs of one repository, are one repository's trouble.
        for run in 11..=13 {
            job_fails(&play, "octo/shop", run, NETWORK, Conclusion::Failure).await;
        }
        play.settle().await;
        let calls = host.calls.load(Ordering::SeqCst);
        for run in 11..=13 {
            tell(&play, "octo/shop", run, Some(1), Conclusion::Failure).await;
        }
        play.settle().await;
        assert_eq!(host.calls.load(Ordering::SeqCst), calls, "a run is looked at once for all its jobs");
        assert!(play.stage.ledger.outages(9).await.unwrap().iter().all(|one| one.known_at.is_none()));
    })
    .await;
}

#[tokio::test]
async fn what_an_attempt_met_is_not_held_against_the_next_and_is_as_old_as_it_is() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        play.stage.remotes.set(NPM, true);
        for run in 1..=6 {
            play.stage.host.fail(run, &[("build", NETWORK), ("test", "")]);
            play.stage.host.again_by_hand(run);
            // One hook comes late, another does not say of which attempt it is.
            let attempt = (run > 3).then_some(1);
            tell(&play, &format!("octo/r{run}"), run, attempt, Conclusion::Failure).await;
        }
        play.settle().await;
        assert_eq!(outages(&play).await, 0);
        // What has failed is dated by its end, however late it is heard of.
        *play.stage.host.jobs_ended.lock().unwrap() = JobsEnded::Before(Duration::from_secs(180));
        job_fails(&play, "octo/r7", 7, NETWORK, Conclusion::Failure).await;
        play.settle().await;
        let found = play.stage.ledger.sightings(NPM, 0).await.unwrap();
        let ended = play.now() - 3 * MINUTE;
        assert!(matches!(found.as_slice(), [one] if one.at == ended), "{found:?}, {ended}");
    })
    .await;
}
