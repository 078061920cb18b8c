//! `/api/v1`: what is on record, as JSON. One file a resource; the description at `/api/v1/openapi.json` is made from it.
//!
//! Whatever is shown was masked when it was stored. Pages are followed by their `next`; unknown parameters are refused.

mod accepted;
mod actions;
mod approvals;
mod audit;
mod body;
mod breakers;
mod budgets;
mod dispatch;
mod figures;
mod incidents;
mod known;
mod metrics;
mod original;
mod outages;
mod page;
mod params;
mod pauses;
mod scrape;
mod sinks;
mod switches;
mod unasked;
mod words;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{FromRef, State},
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
    middleware::{from_fn_with_state, map_response},
    response::IntoResponse as _,
};
use regreen_engine::{Known, LiveCatalog};
use regreen_ledger::{BreakerPolicy, Ledger, LedgerError};
use tokio::sync::Notify;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Description,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub use budgets::Budgets;
pub(crate) use figures::Figures;
pub use figures::history;
pub(crate) use scrape::scraped;
pub use sinks::Sinks;
pub(crate) use sinks::names as sink_names;

use crate::{
    access::{Access, Viewer},
    happening::{Happening, Log},
    memory::chain,
    problem::{Problem, answer},
    shape::Worth,
};

/// The JSON API.
pub struct Api {
    /// The fleet's ledger, for what people do.
    pub ledger: Ledger,
    /// The same for looks: a handle of its own, so that a long one holds up no work.
    pub record: Ledger,
    /// Who may what.
    pub access: Access,
    /// What is known of failures and cures, and what people have accepted.
    pub catalog: Arc<LiveCatalog>,
    /// Rung when somebody has said something that work waits for.
    pub bell: Arc<Notify>,
    /// When a circuit breaker opens, and for how long.
    pub breaker: BreakerPolicy,
    /// What recovery may cost.
    pub budgets: Budgets,
    /// The ways out to people that are configured, by name, with their kinds.
    pub sinks: Sinks,
    /// What a failure costs.
    pub worth: Worth,
    /// The clock, in milliseconds since 1970.
    pub clock: fn() -> i64,
    /// Is told.
    pub log: Arc<dyn Log>,
}

/// What every request shares.
#[derive(Clone)]
struct Shared(Arc<Api>, Arc<Figures>);

impl FromRef<Shared> for Access {
    fn from_ref(shared: &Shared) -> Access {
        shared.0.access.clone()
    }
}

impl Shared {
    fn figures(&self) -> &Figures {
        &self.1
    }

    fn now(&self) -> i64 {
        (self.0.clock)()
    }

    /// What is on record, to be read.
    fn record(&self) -> &Ledger {
        &self.0.record
    }

    /// Where what people do is put on record.
    fn writes(&self) -> &Ledger {
        &self.0.ledger
    }

    /// What is known now.
    async fn known(&self) -> Result<Arc<Known>, Problem> {
        self.0.catalog.look(self.record()).await.map_err(|e| self.failed(&e))
    }

    /// The reason is for the log and for people with access to it.
    fn failed(&self, error: &LedgerError) -> Problem {
        self.0.log.tell(&Happening::WorkUnavailable { why: chain(error) });
        Problem::unavailable()
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Regreen",
        description = "What Regreen has on record beside the fleet: failures of CI jobs, why they failed, what was decided and \
                       done. Everything was masked when it was stored. Times are RFC 3339 in UTC."
    ),
    paths(crate::jobs::ask, crate::jobs::report),
    modifiers(&Security),
    security(("token" = []))
)]
struct Described;

struct Security;

impl Modify for Security {
    fn modify(&self, description: &mut Description) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "`regreen token create` makes one. With `regreen serve --read-here`, reading on the server's own machine needs none.",
        ));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "One of those that `regreen serve --job-token-file` names, or one that `regreen token create --for-repository` made.",
            ));
        components.add_security_scheme("job", SecurityScheme::Http(scheme.build()));
    }
}

impl Api {
    /// Its routes.
    pub fn router(self) -> Router {
        let shared = Shared(Arc::new(self), Arc::default());
        let (router, description) = routes();
        let takes = unasked::that_take_any(&description);
        let description = Arc::new(description);
        let described = async move |_: Viewer, State(_): State<Shared>| {
            answer(StatusCode::OK, "application/json", &*description)
        };
        let nothing = async || {
            Problem::not_found("there is nothing here; /api/v1/openapi.json says what is").into_response()
        };
        router
            .route("/api/v1/openapi.json", axum::routing::get(described))
            .route_layer(from_fn_with_state(takes, unasked::refused))
            .route("/api/{*nothing}", axum::routing::any(nothing))
            .method_not_allowed_fallback(otherwise)
            .with_state(shared)
            .layer(map_response(secure))
    }
}

/// Every route, and their description.
fn routes() -> (Router<Shared>, Description) {
    let (router, mut description) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::show))
        .routes(routes!(actions::approve))
        .routes(routes!(actions::deny))
        .routes(routes!(actions::rollback))
        .routes(routes!(actions::retry))
        .routes(routes!(actions::reopen))
        .routes(routes!(actions::feedback))
        .routes(routes!(approvals::list))
        .routes(routes!(audit::list))
        .routes(routes!(breakers::list))
        .routes(routes!(breakers::history))
        .routes(routes!(budgets::list))
        .routes(routes!(dispatch::dispatch))
        .routes(routes!(outages::list))
        .routes(routes!(outages::show))
        .routes(routes!(pauses::list))
        .routes(routes!(sinks::list))
        .routes(routes!(switches::pause))
        .routes(routes!(switches::unpause))
        .routes(routes!(switches::reset))
        .routes(routes!(known::patterns))
        .routes(routes!(known::pattern))
        .routes(routes!(accepted::accept))
        .routes(routes!(accepted::take_back))
        .routes(routes!(known::playbooks))
        .routes(routes!(known::playbook))
        .routes(routes!(metrics::show))
        .routes(routes!(metrics::days))
        .routes(routes!(scrape::metrics))
        .routes(routes!(original::metrics))
        .routes(routes!(original::status))
        .split_for_parts();
    words::name(&mut description);
    (router, description)
}

/// The description as it is at `/api/v1/openapi.json`, for the manual.
///
/// # Errors
/// Where it can't be said in JSON.
pub fn description() -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(routes().1)
}

/// A path that is there, asked by a method that it does not take.
pub(crate) async fn otherwise() -> Response<Body> {
    let detail = "this is asked in another way; /api/v1/openapi.json says how";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}

/// Nothing here is ever kept by a cache, taken for a page, or read by a page of another site.
pub(crate) async fn secure(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A document that was asked for.
fn found(body: &impl serde::Serialize) -> Response<Body> {
    answer(StatusCode::OK, "application/json", body)
}

/// What a handler gives.
type Answer = Result<Response<Body>, Problem>;
