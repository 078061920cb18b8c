//! What the simulation of a registry that is down must show.

use crate::simulation;

#[tokio::test]
async fn when_a_registry_is_down_nothing_runs_again_before_it_is_back_and_all_are_green_soon_after() {
    let folder = tempfile::tempdir().unwrap();
    let local = tokio::task::LocalSet::new();
    let place = folder.path().join("ledger.db");
    let seen = local.run_until(simulation::simulate(40, 3, place.to_str().unwrap(), None)).await;
    let regreen = seen.regreen;
    assert_eq!((regreen.before, regreen.reruns, regreen.healed), (0, 40, 40), "{seen}");
    assert!(regreen.last_ms <= 180_000 && regreen.peak <= 301, "{seen}");
    assert_eq!((seen.told, seen.issues, seen.incidents), ((1, 1), (1, 0), 40), "{seen}");
    assert!(seen.naive.before > 40 && seen.naive.healed < 40, "{seen}");
}

/// More of them in a soak.
#[tokio::test]
async fn a_registry_is_down_and_nodes_die_and_each_run_runs_again_once_and_not_before_its_time() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
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
