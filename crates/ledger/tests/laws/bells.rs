//! The bell that nodes share: work that one takes in wakes the others, also after a line that was cut.

use std::{sync::Arc, time::Duration};

use regreen_ledger::{Ledger, NewDelivery, NewWork};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::world::{Engine, World, server};

const LONG: Duration = Duration::from_secs(20);

/// Counts how often it rang at a node.
struct Ears {
    rung: watch::Receiver<u32>,
    listening: JoinHandle<()>,
}

impl Ears {
    /// Listens from now on.
    async fn of(ledger: &Ledger) -> Ears {
        let (ring, rung) = watch::channel(0);
        let ledger = ledger.clone();
        let listening =
            tokio::spawn(async move { ledger.hear(|| ring.send_modify(|count| *count += 1)).await });
        let mut ears = Ears { rung, listening };
        // What came before it listened is looked for too.
        ears.wake().await;
        ears
    }

    async fn wake(&mut self) {
        timeout(LONG, self.rung.changed()).await.expect("it never rang").unwrap();
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn work(key: &str) -> NewWork<'_> {
    NewWork { kind: "k", key, payload: "{}", created_at: 1, due_at: 1 }
}

fn delivery(id: &str) -> NewDelivery<'_> {
    NewDelivery {
        forge: "github",
        id,
        event: "e",
        kind: "k",
        received_at: 1,
        body: None,
        work: Some(work(id)),
    }
}

#[tokio::test]
async fn work_that_one_node_takes_in_wakes_the_others() {
    let Some(_) = server() else { return };
    let world = World::new(Engine::Postgres).await;
    let (one, two) = (&world.ledger, &world.at.open().await);
    let (mut at_one, mut at_two) = (Ears::of(one).await, Ears::of(two).await);
    one.receive(&[delivery("a")]).await.unwrap();
    at_two.wake().await;
    at_one.wake().await;
    two.enqueue(&[work("b")]).await.unwrap();
    at_one.wake().await;
    at_two.wake().await;
    two.enqueue_by_hand(&work("c"), "ann", 1).await.unwrap();
    at_one.wake().await;
    two.wake("c", 0).await.unwrap();
    at_one.wake().await;
    two.enqueue_by_hand(&work("d/1"), "ann", 1).await.unwrap();
    at_one.wake().await;
    two.wake_all("d/", 0).await.unwrap();
    at_one.wake().await;
    // Many at once are told at least once, after the last of them.
    let ids: Vec<String> = (0..50).map(|n| format!("many{n}")).collect();
    for id in &ids {
        one.receive(&[delivery(id)]).await.unwrap();
    }
    at_two.wake().await;
}

#[tokio::test]
async fn a_line_that_is_cut_is_laid_again_and_a_look_is_taken() {
    let Some(_) = server() else { return };
    let world = World::new(Engine::Postgres).await;
    let (one, two) = (&world.ledger, &world.at.open().await);
    let mut at_two = Ears::of(two).await;
    for n in 0..3 {
        let gone: i64 = sqlx::query_scalar(
            "SELECT count(pg_terminate_backend(pid))::bigint FROM pg_stat_activity
             WHERE application_name = 'regreen bell of ' || current_schema()",
        )
        .fetch_one(&mut world.at.raw().await)
        .await
        .unwrap();
        assert_eq!(gone, 1);
        // What was told meanwhile may be lost: so a look is taken.
        at_two.wake().await;
        one.receive(&[delivery(&format!("d{n}"))]).await.unwrap();
        at_two.wake().await;
    }
}

#[tokio::test]
async fn in_a_file_nobody_hears_and_nothing_is_held_up() {
    let world = World::new(Engine::Sqlite).await;
    let ledger = Arc::new(world.ledger.clone());
    let heard = ledger.hear(|| panic!("there is nobody to ring"));
    let new = [delivery("a")];
    let taken = world.ledger.receive(&new);
    tokio::select! {
        biased;
        () = heard => panic!("it never ends"),
        taken = taken => drop(taken.unwrap()),
    }
}
