//! What a page says about one incident: the log around its evidence, the whole of it, the patch, and from what it was decided.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use regreen_domain::PatternSource::{Accepted, BuiltIn, Operator, Repository};
use regreen_ledger::{AsIs, Ledger};
use regreen_saga::{Fact, Journal as _, StepEvent};
use regreen_server::{Settings, access::Access};
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};
use tokio::time::sleep;

use super::{
    World,
    full::{self, EVIDENCE},
    news::answer,
    now, seed,
};

const HERE: &str = "Host: localhost:8787\r\n";

/// The rows of the log on a page: number, text and role.
fn rows(page: &str) -> Vec<(u64, String, String)> {
    let table = page.split("<div class=\"log\"").nth(1).unwrap().split("</table>").next().unwrap();
    let cells = |row: &str| -> Option<(u64, String, String)> {
        let number = row.split("<td").nth(1)?.split('>').nth(1)?.split('<').next()?.parse().ok()?;
        let text = row.split("<td>").last()?.split("</td>").next()?;
        let role = text.split("class=\"role\">").nth(1).and_then(|role| role.split('<').next());
        let text = text.split("<span").next()?.replace("<mark>", "").replace("</mark>", "");
        Some((number, text, role.unwrap_or_default().to_owned()))
    };
    table.split("<tr").filter_map(cells).collect()
}

fn numbers(page: &str) -> Vec<u64> {
    rows(page).into_iter().map(|(number, ..)| number).collect()
}

#[tokio::test]
async fn evidence_stands_among_the_lines_around_it() {
    let world = World::new().await;
    full::everything(&world.ledger, "full", now()).await;
    let page = answer(&world, "/incidents/full", HERE).await;
    let want: Vec<u64> = (409..=418).chain(428..=434).collect();
    assert_eq!(numbers(&page), want);
    for (number, text, role) in rows(&page) {
        match EVIDENCE.iter().position(|(at, _)| *at == number) {
            Some(at) => {
                assert_eq!(
                    (text.as_str(), role.as_str()),
                    (EVIDENCE[at].1, if at == 0 { "the cause" } else { "followed from it" })
                );
            }
            None => assert_eq!(role, "", "{number}"),
        }
    }
    assert!(page.contains("line number 411 of the job") && !page.contains("2026-11-29T23"), "{page}");
    assert!(!page.contains("<img src=x") && !page.contains("<script>window"), "{page}");
    assert!(page.contains("class=\"gap\"") && page.contains("?from=409"), "{page}");
}

#[tokio::test]
async fn a_log_that_does_not_have_the_evidence_where_it_says_tells_nothing_about_it() {
    let world = World::new().await;
    full::everything(&world.ledger, "full", now()).await;
    let alone: Vec<u64> = EVIDENCE.iter().map(|(at, _)| *at).collect();
    let name = &world.ledger.logs_of("full").await.unwrap()[0].name;
    let moved = format!("one more line\n{}", full::log(1_000)).replace(EVIDENCE[2].1, "it went another way");
    let end: String = full::log(440).split_inclusive('\n').skip(400).collect();
    let twice = end.repeat(2);
    for text in [moved.as_str(), &twice, "", "nothing of that"] {
        world.ledger.keep_log("full", name, text, now()).await.unwrap();
        let page = answer(&world, "/incidents/full", HERE).await;
        assert_eq!(numbers(&page), alone);
        assert!(!page.contains("Read the log from here"));
    }
    // Of a long log the end is kept: the lines have their numbers all the same, by the one place in which all of them stand.
    let end: String = full::log(1_000).split_inclusive('\n').skip(300).collect();
    world.ledger.keep_log("full", name, &end, now()).await.unwrap();
    let page = answer(&world, "/incidents/full", HERE).await;
    assert_eq!(numbers(&page), (409..=418).chain(428..=434).collect::<Vec<_>>());
    let hash = &world.ledger.logs_of("full").await.unwrap()[0].hash;
    let log = answer(&world, &format!("/incidents/full/logs/{hash}?from=412"), HERE).await;
    assert_eq!(
        rows(&log)[0],
        (412, format!("2026-11-29T23:36:59.0000412Z {}", EVIDENCE[0].1), "the cause".to_owned())
    );
}

#[tokio::test]
async fn a_kept_log_is_read_page_by_page_and_by_way_of_its_incident_alone() {
    let world = World::new().await;
    full::everything(&world.ledger, "full", now()).await;
    seed::waits(&world.ledger, "other", now()).await;
    let logs = world.ledger.logs_of("full").await.unwrap();
    let hash = &logs.iter().find(|log| log.name.starts_with("build")).unwrap().hash;
    let of = |query: &str| format!("/incidents/full/logs/{hash}{query}");
    let listed = answer(&world, "/incidents/full", HERE).await;
    assert!(listed.contains(&format!("href=\"{}\"", of(""))) && listed.contains("A log is kept"), "{listed}");
    for (query, first, last, links) in [
        ("", 1, 400, "later end"),
        ("?from=401", 401, 800, "earlier later end"),
        ("?from=900", 900, 1_000, "earlier"),
        ("?from=5000", 1_000, 1_000, "earlier"),
        ("?from=0", 1, 400, "later end"),
    ] {
        let page = answer(&world, &of(query), HERE).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{query}: {page}");
        let seen = numbers(&page);
        assert_eq!((seen.first(), seen.last()), (Some(&first), Some(&last)), "{query}");
        for (name, rel) in [("earlier", "prev"), ("later", "next"), ("end", "last")] {
            assert_eq!(
                page.contains(&format!("rel=\"{rel}\"")),
                links.split(' ').any(|l| l == name),
                "{query} {rel}"
            );
        }
        assert!(!page.contains("<img src=x") && !page.contains("<script>window"), "{query}");
    }
    let evidence = answer(&world, &of("?from=401"), HERE).await;
    let marked: Vec<u64> =
        rows(&evidence).into_iter().filter(|(.., role)| !role.is_empty()).map(|(n, ..)| n).collect();
    assert_eq!(marked, EVIDENCE.map(|(at, _)| at));
    for (path, status) in [
        (of("?from=x"), "400"),
        (format!("/incidents/other/logs/{hash}"), "404"),
        (format!("/incidents/nobody/logs/{hash}"), "404"),
        (format!("/incidents/full/logs/{}", "0".repeat(64)), "404"),
    ] {
        let page = answer(&world, &path, HERE).await;
        assert!(page.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {page}");
    }
    let led = answer(&world, &of(""), "Host: regreen.example\r\n").await;
    assert!(
        led.starts_with("HTTP/1.1 303") && led.contains("/sign-in"),
        "whoever may not read is led away: {led}"
    );
}

#[tokio::test]
async fn a_patch_is_shown_with_its_lines_told_apart() {
    let world = World::new().await;
    full::everything(&world.ledger, "full", now()).await;
    let page = answer(&world, "/incidents/full", HERE).await;
    let patch = page.split("class=\"diff\"").nth(1).unwrap().split("</pre>").next().unwrap();
    assert!(patch.contains("<del>-  &#34;integrity&#34;: &#34;sha512-AAAA&#34;</del>"), "{patch}");
    assert!(patch.contains("<ins>+  &#34;line&#34;: 0</ins>") && !patch.contains("<img"), "{patch}");
    assert_eq!((patch.matches("<ins>").count(), patch.matches("<del>").count()), (155, 1));
    assert!(page.contains("45 more lines") && page.contains("one checksum repaired"), "{page}");
    // It is no log of a job's.
    assert!(page.contains("A log is kept"), "{page}");
    let hash = world.ledger.patch_of("full").await.unwrap().unwrap();
    let whole = answer(&world, &format!("/incidents/full/logs/{hash}"), HERE).await;
    assert_eq!(numbers(&whole).len(), 205);
}

#[tokio::test]
async fn why_it_was_decided_so_is_on_the_page() {
    let world = World::new().await;
    full::everything(&world.ledger, "full", now()).await;
    let page = answer(&world, "/incidents/full", HERE).await;
    let decided = page.split("id=\"p-decided\"").nth(1).unwrap().split("</section>").next().unwrap();
    for says in [
        "<dt>Mode</dt><dd>auto</dd>",
        "<dt>Confidence</dt><dd>0.97, and 0.85 is enough</dd>",
        "<dt>Attempts for this commit and job before</dt><dd>0 of 3</dd>",
        "<dt>Recoveries within the hour before</dt><dd>2 of 60</dd>",
        "<dt>Recoveries within the day before</dt><dd>0, no limit</dd>",
        "<dt>Denied</dt><dd>tool:pip</dd>",
        "confirms</span><strong>Lockfile checksum</strong>",
        "the registry’s own checksum is another one",
        "refutes</span><strong>Cache entries</strong>",
        "<code>repair-lockfile</code> <span class=\"chip\">chosen</span></th><td>11 of 12 healed</td><td class=\"num\">0.91</td>",
        "<code>clean-install</code></th><td>none yet</td>",
        "regreen incidents replay full",
    ] {
        assert!(decided.contains(says), "{says}\n{decided}");
    }
    assert!(!decided.contains("<img"), "{decided}");
}

/// What the page says of each thing that happened, as text: what, to which step, its details, and the record under it.
fn moments(page: &str) -> Vec<String> {
    let list = page.split("<ol class=\"time\">").nth(1).unwrap().split("</ol>").next().unwrap();
    let text = |did: &str| {
        let mut text = String::new();
        for part in did.replace("</", "|</").split('<').filter_map(|part| part.split_once('>')) {
            text.push_str(part.1);
        }
        text.split('|').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" | ")
    };
    let did = |item: &str| {
        Some(text(&format!("<{}", item.split("<div class=\"did\"").nth(1)?.split("</div>").next()?)))
    };
    list.split("<li").filter_map(did).collect()
}

#[tokio::test]
async fn each_step_is_told_with_what_was_there_before_and_after_and_how_it_was_taken_back() {
    let world = World::new().await;
    seed::begins(&world.ledger, "steps", now()).await;
    let mut journal = world.ledger.journal("steps", seed::OWNER, now);
    for event in [
        StepEvent::Applied { receipt: json!({ "said": "the jobs run again", "attempt": 2 }) },
        StepEvent::NotVerified { why: "build failed in `attempt 2`".to_owned() },
        StepEvent::UndoStarted,
        StepEvent::Undone { says: Some("attempt 2 is cancelled".to_owned()) },
    ] {
        journal.append(&Fact { step: "rerun".to_owned(), event }).await.unwrap();
    }
    let page = answer(&world, "/incidents/steps", HERE).await;
    let told = moments(&page);
    assert_eq!(
        told[2..],
        [
            "Looked, and kept what is there | rerun | Before | {\n  &#34;attempt&#34;: 1\n}",
            "Begun | rerun",
            "Done | rerun | the jobs run again | After | {\n  &#34;said&#34;: &#34;the jobs run again&#34;,\n  &#34;attempt&#34;: 2\n}",
            "Its effect is not there | rerun | build failed in attempt 2",
            "Taking it back | rerun",
            "Taken back | rerun | attempt 2 is cancelled",
        ],
        "{page}"
    );
    assert!(page.contains("<li class=\"undo\"><div class=\"did\"><strong>Taken back</strong>"), "{page}");
    // Whatever a step says is text.
    full::hostile_journal(&world.ledger, "hostile", now()).await;
    let page = answer(&world, "/incidents/hostile", HERE).await;
    let told = moments(&page).join("\n");
    for says in [
        "&#60;b&#62;quarantine | Before | {\n  &#34;&#60;/script&#62;&#60;script&#62;window.pwned=1&#60;/script&#62;&#34;: &#34;\\&#34;&#62;&#60;img src=x",
        "Could not be taken back",
        "Left out | tool | &#34;&#62;&#60;img src=x",
    ] {
        assert!(told.contains(says), "{says}\n{told}");
    }
    assert!(
        !page.contains("<img src=x") && !page.contains("<script>window") && !page.contains("<b>quarantine")
    );
}

/// The settings page, once it says this.
async fn settings_saying(world: &World, what: &str) -> String {
    let begun = Instant::now();
    loop {
        let page = answer(world, "/settings", HERE).await;
        if page.contains(what) {
            return page;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: {page}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_whole_chain_is_checked_and_what_is_written_then_too() {
    let world = World::new().await;
    settings_saying(&world, "The whole chain was checked").await;
    seed::fill(&world.ledger, 200, now()).await;
    let (entries, head) = (world.ledger.audit_seq().await.unwrap(), world.ledger.audit_head().await.unwrap());
    assert!(entries > 1_000, "several pages of it: {entries}");
    let says = format!("{}\u{202f}{:03} entries, head <code>{head}</code>", entries / 1_000, entries % 1_000);
    let page = settings_saying(&world, &says).await;
    assert!(page.contains("badge good") && !page.contains("breaks at entry"), "{page}");
}

#[tokio::test]
async fn where_the_chain_breaks_is_said_wherever_one_looks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path, Arc::new(AsIs)).await.unwrap();
    seed::fill(&ledger, 60, now()).await;
    let mut db = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let changed = "UPDATE audit SET body = replace(body, '}', ' }') WHERE seq = 7";
    assert_eq!(sqlx::query(changed).execute(&mut db).await.unwrap().rows_affected(), 1);
    let world = World::over(folder, ledger, Access::reading_here, Settings::PATIENCE).await;
    // Far from the entries that are shown, which hold by themselves.
    let page =
        settings_saying(&world, "The chain breaks at entry 7: it was changed after it was written.").await;
    assert!(page.contains("the 6 entries before it hold"), "{page}");
    assert!(page.contains("entries below have the hashes of what they say"), "{page}");
}

#[tokio::test]
async fn who_comes_while_figures_are_counted_is_told_so_and_sees_them_then() {
    let world = World::empty().await;
    seed::fill(&world.ledger, 20, now()).await;
    let first = answer(&world, "/trends?days=7", HERE).await;
    assert!(first.starts_with("HTTP/1.1 200") && first.contains("refresh: 1"), "{first}");
    assert!(
        first.contains("aria-busy=\"true\"") && first.contains("The last 7 days are being counted"),
        "{first}"
    );
    let begun = Instant::now();
    while !answer(&world, "/trends?days=7", HERE).await.contains("Incidents in 7 days") {
        assert!(begun.elapsed() < Duration::from_secs(20), "they are counted to their end");
        sleep(Duration::from_millis(10)).await;
    }
    let there = answer(&world, "/trends?days=7", HERE).await;
    assert!(!there.contains("refresh: ") && !there.contains("aria-busy"), "{there}");
}

const NO_SEAT: &str = r#"id = "no-seat"
class = "service-unavailable"
title = "the licence server has no seat"
since = "0.1.0"
status = "stable"
strength = "cause"
explain = "All seats are taken."
fix = "Ask for more seats."

[match]
line = '^licence server [a-z0-9.-]+ refused the seat: pool [a-z]+ is empty$'

[[example]]
name = "no seat"
origin = "recorded: lic 3, all seats taken"
log = "licence server lic-7.example refused the seat: pool nightly is empty"
expect = { line = 1 }
"#;

#[tokio::test]
async fn an_incident_tells_of_the_pattern_that_named_it_and_of_no_namesake() {
    let world = World::new().await;
    let at = now() - 600_000;
    world.ledger.accept_pattern("no-seat", NO_SEAT, "ann", at).await.unwrap();
    let title = full::hostile_catalog().pattern("npm-connection-lost").unwrap().title.clone();
    let built_in = ("npm-connection-lost", title.as_str());
    let accepted = ("no-seat", "the licence server has no seat");
    for (n, ((pattern, title), source, opened, whose, is_it)) in [
        (built_in, Some(BuiltIn), at, "", true),
        (built_in, None, at, "", true),
        (built_in, Some(Repository), at, ", one of the repository’s own,", false),
        (built_in, Some(Operator), at, ", one of the operator’s,", false),
        (built_in, Some(Accepted), at + 5, ", one that a person accepted,", false),
        (accepted, Some(Accepted), at + 5, ", one that a person accepted,", true),
        (accepted, Some(Accepted), at - 5, ", one that a person accepted,", false),
        (accepted, Some(Repository), at + 5, ", one of the repository’s own,", false),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("named-{n}");
        seed::named(&world.ledger, &id, pattern, source, opened).await;
        let page = answer(&world, &format!("/incidents/{id}"), HERE).await;
        let to = match is_it {
            true => format!("/patterns/{pattern}"),
            false => format!("/incidents?pattern={pattern}"),
        };
        let says = format!("The pattern that decided{whose} is <a href=\"{to}\"><code>{pattern}</code></a>");
        assert!(page.contains(&says), "{says}: {page}");
        let sentence = page.split(&says).nth(1).unwrap().split("</p>").next().unwrap();
        let other = "What is known by that name now is another one.";
        assert_eq!((sentence.contains(title), sentence.contains(other)), (is_it, !is_it), "{n}: {sentence}");
        assert_eq!(page.contains("What a person can do"), is_it, "{n}: {page}");
    }
}
