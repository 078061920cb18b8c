//! Who asks too often is held up, and nobody else.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use regreen_server::access::Role;

use crate::world::{World, there};

const PATH: &str = "/api/v1/pauses";

fn by(token: &str) -> Request<Body> {
    there(PATH).header("Authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let world = World::new().await;
    let (loud, quiet) = (world.token("loud", Role::Operator).await, world.token("quiet", Role::Viewer).await);
    let mut taken = 0;
    // The clock of this world stands still, so a bucket never fills up again.
    let refused = loop {
        let answer = world.send(by(&loud)).await;
        match answer.status {
            StatusCode::OK => taken += 1,
            _ => break answer,
        }
        assert!(taken < 1_000, "nobody is ever held up");
    };
    assert_eq!((taken, refused.status), (200, StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert!(refused.body["detail"].as_str().unwrap().contains("20 requests a second"), "{}", refused.body);
    let act = there("/api/v1/pause")
        .method("POST")
        .header("Authorization", format!("Bearer {loud}"))
        .header("Content-Type", "application/json")
        .body(Body::from(r#"{"reason": "a loop"}"#))
        .unwrap();
    assert_eq!(world.send(act).await.status, StatusCode::TOO_MANY_REQUESTS, "it acts no more than it reads");
    assert!(world.ledger.pauses(5).await.unwrap().is_empty());
    // Nobody else waits: another token at the same address, and who reads here without one.
    assert_eq!(world.send(by(&quiet)).await.status, StatusCode::OK);
    assert_eq!(world.get(PATH).await.status, StatusCode::OK);
    for _ in 0..199 {
        assert_eq!(world.get(PATH).await.status, StatusCode::OK);
    }
    assert_eq!(world.get(PATH).await.status, StatusCode::TOO_MANY_REQUESTS);
}
