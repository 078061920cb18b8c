//! Signing in: a token is shown once, and a session's cookie takes its place. Needs no script.

use std::time::Duration;

use askama::Template;
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse as _,
};
use tokio::time::timeout;

use super::{
    Shared,
    answer::{Failed, Frame, html},
    gate::{refusal, see},
    params::Params,
    words::shown,
};
use crate::access::Denied;

/// Where one signs in.
pub(super) const SIGN_IN: &str = "/sign-in";
/// Longest form, in bytes.
const LONGEST: usize = 4096;
/// Longest that it may take.
const BODY_TIME: Duration = Duration::from_secs(10);

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    /// Who is signed in already.
    who: Option<String>,
    /// Why it did not go.
    wrong: Option<String>,
    /// Where to go then.
    then: String,
}

/// The form.
pub(super) async fn form(State(house): Shared, request: Request) -> Result<Response<Body>, Failed> {
    let (parts, _) = request.into_parts();
    let who = house.pages.access.who(&parts).await.ok().filter(|who| who.by_session);
    let then = Params::of(&parts.uri).get("then").unwrap_or_default().to_owned();
    look(StatusCode::OK, who.map(|who| shown(&who.actor)), None, then)
}

/// A token is shown.
pub(super) async fn begin(State(house): Shared, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some((token, then)) = sent(body).await else {
        return Failed::NotUnderstood("The form is too long, or came too slowly.".to_owned()).into_response();
    };
    match house.pages.access.sign_in(&parts, &token).await {
        Ok(signed) => with_cookie(see(local(&then)), signed.cookie),
        Err(denied @ (Denied::Wrong | Denied::TooOften { .. })) => {
            let mut page = look(denied.status(), None, Some(denied.words()), then).into_response();
            if let Denied::TooOften { seconds } = denied {
                page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            page
        }
        Err(denied) => refusal(denied),
    }
}

/// The session is over.
pub(super) async fn end(State(house): Shared, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    match house.pages.access.sign_out(&parts).await {
        Ok(cookie) => with_cookie(see(SIGN_IN), cookie),
        Err(denied) => refusal(denied),
    }
}

fn with_cookie(mut response: Response<Body>, cookie: HeaderValue) -> Response<Body> {
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// The token of the form, and where to go then.
async fn sent(body: Body) -> Option<(String, String)> {
    let bytes = timeout(BODY_TIME, to_bytes(body, LONGEST)).await.ok()?.ok()?;
    let (mut token, mut then) = (String::new(), String::new());
    for (name, value) in form_urlencoded::parse(&bytes) {
        match &*name {
            "token" => token = value.into_owned(),
            "then" => then = value.into_owned(),
            _ => {}
        }
    }
    Some((token, then))
}

/// A path of this server, whatever was asked for: a browser takes `//` and `/\\` for another server.
fn local(then: &str) -> &str {
    let plain = then.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && then.starts_with('/') && !then.starts_with("//") { then } else { "/" }
}

fn look(
    status: StatusCode,
    who: Option<String>,
    wrong: Option<String>,
    then: String,
) -> Result<Response<Body>, Failed> {
    let then = local(&then).to_owned();
    let page = SignInPage { frame: Frame::new(SIGN_IN, ""), who, wrong, then };
    let mut response = html(status, page.render().map_err(|_| Failed::Unavailable)?);
    // The browser says of its form that it is of here: without a referrer it would send no origin.
    let policy = HeaderValue::from_static("same-origin");
    response.headers_mut().insert(header::REFERRER_POLICY, policy);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_led_to_this_server_alone() {
        for good in ["/", "/incidents?class=rate-limited&q=a%2F", "/trends"] {
            assert_eq!(local(good), good);
        }
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb: c",
            "/\t/evil",
            "evil",
            "/é",
        ] {
            assert_eq!(local(bad), "/", "{bad:?}");
        }
    }
}
