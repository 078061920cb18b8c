//! Who asks over HTTP, and what they may: a handler names [`Viewer`], [`Operator`] or [`Admin`] as an argument, and runs
//! for nobody else.
//!
//! It takes a token, or a browser's session that was begun by showing one. Only where the operator says so, a proxy's word
//! counts ([`proxy`]), and reading on this machine ([`here`]) takes nothing. Who is known by what a browser sends by itself acts
//! only from a page of this very server.

mod denied;
mod here;
mod ids;
mod proxy;
mod rate;
mod session;
mod throttle;
mod token;

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, Method, header, request::Parts},
};
use regreen_ledger::{Ledger, Token};

pub use denied::Denied;
pub use proxy::{Network, Proxy, is_proxy_name, proxy_header};
pub use session::SignedIn;
pub(crate) use session::{begin_form, form_word, is_own_form, said, said_cookie};
pub use token::{Minted, mint};

use self::{
    here::is_here,
    ids::Ids,
    rate::{Asks, Pace, Rate},
    session::{cookie, is_of_this_site},
    throttle::Throttle,
    token::Shown,
};
use crate::{
    happening::{Happening, Log},
    memory::chain,
    room::Peer,
    worker,
};

/// What somebody may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read.
    Viewer,
    /// Approve, deny, roll back, pause and the like.
    Operator,
    /// Whatever there is.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    /// The stable word.
    pub const fn id(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// By its word.
    pub fn parse(id: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.id() == id)
    }
}

/// The role of a job's token, which reads nothing and acts nowhere: a job asks and tells by it, of one repository.
pub const JOB: &str = "job";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// As the audit log names them: `token:NAME`, or `loopback` for whoever is on this machine and only reads.
    pub actor: String,
    /// What they may do.
    pub role: Role,
    /// Whether they signed in here, by a browser.
    pub by_session: bool,
}

/// The actor of whoever reads on this machine without a token.
const HERE: &str = "loopback";

impl Who {
    /// Whether it is somebody: a token, or a person whom a proxy knows.
    pub fn is_named(&self) -> bool {
        self.actor != HERE
    }
}

/// Where a request came in. [`crate::serve`] puts it into every request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Whether the server listens on this machine's own address only.
    pub listens_here: bool,
}

/// Decides who may what. Clones share it.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    log: Arc<dyn Log>,
    clock: fn() -> i64,
    /// Whether somebody on this machine reads without a token.
    trusts_here: bool,
    /// The proxy that says who has signed in.
    proxy: Option<Proxy>,
    throttle: Throttle,
    /// How often each who may ask does.
    rate: Rate,
    /// How often each address shows a token that has not been right yet.
    unproven: Rate,
    /// The tokens and sessions that are there, for when that is too often.
    ids: Ids,
    /// How often each of those is looked up then.
    claimed: Rate,
}

impl Access {
    /// By the tokens in this ledger, and by nothing else.
    pub fn new(ledger: Ledger, log: Arc<dyn Log>) -> Access {
        Access::by_clock(ledger, log, worker::now)
    }

    /// The same by another clock, in milliseconds since 1970.
    pub fn by_clock(ledger: Ledger, log: Arc<dyn Log>, clock: fn() -> i64) -> Access {
        Access(Arc::new(Inner {
            ledger,
            log,
            clock,
            trusts_here: false,
            proxy: None,
            throttle: Throttle::default(),
            rate: Rate::new(Pace::PEOPLE),
            unproven: Rate::new(Pace::UNPROVEN),
            ids: Ids::default(),
            claimed: Rate::new(Pace::CLAIMED),
        }))
    }

    /// The same where a proxy says who has signed in.
    #[must_use]
    pub fn behind(self, proxy: Proxy) -> Access {
        self.with(|inner| inner.proxy = Some(proxy))
    }

    /// The same where somebody on this machine reads without a token. Only where no proxy leads here: one that passes the
    /// `Host` on lets the whole world say that it is here.
    #[must_use]
    pub fn reading_here(self) -> Access {
        self.with(|inner| inner.trusts_here = true)
    }

    /// Whether a proxy that says who has signed in may be at this address: many people come from it.
    pub(crate) fn is_proxy(&self, peer: IpAddr) -> bool {
        self.0.proxy.as_ref().is_some_and(|proxy| proxy.is_at(peer))
    }

    fn with(self, set: impl FnOnce(&mut Inner)) -> Access {
        let Inner { ledger, log, clock, trusts_here, proxy, .. } = &*self.0;
        let mut inner = Inner {
            ledger: ledger.clone(),
            log: log.clone(),
            clock: *clock,
            trusts_here: *trusts_here,
            proxy: proxy.clone(),
            throttle: Throttle::default(),
            rate: Rate::new(Pace::PEOPLE),
            unproven: Rate::new(Pace::UNPROVEN),
            ids: Ids::default(),
            claimed: Rate::new(Pace::CLAIMED),
        };
        set(&mut inner);
        Access(Arc::new(inner))
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`Denied`], where they are nobody, or the ledger does not answer.
    pub async fn who(&self, request: &Parts) -> Result<Who, Denied> {
        let arrival = request.extensions.get::<Arrival>().copied();
        let by_proxy = match &self.0.proxy {
            Some(proxy) => proxy.who(arrival.map(|arrival| arrival.peer), &request.headers),
            None => Ok(None),
        };
        // Whether somebody has signed in there, whatever they may here.
        let vouched = matches!(by_proxy, Ok(Some(_)) | Err(Denied::Needs(_)));
        match bearer(&request.headers) {
            Ok(Some(text)) => {
                return Ok(who(&self.admitted(arrival, Shown::token(text), is_a_persons).await?, false));
            }
            // What the proxy was shown itself, and has left there.
            Err(_) if vouched && is_of_another_scheme(&request.headers) => {}
            Err(denied) => return Err(denied),
            Ok(None) => {}
        }
        if let Err(Denied::Stranger) = &by_proxy {
            let why = "a header said who asks that nobody trusted";
            self.0.log.tell(&Happening::AccessRefused { why });
            return Err(Denied::Stranger);
        }
        let acts = |who: Who| if is_safe(request) { Ok(who) } else { Err(Denied::Foreign) };
        if let Some(text) = cookie(&request.headers) {
            let token = match (vouched, Shown::session(text)) {
                // One that is over is nobody's guess then.
                (true, Some(shown)) => self.token(shown, is_a_persons).await,
                (true, None) => Err(Denied::Wrong),
                (false, shown) => self.admitted(arrival, shown, is_a_persons).await,
            };
            match token {
                Ok(token) => return acts(who(&token, true)),
                Err(Denied::Wrong) if vouched => {}
                Err(denied) => return Err(denied),
            }
        }
        if let Some(who) = by_proxy? {
            return acts(who);
        }
        if self.0.trusts_here && arrival.is_some_and(|arrival| is_here(arrival, request)) {
            return Ok(Who { actor: HERE.to_owned(), role: Role::Viewer, by_session: false });
        }
        Err(Denied::Missing)
    }

    /// Who asks, where they may do what `role` may, and have not asked too often.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn at_least(&self, request: &Parts, role: Role) -> Result<Who, Denied> {
        let who = self.who(request).await?;
        let peer = request.extensions.get::<Arrival>().map(|arrival| Peer::of(arrival.peer));
        let taken = self.0.rate.take(Asks::of(&who, peer), (self.0.clock)());
        taken.map_err(|seconds| Denied::TooFast { pace: Pace::PEOPLE, seconds })?;
        match who.role >= role {
            true => Ok(who),
            false if !who.is_named() => Err(Denied::Missing),
            false => Err(Denied::Needs(role)),
        }
    }

    /// The repository, in lower case, of which alone a job may speak that shows this text.
    ///
    /// # Errors
    /// [`Denied`], where it is no token of a job's.
    pub async fn job(&self, arrival: Option<Arrival>, text: &str) -> Result<String, Denied> {
        let is_a_jobs = |token: &Token| token.role == JOB && !token.repository.is_empty();
        let token = self.admitted(arrival, Shown::token(text), is_a_jobs).await?;
        Ok(token.repository)
    }

    /// The token that was shown. An address that shows too many wrong ones has to wait, but not with one that is right:
    /// behind a proxy all have one address. Where far too many came that are not known yet, only those are looked up that are there,
    /// each now and then.
    async fn admitted(
        &self,
        arrival: Option<Arrival>,
        shown: Option<Shown<'_>>,
        is_for: fn(&Token) -> bool,
    ) -> Result<Token, Denied> {
        let (throttle, now) = (&self.0.throttle, (self.0.clock)());
        let peer = arrival.map(|arrival| Peer::of(arrival.peer));
        let known = shown.is_some_and(|shown| throttle.knows(shown));
        // Whatever has the form of a token costs a look into the ledger, before anybody knows whose it is.
        if let Some(shown) = shown.filter(|_| !known)
            && let Err(seconds) = self.0.unproven.take(Asks::From(peer), now)
        {
            self.among_too_many(shown.id, seconds, now).await?;
        }
        let waits = peer.filter(|_| !known).and_then(|peer| throttle.waits(peer, now));
        let token = match shown {
            Some(shown) => self.token(shown, is_for).await,
            None => Err(Denied::Wrong),
        };
        // It was looked at all the same: it might have been right, and of somebody else who has this address too.
        if let (Err(Denied::Wrong), Some(seconds)) = (&token, waits) {
            return Err(Denied::TooOften { seconds });
        }
        match (&token, shown, peer) {
            (Ok(_), Some(shown), _) => throttle.worked(shown),
            (Err(Denied::Wrong), _, peer) => {
                shown.filter(|_| known).inspect(|shown| throttle.ended(*shown));
                self.0.log.tell(&Happening::AccessRefused { why: "a wrong token was shown" });
                peer.inspect(|peer| throttle.failed(*peer, now));
            }
            (Err(Denied::Unavailable(why)), ..) => {
                self.0.log.tell(&Happening::WorkUnavailable { why: why.clone() });
            }
            _ => {}
        }
        token
    }

    /// Whether this one is looked up although too many came from its address.
    async fn among_too_many(&self, id: &str, seconds: u64, now: i64) -> Result<(), Denied> {
        let is_there = self.0.ids.has(&self.0.ledger, id, now).await;
        if !is_there.map_err(|e| Denied::Unavailable(chain(&e)))? {
            return Err(Denied::TooMany { seconds });
        }
        // Whoever knows an id and not its secret holds up that one alone.
        let taken = self.0.claimed.take(Asks::Named(id.to_owned()), now);
        taken.map_err(|seconds| Denied::TooMany { seconds })
    }

    async fn token(&self, shown: Shown<'_>, is_for: fn(&Token) -> bool) -> Result<Token, Denied> {
        let failed = |e| Denied::Unavailable(chain(&e));
        let (ledger, now) = (&self.0.ledger, (self.0.clock)());
        let found = match shown.is_session {
            false => ledger.token(shown.id).await.map_err(failed)?.map(|token| (token.digest.clone(), token)),
            true => {
                let session = ledger.session(shown.id).await.map_err(failed)?;
                session.filter(|one| now < one.expires_at).map(|one| (one.digest, one.token))
            }
        };
        // Compared where there is none too, so that the time says nothing.
        let fits = shown.fits(found.as_ref().map_or("", |(digest, _)| digest.as_str()));
        let counts = |token: &Token| fits && token.counts(now) && is_for(token);
        let token = found.map(|(_, token)| token).filter(counts).ok_or(Denied::Wrong)?;
        // That it was used is told as well as it can be.
        let _told = ledger.token_used(&token, now).await;
        Ok(token)
    }
}

/// A page of somebody else's may make a browser send a cookie, or ask through a proxy; it can't make it say that it is of here.
fn is_safe(request: &Parts) -> bool {
    matches!(request.method, Method::GET | Method::HEAD) || is_of_this_site(&request.headers)
}

/// A role of a later version is refused.
fn is_a_persons(token: &Token) -> bool {
    Role::parse(&token.role).is_some()
}

fn who(token: &Token, by_session: bool) -> Who {
    // A role of a later version was refused before.
    let role = Role::parse(&token.role).unwrap_or(Role::Viewer);
    Who { actor: format!("token:{}", token.name), role, by_session }
}

/// The bearer token, where one is shown.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    match (token, values.next()) {
        (Some((scheme, token)), None) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Denied::Wrong),
    }
}

/// Whether what is shown is something else than a token, such as a name and a password.
fn is_of_another_scheme(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    !values.any(|value| value.as_bytes().get(..6).is_none_or(|scheme| scheme.eq_ignore_ascii_case(b"bearer")))
}

macro_rules! extractor {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub Who);

        impl<S> FromRequestParts<S> for $name
        where
            Access: FromRef<S>,
            S: Send + Sync,
        {
            type Rejection = Denied;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Denied> {
                Access::from_ref(state).at_least(parts, Role::$name).await.map($name)
            }
        }
    };
}

extractor! {
    /// Whoever may read.
    Viewer
}
extractor! {
    /// Whoever may act.
    Operator
}
extractor! {
    /// Whoever may do whatever there is.
    Admin
}
