//! Lists of incidents: what a filter gives, and what a page of a long list costs.

use std::time::Duration;

use regreen_domain::{Outcome, Verdict};
use regreen_ledger::{Incident, IncidentFilter, LOOKED_AT, Ledger, NewIncident, Place, State};
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::world::{Engine, World, diagnosis, healed, incident, place};

both_engines! {
    a_filter_gives_what_fits_it_and_no_other,
    what_others_tell_takes_no_room_among_the_own,
    every_page_is_reached_once_whatever_the_filter,
    a_search_looks_at_so_many_and_goes_on_from_there,
    a_page_of_a_long_list_reads_only_its_page,
}

/// As it was before there were lists.
pub(crate) fn unlist(on: Engine) -> &'static str {
    match on {
        Engine::Sqlite => {
            "DROP TABLE listed; DROP TRIGGER incidents_listed; DROP TRIGGER incidents_listed_anew;
             DROP TRIGGER incidents_no_longer_listed"
        }
        Engine::Postgres => {
            "DROP VIEW listed; DROP INDEX incidents_by_outcome; DROP INDEX incidents_by_class;
             DROP INDEX incidents_by_repository; DROP INDEX incidents_by_pattern;
             ALTER TABLE incidents DROP COLUMN fingerprint; ALTER TABLE incidents DROP COLUMN recovery_ms"
        }
    }
}

async fn ids(ledger: &Ledger, filter: IncidentFilter) -> Vec<String> {
    ledger.incidents(&filter).await.unwrap().into_iter().map(|incident| incident.id).collect()
}

fn any() -> IncidentFilter {
    IncidentFilter::default()
}

async fn what_others_tell_takes_no_room_among_the_own(on: Engine) {
    let (world, job) = (World::new(on).await, World::new(on).await);
    let l = &world.ledger;
    l.open_incident(&incident("own", 100, &diagnosis())).await.unwrap();
    healed(&job.ledger, "told", 200).await;
    let mut told = job.ledger.incident("told").await.unwrap().unwrap();
    for n in 0..3 {
        told.run_marker = Some(format!("m{n}"));
        told.outcome = None;
        told.state = State::AwaitingApproval;
        l.take_report(&told, 500).await.unwrap();
    }
    let own = |limit| IncidentFilter { own: true, limit, ..any() };
    assert_eq!(ids(l, own(1)).await, ["own"]);
    assert_eq!(ids(l, IncidentFilter { state: Some(State::Open), ..own(1) }).await, ["own"]);
    assert_eq!(ids(l, IncidentFilter { state: Some(State::AwaitingApproval), ..own(1) }).await, [""; 0]);
    assert_eq!(ids(l, IncidentFilter { text: Some("O".to_owned()), ..own(1) }).await, ["own"]);
    assert_eq!(ids(l, any()).await.len(), 4);
}

async fn a_filter_gives_what_fits_it_and_no_other(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    healed(l, "old", 100).await;
    healed(l, "new", 300).await;
    let mut other = diagnosis();
    other.pattern = Some("pip-read-timeout".to_owned());
    other.fingerprint = regreen_domain::Fingerprint::from_digest([9; 8]);
    let at = Place { repository: Some("Acme/Shop".to_owned()), ..place() };
    l.open_incident(&NewIncident { place: at, ..incident("open", 200, &other) }).await.unwrap();

    let repository = |name: &str| IncidentFilter { repository: Some(name.to_owned()), ..any() };
    assert_eq!(ids(l, repository("Acme/Shop")).await, ["open"]);
    assert_eq!(ids(l, repository("acme/shop")).await, [""; 0]);
    assert_eq!(
        ids(l, IncidentFilter { outcome: Some(Outcome::Healed), ..repository("org/repo") }).await,
        ["new", "old"]
    );
    assert_eq!(ids(l, IncidentFilter { state: Some(State::Open), ..repository("org/repo") }).await, [""; 0]);
    let pattern = |name: &str| IncidentFilter { pattern: Some(name.to_owned()), ..any() };
    assert_eq!(ids(l, pattern("pip-read-timeout")).await, ["open"]);
    let print = other.fingerprint.as_str();
    assert_eq!(ids(l, IncidentFilter { fingerprint: Some(print.to_owned()), ..any() }).await, ["open"]);
    assert_eq!(ids(l, IncidentFilter { since: Some(200), ..any() }).await, ["new", "open"]);
    assert_eq!(ids(l, IncidentFilter { until: Some(200), ..any() }).await, ["old"]);
    assert_eq!(ids(l, IncidentFilter { since: Some(101), until: Some(300), ..any() }).await, ["open"]);
    for (text, want) in [
        (" aCMe ", vec!["open"]),
        ("READ-time", vec!["open"]),
        (&print[2..9], vec!["open"]),
        ("org/", vec!["new", "old"]),
        ("ol", vec!["old"]),
        ("%", vec![]),
        ("", vec!["new", "open", "old"]),
    ] {
        assert_eq!(ids(l, IncidentFilter { text: Some(text.to_owned()), ..any() }).await, want, "{text:?}");
    }
    let both = IncidentFilter { text: Some("org".to_owned()), since: Some(101), ..any() };
    assert_eq!(ids(l, IncidentFilter { class: Some(diagnosis().class), ..both }).await, ["new"]);
    assert_eq!(diagnosis().class.verdict(), Verdict::Infrastructure);
}

async fn every_page_is_reached_once_whatever_the_filter(on: Engine) {
    let world = World::new(on).await;
    for i in 0..7 {
        // Two share a moment.
        healed(&world.ledger, &format!("i{i}"), 100 + i / 2).await;
    }
    let text = Some("i".to_owned());
    for filter in
        [any(), IncidentFilter { outcome: Some(Outcome::Healed), ..any() }, IncidentFilter { text, ..any() }]
    {
        let (mut filter, mut pages) = (IncidentFilter { limit: 3, ..filter }, Vec::new());
        loop {
            let page = world.ledger.page(&filter).await.unwrap();
            pages.push(page.incidents.iter().map(|i| i.id.clone()).collect::<Vec<_>>().join(" "));
            let Some(next) = page.next else { break };
            filter.after = Some(next);
        }
        assert_eq!(pages, ["i6 i5 i4", "i3 i2 i1", "i0"]);
    }
}

/// So many incidents, each a millisecond and a repository of its own, put there past the ledger.
async fn many(world: &World, count: usize) {
    healed(&world.ledger, "i000000", 0).await;
    let template = world.ledger.incident("i000000").await.unwrap().unwrap();
    let mut db = world.at.raw().await;
    sqlx::query("BEGIN").execute(&mut db).await.unwrap();
    let numbers: Vec<usize> = (1..count).collect();
    for some in numbers.chunks(500) {
        let rows: Vec<String> =
            some.iter().map(|n| format!("('i{n:06}', '{}', 'p1')", record(&template, *n))).collect();
        let sql = format!("INSERT INTO incidents (id, record, owner) VALUES {}", rows.join(", "));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    }
    sqlx::query("COMMIT").execute(&mut db).await.unwrap();
    sqlx::query("ANALYZE").execute(&mut db).await.unwrap();
}

fn record(template: &Incident, n: usize) -> String {
    let mut incident = template.clone();
    incident.id = format!("i{n:06}");
    incident.opened_at = i64::try_from(n).unwrap();
    incident.place.repository = Some(format!("org/r{}", n % 10));
    serde_json::to_string(&incident).unwrap().replace('\'', "''")
}

async fn a_search_looks_at_so_many_and_goes_on_from_there(on: Engine) {
    let world = World::new(on).await;
    many(&world, LOOKED_AT + 1_500).await;
    let mut filter = IncidentFilter { text: Some("i000007".to_owned()), ..any() };
    let first = world.ledger.page(&filter).await.unwrap();
    assert_eq!((first.incidents.len(), first.next.as_ref().map(|at| at.opened_at)), (0, Some(1_500)));
    filter.after = first.next;
    let second = world.ledger.page(&filter).await.unwrap();
    assert_eq!((second.incidents[0].id.as_str(), second.next), ("i000007", None));
}

/// What the engine says of how it answers.
async fn way(db: &mut AnyConnection, on: Engine, sql: &str) -> String {
    let explain = if on == Engine::Sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    let rows = sqlx::query(AssertSqlSafe(format!("{explain} {sql}"))).fetch_all(db).await.unwrap();
    let column = if on == Engine::Sqlite { 3 } else { 0 };
    rows.iter().map(|row| sqlx::Row::get::<String, _>(row, column)).collect::<Vec<_>>().join("\n")
}

async fn a_page_of_a_long_list_reads_only_its_page(on: Engine) {
    let world = World::new(on).await;
    many(&world, 5_000).await;
    let mut db = world.at.raw().await;
    for (equal, index) in [
        ("", "listed_by_time"),
        ("AND repository = 'org/r7'", "listed_by_repository"),
        ("AND class = 'cache-corruption'", "listed_by_class"),
        ("AND outcome = 'stuck'", "listed_by_outcome"),
        ("AND state = 'open'", "listed_by_state"),
        ("AND pattern = 'p'", "listed_by_pattern"),
        ("AND fingerprint = 'f'", "listed_by_fingerprint"),
    ] {
        let sql = format!(
            "SELECT opened_at, id FROM listed WHERE (opened_at, id) < (4000, 'x') AND opened_at >= 0 {equal}
             ORDER BY opened_at DESC, id DESC LIMIT 51"
        );
        let way = way(&mut db, on, &sql).await;
        // PostgreSQL may take any index that gives the order; what it may not do is read all, or sort.
        let good = way.contains(index) || (on == Engine::Postgres && way.contains("Index"));
        assert!(
            good && !way.contains("Sort") && !way.contains("TEMP B-TREE") && !way.contains("Seq Scan"),
            "{way}"
        );
    }
    let seen = "SELECT opened_at, id, state, outcome, class, repository, pattern, fingerprint FROM listed
                WHERE (opened_at, id) < (4000, 'x') AND opened_at >= 0 ORDER BY opened_at DESC, id DESC LIMIT 1000";
    let way = way(&mut db, on, seen).await;
    assert!(on == Engine::Postgres || way.contains("USING COVERING INDEX listed_by_time"), "{way}");
    let page =
        tokio::time::timeout(Duration::from_secs(5), world.ledger.page(&any())).await.unwrap().unwrap();
    assert_eq!((page.incidents.len(), page.next.unwrap().id.as_str()), (100, "i004900"));
}
