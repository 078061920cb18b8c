//! The teller: sends the notices that are on the list. Apart from the worker, so that a sink that is slow, full or gone holds
//! up no healing.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use regreen_engine::Letter;
use regreen_ledger::{Addressed, Claim, Heard, Ledger, LedgerError};
use regreen_notify::{Notice, Sink, SinkError};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    happening::{Happening, Log},
    memory::chain,
    worker::{millis, now},
};

/// How notices are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calm {
    /// Notices that are taken at once.
    pub batch: u32,
    /// How long a lease on them lasts.
    pub lease: Duration,
    /// How long it waits before it looks again.
    pub idle: Duration,
    /// The first wait before one that could not be sent is tried again; doubled each time.
    pub again: Duration,
    /// The longest of these waits.
    pub at_most: Duration,
    /// A notice that is older is given up.
    pub given_up: Duration,
    /// Longest that a stop waits for what is under way.
    pub drain: Duration,
}

impl Default for Calm {
    fn default() -> Calm {
        Calm {
            batch: 64,
            lease: Duration::from_secs(120),
            idle: Duration::from_secs(2),
            again: Duration::from_secs(5),
            at_most: Duration::from_secs(600),
            given_up: Duration::from_secs(24 * 3600),
            drain: Duration::from_secs(35),
        }
    }
}

/// Sends notices.
pub struct Teller {
    /// Where they are listed.
    pub ledger: Ledger,
    /// The ways out, by name.
    pub sinks: BTreeMap<String, Sink>,
    /// Unique for each start of the program.
    pub node: String,
    /// How.
    pub calm: Calm,
    /// Hears of it.
    pub log: Arc<dyn Log>,
}

/// What goes out in one message.
struct Message {
    claims: Vec<Claim>,
    notice: Notice,
    /// When it was to be sent, in milliseconds since 1970.
    due: i64,
}

impl Teller {
    /// Sends until `stop` is ready; then ends what is under way.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let step = {
                let teller = self.clone();
                tokio::spawn(async move { teller.step().await })
            };
            let mut step = step;
            let worked = tokio::select! {
                biased;
                () = &mut stop => {
                    // A message that is under way may arrive: its lease is not given back before it has ended.
                    if timeout(self.calm.drain, &mut step).await.is_err() {
                        step.abort();
                    }
                    return;
                }
                worked = &mut step => worked,
            };
            match worked {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) | Err(_) => {}
                Ok(Err(e)) => self.log.tell(&Happening::WorkUnavailable { why: chain(&e) }),
            }
            tokio::select! {
                () = &mut stop => return,
                () = sleep(self.calm.idle) => {}
            }
        }
    }

    /// Sends what is ready; `false` where nothing was.
    ///
    /// # Errors
    /// Where the list can't be asked.
    pub async fn step(self: &Arc<Self>) -> Result<bool, LedgerError> {
        let own: Vec<&str> = self.sinks.keys().map(String::as_str).collect();
        let mut claims = self.claim(Addressed::To(&own)).await?;
        if claims.is_empty() {
            // What whoever has its sink would have taken long since is nobody's.
            let untaken_ms = millis(self.calm.given_up);
            claims = self.claim(Addressed::ToNone { but: &own, untaken_ms }).await?;
        }
        if claims.is_empty() {
            return Ok(false);
        }
        let mut by_sink: BTreeMap<String, Vec<(Claim, Letter)>> = BTreeMap::new();
        for claim in claims {
            match Letter::read(&claim.payload) {
                Some(letter) => by_sink.entry(letter.sink.clone()).or_default().push((claim, letter)),
                None => {
                    self.noted(self.ledger.finish(&claim, "unreadable", now()).await);
                }
            }
        }
        let mut sending = JoinSet::new();
        for (name, letters) in by_sink {
            let teller = self.clone();
            sending.spawn(async move { teller.send_all(&name, letters).await });
        }
        while sending.join_next().await.is_some() {}
        Ok(true)
    }

    async fn claim(&self, which: Addressed<'_>) -> Result<Vec<Claim>, LedgerError> {
        let (lease, most) = (millis(self.calm.lease), self.calm.batch);
        self.ledger.claim_notices(which, &self.node, lease, now(), most).await
    }

    /// One after another, to one sink. After one that failed for now the others are not tried.
    async fn send_all(&self, name: &str, letters: Vec<(Claim, Letter)>) {
        let Some(sink) = self.sinks.get(name) else {
            let why = "no node has had a sink of this name since it was due";
            let mut claims = Vec::new();
            for (claim, letter) in letters {
                let (sink, notice) = (name.to_owned(), letter.notice.id);
                self.log.tell(&Happening::NoticeRefused { sink, notice, why: why.to_owned() });
                claims.push(claim);
            }
            return self.heard(name, &claims, Heard::GivenUp { outcome: "given-up", why }).await;
        };
        let begun = Instant::now();
        let mut gone: Option<(String, Duration)> = None;
        for Message { mut claims, notice, due } in messages(letters) {
            // Well before the lease ends: nobody else may send it too.
            if begun.elapsed() > self.calm.lease / 2 {
                let at = now();
                for claim in &claims {
                    self.noted(self.ledger.retry_at(claim, at).await);
                }
                continue;
            }
            if let Some((why, wait)) = &gone {
                self.later(name, &claims, (&notice, due), why, *wait).await;
                continue;
            }
            let (way, sent) = (sink.clone(), notice.clone());
            let told = self.hold(&mut claims, tokio::task::spawn_blocking(move || way.send(&sent))).await;
            match told.unwrap_or_else(|_| Err(SinkError::Refused { why: "the sender stopped".to_owned() })) {
                Ok(()) => {
                    self.heard(name, &claims, Heard::Sent).await;
                    let told = Happening::NoticeSent { sink: name.to_owned(), notice: notice.id };
                    self.log.tell(&told);
                }
                Err(SinkError::Refused { why }) => {
                    self.log.tell(&Happening::NoticeRefused {
                        sink: name.to_owned(),
                        notice: notice.id,
                        why: why.clone(),
                    });
                    self.heard(name, &claims, Heard::GivenUp { outcome: "refused", why: &why }).await;
                }
                Err(SinkError::Later { why, after }) => {
                    let tried =
                        claims.iter().map(|claim| claim.attempts).max().unwrap_or(1).saturating_sub(1);
                    let usual = self.calm.again.saturating_mul(1 << tried.min(12)).min(self.calm.at_most);
                    let wait = usual.max(after.unwrap_or_default().min(Duration::from_secs(3600)));
                    self.later(name, &claims, (&notice, due), &why, wait).await;
                    gone = Some((why, wait));
                }
            }
        }
    }

    /// Keeps the leases while it is sent: nobody else may send it too.
    async fn hold<T>(&self, claims: &mut [Claim], sending: impl Future<Output = T>) -> T {
        let mut sending = std::pin::pin!(sending);
        loop {
            tokio::select! {
                told = &mut sending => return told,
                () = sleep(self.calm.lease / 3) => {
                    for claim in claims.iter_mut() {
                        self.noted(self.ledger.renew(claim, millis(self.calm.lease), now()).await);
                    }
                }
            }
        }
    }

    /// Not now. What is too old is given up, and that is told.
    async fn later(
        &self,
        sink: &str,
        claims: &[Claim],
        (notice, due): (&Notice, i64),
        why: &str,
        wait: Duration,
    ) {
        let at = now();
        let (name, id, told) = (sink.to_owned(), notice.id.clone(), why.to_owned());
        if at.saturating_sub(due) > millis(self.calm.given_up) {
            self.log.tell(&Happening::NoticeRefused { sink: name, notice: id, why: told });
            return self.heard(sink, claims, Heard::GivenUp { outcome: "given-up", why }).await;
        }
        self.log.tell(&Happening::NoticeDelayed { sink: name, notice: id, why: told });
        let when = at.saturating_add(millis(wait));
        self.heard(sink, claims, Heard::Delayed { why, when }).await;
    }

    /// What came of notices to a sink: their work, and what people are shown of the sink.
    async fn heard(&self, sink: &str, claims: &[Claim], heard: Heard<'_>) {
        self.noted(self.ledger.heard_of_sink(sink, claims, heard, now()).await);
    }

    fn noted(&self, told: Result<(), LedgerError>) {
        if let Err(e) = told {
            self.log.tell(&Happening::WorkUnavailable { why: chain(&e) });
        }
    }
}

/// What has waited for a summary goes in one message.
fn messages(letters: Vec<(Claim, Letter)>) -> Vec<Message> {
    let (waited, single): (Vec<_>, Vec<_>) = letters.into_iter().partition(|(_, letter)| letter.in_summary);
    let mut messages: Vec<Message> = single
        .into_iter()
        .map(|(claim, letter)| Message { claims: vec![claim], due: letter.due, notice: letter.notice })
        .collect();
    let due = waited.iter().map(|(_, letter)| letter.due).max().unwrap_or_default();
    let (claims, mut notices): (Vec<Claim>, Vec<Notice>) =
        waited.into_iter().map(|(claim, letter)| (claim, letter.notice)).unzip();
    notices.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    match notices.as_slice() {
        [] => {}
        [one] => messages.push(Message { claims, notice: one.clone(), due }),
        several => messages.push(Message { claims, notice: Notice::summary(several), due }),
    }
    messages
}
