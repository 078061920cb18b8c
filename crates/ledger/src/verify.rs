//! Checking the audit log: the chain itself, that it extends a known head, and that every row is as it was recorded.

use std::collections::HashMap;

use crate::{Ledger, LedgerError, audit, audit::GENESIS, row::Row, rows::Walk};

const PAGE: u32 = 512;

/// What a check of the audit log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// How many entries the chain has.
    pub entries: u64,
    /// Hash of the newest one.
    pub head: String,
    /// The answer.
    pub verdict: AuditVerdict,
}

/// Whether the audit log and the ledger can be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditVerdict {
    /// The chain holds, extends the expected head, and every row is as recorded.
    Sound,
    /// An entry does not fit the one before it.
    BrokenAt {
        /// The first such entry.
        seq: i64,
        /// What does not fit.
        why: String,
    },
    /// The chain holds but never had the expected head: it was cut short or written anew.
    HeadNotFound,
    /// The chain holds but a row is not as it was recorded.
    RowContradicts {
        /// Its name, as in the audit log.
        row: String,
        /// What does not fit.
        why: String,
    },
}

impl AuditReport {
    /// Whether everything fits.
    pub fn is_sound(&self) -> bool {
        self.verdict == AuditVerdict::Sound
    }
}

impl Ledger {
    /// Checks the chain, that it extends `expected_head` (a full hash, as printed), and every row against it.
    ///
    /// Without an expected head a chain that was cut at its end, or written anew as a whole, can't be told.
    ///
    /// # Errors
    /// Where the ledger can't be read; what does not fit is an answer, not an error.
    pub async fn audit_verify(&self, expected_head: Option<&str>) -> Result<AuditReport, LedgerError> {
        self.verify_rows(expected_head, &mut |_| {}).await
    }

    /// The same, showing every row on the way.
    pub(crate) async fn verify_rows(
        &self,
        expected_head: Option<&str>,
        see: &mut (dyn FnMut(&Row) + Send),
    ) -> Result<AuditReport, LedgerError> {
        let mut db = self.read().await?;
        let mut check = Check::new(expected_head);
        // From the very first number, so that an entry slipped in below 1 is seen.
        let mut after = i64::MIN;
        while check.verdict.is_none() {
            let page = audit::entries(&mut db, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            page.iter().for_each(|entry| check.entry(entry));
        }
        let mut walk = Walk::default();
        loop {
            let rows = walk.next(&mut db).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                check.row(row);
                see(row);
            }
        }
        Ok(check.finish())
    }
}

/// How far the chain was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainPlace {
    /// The number of the last entry that holds; 0 before the first.
    pub seq: i64,
    /// Its hash.
    pub head: String,
}

impl Default for ChainPlace {
    fn default() -> ChainPlace {
        ChainPlace { seq: 0, head: GENESIS.to_owned() }
    }
}

/// What came of following the chain for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainStep {
    /// How far it holds. Where that is no further than before, there is no more.
    pub place: ChainPlace,
    /// The entry that does not fit, and what does not.
    pub broken: Option<(i64, String)>,
}

impl Ledger {
    /// Follows the chain from a place on by at most a page of entries; `known` is a place that it had before, which it must still have. The chain
    /// alone, and not the rows that it tells of: so it can be followed in small steps while more is written.
    ///
    /// # Errors
    /// Where the ledger can't be read; what does not fit is an answer, not an error.
    pub async fn follow_chain(
        &self,
        from: &ChainPlace,
        known: Option<&ChainPlace>,
    ) -> Result<ChainStep, LedgerError> {
        // From the very first number, so that an entry slipped in below 1 is seen.
        let after = if from.seq == 0 { i64::MIN } else { from.seq };
        let page = audit::entries(&mut *self.read().await?, after, PAGE).await?;
        let mut place = from.clone();
        for entry in &page {
            let mut why = unfit(entry, place.seq, &place.head);
            if known.is_some_and(|known| known.seq == entry.seq && known.head != entry.hash) {
                why = why.or(Some("it is another one than at the last check".to_owned()));
            }
            if let Some(why) = why {
                return Ok(ChainStep { place, broken: Some((entry.seq, why)) });
            }
            place = ChainPlace { seq: entry.seq, head: entry.hash.clone() };
        }
        Ok(ChainStep { place, broken: None })
    }
}

/// What does not fit about an entry that should follow the one of this number and hash.
fn unfit(entry: &audit::AuditEntry, seq: i64, head: &str) -> Option<String> {
    if entry.seq != seq + 1 {
        Some(format!("entry {} is missing", seq + 1))
    } else if entry.prev != head {
        Some("it does not follow the entry before it".to_owned())
    } else if entry.hash != entry.expected_hash() {
        Some("it was changed after it was written".to_owned())
    } else {
        None
    }
}

/// A check in progress: first every entry, then every row.
pub(crate) struct Check {
    expected: Option<String>,
    head_seen: bool,
    seq: i64,
    head: String,
    recorded: HashMap<String, String>,
    verdict: Option<AuditVerdict>,
}

impl Check {
    pub(crate) fn new(expected_head: Option<&str>) -> Check {
        let expected = expected_head.map(|head| head.trim().to_ascii_lowercase());
        Check {
            head_seen: expected.as_deref().is_none_or(|head| head == GENESIS),
            expected,
            seq: 0,
            head: GENESIS.to_owned(),
            recorded: HashMap::new(),
            verdict: None,
        }
    }

    /// The next entry of the chain.
    pub(crate) fn entry(&mut self, entry: &audit::AuditEntry) {
        if self.verdict.is_some() {
            return;
        }
        if let Some(why) = unfit(entry, self.seq, &self.head) {
            self.verdict = Some(AuditVerdict::BrokenAt { seq: entry.seq, why });
            return;
        }
        self.seq = entry.seq;
        self.head.clone_from(&entry.hash);
        self.head_seen |= self.expected.as_deref() == Some(self.head.as_str());
        for row in entry.pruned() {
            self.recorded.remove(&row);
        }
        if let Some((row, digest)) = entry.row() {
            self.recorded.insert(row, digest);
        }
    }

    /// A row, once every entry was seen.
    pub(crate) fn row(&mut self, row: &Row) {
        let name = row.name();
        let why = match self.recorded.remove(&name) {
            None => "it was never recorded",
            Some(digest) if digest != row.digest() => "it was changed after it was recorded",
            Some(_) => return,
        };
        self.verdict.get_or_insert(AuditVerdict::RowContradicts { row: name, why: why.to_owned() });
    }

    /// The answer, once every row was seen.
    pub(crate) fn finish(self) -> AuditReport {
        let verdict = match self.verdict {
            Some(broken @ AuditVerdict::BrokenAt { .. }) => broken,
            _ if !self.head_seen => AuditVerdict::HeadNotFound,
            Some(other) => other,
            None => match self.recorded.into_keys().min() {
                Some(row) => AuditVerdict::RowContradicts { row, why: "it is gone".to_owned() },
                None => AuditVerdict::Sound,
            },
        };
        AuditReport { entries: self.seq.unsigned_abs(), head: self.head, verdict }
    }
}
