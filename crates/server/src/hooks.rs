//! `POST /hooks/SENDER`: proven, read, made durable, acknowledged; in this order.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode, header},
};
use regreen_forge::hook::{Delivery, Event, Rejected, Secrets, Sender, may_be_proven, receive};

use crate::{
    happening::{Happening, Log, Refused},
    inbox::{Accepted, Intake, NewDelivery},
    limits::Limits,
    room::{self, Peer, Room},
};

/// A body of this size, in bytes, is proven on a thread of its own.
const LONG: usize = 256 << 10;
/// Seconds after which a sender may try again.
const RETRY_AFTER: &str = "5";

/// Who may send webhooks, by what secrets.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    secrets: BTreeMap<Sender, Secrets>,
}

impl Hooks {
    /// Takes webhooks of this sender, proven by one of these secrets. Of a sender without any, none is taken.
    #[must_use]
    pub fn with(mut self, sender: Sender, secrets: Secrets) -> Hooks {
        self.secrets.insert(sender, secrets);
        self
    }

    /// Whether no sender can be proven.
    pub fn is_empty(&self) -> bool {
        self.secrets.values().all(Secrets::is_empty)
    }

    fn of(&self, sender: Sender) -> Secrets {
        self.secrets.get(&sender).cloned().unwrap_or_default()
    }
}

/// What every request shares.
pub(crate) struct Reception {
    hooks: Hooks,
    intake: Intake,
    limits: Limits,
    log: Arc<dyn Log>,
    /// Bytes of bodies that are under way.
    room: Room,
}

impl Reception {
    pub(crate) fn new(hooks: Hooks, intake: Intake, limits: Limits, log: Arc<dyn Log>) -> Reception {
        // One body always fits, the largest too: three quarters of the room are for long ones.
        let least = limits.body.saturating_mul(2);
        let room = Room::new(limits.bodies.max(least), limits.bodies_of_one.max(limits.body));
        Reception { hooks, intake, limits, log, room }
    }

    /// The answer to a delivery.
    pub(crate) async fn take(&self, sender: Sender, request: Request<Body>) -> Response<Body> {
        let delivery = match self.prove(sender, request).await {
            Ok(delivery) => delivery,
            Err(why) => {
                self.log.tell(&Happening::HookRejected { sender, why });
                return refusal(why);
            }
        };
        let (id, name, kind) = (delivery.id.clone(), delivery.name.clone(), delivery.event.kind());
        let why = match &delivery.event {
            Event::Ignored { why } => Some((*why).to_owned()),
            Event::Refused { why } => Some(why.clone()),
            _ => None,
        };
        match self.intake.put(NewDelivery { delivery, at: now() }).await {
            Ok(accepted) => {
                let duplicate = accepted == Accepted::Duplicate;
                self.log.tell(&Happening::HookAccepted { sender, delivery: id, name, kind, why, duplicate });
                let words = if duplicate { "known already\n" } else { "accepted\n" };
                answer(StatusCode::ACCEPTED, words)
            }
            Err(unavailable) => {
                self.log.tell(&Happening::HookUnavailable { sender, why: unavailable.0 });
                later("it could not be made durable; try again\n")
            }
        }
    }

    async fn prove(&self, sender: Sender, request: Request<Body>) -> Result<Delivery, Refused> {
        let (head, body) = request.into_parts();
        let announced = announced(&head.headers)?;
        if announced.is_some_and(|length| length > self.limits.body) {
            return Err(Refused::TooLarge);
        }
        let secrets = self.hooks.of(sender);
        // Of whom the headers alone say that no body can prove it, none is read.
        if !may_be_proven(sender, &secrets, &|name: &str| only(&head.headers, name)) {
            return Err(Refused::Content(Rejected::Unproven));
        }
        let peer =
            head.extensions.get::<Peer>().copied().unwrap_or(Peer::of(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let mut share = self.room.share(peer);
        let body = room::read(body, &mut share, &self.limits).await?;
        let body_length = body.len();
        let read = move || {
            let headers = |name: &str| only(&head.headers, name);
            receive(sender, &secrets, &headers, &body)
        };
        let delivery = if body_length > LONG {
            tokio::task::spawn_blocking(read).await.map_err(|_| Refused::Incomplete)?
        } else {
            read()
        };
        delivery.map_err(Refused::Content)
    }
}

/// What the request says that its body has.
fn announced(headers: &HeaderMap) -> Result<Option<usize>, Refused> {
    match headers.get(header::CONTENT_LENGTH) {
        None => Ok(None),
        Some(length) => {
            let length = length.to_str().ok().and_then(|text| text.parse().ok());
            length.map(Some).ok_or(Refused::TooLarge)
        }
    }
}

/// The header, where it is there exactly once and is text.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

fn refusal(why: Refused) -> Response<Body> {
    match why {
        Refused::Content(Rejected::Unproven) => {
            answer(StatusCode::UNAUTHORIZED, "the signature is missing or wrong\n")
        }
        Refused::Content(Rejected::ContentType) => {
            answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type is not one that webhooks have\n")
        }
        Refused::Content(Rejected::Header(_) | Rejected::Body) => {
            answer(StatusCode::BAD_REQUEST, "this is no webhook\n")
        }
        Refused::TooLarge => answer(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n"),
        Refused::Incomplete => answer(StatusCode::REQUEST_TIMEOUT, "the body did not come in time\n"),
        Refused::Busy => later("too much is under way; try again\n"),
    }
}

fn answer(status: StatusCode, words: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = status;
    response
}

pub(crate) fn later(words: &'static str) -> Response<Body> {
    let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, words);
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static(RETRY_AFTER));
    response
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
