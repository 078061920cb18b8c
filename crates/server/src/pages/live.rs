//! News as they happen: one look at the audit log ten times a second for all readers, and each gets what came after the
//! last that it has.
//!
//! The number of the audit entry is the event's id, so a reader that comes back says where it was, and nothing is lost:
//! what is older than the feed is read from the ledger. A reader that was away too long is told to look anew.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use regreen_ledger::{AuditEntry, Ledger, LedgerError, SinkRecord};
use serde_json::json;
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    House, Shared,
    params::Params,
    reader::Reader,
    seats::{Seats, Sits},
};
use crate::{
    api::{Sinks, sink_names},
    room::Peer,
};

/// Readers at once.
const READERS: usize = 600;
/// Of those, for any one who has signed in, or one address: half of the connections that it may have are left for everything else.
const READERS_OF_ONE: usize = 128;
/// A stream ends after so long; the browser comes back by itself, says where it was, and is asked anew who it is.
const LASTS: Duration = Duration::from_secs(600);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// Every so many looks, services and sinks are looked at too: they are not in the audit log.
const ASIDE_EVERY: u32 = 10;
/// News that are kept for readers that are slow.
const KEPT: usize = 1_024;
/// So much that a reader missed is made good; beyond it, it looks anew.
const MISSED: i64 = 5_000;
const PAGE: u32 = 500;

/// What happened.
struct News {
    /// Its number in the audit log, where it is there.
    seq: Option<i64>,
    data: String,
}

/// Where news come from.
pub(super) struct Feed {
    out: broadcast::Sender<Arc<News>>,
    seats: Arc<Seats>,
    ended: watch::Sender<bool>,
    generation: Arc<AtomicU64>,
}

impl Feed {
    /// Follows the ledger until it is ended.
    pub(super) fn follow(ledger: Ledger, sinks: Sinks) -> Feed {
        let (out, _) = broadcast::channel(KEPT);
        let (ended, mut end) = watch::channel(false);
        let generation = Arc::new(AtomicU64::new(0));
        let feed = Feed {
            out: out.clone(),
            seats: Arc::new(Seats::new(READERS, READERS_OF_ONE)),
            ended,
            generation: generation.clone(),
        };
        tokio::spawn(async move {
            let following = follow(&ledger, &sinks, &out, &generation);
            tokio::select! {
                _ = end.changed() => {}
                () = following => {}
            }
        });
        feed
    }

    /// Counts the looks that found something: what was made for a number is true until it is another.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn end(&self) {
        self.ended.send_replace(true);
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.end();
    }
}

async fn follow(ledger: &Ledger, sinks: &Sinks, out: &broadcast::Sender<Arc<News>>, generation: &AtomicU64) {
    let (mut last, mut aside, mut looks) = (None, None, 0_u32);
    loop {
        // A ledger that does not answer is asked again; readers see that on the pages.
        let found = look(ledger, &mut last).await.unwrap_or_default();
        let mut news: Vec<News> = found.iter().map(News::of).collect();
        if looks.is_multiple_of(ASIDE_EVERY)
            && let Ok(now) = beside(ledger, sinks).await
        {
            let now = Some(now);
            if aside.is_some() && aside != now {
                news.push(News { seq: None, data: json!({ "kind": "standing-changed" }).to_string() });
            }
            aside = now;
        }
        looks = looks.wrapping_add(1);
        if !news.is_empty() {
            generation.fetch_add(1, Ordering::AcqRel);
        }
        for one in news {
            let _nobody_listens = out.send(Arc::new(one));
        }
        if found.len() < PAGE as usize {
            sleep(LOOK).await;
        }
    }
}

/// How services and sinks stand: news where it is another text.
async fn beside(ledger: &Ledger, sinks: &Sinks) -> Result<String, LedgerError> {
    let fails = |sink: SinkRecord| (sink.name, sink.failing_since);
    let sinks: Vec<_> = ledger.sinks(&sink_names(sinks)).await?.into_iter().map(fails).collect();
    Ok(format!("{:?} {sinks:?}", ledger.outages(20).await?))
}

async fn look(ledger: &Ledger, last: &mut Option<i64>) -> Result<Vec<AuditEntry>, LedgerError> {
    let Some(after) = *last else {
        *last = Some(ledger.audit_seq().await?);
        return Ok(Vec::new());
    };
    let found = ledger.audit(after, PAGE).await?;
    *last = Some(found.last().map_or(after, |entry| entry.seq));
    Ok(found)
}

impl News {
    fn of(entry: &AuditEntry) -> News {
        let row = entry.row().map(|(row, _)| row).unwrap_or_default();
        // What else is told of an incident has its id in the row's name too.
        let incident = row.strip_prefix("incident/").or_else(|| row.strip_prefix("fact/")?.split('/').next());
        let data = json!({ "kind": entry.kind, "incident": incident }).to_string();
        News { seq: Some(entry.seq), data }
    }

    fn event(&self) -> Event {
        let event = Event::default().data(&self.data);
        match self.seq {
            Some(seq) => event.id(seq.to_string()),
            None => event,
        }
    }
}

type Out = mpsc::Sender<Result<Event, Infallible>>;

/// A reader's stream.
pub(super) async fn events(
    State(house): Shared,
    peer: Option<Extension<Peer>>,
    reader: Reader,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let full = || {
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "30")], "too many readers\n").into_response()
    };
    let sits = match reader.name {
        Some(name) => Sits::Named(name),
        None => Sits::At(peer.map(|Extension(peer)| peer)),
    };
    let Some(seat) = house.feed.seats.take(sits) else { return full() };
    let said = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    // A page says up to where it has been made: what came since then is not lost either.
    let after: Option<i64> = said.or_else(|| Params::of(&uri).get("after")?.parse().ok());
    let news = house.feed.out.subscribe();
    let ended = house.feed.ended.subscribe();
    let (out, stream) = mpsc::channel(64);
    tokio::spawn(async move {
        let _over = timeout(LASTS, read(&house, &out, news, ended, after)).await;
        drop(seat);
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(ReceiverStream::new(stream)).keep_alive(alive).into_response()
}

/// Why a stream ends.
struct Over;

async fn read(
    house: &House,
    out: &Out,
    mut news: broadcast::Receiver<Arc<News>>,
    mut ended: watch::Receiver<bool>,
    after: Option<i64>,
) -> Result<(), Over> {
    let seq = house.ledger().audit_seq().await.map_err(|_| Over)?;
    let mut last = after.unwrap_or(seq);
    if !(seq.saturating_sub(MISSED)..=seq).contains(&last) {
        last = seq;
        tell(out, Event::default().id(seq.to_string()).data(json!({ "kind": "look-anew" }).to_string()))
            .await?;
    } else {
        // Says at once that it is open, and where.
        tell(out, Event::default().id(last.to_string()).event("open").data("{}")).await?;
    }
    make_good(house.ledger(), out, &mut last).await?;
    loop {
        let next = tokio::select! {
            _ = ended.wait_for(|ended| *ended) => return Ok(()),
            () = out.closed() => return Ok(()),
            next = news.recv() => next,
        };
        match next {
            Ok(one) => match one.seq {
                Some(seq) if seq <= last => {}
                Some(seq) if seq > last + 1 => make_good(house.ledger(), out, &mut last).await?,
                seq => {
                    last = seq.unwrap_or(last);
                    tell(out, one.event()).await?;
                }
            },
            Err(broadcast::error::RecvError::Lagged(_)) => make_good(house.ledger(), out, &mut last).await?,
            Err(broadcast::error::RecvError::Closed) => return Ok(()),
        }
    }
}

/// What came after the last, from the ledger.
async fn make_good(ledger: &Ledger, out: &Out, last: &mut i64) -> Result<(), Over> {
    loop {
        let missed = ledger.audit(*last, PAGE).await.map_err(|_| Over)?;
        for entry in &missed {
            tell(out, News::of(entry).event()).await?;
            *last = entry.seq;
        }
        if missed.len() < PAGE as usize {
            return Ok(());
        }
    }
}

async fn tell(out: &Out, event: Event) -> Result<(), Over> {
    out.send(Ok(event)).await.map_err(|_| Over)
}
