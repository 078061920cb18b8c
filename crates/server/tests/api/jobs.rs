//! What jobs ask and tell: a token of the ledger is for one repository, and for nothing else.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header, response::Parts},
};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use regreen_domain::{Mode, Outcome};
use regreen_engine::{FleetConfig, JobPolicy, OutageConfig};
use regreen_forge::hook::{Secret, Secrets};
use regreen_ledger::{Closing, Incident, NewToken, Patch};
use regreen_server::{
    Jobs,
    access::{JOB, Role, mint},
};
use serde_json::{Value, json};

use crate::{
    seed::{OWNER, opened},
    world::{BREAKER, NOW, World, there},
};

const ANY: &str = "a token for jobs of any repository";
const NPM: &str = "registry.npmjs.org";

struct Desk {
    world: World,
    router: Router,
}

impl Desk {
    async fn new() -> Desk {
        let world = World::new().await;
        let mut fleet = FleetConfig::default();
        fleet.outage.services = OutageConfig::public();
        let jobs = Jobs {
            ledger: world.ledger.clone(),
            policy: JobPolicy { mode: Mode::Auto, rules: Vec::new(), breaker: BREAKER, fleet: Some(fleet) },
            tokens: Secrets::new([Secret::new(ANY).unwrap()]),
            access: world.access.clone(),
            log: world.lines.clone(),
        };
        Desk { world, router: jobs.router() }
    }

    async fn token_for(&self, repository: &str) -> String {
        let made = mint().unwrap();
        let name = repository.replace('/', "-");
        let new = NewToken {
            id: &made.id,
            name: &name,
            role: JOB,
            repository,
            digest: &made.digest,
            expires_at: Some(NOW + 1_000),
        };
        assert!(self.world.ledger.create_token(&new, "ann", NOW).await.unwrap());
        made.text
    }

    async fn post(&self, path: &str, token: &str, body: String) -> (StatusCode, Value) {
        let (parts, said) = self.send("POST", path, token, body).await;
        (parts.status, said)
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: String) -> (Parts, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(Body::from(body)).unwrap();
        let answer = TowerToHyperService::new(self.router.clone()).call(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        (parts, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn ask(&self, token: &str, repository: &str) -> StatusCode {
        let question = json!({
            "version": 1, "repository": repository, "commit": null, "job": null, "class": "network-timeout",
            "tool": "npm", "host": null,
        });
        self.post("/api/v1/jobs/ask", token, question.to_string()).await.0
    }

    async fn tell(&self, token: &str, told: &Incident) -> StatusCode {
        self.post("/api/v1/jobs/report", token, told.to_report().unwrap()).await.0
    }

    /// What was seen of the service within the last hour, by repository.
    async fn seen(&self) -> Vec<String> {
        let all = self.world.ledger.sightings(NPM, real_now() - 3_600_000).await.unwrap();
        all.into_iter().map(|one| one.repository).collect()
    }

    async fn on_record(&self) -> usize {
        self.world.ledger.incidents(&Default::default()).await.unwrap().len()
    }
}

/// Jobs tell by the machine's own clock.
fn real_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// An incident of a job's own ledger, over, of a failure at the registry of npm.
async fn incident(repository: &str, outcome: Outcome, fork: bool) -> Incident {
    let own = World::new().await;
    let at = real_now() - 60_000;
    opened(&own.ledger, "i-told", repository, at).await;
    own.ledger.close("i-told", OWNER, &Closing::new(outcome), at + 10).await.unwrap();
    let mut told = own.ledger.incident("i-told").await.unwrap().unwrap();
    let inputs = json!({
        "now": at, "regreen": "0.1.0", "findings": [],
        "command": { "tool": "npm", "kind": "install", "fetches": true },
        "policy": { "mode": "auto", "threshold": 0.85, "max_attempts": 3, "max_risk": "medium" },
        "setting": {
            "in_ci": true, "untrusted_fork": fork, "deploys": false, "yes": false, "rerun_always": false,
            "files_clean": true, "paths": [],
        },
        "history": {
            "attempts": 0, "breaker_open": false, "time_used_up": false, "paused": false, "tried": [],
        },
        "playbooks": [], "approved_as": null,
    });
    told.inputs = Some(serde_json::from_value(inputs).unwrap());
    told
}

#[tokio::test]
async fn a_jobs_token_speaks_of_its_own_repository_and_of_nothing_else() {
    let desk = Desk::new().await;
    let shop = desk.token_for("octo/shop").await;
    let viewer = desk.world.token("ann", Role::Viewer).await;
    for (token, repository, want) in [
        (shop.as_str(), "octo/shop", StatusCode::OK),
        (&shop, "Octo/Shop", StatusCode::OK),
        (&shop, "octo/bank", StatusCode::FORBIDDEN),
        (&shop, "octo/shop2", StatusCode::FORBIDDEN),
        (&shop, "", StatusCode::FORBIDDEN),
        (ANY, "octo/bank", StatusCode::OK),
        (&viewer, "octo/shop", StatusCode::UNAUTHORIZED),
        ("", "octo/shop", StatusCode::UNAUTHORIZED),
        (&shop[..shop.len() - 1], "octo/shop", StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(desk.ask(token, repository).await, want, "{repository}");
    }
    let others = incident("octo/bank", Outcome::RolledBack, false).await;
    assert_eq!(desk.tell(&shop, &others).await, StatusCode::FORBIDDEN);
    let nobodys =
        Incident { place: regreen_ledger::Place { repository: None, ..others.place.clone() }, ..others };
    assert_eq!(desk.tell(&shop, &nobodys).await, StatusCode::FORBIDDEN);
    assert_eq!(desk.on_record().await, 0, "nothing of it is kept");
    assert!(desk.world.lines.all().iter().any(|line| line.contains("another repository")));
    // It reads nothing, and acts nowhere.
    for path in ["/api/v1/incidents", "/api/v1/audit", "/metrics"] {
        let request = there(path).header(header::AUTHORIZATION, format!("Bearer {shop}"));
        let answer = desk.world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    desk.world.ledger.revoke_token("octo-shop", "ann", NOW).await.unwrap();
    assert_eq!(desk.ask(&shop, "octo/shop").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_a_job_met_counts_for_an_outage_once_for_each_repository_that_is_proven() {
    let desk = Desk::new().await;
    let (shop, bank) = (desk.token_for("octo/shop").await, desk.token_for("octo/bank").await);
    let failed = incident("octo/shop", Outcome::RolledBack, false).await;
    // Whoever may name any repository proves none; a fork prints what it likes; and who got by has met nothing.
    for (token, told) in [
        (ANY, incident("octo/else", Outcome::RolledBack, false).await),
        (&*bank, incident("octo/bank", Outcome::Suggested, true).await),
        (&*bank, incident("octo/bank", Outcome::Healed, false).await),
    ] {
        assert_eq!(desk.tell(token, &told).await, StatusCode::CREATED);
        assert_eq!(desk.seen().await, Vec::<String>::new());
    }
    for (status, n) in [(StatusCode::CREATED, 0), (StatusCode::OK, 0), (StatusCode::CREATED, 1)] {
        let told = Incident { id: format!("i-{n}"), ..failed.clone() };
        assert_eq!(desk.tell(&shop, &told).await, status);
        assert_eq!(desk.seen().await, ["octo/shop"], "however often it is told");
    }
    assert_eq!(
        desk.tell(&bank, &incident("octo/bank", Outcome::Suggested, false).await).await,
        StatusCode::CREATED
    );
    assert_eq!(desk.seen().await, ["octo/bank", "octo/shop"]);
}

#[tokio::test]
async fn what_a_job_changed_is_kept_as_it_was_first_told() {
    let desk = Desk::new().await;
    let shop = desk.token_for("octo/shop").await;
    let mut told = incident("octo/shop", Outcome::Healed, false).await;
    told.patch = Some(Patch { path: None, summary: "package-lock.json: one checksum".to_owned() });
    let tell = async |told: &Incident, diff: &Value| {
        let mut body: Value = serde_json::from_str(&told.to_report().unwrap()).unwrap();
        body["diff"] = diff.clone();
        desk.post("/api/v1/jobs/report", &shop, body.to_string()).await
    };
    let (status, said) = tell(&told, &json!("-one\n+two\n")).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = said["incident"].as_str().unwrap();
    assert_eq!(tell(&told, &json!("+another\n")).await.0, StatusCode::OK);
    let ledger = &desk.world.ledger;
    let hash = ledger.patch_of(id).await.unwrap().unwrap();
    assert_eq!(ledger.log(&hash).await.unwrap().as_deref(), Some("-one\n+two\n"));
    // Where nothing was changed there is nothing to show; and what is no text is refused.
    let (_, said) =
        tell(&Incident { patch: None, id: "i-2".to_owned(), ..told.clone() }, &json!("+x\n")).await;
    assert!(ledger.logs_of(said["incident"].as_str().unwrap()).await.unwrap().is_empty());
    assert_eq!(tell(&Incident { id: "i-3".to_owned(), ..told }, &json!(7)).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn its_answers_are_as_those_of_the_rest_of_the_api() {
    let desk = Desk::new().await;
    for (method, token, status) in
        [("GET", ANY, 405), ("DELETE", "wrong", 405), ("POST", "wrong", 401), ("POST", ANY, 400)]
    {
        for path in ["/api/v1/jobs/ask", "/api/v1/jobs/report"] {
            let (head, said) = desk.send(method, path, token, String::new()).await;
            assert_eq!(
                (head.status.as_u16(), said["status"].as_u64()),
                (status, Some(status.into())),
                "{method} {path}"
            );
            let headers =
                ["content-type", "cache-control", "x-content-type-options"].map(|name| &head.headers[name]);
            assert_eq!(headers, ["application/problem+json", "no-store", "nosniff"], "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_job_that_asks_without_end_takes_nothing_from_those_that_share_its_token() {
    let desk = Desk::new().await;
    let shop = desk.token_for("octo/shop").await;
    // The clock of this world stands still, so a bucket would never fill up again.
    for token in [ANY, &*shop] {
        for n in 0..2_500 {
            let (head, _) = desk.send("POST", "/api/v1/jobs/ask", token, String::new()).await;
            assert_eq!(head.status, StatusCode::BAD_REQUEST, "{n}");
        }
    }
}
