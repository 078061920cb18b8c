//! Whose a folder of the store of logs is. A ledger's identity names its folder; but who copies a database by `cp` or `pg_dump`
//! copies its identity too, and both would sweep what only the other knows.
//!
//! So a mark stands in the folder and in the ledger, and is changed together every hour in which logs are kept, and before each
//! sweep: a copy has an older one. Whoever finds another's mark says so in the folder, and goes on with a new identity and a
//! folder of its own; whose mark it was finds that said, and does the same. Nobody sweeps the old one any more.

use crate::{Ledger, LedgerError, log_store::LogStore};

/// A mark is changed after this long, in milliseconds.
const AGES: i64 = 3_600_000;
/// So long whoever changes it may take, in milliseconds; then somebody else does.
const PATIENCE: i64 = 600_000;
/// The object with the mark.
const OWNER: &str = "owner";
/// The object that says that the folder was found to have two owners.
const SHARED: &str = "shared";

/// As the ledger has it.
struct Identity {
    id: String,
    mark: String,
    next: String,
    marked_at: i64,
}

impl Ledger {
    /// The folder of the store that is this ledger's alone, and whether that was seen: `anew` right now, else within an hour.
    ///
    /// # Errors
    /// `LogStore` where the store can't be asked; or the ledger's own.
    pub(crate) async fn own_folder(
        &self,
        store: &LogStore,
        now: i64,
        anew: bool,
    ) -> Result<(String, bool), LedgerError> {
        let is = self.identity().await?;
        let age = now.saturating_sub(is.marked_at);
        // Also where the clock of whoever changed it goes ahead of this one.
        let within = |most: i64| (-most..most).contains(&age);
        let (is_young, is_changed) = (within(AGES), !is.next.is_empty());
        if is_young && !anew && !is.mark.is_empty() {
            return Ok((is.id, true));
        }
        if (is_changed && within(PATIENCE)) || store.rests() {
            return Ok((is.id, false));
        }
        // One at a time.
        let sql = format!(
            "UPDATE identity SET next = {}, marked_at = $3 WHERE mark = $1 AND next = $2 RETURNING next",
            self.dialect().random()
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(&is.mark).bind(&is.next).bind(now);
        let changing: Vec<(String,)> = self.at_once(query).await?;
        let Some((mark,)) = changing.into_iter().next() else { return Ok((is.id, false)) };
        let changed = self.change_mark(store, &is, &mark).await;
        if changed.is_err() {
            // It may stand there or not: it stays known, and is tried again soon.
            let sql = "UPDATE identity SET marked_at = 0 WHERE next = $1 RETURNING id";
            let _soon: Vec<(String,)> = self.at_once(sqlx::query_as(sql).bind(&mark)).await?;
        }
        changed
    }

    /// Puts the mark that the ledger names as the next into the folder, or leaves a folder that is another's too.
    async fn change_mark(
        &self,
        store: &LogStore,
        is: &Identity,
        mark: &str,
    ) -> Result<(String, bool), LedgerError> {
        let there = store.mark(&is.id, OWNER).await?;
        // What was being put there by somebody who died is this ledger's too.
        let own = [&is.mark, &is.next];
        let is_own =
            there.as_ref().is_none_or(|there| own.iter().any(|own| !own.is_empty() && *own == there));
        if is_own && store.mark(&is.id, SHARED).await?.is_none() {
            if let Some(there) = there.filter(|there| *there != is.mark) {
                let sql = "UPDATE identity SET mark = $2 WHERE next = $1 RETURNING id";
                let _known: Vec<(String,)> = self.at_once(sqlx::query_as(sql).bind(mark).bind(there)).await?;
            }
            store.put_mark(&is.id, OWNER, mark).await?;
            let sql = "UPDATE identity SET mark = next, next = '' WHERE next = $1 RETURNING id";
            let marked: Vec<(String,)> = self.at_once(sqlx::query_as(sql).bind(mark)).await?;
            // What lay there before its first mark is nobody's yet: a copy that was never marked would say the same of it.
            return Ok((is.id.clone(), !is.mark.is_empty() && !marked.is_empty()));
        }
        store
            .put_mark(&is.id, SHARED, "two ledgers kept their logs here: one is a copy of the other")
            .await?;
        let sql = format!(
            "UPDATE identity SET id = {}, mark = '', next = '', marked_at = 0 WHERE next = $1 RETURNING id",
            self.dialect().random()
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(mark);
        let separate: Vec<(String,)> = self.at_once(query).await?;
        store.tells(format!(
            "{}: a copy of this ledger kept its logs in the same folder {}; nobody sweeps that any more, and this one goes on in a folder of its own",
            store.place(),
            is.id
        ));
        // Marked the next time: nobody else knows it. Where another process has begun to change the mark meanwhile, it is
        // still the folder of both.
        Ok((self.identity().await?.id, !separate.is_empty()))
    }

    async fn identity(&self) -> Result<Identity, LedgerError> {
        let (id, mark, next, marked_at): (String, String, String, i64) =
            sqlx::query_as("SELECT id, mark, next, marked_at FROM identity")
                .fetch_one(&mut *self.read().await?)
                .await?;
        Ok(Identity { id, mark, next, marked_at })
    }
}
