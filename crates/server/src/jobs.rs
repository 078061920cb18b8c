//! `POST /api/v1/jobs/ask` and `/api/v1/jobs/report`: the fleet's word to a job, and the job's to the fleet.
//!
//! Who shows one of the tokens is a job of the operator's. What it says is taken as said: it can make others stricter (its
//! failures count for the breaker of the repository it names), and nobody bolder. Who shows a token that is for one repository
//! speaks of that one alone.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Response, StatusCode, header, request::Parts},
    middleware::map_response,
    response::IntoResponse as _,
    routing::post,
};
use regreen_engine::{COUNSEL_VERSION, Counsel, JobPolicy, NotTold, Question};
use regreen_forge::hook::Secrets;
use regreen_ledger::{Incident, Ledger, LedgerError};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use tokio::time::timeout;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use crate::{
    access::{Access, Arrival, Denied},
    api::{otherwise, secure},
    happening::{Happening, Log},
    memory::chain,
    problem::{Problem, ProblemV1, answer},
    worker::now,
};

/// Longest body, in bytes: a record is a few kilobytes.
const LONGEST: usize = 512 << 10;
/// Longest that a body may take.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What jobs ask and tell.
pub struct Jobs {
    /// The fleet's ledger.
    pub ledger: Ledger,
    /// How far they may go.
    pub policy: JobPolicy,
    /// Any of these tokens shows that it is one of the operator's jobs, of whichever repository.
    pub tokens: Secrets,
    /// By which tokens of the ledger a job of one repository is known.
    pub access: Access,
    /// Is told.
    pub log: Arc<dyn Log>,
}

impl Jobs {
    /// Where they ask and tell.
    pub fn router(self) -> Router {
        Router::new()
            .route("/api/v1/jobs/ask", post(ask))
            .route("/api/v1/jobs/report", post(report))
            .method_not_allowed_fallback(otherwise)
            .with_state(Arc::new(self))
            .layer(map_response(secure))
    }

    /// Of which repository alone the job may speak, in lower case; `None`: of any. Before anything of the body is read.
    async fn admit(&self, head: &Parts) -> Result<Option<String>, Problem> {
        if head.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(Problem::bad_request("this path takes no parameters"));
        }
        let token = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        // No limit for whoever has a right one: a job that is refused goes by its own rules, so one that floods would take pauses
        // and breakers from all the others.
        if self.tokens.hold(token) {
            return Ok(None);
        }
        let arrival = head.extensions.get::<Arrival>().copied();
        match self.access.job(arrival, token).await {
            Ok(repository) => Ok(Some(repository)),
            Err(Denied::Missing | Denied::Wrong) => {
                self.log.tell(&Happening::JobRefused { why: "its token is missing or wrong".to_owned() });
                let what = "the token is missing or wrong; it belongs into REGREEN_SERVER_TOKEN".to_owned();
                Err(Problem::new(StatusCode::UNAUTHORIZED, what))
            }
            Err(denied) => Err(denied.problem()),
        }
    }

    /// Whether the job may speak of this repository.
    fn speaks_of(&self, own: Option<&str>, named: &str) -> Result<(), Problem> {
        let Some(own) = own.filter(|own| !named.eq_ignore_ascii_case(own)) else { return Ok(()) };
        let why = format!("its token is for {own}, and it speaks of another repository");
        self.log.tell(&Happening::JobRefused { why });
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("this token is for {own}, and for no other repository"),
        ))
    }

    fn failed(&self, error: &LedgerError) -> Problem {
        self.log.tell(&Happening::WorkUnavailable { why: chain(error) });
        Problem::unavailable()
    }

    async fn asked(&self, request: Request) -> Result<Response<Body>, Problem> {
        let (head, body) = request.into_parts();
        let own = self.admit(&head).await?;
        let question: Question = read(body).await?;
        self.speaks_of(own.as_deref(), &question.repository)?;
        if question.version != COUNSEL_VERSION {
            return Err(Problem::unprocessable(format!("version {} is not spoken here", question.version)));
        }
        let counsel =
            self.policy.counsel(&self.ledger, &question, now()).await.map_err(|e| self.failed(&e))?;
        Ok(answer(StatusCode::OK, "application/json", &counsel))
    }

    /// Keeps what a job changed in tracked files, as it was first told. A store that fails costs that and nothing else.
    async fn keep(&self, incident: &str, diff: &str) -> Result<(), Problem> {
        let kept = async {
            match self.ledger.patch_of(incident).await? {
                Some(_) => Ok(false),
                None => self.ledger.keep_patch(incident, diff, now()).await,
            }
        };
        match kept.await {
            Ok(_) | Err(LedgerError::LogStore { .. }) => Ok(()),
            Err(e) => Err(self.failed(&e)),
        }
    }

    async fn told(&self, request: Request) -> Result<Response<Body>, Problem> {
        let (head, body) = request.into_parts();
        let own = self.admit(&head).await?;
        let Told { incident, diff } = read(body).await?;
        self.speaks_of(own.as_deref(), incident.place.repository.as_deref().unwrap_or_default())?;
        match self.policy.job_told(&self.ledger, &incident, own.is_some(), now()).await {
            Ok(Ok(reported)) => {
                if let Some(diff) = diff.filter(|_| reported.fresh && incident.patch.is_some()) {
                    self.keep(&reported.id, &diff).await?;
                }
                self.log.tell(&Happening::JobTold {
                    incident: reported.id.clone(),
                    outcome: incident.outcome().map_or("unknown", regreen_domain::Outcome::id),
                    fresh: reported.fresh,
                });
                let status = if reported.fresh { StatusCode::CREATED } else { StatusCode::OK };
                Ok(answer(status, "application/json", &ReportedV1 { incident: reported.id }))
            }
            Ok(Err(NotTold::NotAJobs)) => {
                Err(Problem::unprocessable("its playbook is none that runs in a job".to_owned()))
            }
            Err(
                e @ (LedgerError::BadReport { .. } | LedgerError::BadId { .. } | LedgerError::Newer { .. }),
            ) => Err(Problem::unprocessable(chain(&e))),
            Err(e) => Err(self.failed(&e)),
        }
    }
}

/// What a job tells: the record, and beside it what was changed in tracked files.
pub(crate) struct Told {
    incident: Incident,
    diff: Option<String>,
}

impl PartialSchema for Told {
    fn schema() -> RefOr<Schema> {
        let mut schema = Incident::schema();
        if let RefOr::T(Schema::Object(record)) = &mut schema {
            let what = "What was changed in tracked files, as a diff. Of a longer one 128 KiB are kept";
            let diff = ObjectBuilder::new().schema_type(Type::String).description(Some(what));
            record.properties.insert("diff".to_owned(), RefOr::T(diff.into()));
        }
        schema
    }
}

impl ToSchema for Told {
    fn name() -> Cow<'static, str> {
        Incident::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Incident::schemas(schemas);
    }
}

/// What was taken in
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reported)]
pub(crate) struct ReportedV1 {
    /// The incident, by its name in this ledger
    incident: String,
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Told, D::Error> {
        let mut told = serde_json::Map::deserialize(input)?;
        let diff = told.remove("diff").map(serde_json::from_value).transpose().map_err(D::Error::custom)?;
        let incident = serde_json::from_value(told.into()).map_err(D::Error::custom)?;
        Ok(Told { incident, diff })
    }
}

/// What the fleet says of a failure
///
/// Asked by `regreen run --server`, before it decides.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/ask",
    tag = "jobs",
    security(("job" = [])),
    request_body = Question,
    responses((status = 200, body = Counsel, description = "How far it may go"), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(crate) async fn ask(State(jobs): State<Arc<Jobs>>, request: Request) -> Response<Body> {
    jobs.asked(request).await.unwrap_or_else(Problem::into_response)
}

/// What came of a failure in a job
///
/// Told by `regreen run --server`; told twice it is as once.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/report",
    tag = "jobs",
    security(("job" = [])),
    request_body(content = Told, description = "The incident as the job's own ledger has it, which is over or waits for a word. Beyond what the schema says its words must be known here, its names at most 200 characters long and its times of these days (422)"),
    responses((status = 200, body = ReportedV1, description = "It was known"), (status = 201, body = ReportedV1, description = "It is on record"), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(crate) async fn report(State(jobs): State<Arc<Jobs>>, request: Request) -> Response<Body> {
    jobs.told(request).await.unwrap_or_else(Problem::into_response)
}

/// An object that was sent.
pub(crate) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let bytes = match timeout(BODY_TIME, to_bytes(body, LONGEST)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            let what = format!("the body broke off, or is longer than {LONGEST} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, what));
        }
        Err(_) => {
            let what = "the body did not come in time".to_owned();
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, what));
        }
    };
    // A list of an object's values in order would be taken for it, too.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Problem::bad_request("the body is a JSON object"));
    }
    serde_json::from_slice(&bytes)
        .map_err(|e| Problem::bad_request(format!("the body is not understood: {e}")))
}
