//! Work that nodes share: each item is taken by one owner at a time, on a lease, under a fence that only grows.
//!
//! A node that sleeps through its lease and wakes can write nothing: every change under a claim asks for the fence in its
//! own transaction. Clocks only decide when a lease ends; that two never act is decided by the fence.

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::{
    Ledger, LedgerError,
    delivery::{chunk, values},
    incident::check_id,
};

/// Something to do.
#[derive(Debug, Clone, Copy)]
pub struct NewWork<'a> {
    /// What sort of work it is.
    pub kind: &'a str,
    /// Names the effect: work of the same key, done or not, is the same work.
    pub key: &'a str,
    /// What is needed to do it, such as a small JSON document; masked on its way in.
    pub payload: &'a str,
    /// Since when it waits, in milliseconds since 1970.
    pub created_at: i64,
    /// Not before.
    pub due_at: i64,
}

/// The right to do a piece of work, until the lease ends or somebody else has taken it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The work's number.
    pub id: i64,
    /// How often it was claimed: who shows an older number has lost it.
    pub fence: i64,
    /// What sort of work it is.
    pub kind: String,
    /// Names the effect.
    pub key: String,
    /// What is needed to do it.
    pub payload: String,
    /// How often it was begun, with this time.
    pub attempts: u32,
    /// When the lease ends, unless it is renewed.
    pub lease_until: i64,
    /// When it was put on the list.
    pub created_at: i64,
    /// Since when whoever must be asked has not let it be done; `None` where nothing stood in its way last.
    pub stumbles_since: Option<i64>,
}

/// How much is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Items that could be taken now.
    pub ready: u64,
    /// Items whose time has not come.
    pub later: u64,
    /// Items that somebody has.
    pub taken: u64,
    /// Since when the item waits that has been ready the longest.
    pub oldest: Option<i64>,
}

/// The claim that every change of this handle depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fence {
    id: i64,
    fence: i64,
}

impl Ledger {
    /// Puts work on the list, all or nothing; for each whether it is new.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn enqueue(&self, items: &[NewWork<'_>]) -> Result<Vec<bool>, LedgerError> {
        let mut work = self.write_aside().await?;
        let mut fresh = insert(self, &mut work, &items.iter().collect::<Vec<_>>()).await?;
        self.commit_aside(work).await?;
        if !fresh.is_empty() {
            self.ring_soon();
        }
        let mut is_fresh = |key: &str| {
            let found = fresh.iter().position(|fresh| fresh == key);
            found.map(|i| fresh.swap_remove(i)).is_some()
        };
        Ok(items.iter().map(|item| is_fresh(&self.name(item.key))).collect())
    }

    /// Takes the item that has been ready the longest, among those of these kinds (none: of any), for `lease_ms`. One whose
    /// lease has ended is taken over from its owner.
    ///
    /// # Errors
    /// `BadId` for the owner, or the ledger's own.
    pub async fn claim(
        &self,
        kinds: &[&str],
        owner: &str,
        lease_ms: i64,
        now: i64,
    ) -> Result<Option<Claim>, LedgerError> {
        Ok(self.claim_many(kinds, owner, lease_ms, now, 1).await?.pop())
    }

    /// As [`Ledger::claim`], up to `most` at once, in no order: for many small items one commit.
    ///
    /// # Errors
    /// As [`Ledger::claim`].
    pub async fn claim_many(
        &self,
        kinds: &[&str],
        owner: &str,
        lease_ms: i64,
        now: i64,
        most: u32,
    ) -> Result<Vec<Claim>, LedgerError> {
        let among = match kinds.len() {
            0 => String::new(),
            n => format!(
                "AND kind IN ({})",
                (5..5 + n).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ")
            ),
        };
        let names = kinds.iter().map(|kind| (*kind).to_owned());
        self.take((&among, names.collect()), (owner, now.saturating_add(lease_ms)), now, most).await
    }

    /// Takes what has been ready since `ready_by` and longer, for this owner until then; `among` is a condition with the values
    /// of its places, from the fifth on.
    pub(crate) async fn take(
        &self,
        (among, names): (&str, Vec<String>),
        (owner, until): (&str, i64),
        ready_by: i64,
        most: u32,
    ) -> Result<Vec<Claim>, LedgerError> {
        check_id(owner)?;
        let sql = format!(
            "WITH next AS MATERIALIZED (SELECT id FROM work WHERE done_at IS NULL AND ready_at <= $3 {among}
                                        ORDER BY ready_at, id LIMIT $4 {})
             UPDATE work SET owner = $1, ready_at = $2, fence = fence + 1, attempts = attempts + 1, woken_at = NULL
             WHERE id IN (SELECT id FROM next)
             RETURNING id, fence, kind, key, payload, attempts, ready_at, created_at, stumbles_since",
            self.dialect().unlocked_only()
        );
        let mut query =
            sqlx::query_as(AssertSqlSafe(sql)).bind(owner).bind(until).bind(ready_by).bind(i64::from(most));
        for name in names {
            query = query.bind(name);
        }
        let taken: Vec<Taken> = self.at_once(query).await?;
        let claim =
            |(id, fence, kind, key, payload, attempts, lease_until, created_at, stumbles_since)| Claim {
                id,
                fence,
                kind,
                key,
                payload,
                attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                lease_until,
                created_at,
                stumbles_since,
            };
        Ok(taken.into_iter().map(claim).collect())
    }

    /// Makes the lease end `lease_ms` from now.
    ///
    /// # Errors
    /// `StaleClaim` where somebody else has taken it or it is done; or the ledger's own.
    pub async fn renew(&self, claim: &mut Claim, lease_ms: i64, now: i64) -> Result<(), LedgerError> {
        let until = now.saturating_add(lease_ms);
        let query = sqlx::query_as(
            "UPDATE work SET ready_at = $3 WHERE id = $1 AND fence = $2 AND owner IS NOT NULL AND done_at IS NULL
             RETURNING id",
        );
        self.held(claim, query.bind(claim.id).bind(claim.fence).bind(until)).await?;
        claim.lease_until = until;
        Ok(())
    }

    /// It is done. Said twice, as after an error, it is as once.
    ///
    /// # Errors
    /// `StaleClaim` where somebody else has taken it; or the ledger's own.
    pub async fn finish(&self, claim: &Claim, outcome: &str, now: i64) -> Result<(), LedgerError> {
        self.finish_with(claim, outcome, &[], now).await
    }

    /// As [`Ledger::finish`], and puts on the list what is to be done next, in the same transaction.
    ///
    /// # Errors
    /// As [`Ledger::finish`].
    pub async fn finish_with(
        &self,
        claim: &Claim,
        outcome: &str,
        next: &[NewWork<'_>],
        now: i64,
    ) -> Result<(), LedgerError> {
        let mut work = self.write_aside().await?;
        if !self.end(&mut work, claim, outcome, now).await? {
            return Err(claim.stale());
        }
        let fresh = insert(self, &mut work, &next.iter().collect::<Vec<_>>()).await?;
        self.commit_aside(work).await?;
        if !fresh.is_empty() {
            self.ring_soon();
        }
        Ok(())
    }

    /// Many items are done, with how each ended, in one commit. For each whether it counts: `false` where somebody else
    /// has taken it.
    ///
    /// # Errors
    /// The ledger's own; then none of them is.
    pub async fn finish_many(&self, done: &[(&Claim, &str)], now: i64) -> Result<Vec<bool>, LedgerError> {
        // In one order on every node, so that two can't wait for each other.
        let mut order: Vec<usize> = (0..done.len()).collect();
        order.sort_by_key(|i| done[*i].0.id);
        let mut counts = vec![false; done.len()];
        let mut work = self.write_aside().await?;
        for i in order {
            let (claim, outcome) = done[i];
            counts[i] = self.end(&mut work, claim, outcome, now).await?;
        }
        self.commit_aside(work).await?;
        Ok(counts)
    }

    pub(crate) async fn end(
        &self,
        db: &mut AnyConnection,
        claim: &Claim,
        outcome: &str,
        now: i64,
    ) -> Result<bool, LedgerError> {
        let done = sqlx::query(
            "UPDATE work SET done_at = coalesce(done_at, $3), outcome = coalesce(outcome, $4), owner = NULL
             WHERE id = $1 AND fence = $2 AND (owner IS NOT NULL OR done_at IS NOT NULL)",
        )
        .bind(claim.id)
        .bind(claim.fence)
        .bind(now)
        .bind(self.clean(outcome))
        .execute(db)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives it back, to be tried again at `when`, or earlier where it was woken meanwhile.
    ///
    /// # Errors
    /// `StaleClaim` where somebody else has taken it or it is done; or the ledger's own.
    pub async fn retry_at(&self, claim: &Claim, when: i64) -> Result<(), LedgerError> {
        let query = sqlx::query_as(
            "UPDATE work SET owner = NULL, woken_at = NULL,
                             ready_at = CASE WHEN woken_at < $3 THEN woken_at ELSE $3 END
             WHERE id = $1 AND fence = $2 AND owner IS NOT NULL AND done_at IS NULL RETURNING id",
        );
        self.held(claim, query.bind(claim.id).bind(claim.fence).bind(when)).await
    }

    /// As [`Ledger::retry_at`], of work that nothing stands in the way of: it waits for something that comes.
    ///
    /// # Errors
    /// As [`Ledger::retry_at`].
    pub async fn wait_until(&self, claim: &Claim, when: i64) -> Result<(), LedgerError> {
        let query = sqlx::query_as(
            "UPDATE work SET owner = NULL, woken_at = NULL, stumbles_since = NULL,
                             ready_at = CASE WHEN woken_at < $3 THEN woken_at ELSE $3 END
             WHERE id = $1 AND fence = $2 AND owner IS NOT NULL AND done_at IS NULL RETURNING id",
        );
        self.held(claim, query.bind(claim.id).bind(claim.fence).bind(when)).await
    }

    /// As [`Ledger::retry_at`], of work that whoever must be asked does not let be done: since when that is so is kept.
    ///
    /// # Errors
    /// As [`Ledger::retry_at`].
    pub async fn stumbled(&self, claim: &Claim, when: i64, now: i64) -> Result<(), LedgerError> {
        let query = sqlx::query_as(
            "UPDATE work SET owner = NULL, woken_at = NULL, stumbles_since = coalesce(stumbles_since, $4),
                             ready_at = CASE WHEN woken_at < $3 THEN woken_at ELSE $3 END
             WHERE id = $1 AND fence = $2 AND owner IS NOT NULL AND done_at IS NULL RETURNING id",
        );
        self.held(claim, query.bind(claim.id).bind(claim.fence).bind(when).bind(now)).await
    }

    /// Gives back what `owner` has and does not know of, all but `known`: a claim was made, and its answer was lost. Should the
    /// answer come late, it shows a fence that no longer holds. How many there were.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn give_back_unknown(
        &self,
        owner: &str,
        known: &[i64],
        now: i64,
    ) -> Result<usize, LedgerError> {
        let but = match known.len() {
            0 => String::new(),
            n => format!(
                "AND id NOT IN ({})",
                (3..3 + n).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ")
            ),
        };
        let sql = format!(
            "UPDATE work SET owner = NULL, woken_at = NULL, fence = fence + 1, ready_at = $2
             WHERE owner = $1 AND done_at IS NULL {but} RETURNING id"
        );
        let mut query = sqlx::query_as::<_, (i64,)>(AssertSqlSafe(sql)).bind(owner).bind(now);
        for id in known {
            query = query.bind(*id);
        }
        Ok(self.at_once(query).await?.len())
    }

    /// Makes waiting work due at `when`, where that is earlier; while somebody has it, this is remembered for when it is
    /// given back. `false` where there is none of this key left to do.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn wake(&self, key: &str, when: i64) -> Result<bool, LedgerError> {
        let query = sqlx::query_as(
            "UPDATE work SET
               ready_at = CASE WHEN owner IS NULL AND ready_at > $2 THEN $2 ELSE ready_at END,
               woken_at = CASE WHEN owner IS NULL OR woken_at < $2 THEN woken_at ELSE $2 END
             WHERE key = $1 AND done_at IS NULL RETURNING id",
        );
        let woken: Vec<(i64,)> = self.at_once(query.bind(self.name(key)).bind(when)).await?;
        if !woken.is_empty() {
            self.ring().await;
        }
        Ok(!woken.is_empty())
    }

    /// As [`Ledger::wake`], all work whose key begins with this, which ends in `/`. How much there is.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn wake_all(&self, beginning: &str, when: i64) -> Result<u64, LedgerError> {
        // A range, so that the index is used: `0` comes after `/`.
        let beginning = self.name(beginning);
        let end = format!("{}0", beginning.trim_end_matches('/'));
        let query = sqlx::query_as(
            "UPDATE work SET
               ready_at = CASE WHEN owner IS NULL AND ready_at > $3 THEN $3 ELSE ready_at END,
               woken_at = CASE WHEN owner IS NULL OR woken_at < $3 THEN woken_at ELSE $3 END
             WHERE key >= $1 AND key < $2 AND done_at IS NULL RETURNING id",
        );
        let woken: Vec<(i64,)> = self.at_once(query.bind(beginning).bind(end).bind(when)).await?;
        if !woken.is_empty() {
            self.ring().await;
        }
        Ok(woken.len() as u64)
    }

    /// How much is to be done, of these kinds (none: of any).
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn waiting(&self, kinds: &[&str], now: i64) -> Result<Waiting, LedgerError> {
        let rows: Vec<(String, i64, i64, i64, Option<i64>)> = sqlx::query_as(
            "SELECT kind, count(*), sum(CASE WHEN ready_at <= $1 THEN 1 ELSE 0 END),
                    sum(CASE WHEN ready_at > $1 AND owner IS NULL THEN 1 ELSE 0 END),
                    min(CASE WHEN ready_at <= $1 THEN ready_at END)
             FROM work WHERE done_at IS NULL GROUP BY kind",
        )
        .bind(now)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let mut all = Waiting::default();
        for (kind, count, ready, later, oldest) in rows {
            if kinds.is_empty() || kinds.contains(&kind.as_str()) {
                all.ready += ready.unsigned_abs();
                all.later += later.unsigned_abs();
                all.taken += (count - ready - later).unsigned_abs();
                all.oldest = all.oldest.into_iter().chain(oldest).min();
            }
        }
        Ok(all)
    }

    /// Whether work of this key is on the list, or was.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn is_listed(&self, key: &str) -> Result<bool, LedgerError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT id FROM work WHERE key = $1")
            .bind(self.name(key))
            .fetch_optional(&mut *self.read().await?)
            .await?;
        Ok(found.is_some())
    }

    /// How work of this key ended; `None` where it is not done, or unknown.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn outcome(&self, key: &str) -> Result<Option<String>, LedgerError> {
        Ok(sqlx::query_scalar("SELECT outcome FROM work WHERE key = $1 AND done_at IS NOT NULL")
            .bind(self.name(key))
            .fetch_optional(&mut *self.read().await?)
            .await?)
    }

    /// The same ledger for whoever works under this claim: every change made through it, an incident's journal among
    /// them, is refused with `StaleClaim` once somebody else has taken the work, or it is done.
    pub fn under(&self, claim: &Claim) -> Ledger {
        self.with_fence(Some(Fence { id: claim.id, fence: claim.fence }))
    }

    /// Whether the claim under which this handle writes holds still: asked right before something is done that no fence can
    /// refuse.
    ///
    /// # Errors
    /// `StaleClaim` where somebody else has taken it; or the ledger's own.
    pub async fn is_held(&self) -> Result<(), LedgerError> {
        self.write_aside().await.map(drop)
    }

    /// Number of the work under whose claim this handle writes.
    pub(crate) fn work(&self) -> Option<i64> {
        self.fence().map(|fence| fence.id)
    }

    async fn held(&self, claim: &Claim, query: Query<'_, (i64,)>) -> Result<(), LedgerError> {
        if self.at_once(query).await?.is_empty() { Err(claim.stale()) } else { Ok(()) }
    }
}

/// The columns of a claim.
type Taken = (i64, i64, String, String, String, i64, i64, i64, Option<i64>);

pub(crate) type Query<'q, T> = sqlx::query::QueryAs<'q, sqlx::Any, T, sqlx::any::AnyArguments>;

impl Claim {
    pub(crate) const fn stale(&self) -> LedgerError {
        LedgerError::StaleClaim { work: self.id, fence: self.fence }
    }
}

impl Fence {
    /// Refuses where the claim no longer holds; else it holds until the transaction ends.
    pub(crate) async fn check(self, db: &mut AnyConnection, lock: &str) -> Result<(), LedgerError> {
        let sql = format!(
            "SELECT id FROM work WHERE id = $1 AND fence = $2 AND owner IS NOT NULL AND done_at IS NULL {lock}"
        );
        let held: Option<i64> =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(self.id).bind(self.fence).fetch_optional(db).await?;
        held.map(|_| ()).ok_or(LedgerError::StaleClaim { work: self.id, fence: self.fence })
    }
}

/// Puts work on the list; the keys of what is new.
pub(crate) async fn insert(
    ledger: &Ledger,
    db: &mut AnyConnection,
    items: &[&NewWork<'_>],
) -> Result<Vec<String>, LedgerError> {
    let mut named: Vec<(String, &NewWork<'_>)> =
        items.iter().map(|item| (ledger.name(item.key), *item)).collect();
    // In one order on every node, so that two can't wait for each other; of two with one key the first one counts.
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named.dedup_by(|a, b| a.0 == b.0);
    let (mut rest, mut fresh) = (named.as_slice(), Vec::new());
    while !rest.is_empty() {
        let (rows, more) = rest.split_at(chunk(rest.len()));
        rest = more;
        let sql = format!(
            "INSERT INTO work (kind, key, payload, created_at, ready_at) VALUES {}
             ON CONFLICT DO NOTHING RETURNING key",
            values(rows.len(), 5)
        );
        let mut query = sqlx::query_scalar(AssertSqlSafe(sql));
        for (key, item) in rows {
            query = query
                .bind(ledger.clean(item.kind))
                .bind(key)
                .bind(ledger.clean_document(item.payload))
                .bind(item.created_at)
                .bind(item.due_at);
        }
        fresh.extend(query.fetch_all(&mut *db).await?);
    }
    Ok(fresh)
}
