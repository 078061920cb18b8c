//! Incidents as lists, newest first, a page at a time.
//!
//! A list with at most one condition is a walk along the index of that condition, as long as its page. A list with several,
//! or with a text to look for, is a walk along the index by time, which holds all that is looked at; it ends after
//! [`LOOKED_AT`] incidents, and the next page goes on from there. So no page costs more because the ledger is long. Only
//! [`IncidentFilter::own`] passes over what others told, one by one.

use std::collections::HashMap;

use regreen_domain::{FailureClass, Outcome};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row as _, any::AnyRow};

use crate::{
    Ledger, LedgerError,
    incident::find,
    shape::{Incident, State},
};

/// So many incidents are looked at for one page.
pub const LOOKED_AT: usize = 20_000;
/// So many of them at a time.
const STRIDE: i64 = 1_000;

/// Which incidents, and how many.
#[derive(Debug, Clone, Default)]
pub struct IncidentFilter {
    /// Those that ended like this.
    pub outcome: Option<Outcome>,
    /// Those of this class.
    pub class: Option<FailureClass>,
    /// Those in this state.
    pub state: Option<State>,
    /// Those of this repository, `OWNER/NAME`.
    pub repository: Option<String>,
    /// Those that this pattern named.
    pub pattern: Option<String>,
    /// Those of this fingerprint.
    pub fingerprint: Option<String>,
    /// Those opened at this moment or later, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Those opened before this moment, in milliseconds since 1970.
    pub until: Option<i64>,
    /// Only this ledger's own: none that was imported, or that a job told of.
    pub own: bool,
    /// Those whose id, repository, pattern or fingerprint has this in it; small and capital letters are the same.
    pub text: Option<String>,
    /// Those after this one: the page before ended there.
    pub after: Option<Cursor>,
    /// At most so many; 0 means 100.
    pub limit: u32,
}

/// The place of an incident in a list. New incidents do not move it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When the incident was opened.
    pub opened_at: i64,
    /// Its id.
    pub id: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Newest first. A page may have fewer than were asked for, and be followed by others all the same.
    pub incidents: Vec<Incident>,
    /// After which incident the next page begins; `None` at the end of the list.
    pub next: Option<Cursor>,
}

/// What a page has, and where the next one begins.
struct Found {
    ids: Vec<String>,
    next: Option<Cursor>,
}

/// What a search looks at.
struct Seen {
    at: Cursor,
    state: Option<String>,
    outcome: Option<String>,
    class: Option<String>,
    repository: Option<String>,
    pattern: Option<String>,
    fingerprint: Option<String>,
}

impl Incident {
    /// Its place in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { opened_at: self.opened_at, id: self.id.clone() }
    }
}

impl IncidentFilter {
    /// The conditions that an index answers each: column and value.
    fn equal(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("fingerprint", self.fingerprint.as_deref()),
            ("pattern", self.pattern.as_deref()),
            ("repository", self.repository.as_deref()),
            ("outcome", self.outcome.map(Outcome::id)),
            ("state", self.state.map(State::id)),
            ("class", self.class.map(FailureClass::id)),
        ];
        all.into_iter().filter_map(|(column, value)| Some((column, value?))).collect()
    }

    /// Where the walk begins: before what the page before ended at, and before `until`.
    fn begin(&self) -> Cursor {
        let until = self.until.map(|until| Cursor { opened_at: until, id: String::new() });
        let after = self.after.clone();
        let last = Cursor { opened_at: i64::MAX, id: "~".to_owned() };
        [until, after].into_iter().flatten().min_by(|a, b| a.key().cmp(&b.key())).unwrap_or(last)
    }

    fn most(&self) -> usize {
        if self.limit == 0 { 100 } else { usize::try_from(self.limit).unwrap_or(usize::MAX) }
    }
}

impl Cursor {
    fn key(&self) -> (i64, &str) {
        (self.opened_at, &self.id)
    }
}

impl Ledger {
    /// One incident.
    ///
    /// # Errors
    /// Where the ledger, or the record, can't be read.
    pub async fn incident(&self, id: &str) -> Result<Option<Incident>, LedgerError> {
        Ok(find(&mut *self.read().await?, id).await?.map(|(incident, _)| incident))
    }

    /// A page of incidents, newest first.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, LedgerError> {
        Ok(self.page(filter).await?.incidents)
    }

    /// A page of incidents, newest first, and where the next one begins.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn page(&self, filter: &IncidentFilter) -> Result<Page, LedgerError> {
        let mut db = self.read().await?;
        let text = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let equal = filter.equal();
        let found = match (text, equal.as_slice()) {
            (None, []) => walk(&mut db, filter, None).await?,
            (None, [one]) => walk(&mut db, filter, Some(*one)).await?,
            _ => search(&mut db, filter, &equal, text).await?,
        };
        Ok(Page { incidents: records(&mut db, &found.ids).await?, next: found.next })
    }

    /// This ledger's own incidents that are not over and wait for nobody, oldest first: what a resume goes on with.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn open_incidents(&self) -> Result<Vec<Incident>, LedgerError> {
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT record, owner FROM incidents WHERE state = 'open' AND owner IS NOT NULL
             ORDER BY opened_at, id",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter().map(read).collect()
    }
}

/// The question of a walk: moment and id before which it begins, moment at which it ends, how many, and the value.
fn question(columns: &str, own: bool, equal: Option<&'static str>) -> String {
    // Nobody here acts upon another's.
    let own = match own {
        true => "AND EXISTS (SELECT 1 FROM incidents AS i WHERE i.id = listed.id AND i.owner IS NOT NULL)",
        false => "",
    };
    let equal = equal.map(|column| format!("AND {column} = $5")).unwrap_or_default();
    format!(
        "SELECT {columns} FROM listed WHERE (opened_at, id) < ($1, $2) AND opened_at >= $3 {equal} {own}
         ORDER BY opened_at DESC, id DESC LIMIT $4"
    )
}

/// Along one index, exactly as far as the page is long.
async fn walk(
    db: &mut AnyConnection,
    filter: &IncidentFilter,
    equal: Option<(&'static str, &str)>,
) -> Result<Found, LedgerError> {
    let (begin, most) = (filter.begin(), filter.most());
    let sql = question("opened_at, id", filter.own, equal.map(|(column, _)| column));
    let mut query = sqlx::query_as::<_, (i64, String)>(AssertSqlSafe(sql))
        .bind(begin.opened_at)
        .bind(begin.id)
        .bind(filter.since.unwrap_or(i64::MIN))
        // One more shows whether there is a next page.
        .bind(i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1));
    if let Some((_, value)) = equal {
        query = query.bind(value);
    }
    let rows = query.fetch_all(db).await?;
    let more = rows.len() > most;
    let mut ids: Vec<Cursor> = rows.into_iter().map(|(opened_at, id)| Cursor { opened_at, id }).collect();
    ids.truncate(most);
    let next = ids.last().filter(|_| more).cloned();
    Ok(Found { ids: ids.into_iter().map(|at| at.id).collect(), next })
}

/// Along the index by time, until the page is full or enough was looked at.
async fn search(
    db: &mut AnyConnection,
    filter: &IncidentFilter,
    equal: &[(&'static str, &str)],
    text: Option<&str>,
) -> Result<Found, LedgerError> {
    let (mut at, most, text) = (filter.begin(), filter.most(), text.map(str::to_lowercase));
    let (mut ids, mut looked_at) = (Vec::new(), 0);
    let sql =
        question("opened_at, id, state, outcome, class, repository, pattern, fingerprint", filter.own, None);
    loop {
        let rows: Vec<Seen> = sqlx::query_as(AssertSqlSafe(sql.clone()))
            .bind(at.opened_at)
            .bind(&at.id)
            .bind(filter.since.unwrap_or(i64::MIN))
            .bind(STRIDE)
            .fetch_all(&mut *db)
            .await?;
        let is_last = rows.len() < usize::try_from(STRIDE).unwrap_or(0);
        for seen in rows {
            if seen.fits(equal, text.as_deref()) {
                if ids.len() == most {
                    return Ok(Found { ids, next: Some(at) });
                }
                ids.push(seen.at.id.clone());
            }
            at = seen.at;
            looked_at += 1;
        }
        if is_last {
            return Ok(Found { ids, next: None });
        }
        if looked_at >= LOOKED_AT {
            return Ok(Found { ids, next: Some(at) });
        }
    }
}

/// The records of these, in this order.
async fn records(db: &mut AnyConnection, ids: &[String]) -> Result<Vec<Incident>, LedgerError> {
    let mut incidents = Vec::with_capacity(ids.len());
    for some in ids.chunks(256) {
        let holes: Vec<String> = (1..=some.len()).map(|n| format!("${n}")).collect();
        let sql = format!("SELECT id, record, owner FROM incidents WHERE id IN ({})", holes.join(", "));
        let query = sqlx::query_as::<_, (String, String, Option<String>)>(AssertSqlSafe(sql));
        let rows = some.iter().fold(query, |query, id| query.bind(id)).fetch_all(&mut *db).await?;
        let mut rows: HashMap<String, _> =
            rows.into_iter().map(|(id, record, owner)| (id, (record, owner))).collect();
        for row in some.iter().filter_map(|id| rows.remove(id)) {
            incidents.push(read(row)?);
        }
    }
    Ok(incidents)
}

impl Seen {
    fn fits(&self, equal: &[(&'static str, &str)], text: Option<&str>) -> bool {
        let is = |(column, value): &(&str, &str)| {
            let own = match *column {
                "state" => &self.state,
                "outcome" => &self.outcome,
                "class" => &self.class,
                "repository" => &self.repository,
                "pattern" => &self.pattern,
                _ => &self.fingerprint,
            };
            own.as_deref() == Some(value)
        };
        let has = |text: &str| {
            let own = [&self.repository, &self.pattern, &self.fingerprint];
            let mut own = own.into_iter().flatten().chain([&self.at.id]);
            own.any(|own| own.to_lowercase().contains(text))
        };
        equal.iter().all(is) && text.is_none_or(has)
    }
}

impl FromRow<'_, AnyRow> for Seen {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Seen {
            at: Cursor { opened_at: row.try_get(0)?, id: row.try_get(1)? },
            state: row.try_get(2)?,
            outcome: row.try_get(3)?,
            class: row.try_get(4)?,
            repository: row.try_get(5)?,
            pattern: row.try_get(6)?,
            fingerprint: row.try_get(7)?,
        })
    }
}

fn read((record, owner): (String, Option<String>)) -> Result<Incident, LedgerError> {
    Ok(Incident { imported: owner.is_none(), ..Incident::parse(&record)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_begins_where_the_nearest_of_its_limits_is() {
        let at = |opened_at, id: &str| Some(Cursor { opened_at, id: id.to_owned() });
        let begin = |after, until| IncidentFilter { after, until, ..IncidentFilter::default() }.begin();
        assert_eq!(Some(begin(at(5, "b"), None)), at(5, "b"));
        assert_eq!(Some(begin(at(5, "b"), Some(5))), at(5, ""));
        assert_eq!(Some(begin(at(5, "b"), Some(6))), at(5, "b"));
        assert_eq!(begin(None, None).opened_at, i64::MAX);
    }
}
