//! Logs kept outside the database: in a folder, and in a stand-in that speaks as much of S3 as is asked of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, Response, StatusCode},
};
use regreen_domain::Outcome;
use regreen_ledger::{Closing, Ledger, LedgerError, LogStore, Swept};

use crate::{
    masking::{Hides, SECRET},
    world::{At, Engine, OWNER, World, diagnosis, incident},
};

both_engines! {
    a_log_in_a_folder_is_read_from_there_and_nowhere_else,
    what_nothing_refers_to_is_swept_after_a_day,
    nobody_sweeps_what_another_ledger_keeps_in_the_same_store,
    a_copy_of_a_ledger_is_found_and_nothing_that_both_know_is_swept,
    a_mark_whose_change_was_cut_off_is_the_ledgers_own,
    what_another_process_is_about_to_mark_is_left_to_it,
    a_folder_is_swept_only_where_it_was_marked_before,
    what_is_missing_or_damaged_is_no_log,
    a_store_that_fails_is_told_once_and_holds_nothing_up,
}

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn store(folder: &Path) -> Arc<LogStore> {
    Arc::new(LogStore::at(&format!("file://{}", folder.display()), &BTreeMap::new()).unwrap())
}

async fn with_folder(on: Engine) -> (World, Ledger, tempfile::TempDir) {
    let (world, folder) = (World::new(on).await, tempfile::tempdir().unwrap());
    let ledger = world.at.open_as(Arc::new(Hides)).await.unwrap();
    let ledger = ledger.with_log_store(store(&folder.path().join("logs")));
    (world, ledger, folder)
}

/// What a check has to say of logs; the server of the tests does not wait for the disk, which it says too.
async fn wrong(ledger: &Ledger) -> Vec<String> {
    let problems = ledger.check(None).await.unwrap().problems;
    problems
        .into_iter()
        .filter(|problem| problem.starts_with("log ") || problem.contains(" log(s) "))
        .collect()
}

/// The folder of a ledger's own.
async fn own(at: &At) -> String {
    sqlx::query_scalar("SELECT id FROM identity").fetch_one(&mut at.raw().await).await.unwrap()
}

async fn object(folder: &tempfile::TempDir, at: &At, hash: &str) -> PathBuf {
    folder.path().join("logs").join(own(at).await).join(&hash[..2]).join(format!("{hash}.gz"))
}

async fn a_log_in_a_folder_is_read_from_there_and_nowhere_else(on: Engine) {
    let (world, l, folder) = with_folder(on).await;
    let inside = world.ledger.keep_log("a", "before", "kept before", 1).await.unwrap();
    let hash = l.keep_log("a", "build", &format!("npm ERR! {SECRET}\n"), now()).await.unwrap();
    assert_eq!(l.keep_log("b", "build", &format!("npm ERR! {SECRET}\n"), now()).await.unwrap(), hash);
    for (hash, text) in [(&hash, "npm ERR! ***\n"), (&inside, "kept before")] {
        assert_eq!(l.log(hash).await.unwrap().as_deref(), Some(text));
    }
    assert_eq!(l.logs_of("a").await.unwrap().len(), 2);
    let bodies: Vec<(i64,)> = sqlx::query_as("SELECT CAST(length(body) AS BIGINT) FROM logs WHERE hash = $1")
        .bind(&hash)
        .fetch_all(&mut world.at.raw().await)
        .await
        .unwrap();
    assert_eq!(bodies, [(0,)], "the database has the name alone");
    assert_eq!(wrong(&l).await, Vec::<String>::new());
    // Without the store its logs are named and not read, and the check says so.
    let unnamed = world.ledger.log(&hash).await.unwrap_err();
    assert!(matches!(&unnamed, LedgerError::LogStore { place, .. } if place.is_empty()), "{unnamed}");
    assert!(unnamed.help().unwrap().contains("REGREEN_LOG_STORE"));
    let problems = wrong(&world.ledger).await;
    assert!(problems[0].starts_with("1 log(s) lie in a store outside"), "{problems:?}");
    // A backup has the names of what lies elsewhere, and the rest whole.
    let mut file = Vec::new();
    let backed_up = l.backup(&mut file).await.unwrap();
    assert_eq!((backed_up.logs, backed_up.logs_outside), (2, 1));
    let to = World::new(on).await;
    assert_eq!(to.ledger.restore(&mut file.as_slice()).await.unwrap(), backed_up);
    let restored = to.ledger.clone().with_log_store(store(&folder.path().join("logs")));
    assert_eq!(restored.log(&hash).await.unwrap().as_deref(), Some("npm ERR! ***\n"));
    assert_eq!(restored.log(&inside).await.unwrap().as_deref(), Some("kept before"));
    // Back in the database from now on: what is kept again is kept there.
    let text = "npm ERR! ***\n";
    assert_eq!(world.ledger.keep_log("c", "build", text, now()).await.unwrap(), hash);
    fs::remove_file(object(&folder, &world.at, &hash).await).unwrap();
    assert_eq!(world.ledger.log(&hash).await.unwrap().as_deref(), Some(text));
}

async fn what_nothing_refers_to_is_swept_after_a_day(on: Engine) {
    let (world, l, folder) = with_folder(on).await;
    for id in ["old", "new"] {
        l.open_incident(&incident(id, 1, &diagnosis())).await.unwrap();
        l.keep_log(id, "build", &format!("log of {id}"), now()).await.unwrap();
    }
    let kept = l.logs_of("new").await.unwrap()[0].hash.clone();
    let gone = l.logs_of("old").await.unwrap()[0].hash.clone();
    l.close("old", OWNER, &Closing::new(Outcome::LeftAlone), 2).await.unwrap();
    // Somebody died before the ledger named what he wrote, another in the middle of writing; and one file is not ours.
    let orphan = object(&folder, &world.at, &"ab".repeat(32)).await;
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, "half").unwrap();
    let others = orphan.with_file_name("README");
    fs::write(&others, "not ours").unwrap();
    assert_eq!(l.log(&"ab".repeat(32)).await.unwrap(), None);
    let later = now() + 2 * DAY;
    l.prune(later, "ann", later).await.unwrap();
    assert_eq!(l.logs_of("old").await.unwrap(), []);
    assert_eq!(
        l.sweep_logs(now()).await.unwrap(),
        Some(Swept { found: 3, gone: 0 }),
        "all of them are young"
    );
    assert_eq!(l.sweep_logs(later).await.unwrap(), Some(Swept { found: 3, gone: 2 }));
    assert!(!object(&folder, &world.at, &gone).await.exists() && !orphan.exists());
    assert!(object(&folder, &world.at, &kept).await.exists() && others.exists());
    assert_eq!(l.log(&kept).await.unwrap().as_deref(), Some("log of new"));
    assert_eq!(wrong(&l).await, Vec::<String>::new());
}

async fn nobody_sweeps_what_another_ledger_keeps_in_the_same_store(on: Engine) {
    let (world, l, folder) = with_folder(on).await;
    l.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
    let hash = l.keep_log("a", "build", "npm ERR! network", now()).await.unwrap();
    let before = folder.path().join("logs").join("cd").join(format!("{}.gz", "cd".repeat(32)));
    fs::create_dir_all(before.parent().unwrap()).unwrap();
    fs::write(&before, "of an earlier version").unwrap();
    let mut file = Vec::new();
    l.backup(&mut file).await.unwrap();
    // An empty ledger, and one that was restored and has pruned everything since.
    let (empty, copy) = (World::new(on).await, World::new(on).await);
    copy.ledger.restore(&mut file.as_slice()).await.unwrap();
    let later = now() + 2 * DAY;
    for other in [&empty, &copy] {
        let other = other.ledger.clone().with_log_store(store(&folder.path().join("logs")));
        assert_eq!(other.sweep_logs(later).await.unwrap(), Some(Swept { found: 0, gone: 0 }));
    }
    let restored = copy.ledger.clone().with_log_store(store(&folder.path().join("logs")));
    assert_eq!(restored.log(&hash).await.unwrap().as_deref(), Some("npm ERR! network"));
    // What it keeps from now on it keeps for itself, also what it has met already.
    assert_eq!(restored.keep_log("a", "again", "npm ERR! network", now()).await.unwrap(), hash);
    assert!(object(&folder, &copy.at, &hash).await.exists());
    assert_eq!(restored.sweep_logs(later).await.unwrap(), Some(Swept { found: 1, gone: 0 }));
    assert!(object(&folder, &world.at, &hash).await.exists() && before.exists());
    assert_eq!(wrong(&l).await, Vec::<String>::new());
}

/// As `cp` and `pg_dump` copy it: whole, with what it is known by.
async fn copied(from: &World, on: Engine) -> World {
    let (to, mut file) = (World::new(on).await, Vec::new());
    from.ledger.backup(&mut file).await.unwrap();
    to.ledger.restore(&mut file.as_slice()).await.unwrap();
    let row: (String, String, String, i64) = sqlx::query_as("SELECT id, mark, next, marked_at FROM identity")
        .fetch_one(&mut from.at.raw().await)
        .await
        .unwrap();
    sqlx::query("UPDATE identity SET id = $1, mark = $2, next = $3, marked_at = $4")
        .bind(row.0)
        .bind(row.1)
        .bind(row.2)
        .bind(row.3)
        .execute(&mut to.at.raw().await)
        .await
        .unwrap();
    to
}

async fn a_copy_of_a_ledger_is_found_and_nothing_that_both_know_is_swept(on: Engine) {
    // Whichever of them is used first.
    for copy_first in [true, false] {
        let (world, l, folder) = with_folder(on).await;
        l.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
        l.keep_log("a", "build", "kept before", now()).await.unwrap();
        let other = copied(&world, on).await;
        let copy = other.ledger.clone().with_log_store(store(&folder.path().join("logs")));
        let both = own(&world.at).await;
        assert_eq!(own(&other.at).await, both);
        let later = now() + 2 * DAY;
        let order = if copy_first { [&copy, &l] } else { [&l, &copy] };
        // What only the first knows is old enough to be swept.
        order[0].open_incident(&incident("b", 2, &diagnosis())).await.unwrap();
        let known = order[0].keep_log("b", "build", "kept by one", now() + 2 * HOUR).await.unwrap();
        for (who, tells) in [(order[1], true), (order[0], true), (order[1], false), (order[0], false)] {
            assert_eq!(who.sweep_logs(later).await.unwrap().unwrap().gone, 0);
            let told = who.log_trouble();
            assert_eq!(told.as_ref().is_some_and(|told| told.contains(&both)), tells, "{told:?}");
        }
        assert_eq!(order[0].log(&known).await.unwrap().as_deref(), Some("kept by one"));
        for (of, ledger) in [(&world, &l), (&other, &copy)] {
            assert_ne!(own(&of.at).await, both);
            let hash = ledger.keep_log("a", "again", "kept from now on", now()).await.unwrap();
            assert!(object(&folder, &of.at, &hash).await.exists());
            assert_eq!(wrong(ledger).await, Vec::<String>::new());
        }
        assert_ne!(own(&world.at).await, own(&other.at).await);
    }
}

async fn a_mark_whose_change_was_cut_off_is_the_ledgers_own(on: Engine) {
    let (world, l, folder) = with_folder(on).await;
    l.keep_log("a", "build", "kept before", now()).await.unwrap();
    let own_before = own(&world.at).await;
    let mark = folder.path().join("logs").join(&own_before).join("owner");
    // Somebody died right after the mark was put, or right before.
    for put in [true, false] {
        if put {
            fs::write(&mark, "the next one").unwrap();
        }
        let sql = "UPDATE identity SET next = 'the next one', marked_at = 1";
        sqlx::query(sql).execute(&mut world.at.raw().await).await.unwrap();
        assert_eq!(l.sweep_logs(now()).await.unwrap(), Some(Swept { found: 1, gone: 0 }));
        assert_eq!((own(&world.at).await, l.log_trouble()), (own_before.clone(), None));
        assert_ne!(fs::read_to_string(&mark).unwrap(), "the next one");
    }
}

async fn what_another_process_is_about_to_mark_is_left_to_it(on: Engine) {
    let (world, l, folder) = with_folder(on).await;
    l.keep_log("a", "build", "kept before", now()).await.unwrap();
    let mut raw = world.at.raw().await;
    // Its clock may go ahead of ours.
    for ahead in [-1_000, 300_000] {
        let sql = "UPDATE identity SET next = 'of another', marked_at = $1";
        sqlx::query(sql).bind(now() + ahead).execute(&mut raw).await.unwrap();
        assert_eq!(l.sweep_logs(now()).await.unwrap(), Some(Swept { found: 0, gone: 0 }), "{ahead}");
        let next: String = sqlx::query_scalar("SELECT next FROM identity").fetch_one(&mut raw).await.unwrap();
        assert_eq!(next, "of another");
    }
    // A copy was here too, and while this one finds that, another process begins to change the mark.
    if let Engine::Sqlite = on {
        let own_before = own(&world.at).await;
        let mark = folder.path().join("logs").join(&own_before).join("owner");
        fs::write(&mark, "of a copy").unwrap();
        sqlx::query("UPDATE identity SET next = '', marked_at = 1").execute(&mut raw).await.unwrap();
        let sql = "CREATE TRIGGER another AFTER UPDATE OF next ON identity WHEN NEW.next <> 'of another'
                   BEGIN UPDATE identity SET next = 'of another'; END";
        sqlx::query(sql).execute(&mut raw).await.unwrap();
        let later = now() + 2 * DAY;
        let orphan = object(&folder, &world.at, &"ab".repeat(32)).await;
        fs::create_dir_all(orphan.parent().unwrap()).unwrap();
        fs::write(&orphan, "of the copy").unwrap();
        assert_eq!(l.sweep_logs(later).await.unwrap(), Some(Swept { found: 0, gone: 0 }));
        assert!(orphan.exists() && own(&world.at).await == own_before);
    }
}

async fn a_folder_is_swept_only_where_it_was_marked_before(on: Engine) {
    let (world, l, folder) = with_folder(on).await;
    let orphan = object(&folder, &world.at, &"ab".repeat(32)).await;
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, "of a ledger that this one was copied from").unwrap();
    let later = now() + 2 * DAY;
    assert_eq!(l.sweep_logs(later).await.unwrap(), Some(Swept { found: 0, gone: 0 }));
    assert_eq!(l.sweep_logs(later).await.unwrap(), Some(Swept { found: 1, gone: 1 }));
}

async fn what_is_missing_or_damaged_is_no_log(on: Engine) {
    let (world, l, folder) = with_folder(on).await;
    let mut hashes = Vec::new();
    for name in ["cut", "other", "missing"] {
        hashes.push(l.keep_log("a", name, &format!("log {name}"), now()).await.unwrap());
    }
    let whole = fs::read(object(&folder, &world.at, &hashes[0]).await).unwrap();
    fs::write(object(&folder, &world.at, &hashes[0]).await, &whole[..whole.len() / 2]).unwrap();
    fs::write(object(&folder, &world.at, &hashes[1]).await, &whole).unwrap();
    fs::remove_file(object(&folder, &world.at, &hashes[2]).await).unwrap();
    for hash in &hashes[..2] {
        assert!(matches!(l.log(hash).await, Err(LedgerError::Corrupt { .. })));
    }
    assert!(matches!(l.log(&hashes[2]).await, Err(LedgerError::LogStore { .. })));
    let problems = wrong(&l).await;
    assert_eq!(problems.len(), 3, "{problems:?}");
    for (hash, says) in
        hashes.iter().zip(["is not what its name says", "is not what", "is not there any more"])
    {
        assert!(problems.iter().any(|p| p.contains(hash) && p.contains(says)), "{problems:?}");
    }
    // What was cut or lost is made whole where it is met again.
    for name in ["cut", "missing"] {
        l.keep_log("b", name, &format!("log {name}"), now()).await.unwrap();
    }
    assert_eq!(wrong(&l).await.len(), 1);
}

async fn a_store_that_fails_is_told_once_and_holds_nothing_up(on: Engine) {
    let (_world, l, folder) = with_folder(on).await;
    let logs = folder.path().join("logs");
    fs::remove_dir(&logs).unwrap();
    fs::write(&logs, "a file in its place").unwrap();
    for n in 0..3 {
        let refused = l.keep_log("a", "build", &format!("log {n}"), now()).await.unwrap_err();
        assert!(matches!(refused, LedgerError::LogStore { .. }), "{refused}");
    }
    let told = l.log_trouble().unwrap();
    assert!(told.contains(&logs.display().to_string()), "{told}");
    assert_eq!((l.log_trouble(), l.logs_of("a").await.unwrap().len()), (None, 0));
    // The rest of the ledger is as ever.
    l.pause("w", "ann", "x", 1).await.unwrap();
}

#[test]
fn an_address_that_is_none_is_refused_and_shows_no_secret() {
    for address in [
        "",
        "logs",
        "http://h/b",
        "file://logs",
        "s3://",
        "s3://AKID:hunter2@bucket/x",
        "az://c/x?sig=hunter2",
        "memory://x",
    ] {
        let refused = LogStore::at(address, &BTreeMap::new()).unwrap_err();
        assert!(matches!(refused, LedgerError::LogStore { .. }) && !refused.to_string().contains("hunter2"));
    }
}

/// Objects by path, and whether it answers as it should.
#[derive(Clone, Default)]
struct S3 {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    failing: Arc<Mutex<bool>>,
}

async fn s3(State(s3): State<S3>, request: Request) -> Response<Body> {
    let answer = |status: StatusCode, body: Bytes| {
        let length = body.len();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert("last-modified", "Wed, 01 Jan 2020 00:00:00 GMT".parse().unwrap());
        headers.insert("etag", "\"1\"".parse().unwrap());
        headers.insert("content-length", length.into());
        response
    };
    let nothing = Bytes::new;
    if *s3.failing.lock().unwrap() {
        return answer(StatusCode::INTERNAL_SERVER_ERROR, nothing());
    }
    let signed = |headers: &HeaderMap| {
        let by = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        by.starts_with("AWS4-HMAC-SHA256 Credential=AKID/")
    };
    let (parts, body) = request.into_parts();
    if !signed(&parts.headers) {
        return answer(StatusCode::FORBIDDEN, nothing());
    }
    let path = parts.uri.path().to_owned();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    let mut objects = s3.objects.lock().unwrap();
    match (parts.method, parts.uri.query()) {
        (Method::GET, Some(query)) if query.contains("list-type=2") => {
            answer(StatusCode::OK, listing(&objects, query).into())
        }
        (Method::PUT, _) => {
            objects.insert(path, body);
            answer(StatusCode::OK, nothing())
        }
        (Method::GET | Method::HEAD, _) => match objects.get(&path) {
            Some(body) => answer(StatusCode::OK, body.clone()),
            None => answer(StatusCode::NOT_FOUND, nothing()),
        },
        (Method::DELETE, _) => {
            objects.remove(&path);
            answer(StatusCode::NO_CONTENT, nothing())
        }
        other => panic!("it is not asked for {other:?}"),
    }
}

/// What lies below a prefix, folders folded: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.
fn listing(objects: &BTreeMap<String, Bytes>, query: &str) -> String {
    let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).unwrap().replace("%2F", "/");
    let (mut folders, mut files) = (Vec::new(), String::new());
    for (path, body) in objects {
        let key = path.strip_prefix("/bucket/").unwrap();
        let Some(rest) = key.strip_prefix(&prefix) else { continue };
        match rest.split_once('/') {
            Some((folder, _)) => folders.push(format!("{prefix}{folder}/")),
            None => {
                files += &format!(
                    "<Contents><Key>{key}</Key><Size>{}</Size><ETag>1</ETag>\
                     <LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>",
                    body.len()
                );
            }
        }
    }
    folders.dedup();
    let folders: String =
        folders.iter().map(|f| format!("<CommonPrefixes><Prefix>{f}</Prefix></CommonPrefixes>")).collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{files}{folders}</ListBucketResult>")
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_kept_in_what_speaks_s3() {
    let s3_of = S3::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(s3).with_state(s3_of.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let mut variables: BTreeMap<String, String> = [
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2hunter2"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ENDPOINT", endpoint.as_str()),
        ("PATH", "/bin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let world = World::new(Engine::Sqlite).await;
    let at = |variables: &BTreeMap<String, String>| {
        let store = LogStore::at("s3://bucket/regreen/logs", variables).unwrap();
        world.ledger.clone().with_log_store(Arc::new(store))
    };
    // Nothing goes in the clear that nobody has allowed to.
    let refused = at(&variables).keep_log("a", "build", "x", now()).await.unwrap_err().to_string();
    assert!(refused.contains("in the clear") && !refused.contains("hunter2"), "{refused}");
    variables.insert("AWS_ALLOW_HTTP".to_owned(), "true".to_owned());
    let l = at(&variables);
    let text = "npm error network\n".repeat(10_000);
    let hash = l.keep_log("a", "build", &text, now()).await.unwrap();
    let own = own(&world.at).await;
    let name = format!("/bucket/regreen/logs/{own}/{}/{hash}.gz", &hash[..2]);
    let is_log = |key: &&String| key.ends_with(".gz");
    assert_eq!(s3_of.objects.lock().unwrap().keys().filter(is_log).collect::<Vec<_>>(), [&name]);
    assert_eq!(l.log(&hash).await.unwrap(), Some(text.clone()));
    assert!(l.check(None).await.unwrap().is_sound());
    assert_eq!(l.sweep_logs(now()).await.unwrap(), Some(Swept { found: 1, gone: 0 }));
    let orphan = format!("/bucket/regreen/logs/{own}/cd/{}.gz", "cd".repeat(32));
    s3_of.objects.lock().unwrap().insert(orphan, Bytes::from_static(b"half"));
    assert_eq!(l.sweep_logs(now()).await.unwrap(), Some(Swept { found: 2, gone: 1 }));
    s3_of.objects.lock().unwrap().clear();
    assert!(matches!(l.log(&hash).await, Err(LedgerError::LogStore { .. })));
    assert_eq!(l.keep_log("b", "build", &text, now()).await.unwrap(), hash, "it is there again");
    assert_eq!(l.log(&hash).await.unwrap(), Some(text));
    *s3_of.failing.lock().unwrap() = true;
    let begun = std::time::Instant::now();
    let failed = l.keep_log("a", "other", "y", now()).await.unwrap_err().to_string();
    assert!(failed.contains("500") && !failed.contains("hunter2"), "{failed}");
    assert!(begun.elapsed() < Duration::from_secs(25) && l.log_trouble().is_some());
}
