//! Who asks too often is held up, and nobody else.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use regreen_server::access::{Arrival, Role};

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

#[tokio::test]
async fn of_far_too_many_tokens_from_one_address_only_those_that_are_there_are_looked_up() {
    let world = World::new().await;
    let (known, fresh) = (world.token("known", Role::Viewer).await, world.token("fresh", Role::Viewer).await);
    assert_eq!(world.send(by(&known)).await.status, StatusCode::OK);
    // One was the token that is known by now.
    for n in 0..999 {
        let answer = world.send(by(&format!("rgr_{n:016}_{}", "a".repeat(43)))).await;
        assert!(matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS), "{n}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(!detail.contains("unknown tokens"), "{n}: {detail}");
    }
    // This one could be right, and nobody looks: there is none with this id.
    let refused = world.send(by(&format!("rgr_{:016}_{}", 1_000, "a".repeat(43)))).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("100 unknown tokens a second"), "{detail}");
    // By the id of one that is there somebody looks now and then, and no more: its secret may be another one.
    let unknown = async |token: &str| {
        let answer = world.send(by(token)).await;
        answer.body["detail"].as_str().is_some_and(|detail| detail.contains("unknown tokens"))
    };
    let stolen = format!("{}{}", &known[..known.len() - 43], "b".repeat(43));
    for n in 0..10 {
        assert!(!unknown(&stolen).await, "{n}");
    }
    assert!(unknown(&stolen).await);
    // Whoever shows one that is right is not held up, whatever else came from the address.
    assert_eq!(world.send(by(&fresh)).await.status, StatusCode::OK);
    assert_eq!(world.send(by(&known)).await.status, StatusCode::OK);
    let other = world.token("other", Role::Viewer).await;
    let (mut elsewhere, _) = by(&other).into_parts();
    elsewhere.extensions.insert(Arrival { peer: [192, 0, 2, 8].into(), listens_here: false });
    assert_eq!(world.send(Request::from_parts(elsewhere, Body::empty())).await.status, StatusCode::OK);
}
