//! The bell that nodes on one PostgreSQL server share: who puts work on the list rings it, and idle workers look at once. It
//! carries nothing. Whoever misses it (a line that is cut, a node that died before it rang) finds the work at the next poll.
//!
//! It is rung after the commit and not in it: a transaction that notifies holds a lock of the whole server until it is on
//! disk (`PreCommit_Notify` in PostgreSQL's `src/backend/commands/async.c`), and deliveries would queue there.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::{sleep, timeout};

use crate::{Ledger, LedgerError, dialect::Dialect};

/// The name of the channel; the schema is said with each ring.
const CHANNEL: &str = "regreen";
/// Longest that ringing may take: without it the work is found all the same.
const LONGEST: Duration = Duration::from_secs(2);
/// Until it is tried again to listen, where that failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Rings that were asked for and are under way: many are one.
#[derive(Debug, Default)]
pub(crate) struct Ringing {
    wanted: AtomicBool,
    under_way: AtomicBool,
}

impl Ledger {
    /// Tells every node that there may be work. What goes wrong with it costs the others a poll, and is no error.
    pub(crate) async fn ring(&self) {
        if let Some(ring) = self.dialect().ring() {
            let _missed = timeout(LONGEST, sqlx::query(ring).bind(CHANNEL).execute(self.pool())).await;
        }
    }

    /// The same in the background: nobody waits for it, and what is asked for meanwhile is rung once.
    pub(crate) fn ring_soon(&self) {
        if self.dialect().ring().is_none() {
            return;
        }
        self.ringing().wanted.store(true, Ordering::SeqCst);
        if self.ringing().under_way.swap(true, Ordering::SeqCst) {
            return;
        }
        let ledger = self.clone();
        tokio::spawn(async move {
            let ringing = ledger.ringing();
            loop {
                while ringing.wanted.swap(false, Ordering::SeqCst) {
                    ledger.ring().await;
                }
                ringing.under_way.store(false, Ordering::SeqCst);
                // It may have been wanted between the two.
                if !ringing.wanted.load(Ordering::SeqCst) || ringing.under_way.swap(true, Ordering::SeqCst) {
                    return;
                }
            }
        });
    }

    /// Calls `heard` whenever some node has put work on the list, and whenever that may have been missed: at the start, and
    /// after a line that was cut. Never ends. In a file there is nobody to hear: `heard` is not called.
    pub async fn hear(&self, heard: impl Fn()) {
        if self.dialect() == Dialect::Sqlite {
            return std::future::pending().await;
        }
        loop {
            if let Ok((mut listener, schema)) = self.listener().await {
                heard();
                loop {
                    match listener.try_recv().await {
                        Ok(Some(ring)) if ring.payload() != schema => {}
                        // `None`: the line was cut, and is there again.
                        Ok(_) => heard(),
                        Err(_) => break,
                    }
                }
            }
            sleep(AGAIN).await;
        }
    }

    /// A connection of its own that listens, and the name by which this ledger is rung for.
    async fn listener(&self) -> Result<(PgListener, String), LedgerError> {
        let wrong = |e| self.dialect().error(e).at(self.place());
        let schema = "SELECT current_schema()::text";
        let schema: String = sqlx::query_scalar(schema).fetch_one(self.pool()).await.map_err(wrong)?;
        let address = self.pool().connect_options();
        let options: PgConnectOptions = address.database_url.as_str().parse().map_err(wrong)?;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            // For whoever looks at the server's connections.
            .connect_with(options.application_name(&format!("regreen bell of {schema}")))
            .await
            .map_err(wrong)?;
        let mut listener = PgListener::connect_with(&pool).await.map_err(wrong)?;
        listener.listen(CHANNEL).await.map_err(wrong)?;
        Ok((listener, schema))
    }
}
