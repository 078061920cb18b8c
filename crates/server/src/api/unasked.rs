//! What a request asks by must be something that the path takes: else a misspelt filter would show everything.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::Response,
    middleware::Next,
    response::IntoResponse as _,
};
use utoipa::openapi::{OpenApi, RefOr, path::ParameterIn};

use crate::problem::Problem;

/// The paths that take parameters behind a question mark, by the description; each looks at its own.
pub(super) fn that_take_any(description: &OpenApi) -> Arc<BTreeSet<String>> {
    let takes = description.paths.paths.iter().filter(|(_, item)| {
        let operations = [&item.get, &item.post].into_iter().flatten();
        let mut parameters = operations.filter_map(|one| one.parameters.as_ref()).flatten();
        parameters.any(|one| matches!(one, RefOr::T(one) if one.parameter_in == ParameterIn::Query))
    });
    Arc::new(takes.map(|(path, _)| path.clone()).collect())
}

/// Refuses what is asked of any other path.
pub(super) async fn refused(
    State(takes): State<Arc<BTreeSet<String>>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let asks = request.uri().query().is_some_and(|query| !query.is_empty());
    let path = request.extensions().get::<MatchedPath>();
    if asks && path.is_some_and(|path| !takes.contains(path.as_str())) {
        let what = "this path takes no parameters; /api/v1/openapi.json says which paths take which";
        return Problem::bad_request(what).into_response();
    }
    next.run(request).await
}
