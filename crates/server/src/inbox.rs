//! From a proven request to a durable delivery: many at a time, because each commit waits for the disk.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use regreen_forge::hook::Delivery;
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// A boxed future, so that memory can stand behind a trait object.
pub type InboxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>>;

/// Where deliveries are kept for good.
pub trait Inbox: Send + Sync + 'static {
    /// Makes all of them durable, with the work that comes of them, or none. One answer for each, in order.
    fn receive<'a>(&'a self, batch: &'a [NewDelivery]) -> InboxFuture<'a, Vec<Accepted>>;

    /// Whether it would take anything now.
    fn is_ready(&self) -> InboxFuture<'_, ()>;
}

/// A delivery that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// What was sent.
    pub delivery: Delivery,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// What became of a delivery that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is new.
    New,
    /// Its id is known: nothing comes of it a second time.
    Duplicate,
}

/// It can't be made durable now. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// Longest that a commit is waited for. GitHub gives up after 10 seconds.
const LONGEST: Duration = Duration::from_secs(8);

type Answer = oneshot::Sender<Result<Accepted, Unavailable>>;

/// The way in: a bounded queue before the one that commits.
#[derive(Debug, Clone)]
pub(crate) struct Intake(mpsc::Sender<(NewDelivery, Answer)>);

impl Intake {
    /// Waits until the delivery is durable.
    pub(crate) async fn put(&self, delivery: NewDelivery) -> Result<Accepted, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let full = |_| Unavailable("too many deliveries wait to be made durable".to_owned());
        self.0.try_send((delivery, answer)).map_err(full)?;
        answered.await.unwrap_or_else(|_| Err(Unavailable("the server stops".to_owned())))
    }
}

/// A way in with room for `queue`, and the work behind it that commits up to `batch` at once, until the last way in is
/// gone and everything that came through is answered.
pub(crate) fn intake(
    inbox: Arc<dyn Inbox>,
    queue: usize,
    batch: usize,
) -> (Intake, impl Future<Output = ()> + Send) {
    let (sender, mut waiting) = mpsc::channel::<(NewDelivery, Answer)>(queue);
    let work = async move {
        let mut taken = Vec::with_capacity(batch);
        while waiting.recv_many(&mut taken, batch).await > 0 {
            let (deliveries, answers): (Vec<_>, Vec<_>) = taken.drain(..).unzip();
            let received = match timeout(LONGEST, inbox.receive(&deliveries)).await {
                Ok(received) => received,
                // It may be durable all the same: who sends it again is told that it is known.
                Err(_) => Err(Unavailable("the ledger does not answer".to_owned())),
            };
            match received {
                Ok(accepted) => {
                    let missing = Err(Unavailable("the answer was lost".to_owned()));
                    let all = accepted.into_iter().map(Ok).chain(std::iter::repeat(missing));
                    for (answer, accepted) in answers.into_iter().zip(all) {
                        // Who asked may have gone away; the delivery is kept all the same.
                        let _gone = answer.send(accepted);
                    }
                }
                Err(why) => {
                    for answer in answers {
                        let _gone = answer.send(Err(why.clone()));
                    }
                }
            }
        }
    };
    (Intake(sender), work)
}
