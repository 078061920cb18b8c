//! The HTTP side: where requests go, how long they may take, and how it stops.

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{Response, StatusCode},
    response::IntoResponse as _,
    routing::{get, post},
};
use hyper::service::{Service as _, service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use regreen_forge::hook::Sender;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

use crate::{
    access::{Access, Arrival},
    api::Api,
    happening::{Happening, Log},
    hooks::{Hooks, Reception, later},
    inbox::{Inbox, intake},
    jobs::Jobs,
    limits::Limits,
    pages::Pages,
    patience::Patient,
    room::{Peer, Room},
};

/// How the HTTP side ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut off because they took too long to end.
    pub cut: usize,
}

/// What else is served beside webhooks.
#[derive(Default)]
pub struct Doors {
    /// What jobs ask and tell.
    pub jobs: Option<Jobs>,
    /// The JSON API.
    pub api: Option<Api>,
    /// The dashboard.
    pub pages: Option<Pages>,
}

struct Shared {
    reception: Reception,
    inbox: Arc<dyn Inbox>,
}

/// Serves webhooks, and what else has a door, until `stop` is ready, then ends what is under way and answers it.
pub async fn serve(
    listener: TcpListener,
    hooks: Hooks,
    inbox: Arc<dyn Inbox>,
    doors: Doors,
    limits: Limits,
    log: Arc<dyn Log>,
    stop: impl Future<Output = ()>,
) -> Drained {
    let (way_in, commits) = intake(inbox.clone(), limits.queue, limits.batch.max(1));
    let commits = tokio::spawn(commits);
    let reception = Reception::new(hooks, way_in, limits, log.clone());
    let mut app = router(Arc::new(Shared { reception, inbox }));
    let access = doors.pages.as_ref().map(|pages| pages.access.clone());
    if let Some(jobs) = doors.jobs {
        app = app.merge(jobs.router());
    }
    if let Some(api) = doors.api {
        app = app.merge(api.router());
    }
    let pages = doors.pages.map(Pages::open);
    if let Some(pages) = &pages {
        app = app.merge(pages.router.clone());
    }
    let stop = async {
        stop.await;
        // A stream of news would hold its connection for ever.
        pages.as_ref().inspect(|pages| pages.end());
    };
    let address = listener.local_addr().map_or_else(|_| "?".to_owned(), |address| address.to_string());
    log.tell(&Happening::Listening { address });
    let cut = connections(listener, (app, access), limits, &*log, stop).await;
    // The last way in went with the last connection: what came through is committed and answered.
    let _panicked = timeout(limits.drain, commits).await;
    log.tell(&Happening::Stopped { cut });
    Drained { cut }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/hooks/{sender}", post(hook))
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .with_state(shared)
}

async fn hook(
    State(shared): State<Arc<Shared>>,
    Path(sender): Path<String>,
    request: Request,
) -> Response<Body> {
    match Sender::parse(&sender) {
        Some(sender) => shared.reception.take(sender, request).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response<Body> {
    match shared.inbox.is_ready().await {
        Ok(()) => "ready\n".into_response(),
        // The reason is for the log and for people with access to it.
        Err(_) => later("the ledger does not answer\n"),
    }
}

/// Accepts until `stop`; gives how many connections had to be cut.
async fn connections(
    listener: TcpListener,
    (app, access): (Router, Option<Access>),
    limits: Limits,
    log: &dyn Log,
    stop: impl Future<Output = ()>,
) -> usize {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.headers).max_headers(64);
    let graceful = GracefulShutdown::new();
    let listens_here = listener.local_addr().is_ok_and(|at| at.ip().to_canonical().is_loopback());
    let room = Arc::new(Semaphore::new(limits.connections));
    let peers = Arc::new(Room::new(usize::MAX, limits.connections_of_one.max(1)));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let permit = room.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        // A connection that broke before it was accepted is nobody's; a lack of file handles passes.
        let Ok((stream, from)) = accepted else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        let peer = Peer::of(from.ip());
        let arrival = Arrival { peer: from.ip(), listens_here };
        // Many people come from a proxy that says who they are.
        let is_proxy = access.as_ref().is_some_and(|access| access.is_proxy(from.ip()));
        if !is_proxy && !peers.take(peer, 1, 1) {
            continue;
        }
        let _small = stream.set_nodelay(true);
        let inner = TowerToHyperService::new(app.clone());
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(arrival);
            inner.call(request)
        });
        let connection =
            graceful.watch(http.serve_connection(TokioIo::new(Patient::new(stream, limits.answer)), service));
        let peers = peers.clone();
        tokio::spawn(async move {
            let _broken = connection.await;
            if !is_proxy {
                peers.give(peer, 1);
            }
            drop(permit);
        });
    }
    log.tell(&Happening::Draining);
    drop((listener, app));
    match timeout(limits.drain, graceful.shutdown()).await {
        Ok(()) => 0,
        Err(_) => limits.connections.saturating_sub(room.available_permits()),
    }
}
