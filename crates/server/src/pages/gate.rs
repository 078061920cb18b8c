//! Who may read: whoever [`crate::access`] lets. Who may not is told so on a page.

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::answer::Failed;
use crate::access::{Access, Denied, Role};

/// Lets the request through, or says why not.
pub(super) async fn admit(State(access): State<Access>, request: Request, next: Next) -> Response {
    // How the refusal looks is no secret.
    if request.uri().path().starts_with("/assets/") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match access.at_least(&parts, Role::Viewer).await {
        Ok(_) => next.run(Request::from_parts(parts, body)).await,
        Err(denied) => refusal(denied),
    }
}

/// The page, with what the refusal says to a program: its status, and what to do.
fn refusal(denied: Denied) -> Response {
    let said = denied.into_response();
    let mut page = Failed::NotAllowed.into_response();
    *page.status_mut() = said.status();
    for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
        if let Some(value) = said.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}
