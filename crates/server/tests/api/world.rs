//! A ledger of a test's own, the API over it in this very process, and who asks.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use regreen_engine::{FleetConfig, LiveCatalog};
use regreen_ledger::{AsIs, BreakerPolicy, Ledger, NewToken};
use regreen_server::{
    Api, Budgets, Happening, Log,
    access::{Access, Arrival, Proxy, Role, mint},
    shape::Worth,
};
use serde_json::Value;

/// The clock of the tests, in milliseconds since 1970.
pub(crate) const NOW: i64 = 1_800_000_000_000;

pub(crate) const BREAKER: BreakerPolicy =
    BreakerPolicy { threshold: 3, cooldown_ms: 60_000, probe_ms: 60_000 };

/// What a failure costs.
pub(crate) const WORTH: Worth =
    Worth { minutes_per_failure: Some(10.0), cost_per_minute: Some(1.5), runner_cost_per_minute: Some(0.5) };

#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn tell(&self, happening: &Happening) {
        self.0.lock().unwrap().push(happening.line());
    }
}

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) lines: Arc<Lines>,
    pub(crate) access: Access,
    router: Router,
    _folder: tempfile::TempDir,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl World {
    pub(crate) async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), Arc::new(AsIs)).await.unwrap();
        let lines = Arc::new(Lines::default());
        let access = Access::by_clock(ledger.clone(), lines.clone(), || NOW).reading_here();
        let router = api(&ledger, &access, &lines).router();
        World { ledger, lines, access, router, _folder: folder }
    }

    /// The same API, as it is without `--read-here`: even this machine shows a token.
    pub(crate) fn strict_api(&self) -> Api {
        let access = Access::by_clock(self.ledger.clone(), self.lines.clone(), hurried);
        api(&self.ledger, &access, &self.lines)
    }

    /// A token's text.
    pub(crate) async fn token(&self, name: &str, role: Role) -> String {
        self.token_until(name, role, NOW + 1_000).await
    }

    pub(crate) async fn token_until(&self, name: &str, role: Role, until: i64) -> String {
        let made = mint().unwrap();
        let new = NewToken {
            id: &made.id,
            name,
            role: role.id(),
            repository: "",
            digest: &made.digest,
            expires_at: Some(until),
        };
        assert!(self.ledger.create_token(&new, "ann", NOW).await.unwrap());
        made.text
    }

    /// The same API behind a proxy that says who has signed in.
    pub(crate) fn behind(mut self, proxy: Proxy) -> World {
        let access = Access::by_clock(self.ledger.clone(), self.lines.clone(), || NOW).behind(proxy);
        self.router = api(&self.ledger, &access, &self.lines).router();
        self
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = TowerToHyperService::new(self.router.clone()).call(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, 16 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body, text }
    }

    /// Asked on this machine, without a token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(here(path).body(Body::empty()).unwrap()).await
    }
}

/// A clock by which every look is minutes later, so that wrong tokens are never too many at once.
fn hurried() -> i64 {
    static LOOKS: AtomicI64 = AtomicI64::new(0);
    NOW + LOOKS.fetch_add(1, Ordering::SeqCst) * 120_000
}

fn budgeted() -> FleetConfig {
    let mut config = FleetConfig::default();
    config.policy.budget.per_hour = Some(60);
    config.policy.organisation.attempts_per_day = Some(100);
    config.calls.repository = Some(500);
    config
}

fn api(ledger: &Ledger, access: &Access, lines: &Arc<Lines>) -> Api {
    Api {
        ledger: ledger.clone(),
        record: ledger.clone(),
        access: access.clone(),
        catalog: LiveCatalog::new(regreen_builtin::catalog().unwrap()),
        bell: Arc::default(),
        breaker: BREAKER,
        budgets: Budgets::of(&budgeted()),
        worth: WORTH,
        clock: || NOW,
        log: lines.clone(),
        sinks: [("ops".to_owned(), "slack"), ("mail".to_owned(), "email")].into(),
    }
}

/// A request of somebody on this machine.
pub(crate) fn here(path: &str) -> axum::http::request::Builder {
    let arrival = Arrival { peer: [127, 0, 0, 1].into(), listens_here: true };
    Request::builder().uri(path).header(header::HOST, "localhost:8787").extension(arrival)
}

/// A request of somebody elsewhere.
pub(crate) fn there(path: &str) -> axum::http::request::Builder {
    let arrival = Arrival { peer: [192, 0, 2, 7].into(), listens_here: false };
    Request::builder().uri(path).header(header::HOST, "regreen.example").extension(arrival)
}
