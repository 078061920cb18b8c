//! Who may what: on this machine, elsewhere, by token and by session.

use axum::{
    Router,
    body::Body,
    extract::FromRef,
    http::{Method, Request, StatusCode, header},
    routing::post,
};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use regreen_server::access::{Access, Denied, Network, Operator, Proxy, Role, proxy_header};

use crate::world::{NOW, World, here, there};

const PATH: &str = "/api/v1/pauses";

fn by(token: &str) -> Request<Body> {
    there(PATH).header("Authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn reading_needs_no_token_here_and_one_elsewhere() {
    let world = World::new().await;
    let read = world.get(PATH).await;
    assert_eq!(read.status, StatusCode::OK);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(read.headers[name], value);
    }
    let refused = world.send(there(PATH).body(Body::empty()).unwrap()).await;
    assert_eq!((refused.status, refused.body["status"].as_u64()), (StatusCode::UNAUTHORIZED, Some(401)));
    assert_eq!(refused.headers["www-authenticate"], "Bearer realm=\"regreen\"");
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert_eq!(refused.headers["x-content-type-options"], "nosniff");
    let between = here(PATH).header("X-Forwarded-For", "10.0.0.1").body(Body::empty()).unwrap();
    assert_eq!(world.send(between).await.status, StatusCode::UNAUTHORIZED, "a proxy on this machine");
    let rebound = Request::get(PATH).header("Host", "evil.example").body(Body::empty()).unwrap();
    assert_eq!(world.send(rebound).await.status, StatusCode::UNAUTHORIZED, "another name for this machine");
}

#[tokio::test]
async fn a_token_counts_until_it_ends_or_is_taken_away() {
    let world = World::new().await;
    let token = world.token("ci", Role::Viewer).await;
    assert_eq!(world.send(by(&token)).await.status, StatusCode::OK);
    assert!(world.ledger.tokens().await.unwrap()[0].last_used_at.is_some_and(|at| at <= NOW));
    let other = world.token("other", Role::Viewer).await;
    let mixed = format!("{}{}", &token[..20], &other[20..]);
    for wrong in [mixed.as_str(), "", "rgr_", &token[..token.len() - 1], &token.to_uppercase(), "Ünd"] {
        let refused = world.send(by(wrong)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(!refused.body.to_string().contains("rgr_"), "{}", refused.body);
    }
    let twice = there(PATH)
        .header("Authorization", format!("Bearer {token}"))
        .header("Authorization", format!("Bearer {token}"));
    assert_eq!(world.send(twice.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
    let basic = there(PATH).header("Authorization", "Basic YTpi").body(Body::empty()).unwrap();
    assert_eq!(world.send(basic).await.status, StatusCode::UNAUTHORIZED);
    // A wrong token is wrong here too, where none is needed.
    let here = here(PATH).header("Authorization", "Bearer no").body(Body::empty()).unwrap();
    assert_eq!(world.send(here).await.status, StatusCode::UNAUTHORIZED);
    world.ledger.revoke_token("ci", "ann", NOW).await.unwrap();
    assert_eq!(world.send(by(&token)).await.status, StatusCode::UNAUTHORIZED);
    assert!(world.lines.all().iter().any(|line| line.contains("access-refused")));
    assert!(!world.lines.all().iter().any(|line| line.contains("rgr_")));
}

#[tokio::test]
async fn too_many_wrong_ones_have_to_wait_and_a_right_one_does_not() {
    let world = World::new().await;
    let token = world.token("ci", Role::Viewer).await;
    assert_eq!(world.send(by(&token)).await.status, StatusCode::OK);
    let mut refused = 0;
    let waits = loop {
        let answer = world.send(by("rgr_no")).await;
        if answer.status != StatusCode::UNAUTHORIZED {
            break answer;
        }
        refused += 1;
    };
    assert_eq!((refused, waits.status), (20, StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(waits.headers["retry-after"], "60");
    assert_eq!(world.send(by(&token)).await.status, StatusCode::OK, "it was right before");
    let fresh = world.token("fresh", Role::Viewer).await;
    assert_eq!(world.send(by(&fresh)).await.status, StatusCode::OK, "somebody else's, behind the same proxy");
    assert_eq!(world.send(by("rgr_no")).await.status, StatusCode::TOO_MANY_REQUESTS);
    let elsewhere = here(PATH).header("Authorization", format!("Bearer {fresh}"));
    assert_eq!(world.send(elsewhere.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
}

#[derive(Clone)]
struct State(Access);

impl FromRef<State> for Access {
    fn from_ref(state: &State) -> Access {
        state.0.clone()
    }
}

/// Answers an operator, and says who it is.
async fn act(world: &World, request: Request<Body>) -> (StatusCode, String) {
    let acted = async |Operator(who): Operator| format!("{} {}", who.actor, who.by_session);
    let router = Router::new().route("/act", post(acted)).with_state(State(world.access.clone()));
    let answer = TowerToHyperService::new(router).call(request).await.unwrap();
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn acting_takes_a_role_and_never_mere_presence() {
    let world = World::new().await;
    let post = || here("/act").method(Method::POST);
    assert_eq!(act(&world, post().body(Body::empty()).unwrap()).await.0, StatusCode::UNAUTHORIZED);
    for (role, want) in [
        (Role::Viewer, StatusCode::FORBIDDEN),
        (Role::Operator, StatusCode::OK),
        (Role::Admin, StatusCode::OK),
    ] {
        let token = world.token(role.id(), role).await;
        let shown = post().header("Authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
        let (status, words) = act(&world, shown).await;
        assert_eq!(status, want, "{words}");
        if want == StatusCode::OK {
            assert_eq!(words, format!("token:{} false", role.id()));
        }
    }
}

/// docs/api-reference.md says of each request who may, by how it is made.
#[tokio::test]
async fn by_the_description_a_viewer_reads_all_and_does_nothing() {
    let world = World::new().await;
    let viewer = world.token("looks", Role::Viewer).await;
    let description = regreen_server::description().unwrap();
    let (mut reads, mut acts) = (0, 0);
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["security"][0].get("job").is_some() {
                continue;
            }
            let request = here(&path.replace("{id}", "x").replace("{key}", "x"));
            let request = request.method(method.to_uppercase().as_str());
            let request = request.header("Authorization", format!("Bearer {viewer}"));
            let request = request.header("Content-Type", "application/json").body(Body::from("{}")).unwrap();
            let status = world.send(request).await.status;
            let may = status != StatusCode::FORBIDDEN && status != StatusCode::UNAUTHORIZED;
            assert_eq!(may, method == "get", "{method} {path}: {status}");
            (reads, acts) = (reads + usize::from(may), acts + usize::from(!may));
        }
    }
    assert!(reads > 15 && acts > 7, "{reads} {acts}");
}

#[tokio::test]
async fn a_session_acts_from_a_page_of_this_server_alone() {
    let world = World::new().await;
    let token = world.token("ann", Role::Operator).await;
    let sign = |origin: &str| {
        let request = there("/sign-in").method(Method::POST).header("Origin", origin);
        request.body(()).unwrap().into_parts().0
    };
    let foreign = world.access.sign_in(&sign("https://evil.example"), &token).await;
    assert_eq!(foreign, Err(Denied::Foreign));
    let own = sign("https://regreen.example");
    assert_eq!(world.access.sign_in(&own, "rgr_no").await, Err(Denied::Wrong));
    let signed = world.access.sign_in(&own, &token).await.unwrap();
    let cookie = signed.cookie.to_str().unwrap().to_owned();
    for part in ["Max-Age=1;", "HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("rgr_"), "{cookie}");
    let pair = cookie.split(';').next().unwrap().to_owned();
    let with = |name: &str, value: &str| {
        let request = there("/act").method(Method::POST).header(header::COOKIE, format!("a=b; {pair}"));
        request.header(name, value).body(Body::empty()).unwrap()
    };
    let (status, words) = act(&world, with("Origin", "https://regreen.example")).await;
    assert_eq!((status, words.as_str()), (StatusCode::OK, "token:ann true"));
    assert_eq!(act(&world, with("Sec-Fetch-Site", "same-origin")).await.0, StatusCode::OK);
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("X-Other", ""),
    ] {
        assert_eq!(act(&world, with(name, value)).await.0, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    // Reading is not acting.
    let read = there(PATH).header(header::COOKIE, &pair).body(Body::empty()).unwrap();
    assert_eq!(world.send(read).await.status, StatusCode::OK);
    let out = there("/sign-out").method(Method::POST).header("Origin", "https://regreen.example");
    let out = out.header(header::COOKIE, &pair).body(()).unwrap().into_parts().0;
    assert!(world.access.sign_out(&out).await.unwrap().to_str().unwrap().contains("Max-Age=0"));
    let gone = act(&world, with("Origin", "https://regreen.example")).await;
    assert_eq!(gone.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn unless_told_otherwise_even_this_machine_shows_a_token() {
    let world = World::new().await;
    let strict = Access::by_clock(world.ledger.clone(), world.lines.clone(), || NOW);
    let request = here(PATH).body(()).unwrap().into_parts().0;
    assert_eq!(strict.at_least(&request, Role::Viewer).await, Err(Denied::Missing));
    assert_eq!(world.access.at_least(&request, Role::Viewer).await.unwrap().actor, "loopback");
}

#[tokio::test]
async fn who_has_signed_in_at_a_proxy_counts_from_its_address_alone() {
    let header = |name: &str| proxy_header(name).unwrap();
    let proxy = Proxy {
        user: header("X-Forwarded-User"),
        groups: Some(header("X-Forwarded-Groups")),
        from: vec![Network::parse("192.0.2.7").unwrap()],
        by_group: [("ops".to_owned(), Role::Operator)].into(),
        by_user: Default::default(),
        otherwise: Some(Role::Viewer),
    };
    let world = World::new().await.behind(proxy);
    let token = world.token("bob", Role::Viewer).await;
    let ask = async |request: axum::http::request::Builder, groups: &str| {
        let request = request.header("x-forwarded-user", "ann").header("x-forwarded-groups", groups);
        world.send(request.body(Body::empty()).unwrap()).await.status
    };
    let pause = async |site: &str, groups: &str| {
        let request = there("/api/v1/pause").method("POST").header("content-type", "application/json");
        let request = request.header("sec-fetch-site", site).header("x-forwarded-user", "ann");
        let request = request.header("x-forwarded-groups", groups);
        world.send(request.body(Body::from("{\"reason\":\"a release\"}")).unwrap()).await.status
    };
    assert_eq!(ask(there("/api/v1/incidents"), "").await, StatusCode::OK);
    assert_eq!(pause("same-origin", "dev").await, StatusCode::FORBIDDEN, "a viewer does not act");
    assert_eq!(pause("cross-site", "ops").await, StatusCode::FORBIDDEN, "another site's page");
    assert!(world.ledger.paused("fleet").await.unwrap().is_none());
    assert_eq!(pause("same-origin", "ops").await, StatusCode::OK);
    assert_eq!(world.ledger.paused("fleet").await.unwrap().unwrap().actor, "proxy:ann");
    // From this very machine, or anywhere else, it is refused, whatever it says; a token is a token.
    assert_eq!(ask(here("/api/v1/incidents"), "ops").await, StatusCode::FORBIDDEN);
    assert!(world.lines.all().iter().any(|line| line.contains("nobody trusted")));
    let shown = here("/api/v1/incidents").header("authorization", format!("Bearer {token}"));
    assert_eq!(ask(shown, "ops").await, StatusCode::OK);
    // What the proxy was shown itself is nothing here, but a wrong token is wrong.
    let basic = there("/api/v1/incidents").header("authorization", "Basic YW5uOmh1bnRlcjI=");
    assert_eq!(ask(basic, "ops").await, StatusCode::OK);
    let wrong = there("/api/v1/incidents").header("authorization", "Bearer hunter2");
    assert_eq!(ask(wrong, "ops").await, StatusCode::UNAUTHORIZED);
    let basic = there("/api/v1/incidents").header("authorization", "Basic YW5uOmh1bnRlcjI=");
    assert_eq!(world.send(basic.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
    // Without the header nobody has signed in, also at the proxy; and where there is no proxy, it means nothing.
    assert_eq!(
        world.send(there("/api/v1/incidents").body(Body::empty()).unwrap()).await.status,
        StatusCode::UNAUTHORIZED
    );
    let plain = World::new().await;
    let request = there("/api/v1/incidents").header("x-forwarded-user", "ann");
    assert_eq!(plain.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
}
