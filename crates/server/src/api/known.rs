//! `GET /api/v1/patterns` and `/api/v1/playbooks`: what is known of failures and cures.

use axum::extract::State;
use regreen_catalog::Pattern;
use regreen_engine::Known;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Answer, Shared, found,
    page::{self, Page},
    params::{Named, Params, text},
};
use crate::{
    access::Viewer,
    problem::{Problem, ProblemV1},
    shape::{AcceptedV1, PatternV1, PlaybookV1},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those after the one with this id
    #[param(max_length = 200)]
    after: Option<String>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl Which {
    /// The page of these, by id.
    fn page<T, F>(
        self,
        all: &[F],
        id: impl Fn(&F) -> &str,
        shape: impl Fn(&F) -> T,
    ) -> Result<Page<T>, Problem> {
        let (limit, last) = (page::limit(self.limit)?, text("after", self.after)?);
        let mut after: Vec<&F> =
            all.iter().filter(|one| last.as_deref().is_none_or(|at| id(one) > at)).collect();
        after.sort_by(|a, b| id(a).cmp(id(b)));
        Ok(Page::of(after, limit, |one| id(one).to_owned(), shape))
    }
}

/// With who accepted it, where somebody did.
fn shaped(known: &Known, pattern: &Pattern) -> PatternV1 {
    let accepted = known.accepted(&pattern.id).map(AcceptedV1::from);
    PatternV1 { accepted, ..PatternV1::from(pattern) }
}

/// A page of patterns
///
/// By id: the signs by which causes are known here.
#[utoipa::path(
    get,
    path = "/api/v1/patterns",
    tag = "catalogue",
    params(Which),
    responses((status = 200, body = Page<PatternV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn patterns(
    _: Viewer,
    State(shared): State<Shared>,
    Params(which): Params<Which>,
) -> Answer {
    let known = shared.known().await?;
    Ok(found(&which.page(known.catalog.patterns(), |one| &one.id, |one| shaped(&known, one))?))
}

/// One pattern
#[utoipa::path(
    get,
    path = "/api/v1/patterns/{id}",
    tag = "catalogue",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, body = PatternV1), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn pattern(_: Viewer, State(shared): State<Shared>, Named(id): Named) -> Answer {
    let known = shared.known().await?;
    let pattern = known.catalog.pattern(&id);
    pattern
        .map(|one| found(&shaped(&known, one)))
        .ok_or_else(|| Problem::not_found("there is no such pattern"))
}

/// A page of playbooks
///
/// By id: the ways to heal that are known here.
#[utoipa::path(
    get,
    path = "/api/v1/playbooks",
    tag = "catalogue",
    params(Which),
    responses((status = 200, body = Page<PlaybookV1>), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn playbooks(
    _: Viewer,
    State(shared): State<Shared>,
    Params(which): Params<Which>,
) -> Answer {
    let known = shared.known().await?;
    Ok(found(&which.page(known.catalog.playbooks(), |one| &one.id, |one| PlaybookV1::from(one))?))
}

/// One playbook
#[utoipa::path(
    get,
    path = "/api/v1/playbooks/{id}",
    tag = "catalogue",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, body = PlaybookV1), (status = "4XX", body = ProblemV1, content_type = "application/problem+json"), (status = 503, body = ProblemV1, content_type = "application/problem+json"))
)]
pub(super) async fn playbook(_: Viewer, State(shared): State<Shared>, Named(id): Named) -> Answer {
    let known = shared.known().await?;
    let playbook = known.catalog.playbook(&id);
    playbook
        .map(|one| found(&PlaybookV1::from(one)))
        .ok_or_else(|| Problem::not_found("there is no such playbook"))
}
