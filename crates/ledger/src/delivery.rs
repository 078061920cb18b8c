//! What a CI host sends, kept before it is answered: many at a time, because each commit waits for the disk.

use std::collections::HashSet;

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::{
    Ledger, LedgerError,
    digest::sha256_of,
    work::{self, NewWork},
};

/// Most rows of one statement.
const ROWS: usize = 64;
/// Longest id or key that is stored as it is.
const LONGEST: usize = 200;

/// A delivery whose sender was proven.
#[derive(Debug, Clone, Copy)]
pub struct NewDelivery<'a> {
    /// Who sent it, such as `github`.
    pub forge: &'a str,
    /// Its id: the forge has given it to no other.
    pub id: &'a str,
    /// The forge's name of the event.
    pub event: &'a str,
    /// What it is taken for.
    pub kind: &'a str,
    /// When it came, in milliseconds since 1970.
    pub received_at: i64,
    /// Its body, or the digest of it, where that is to be kept; masked on its way in.
    pub body: Option<&'a str>,
    /// What is to be done about it.
    pub work: Option<NewWork<'a>>,
}

/// What became of a delivery, which is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is new.
    Fresh {
        /// Whether it brought new work: else there was none to do, or work of this key is known.
        work: bool,
    },
    /// It came before; nothing comes of it a second time.
    Duplicate,
}

impl Ledger {
    /// Makes deliveries durable together with the work that comes of them: all of them or none. One answer for each, in
    /// order. The same ones again, as after an error, are no danger: what was stored is a duplicate.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn receive(&self, deliveries: &[NewDelivery<'_>]) -> Result<Vec<Received>, LedgerError> {
        let names: Vec<(String, String)> =
            deliveries.iter().map(|d| (self.clean(d.forge), self.name(d.id))).collect();
        // In one order on every node, so that two that store the same ones can't wait for each other.
        let mut order: Vec<usize> = (0..deliveries.len()).collect();
        order.sort_by(|a, b| names[*a].cmp(&names[*b]));
        order.dedup_by(|a, b| names[*a] == names[*b]);
        let mut work = self.write_aside().await?;
        let mut fresh = HashSet::new();
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let (chunk, more) = rest.split_at(chunk(rest.len()));
            rest = more;
            let rows: Vec<_> = chunk.iter().map(|i| (&names[*i], &deliveries[*i])).collect();
            fresh.extend(self.insert(&mut work, &rows).await?);
        }
        let new_work: Vec<&NewWork<'_>> = order
            .iter()
            .filter(|i| fresh.contains(&names[**i]))
            .filter_map(|i| deliveries[*i].work.as_ref())
            .collect();
        let brought = work::insert(self, &mut work, &new_work).await?;
        self.commit_aside(work).await?;
        if !brought.is_empty() {
            self.ring_soon();
        }
        let mut brought: HashSet<String> = brought.into_iter().collect();
        Ok(names
            .iter()
            .zip(deliveries)
            // Of two with the same id, or the same key, the first one counts.
            .map(|(name, delivery)| match fresh.remove(name) {
                true => Received::Fresh {
                    work: delivery.work.as_ref().is_some_and(|w| brought.remove(&self.name(w.key))),
                },
                false => Received::Duplicate,
            })
            .collect())
    }

    /// How many deliveries have come since then and are known, in milliseconds since 1970.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn deliveries_since(&self, since: i64) -> Result<u64, LedgerError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE received_at >= $1")
            .bind(since)
            .fetch_one(&mut *self.read().await?)
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Those of these rows that are new.
    async fn insert(
        &self,
        db: &mut AnyConnection,
        rows: &[(&(String, String), &NewDelivery<'_>)],
    ) -> Result<Vec<(String, String)>, LedgerError> {
        let sql = format!(
            "INSERT INTO deliveries (forge, id, event, kind, received_at, body, work) VALUES {}
             ON CONFLICT DO NOTHING RETURNING forge, id",
            values(rows.len(), 7)
        );
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for ((forge, id), delivery) in rows {
            query = query
                .bind(forge)
                .bind(id)
                .bind(self.clean(delivery.event))
                .bind(self.clean(delivery.kind))
                .bind(delivery.received_at)
                .bind(delivery.body.map(|body| self.clean_document(body)))
                .bind(delivery.work.as_ref().map(|work| self.name(work.key)));
        }
        Ok(query.fetch_all(db).await?)
    }

    /// An id or key as it is stored: what is too long, or no line of text, by its digest.
    pub(crate) fn name(&self, text: &str) -> String {
        let text = self.clean(text);
        if text.len() <= LONGEST && !text.chars().any(char::is_control) {
            return text;
        }
        format!("sha256-{}", sha256_of(&[&text.replace('\n', "\r")]))
    }
}

/// How many of `left` rows go into the next statement: few different statements serve any number of rows.
pub(crate) fn chunk(left: usize) -> usize {
    let most = left.min(ROWS);
    if most.is_power_of_two() { most } else { most.next_power_of_two() / 2 }
}

/// `($1, $2), ($3, $4)`.
pub(crate) fn values(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let cells: Vec<String> = (1..=columns).map(|cell| format!("${}", row * columns + cell)).collect();
        format!("({})", cells.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_in_few_kinds_of_statements() {
        assert_eq!(values(2, 2), "($1, $2), ($3, $4)");
        let mut left = 1000;
        while left > 0 {
            let next = chunk(left);
            assert!(next.is_power_of_two() && next <= ROWS && next <= left, "{left}: {next}");
            left -= next;
        }
    }
}
