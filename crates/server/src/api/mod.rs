//! `/api/v1`: what is on record, as JSON. One file a resource; the description at `/api/v1/openapi.json` is made from it.
//!
//! Whatever is shown was masked when it was stored. Pages are followed by their `next`; unknown parameters are refused.

mod audit;
mod breakers;
mod outages;
mod page;
mod params;
mod pauses;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{FromRef, State},
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
    middleware::map_response,
};
use regreen_ledger::{BreakerPolicy, Ledger, LedgerError};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Description,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::{Access, Viewer},
    happening::{Happening, Log},
    memory::chain,
    problem::{Problem, answer},
};

/// The JSON API.
pub struct Api {
    /// The fleet's ledger.
    pub ledger: Ledger,
    /// Who may what.
    pub access: Access,
    /// When a circuit breaker opens, and for how long.
    pub breaker: BreakerPolicy,
    /// The clock, in milliseconds since 1970.
    pub clock: fn() -> i64,
    /// Is told.
    pub log: Arc<dyn Log>,
}

/// What every request shares.
#[derive(Clone)]
struct Shared(Arc<Api>);

impl FromRef<Shared> for Access {
    fn from_ref(shared: &Shared) -> Access {
        shared.0.access.clone()
    }
}

impl Shared {
    fn now(&self) -> i64 {
        (self.0.clock)()
    }

    fn ledger(&self) -> &Ledger {
        &self.0.ledger
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
    modifiers(&Security),
    security(("token" = []))
)]
struct Described;

struct Security;

impl Modify for Security {
    fn modify(&self, description: &mut Description) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "`regreen token create` makes one. Reading on the server's own machine needs none.",
        ));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}

impl Api {
    /// Its routes.
    pub fn router(self) -> Router {
        let shared = Shared(Arc::new(self));
        let (router, description) = OpenApiRouter::with_openapi(Described::openapi())
            .routes(routes!(audit::list))
            .routes(routes!(breakers::list))
            .routes(routes!(outages::list))
            .routes(routes!(outages::show))
            .routes(routes!(pauses::list))
            .split_for_parts();
        let description = Arc::new(description);
        let described = async move |_: Viewer, State(_): State<Shared>| {
            answer(StatusCode::OK, "application/json", &*description)
        };
        router
            .route("/api/v1/openapi.json", axum::routing::get(described))
            .with_state(shared)
            .layer(map_response(secure))
    }
}

/// Nothing here is ever kept by a cache, taken for a page, or read by a page of another site.
async fn secure(mut response: Response<Body>) -> Response<Body> {
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
