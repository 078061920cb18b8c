//! Who may look, and is known to the pages: whoever [`crate::access`] lets. A browser that shows nothing is led to where it can sign in; whoever else
//! may not is told so on a page.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    answer::Failed,
    params::link,
    reader::{Reader, forget},
    sign_in::SIGN_IN,
};
use crate::access::{Access, Denied, Role, begin_form};

/// Lets the request through, or says why not.
pub(super) async fn admit(State(access): State<Access>, request: Request, next: Next) -> Response {
    // How the refusal looks is no secret, and whoever signs in can't have done so before.
    let path = request.uri().path();
    if path.starts_with("/assets/") || matches!(path, "/sign-in" | "/sign-out") {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    match access.at_least(&parts, Role::Viewer).await {
        Ok(who) => {
            let form = begin_form(&who, &mut parts.headers);
            let (reader, asked) =
                (Reader::new(&who, &parts.headers), (parts.method.clone(), parts.headers.clone()));
            parts.extensions.insert(reader.clone());
            let mut response = next.run(Request::from_parts(parts, body)).await;
            forget(&reader, &asked, &mut response);
            if let Some(form) = form {
                response.headers_mut().append(header::SET_COOKIE, form);
            }
            response
        }
        Err(denied) if can_sign_in(&denied, &parts.method, &parts.uri, &parts.headers) => {
            let from = parts.uri.path_and_query().map_or("/", |from| from.as_str());
            see(&link(SIGN_IN, &[("then", if from == "/" { "" } else { from })]))
        }
        Err(denied) => refusal(denied),
    }
}

/// Whether it is a browser that asks for a page and shows no session, or one that is over.
fn can_sign_in(denied: &Denied, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    matches!(denied, Denied::Missing | Denied::Wrong)
        && matches!(*method, Method::GET | Method::HEAD)
        // A stream of news is no page.
        && uri.path() != "/events"
        && !headers.contains_key(header::AUTHORIZATION)
}

/// Leads a browser to a path of this server.
pub(super) fn see(path: &str) -> Response {
    let to = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// The page, with what the refusal says to a program: its status, and what to do.
pub(super) fn refusal(denied: Denied) -> Response {
    let failed = match &denied {
        Denied::Unavailable(_) => Failed::Unavailable,
        denied => Failed::NotAllowed(denied.status(), denied.words()),
    };
    let said = denied.into_response();
    let mut page = failed.into_response();
    for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
        if let Some(value) = said.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}
