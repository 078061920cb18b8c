//! Whatever breaks, by chance from a seed: nodes die at any moment, the ledger is cut off, its disk is full, the host stumbles
//! and lies, clocks jump. No incident is lost, nothing is done twice, nothing that the code failed is touched, and the work ends by itself.
//!
//! `REGREEN_FAULTS_SEED` repeats a run, `REGREEN_FAULTS_COUNT` says how many rounds; `cargo xtask soak faults` has many.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that can't go on should stop, and says its seed"
)]

macro_rules! both_engines {
    ($($law:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test] async fn $law() { super::$law(crate::place::Engine::Sqlite).await; })*
        }
        mod on_postgres {
            $(#[tokio::test] async fn $law() {
                if crate::place::server().is_some() {
                    super::$law(crate::place::Engine::Postgres).await;
                }
            })*
        }
    };
}

mod failing;
mod place;
mod random;
mod world;

use std::{
    env,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_engine::EndedRun;
use regreen_forge::{Repository, RunRef, hook::Sender};
use regreen_lab::forge::{Trouble, What};
use regreen_server::{Pace, Task};
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    place::{Engine, Place},
    random::Random,
    world::{Kind, NAME, NODES, World, jump},
};

const LEASE: Duration = Duration::from_millis(600);

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The seed of this run, and how many rounds.
fn seed() -> (u64, u64) {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let seed = number("REGREEN_FAULTS_SEED").unwrap_or_else(|| u64::from(clock));
    println!("REGREEN_FAULTS_SEED={seed}");
    (seed, number("REGREEN_FAULTS_COUNT").unwrap_or(1))
}

fn pace() -> Pace {
    Pace { lease: LEASE, idle: Duration::from_millis(15), again: Duration::from_secs(1), ..Pace::default() }
}

fn trouble(random: &mut Random) -> Trouble {
    let what = random.one_of(&[
        What::Status(500),
        What::Status(502),
        What::DoneBut(502),
        What::DoneButCut,
        What::Cut,
        What::Hang,
        What::Garbage,
        What::SlowDown(Some(1)),
    ]);
    let path = match what {
        // A log has no form by which a page in its place could be told from it.
        What::Garbage => *random.one_of(&["/attempts/", "/rerun-failed-jobs"]),
        What::SlowDown(_) => "/repos/",
        _ => *random.one_of(&["/repos/", "", "/rerun-failed-jobs", "/_logs", "/jobs"]),
    };
    Trouble { times: 1 + random.below(2) as u32, ..Trouble::once("", path, what.clone()) }
}

async fn round(on: Engine, seed: u64, soak: bool) {
    let mut random = Random::new(seed);
    let (runs, lasts) = if soak { (40, 20) } else { (12, 4) };
    let place = Place::new(on).await;
    let ledger = place.open().await;
    let mut world = World::new();
    let mut untold: Vec<(u64, String)> = Vec::new();
    for n in 0..runs {
        let others = [Kind::Code, Kind::Both, Kind::Fork, Kind::Deploys];
        let kind = if random.chance(60) { Kind::Network } else { *random.one_of(&others) };
        let run = world.fail(kind);
        untold.push((run, format!("d{n}")));
        if random.chance(30) {
            untold.push((run, format!("again{n}")));
        }
    }
    let mut nodes: Vec<Option<JoinHandle<()>>> = Vec::new();
    for n in 0..NODES {
        jump(n, 0);
        nodes.push(Some(world.node(place.open().await, n, pace())));
    }
    let begun = Instant::now();
    let mut told = 0;
    while begun.elapsed() < Duration::from_secs(lasts) {
        match random.below(100) {
            0..20 => {
                let next = (!untold.is_empty())
                    .then(|| untold.swap_remove(random.below(untold.len() as u64) as usize));
                if let Some((run, id)) = next
                    && let Some(delivery) = world.webhook(run, &id)
                {
                    world.tell(&ledger, delivery).await;
                }
            }
            20..50 => {
                let trouble = trouble(&mut random);
                world.host.world().troubles.push(trouble);
            }
            50..62 => {
                let n = random.below(NODES as u64) as usize;
                match nodes[n].take() {
                    Some(node) => {
                        node.abort();
                        let _killed = node.await;
                    }
                    None => nodes[n] = Some(world.node(place.open().await, n, pace())),
                }
            }
            62..70 => place.cut(Duration::from_millis(random.below(200))).await,
            70..75 => jump(random.below(NODES as u64) as usize, random.below(8_000) as i64 - 4_000),
            75..76 if soak => place.restart().await,
            76..80 if on == Engine::Sqlite && place::has_small_disk() => {
                let _full = place.full();
                sleep(Duration::from_millis(random.below(300))).await;
            }
            _ => {
                for run in world.running() {
                    if random.chance(40) {
                        world.end(run, if random.chance(70) { "success" } else { "failure" });
                        told += 1;
                        if random.chance(60) {
                            untold.push((run, format!("ended{told}")));
                        }
                    }
                }
            }
        }
        sleep(Duration::from_millis(random.below(30))).await;
    }
    // From here on nothing breaks any more, and nobody helps.
    world.host.world().troubles.clear();
    for (n, node) in nodes.iter_mut().enumerate() {
        jump(n, 0);
        if node.is_none() {
            *node = Some(world.node(place.open().await, n, pace()));
        }
    }
    for (run, id) in untold {
        if let Some(delivery) = world.webhook(run, &id) {
            world.tell(&ledger, delivery).await;
        }
    }
    world.drained(&ledger, &mut random, Duration::from_secs(120)).await;
    println!("{on:?}, seed {seed}: {:?}", world.judge(&ledger).await);
    for node in nodes.into_iter().flatten() {
        node.abort();
    }
}

async fn whatever_breaks_nothing_is_lost_and_nothing_is_done_twice(on: Engine) {
    let test = "on_sqlite::whatever_breaks_nothing_is_lost_and_nothing_is_done_twice";
    if on == Engine::Sqlite && !place::has_small_disk() && place::on_a_small_disk(test) {
        return;
    }
    let (seed, count) = seed();
    let soak = number("REGREEN_FAULTS_COUNT").is_some();
    for n in 0..count {
        round(on, seed.wrapping_add(n), soak).await;
    }
}

/// Several pieces of work about each incident, two nodes that take all of them at once: one request each.
async fn two_nodes_fight_for_one_incident_and_exactly_one_acts(on: Engine) {
    let (seed, count) = seed();
    let fights = if number("REGREEN_FAULTS_COUNT").is_some() { count * 50 } else { 30 };
    let mut random = Random::new(seed);
    let place = Place::new(on).await;
    let ledger = place.open().await;
    let mut world = World::new();
    let mut listed = Vec::new();
    for _ in 0..fights {
        let run = RunRef { repository: Repository::parse(NAME).unwrap(), run_id: world.fail(Kind::Network) };
        for (attempt, by) in [(Some(1), None), (Some(1), Some("ann")), (None, Some("bob"))] {
            let ended = EndedRun { run: run.clone(), attempt };
            let task = Task::Run { sender: Sender::GitHub, ended }.listed(1);
            listed.push(match by {
                Some(by) => task.once_more(by),
                None => task,
            });
        }
    }
    let work: Vec<_> = listed.iter().map(regreen_server::Listed::work).collect();
    ledger.enqueue(&work).await.unwrap();
    for n in 0..NODES {
        jump(n, 0);
    }
    let pace = Pace { at_once: 4, ..pace() };
    let nodes = [world.node(place.open().await, 0, pace), world.node(place.open().await, 1, pace)];
    world.drained(&ledger, &mut random, Duration::from_secs(60 + fights)).await;
    world.judge(&ledger).await;
    for run in world.runs.keys() {
        assert_eq!(world.host.world().count("POST", &format!("/runs/{run}/rerun")), 1, "run {run}");
    }
    for node in nodes {
        node.abort();
    }
}

both_engines! {
    whatever_breaks_nothing_is_lost_and_nothing_is_done_twice,
    two_nodes_fight_for_one_incident_and_exactly_one_acts,
}
