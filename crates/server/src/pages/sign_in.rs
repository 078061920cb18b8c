//! Signing in: a token is shown once, and a session's cookie takes its place. Needs no script.

use askama::Template;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse as _,
};

use super::{
    Shared,
    answer::{Failed, Frame, html},
    form::Form,
    gate::{refusal, see},
    params::Params,
    reader::Reader,
    words::shown,
};
use crate::access::{Denied, Who};

/// Where one signs in.
pub(super) const SIGN_IN: &str = "/sign-in";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    /// Who is signed in already.
    who: Option<String>,
    /// What they may do.
    role: Option<&'static str>,
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
    look(StatusCode::OK, who, None, then)
}

/// A token is shown.
pub(super) async fn begin(State(house): Shared, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(form) = Form::read(body).await else {
        return Failed::NotUnderstood("The form is too long, or came too slowly.".to_owned()).into_response();
    };
    let then = form.get("then").to_owned();
    match house.pages.access.sign_in(&parts, form.get("token")).await {
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

/// A path of this server, whatever was asked for: a browser takes `//` and `/\\` for another server.
fn local(then: &str) -> &str {
    let plain = then.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && then.starts_with('/') && !then.starts_with("//") { then } else { "/" }
}

fn look(
    status: StatusCode,
    who: Option<Who>,
    wrong: Option<String>,
    then: String,
) -> Result<Response<Body>, Failed> {
    let then = local(&then).to_owned();
    let role = who.as_ref().map(|who| who.role.id());
    let who = who.map(|who| shown(&who.actor));
    let page = SignInPage { frame: Frame::new(&Reader::default(), SIGN_IN, ""), role, who, wrong, then };
    Ok(html(status, page.render().map_err(|_| Failed::Unavailable)?))
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
