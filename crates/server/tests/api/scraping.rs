//! What Prometheus takes.

use axum::{body::Body, http::StatusCode};
use regreen_ledger::{Booking, CallsOf, NewDelivery, NewWork};

use crate::{
    seed::lived_in,
    world::{NOW, World, there},
};

#[tokio::test]
async fn how_it_stands_is_there_for_prometheus() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    let work = |key, due_at| NewWork { kind: "k", key, payload: "{}", created_at: 1, due_at };
    let all = [work("ready", NOW - 30_000), work("later", NOW + 1)];
    world.ledger.enqueue(&all).await.unwrap();
    let delivery = |id, received_at| NewDelivery {
        forge: "github",
        id,
        event: "e",
        kind: "k",
        received_at,
        body: None,
        work: None,
    };
    world.ledger.receive(&[delivery("old", 1), delivery("new", NOW - 1)]).await.unwrap();
    let of = CallsOf { forge: "github", organisation: "octo", repository: "octo/shop" };
    let by = Booking { book: "one", number: 1, at: NOW };
    world.ledger.add_calls(&[(of, 7)], &by).await.unwrap();
    let answer = world.get("/metrics").await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::OK, &"text/plain; version=0.0.4".parse().unwrap())
    );
    for line in [
        "regreen_incidents{class=\"network-timeout\"} 3",
        "regreen_outcomes{outcome=\"healed\"} 1",
        "regreen_success_rate_ratio 1",
        "regreen_success_rate_interval_ratio{end=\"low\"} 0.20654931437723742",
        "regreen_success_rate_interval_ratio{end=\"high\"} 1",
        "regreen_breakers{state=\"open\"} 1",
        "regreen_breakers{state=\"half-open\"} 0",
        "regreen_paused 0",
        "regreen_healing 1",
        "regreen_awaiting_approval 1",
        "regreen_services_down 1",
        "regreen_runs_waiting_for_services 1",
        "regreen_work_items{state=\"later\"} 2",
        "regreen_work_age_seconds 30",
        "regreen_deliveries_last_day 1",
        "regreen_host_calls_this_hour{host=\"github\"} 7",
        "regreen_sink_failing{sink=\"ops\"} 1",
        "regreen_sink_failing{sink=\"mail\"} 0",
        "regreen_notices_waiting{sink=\"ops\"} 1",
        "regreen_notices_given_up{sink=\"ops\"} 0",
    ] {
        assert!(answer.text.lines().any(|one| one == line), "{line}\n{}", answer.text);
    }
    // Nothing was measured of these.
    assert!(!answer.text.contains("engine_overhead"), "{}", answer.text);
    let elsewhere = world.send(there("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
}
