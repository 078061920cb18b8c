//! Who may read: somebody on this machine, asking this machine by its own name, with nobody in between.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::Request,
    http::{HeaderMap, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::answer::Failed;

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The other end of the connection.
    pub(crate) peer: SocketAddr,
    /// Whether the server listens on this machine's own address only.
    pub(crate) listens_here: bool,
}

/// Lets the request through, or says why not.
pub(super) async fn admit(request: Request, next: Next) -> Response {
    let arrival = request.extensions().get::<Arrival>().copied();
    // How the refusal looks is no secret.
    let is_asset = request.uri().path().starts_with("/assets/");
    if is_asset || arrival.is_some_and(|arrival| is_here(arrival, &request)) {
        return next.run(request).await;
    }
    Failed::NotAllowed.into_response()
}

fn is_here(arrival: Arrival, request: &Request) -> bool {
    let headers = request.headers();
    arrival.listens_here
        && arrival.peer.ip().to_canonical().is_loopback()
        && request.version() >= Version::HTTP_11
        && host(headers).is_some_and(|host| names_here(&host))
        && !is_passed_on(headers)
}

/// The one `Host`.
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut values = headers.get_all(header::HOST).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok()?.parse().ok() }
}

/// A page elsewhere can make a browser ask under a name that leads here; the name gives it away.
fn names_here(authority: &Authority) -> bool {
    let host = authority.host().trim_matches(['[', ']']);
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    !authority.as_str().contains('@') && (host.eq_ignore_ascii_case("localhost") || is_loopback)
}

/// A proxy on this machine asks for anybody.
fn is_passed_on(headers: &HeaderMap) -> bool {
    let between = ["forwarded", "via", "x-real-ip"];
    headers.keys().any(|name| between.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded"))
}
