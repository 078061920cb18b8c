//! What the simulation of a registry that is down must show. More repositories in a soak.

use crate::simulation;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[tokio::test]
async fn when_a_registry_is_down_nothing_runs_again_before_it_is_back_and_all_are_green_soon_after() {
    let all = number("REGREEN_OUTAGE_COUNT").unwrap_or(40) as usize;
    let folder = tempfile::tempdir().unwrap();
    let local = tokio::task::LocalSet::new();
    let place = folder.path().join("ledger.db");
    let seen = local.run_until(simulation::simulate(all, 3, place.to_str().unwrap(), None)).await;
    println!("{seen}");
    let regreen = seen.regreen;
    assert_eq!((regreen.before, regreen.reruns, regreen.healed), (0, all, all), "{seen}");
    assert!(regreen.last_ms <= 180_000 && regreen.peak <= 301, "{seen}");
    assert_eq!((seen.told, seen.issues, seen.incidents), ((1, 1), (1, 0), all), "{seen}");
    assert!(seen.naive.before > all && seen.naive.healed < all, "{seen}");
}

#[tokio::test]
async fn a_registry_is_down_and_nodes_die_and_each_run_runs_again_once_and_not_before_its_time() {
    let repositories = number("REGREEN_OUTAGE_COUNT").unwrap_or(20) as usize;
    let seed = number("REGREEN_OUTAGE_SEED").unwrap_or(20_261_129);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger.db");
    let local = tokio::task::LocalSet::new();
    let seen = simulation::simulate(repositories, 3, place.to_str().unwrap(), Some(seed));
    let seen = local.run_until(seen).await;
    let regreen = seen.regreen;
    assert_eq!(
        (regreen.before, regreen.reruns, regreen.healed),
        (0, repositories, repositories),
        "{seed}: {seen}"
    );
    assert!(seen.deaths > 0 && seen.issues == (1, 0) && seen.incidents == repositories, "{seed}: {seen}");
}
