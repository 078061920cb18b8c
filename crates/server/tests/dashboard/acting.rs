//! What a person does by the dashboard's forms: by whom, from where, on what, and what is said then.

use regreen_domain::Outcome;
use regreen_ledger::{BreakerPolicy, Closing, State};
use regreen_server::access::{Network, Proxy, Role, proxy_header};

use super::{
    World,
    news::{answer, post},
    now,
    seed::{self, OWNER},
};

const THERE: &str = "Host: regreen.example\r\n";
const OWN: &str = "Host: regreen.example\r\nOrigin: https://regreen.example\r\n";

/// Somebody's browser.
struct Browser<'w> {
    world: &'w World,
    cookie: String,
    /// What its forms carry.
    form: String,
}

impl Browser<'_> {
    async fn signed_in<'w>(world: &'w World, name: &str, role: Role) -> Browser<'w> {
        let token = world.token(name, role).await;
        let signed = post(world, "/sign-in", OWN, &format!("token={token}")).await;
        let cookie = signed.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
        let page = answer(world, "/pause", &format!("{THERE}{cookie}")).await;
        let form = hidden(&page, "form").unwrap_or_default();
        Browser { world, cookie, form }
    }

    async fn get(&self, path: &str) -> String {
        answer(self.world, path, &format!("{THERE}{}", self.cookie)).await
    }

    async fn post(&self, path: &str, fields: &str) -> String {
        let form = format!("form={}&{fields}", self.form);
        post(self.world, path, &format!("{OWN}{}", self.cookie), &form).await
    }

    /// The same, from the incident's page as it is now.
    async fn press(&self, id: &str, what: &str, fields: &str) -> String {
        let seen = hidden(&self.get(&format!("/incidents/{id}")).await, "seen").unwrap_or_default();
        self.post(&format!("/incidents/{id}/{what}"), &format!("seen={seen}&{fields}")).await
    }

    /// What is said on the page that an answer leads to; once.
    async fn said(&self, led: &str) -> String {
        assert!(led.starts_with("HTTP/1.1 303"), "{led}");
        let header = |name: &str| led.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let (to, left) = (header("location: "), header("set-cookie: "));
        assert!(left.contains("HttpOnly; SameSite=Strict"), "{left}");
        let left = left.split(';').next().unwrap();
        let cookie = format!("{}; {left}\r\n", self.cookie.trim_end());
        // Who only brings a page up to date takes nothing away from whoever comes to it.
        let fetched = answer(self.world, to, &format!("{THERE}{cookie}Sec-Fetch-Dest: empty\r\n")).await;
        assert!(!fetched.contains("class=\"notice said\"") && !fetched.contains("set-cookie"), "{fetched}");
        let page = answer(self.world, to, &format!("{THERE}{cookie}")).await;
        assert!(page.contains("set-cookie: regreen_said=; Max-Age=0"), "{page}");
        let said = page.split("class=\"notice said\" role=\"status\">").nth(1).unwrap();
        said.split('<').next().unwrap().to_owned()
    }
}

/// The value of the first hidden field of this name.
fn hidden(page: &str, name: &str) -> Option<String> {
    let field = page.split(&format!("type=\"hidden\" name=\"{name}\" value=\"")).nth(1)?;
    Some(field.split('"').next()?.to_owned())
}

/// Every form, with fields that it takes.
fn forms(run: &str) -> Vec<(String, &'static str)> {
    let of = |what: &str| format!("/incidents/{run}/{what}");
    vec![
        (of("approve"), "seen=0"),
        (of("deny"), "seen=0&reason=no"),
        (of("rollback"), ""),
        (of("retry"), ""),
        (of("reopen"), "seen=0"),
        (of("feedback"), "class=test-failure"),
        ("/pause".to_owned(), "what=everything"),
        ("/unpause".to_owned(), "scope=repository%3Aocto-org%2Ffrozen"),
        ("/breakers/reset".to_owned(), "key=network-timeout%2Fnpm%2Facme%2Fdata-lake"),
        ("/patterns/suggested/licence-server-lic-example-refused".to_owned(), "name=ours"),
        ("/patterns/ours/take-back".to_owned(), ""),
    ]
}

/// A world in which something waits, something is under way at a CI host, a breaker is open and a repository is paused.
async fn busy() -> (World, String) {
    let world = World::new().await;
    seed::fill(&world.ledger, 0, now()).await;
    seed::waits(&world.ledger, "waits", now()).await;
    let run = seed::under_way(&world.ledger, 41, now()).await;
    world.ledger.pause("repository:octo-org/frozen", "root", "release", now()).await.unwrap();
    (world, run)
}

#[tokio::test]
async fn who_may_only_look_is_shown_no_button_and_told_why() {
    let (world, run) = busy().await;
    let viewer = Browser::signed_in(&world, "vic", Role::Viewer).await;
    assert_eq!(viewer.form, "", "nothing to act with");
    let head = world.ledger.audit_head().await.unwrap();
    let here = "Host: localhost:8787\r\nOrigin: http://localhost:8787\r\n";
    for path in ["/", "/services", "/incidents/waits", &format!("/incidents/{run}"), "/playbooks"] {
        for page in [viewer.get(path).await, answer(&world, path, here).await] {
            assert!(page.starts_with("HTTP/1.1 200"), "{path}: {page}");
            assert!(!page.contains("method=\"post\"") && !page.contains("href=\"/pause\""), "{path}: {page}");
        }
    }
    assert!(viewer.get("/incidents/waits").await.contains("You may look, not act"));
    assert!(answer(&world, "/incidents/waits", here).await.contains("/sign-in?then=%2Fincidents%2Fwaits"));
    for (path, fields) in forms(&run) {
        let refused = viewer.post(&path, fields).await;
        assert!(refused.starts_with("HTTP/1.1 403"), "{path}: {refused}");
        assert!(refused.contains("token:vic, with the role viewer"), "{path}: {refused}");
        assert!(refused.contains("<code>regreen token create --role operator</code>"), "{path}: {refused}");
        let present = post(&world, &path, here, fields).await;
        assert!(
            present.starts_with("HTTP/1.1 401") && present.contains("Sign in to act"),
            "{path}: {present}"
        );
    }
    for path in ["/pause", "/unpause?scope=repository%3Aocto-org%2Ffrozen"] {
        let refused = viewer.get(path).await;
        assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("You may look"), "{path}: {refused}");
        assert!(answer(&world, path, here).await.starts_with("HTTP/1.1 401"), "{path}");
    }
    assert_eq!(world.ledger.audit_head().await.unwrap(), head, "nothing was done");
}

#[tokio::test]
async fn who_may_not_act_is_told_what_ends_each_pause() {
    let world = World::new().await;
    let pauses = [
        ("fleet", "regreen unpause --fleet"),
        ("host:gitlab", "regreen unpause --fleet --host gitlab"),
        ("repository:octo/shop", "regreen unpause --fleet --repository octo/shop"),
        ("repository:github:octo/shop", "regreen unpause --fleet --host github --repository octo/shop"),
    ];
    for (scope, _) in pauses {
        world.ledger.pause(scope, "root", "release", now()).await.unwrap();
    }
    let here = "Host: localhost:8787\r\n";
    let page = answer(&world, "/", here).await;
    for (scope, command) in pauses {
        let code = format!("<code>{command}</code> ends it");
        assert_eq!(page.matches(&code).count(), 1, "{scope}: {page}");
    }
}

#[tokio::test]
async fn a_form_counts_from_a_page_of_the_very_session_alone() {
    let (world, run) = busy().await;
    let ann = Browser::signed_in(&world, "ann", Role::Operator).await;
    let bob = Browser::signed_in(&world, "bob", Role::Admin).await;
    assert!(ann.form.len() == 64 && ann.form != bob.form && !ann.cookie.contains(&ann.form));
    let token = world.token("prog", Role::Operator).await;
    let head = world.ledger.audit_head().await.unwrap();
    for (path, fields) in forms(&run) {
        let right = format!("form={}&{fields}", ann.form);
        let own = format!("{OWN}{}", ann.cookie);
        let no_form = fields.to_owned();
        let (wrong, others) = (format!("form=00&{fields}"), format!("form={}&{fields}", bob.form));
        for body in [no_form, wrong, others] {
            let refused = post(&world, &path, &own, &body).await;
            assert!(refused.starts_with("HTTP/1.1 403"), "{path} {body}: {refused}");
            assert!(refused.contains("That form is not of your session"), "{path} {body}: {refused}");
        }
        let cross = "Sec-Fetch-Site: cross-site\r\nOrigin: https://regreen.example\r\n";
        for from in ["", "Origin: https://evil.example\r\n", "Origin: null\r\n", cross] {
            let refused = post(&world, &path, &format!("{THERE}{from}{}", ann.cookie), &right).await;
            assert!(refused.starts_with("HTTP/1.1 403"), "{path} {from}: {refused}");
            assert!(refused.contains("That was not done"), "{path} {from}: {refused}");
        }
        // A program acts over the API, and not by forms.
        let program = format!("{OWN}Authorization: Bearer {token}\r\n");
        let refused = post(&world, &path, &program, &right).await;
        assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("/api/v1"), "{path}: {refused}");
    }
    assert_eq!(world.ledger.audit_head().await.unwrap(), head, "nothing was done");
}

#[tokio::test]
async fn what_an_operator_presses_is_done_said_once_and_on_record_with_their_name() {
    let (world, run) = busy().await;
    let ann = Browser::signed_in(&world, "ann", Role::Operator).await;
    let said = ann.said(&ann.press("waits", "approve", "").await).await;
    assert!(said.starts_with("Approved. The next “regreen run”"), "{said}");
    let incident = world.ledger.incident("waits").await.unwrap().unwrap();
    assert_eq!((incident.state, incident.approval.unwrap().actor.as_str()), (State::Approved, "token:ann"));
    let said = ann.said(&ann.press("waits", "deny", "reason=not+on+a+Friday").await).await;
    assert_eq!(said, "Denied. It is left alone.");
    let word = world.ledger.incident("waits").await.unwrap().unwrap().approval.unwrap();
    assert_eq!((word.granted, word.reason.as_deref()), (false, Some("not on a Friday")));
    let said = ann.said(&ann.press("waits", "feedback", "class=test-failure&note=a+flaky+one").await).await;
    assert!(said.starts_with("Noted."), "{said}");
    let label = &world.ledger.feedback_of("waits").await.unwrap()[0];
    assert_eq!((label.class.as_str(), label.note.as_deref()), ("test-failure", Some("a flaky one")));
    for (what, says) in [("rollback", "Asked for."), ("retry", "It is on the list of work")] {
        let said = ann.said(&ann.press(&run, what, "").await).await;
        assert!(said.starts_with(says), "{said}");
    }
    for (path, fields, says) in [
        ("/pause", "what=everything&host=&reason=drill", "Paused."),
        ("/pause", "what=everything&host=", "It was paused already"),
        ("/pause", "what=repository&repository=Octo-Org%2FShop&host=gitlab", "Paused."),
        ("/unpause", "scope=fleet", "That pause has ended."),
        ("/unpause", "scope=fleet", "Nothing was paused there"),
        ("/breakers/reset", "key=network-timeout%2Fnpm%2Facme%2Fdata-lake", "The breaker is closed."),
        ("/breakers/reset", "key=network-timeout%2Fnpm%2Facme%2Fdata-lake", "The breaker was closed already"),
    ] {
        let paused = ann.get("/").await.contains("on for everything.");
        // A form is of the pause, and of the breaker, that is seen.
        let page = if path == "/unpause" { "/unpause?scope=fleet" } else { "/services" };
        let at = hidden(&ann.get(page).await, "at").unwrap_or_default();
        let stands = matches!(says, "That pause has ended." | "The breaker is closed.");
        for late in ["", "&at=1"].iter().filter(|_| stands) {
            let refused = ann.post(path, &format!("{fields}{late}")).await;
            assert!(refused.starts_with("HTTP/1.1 409"), "{path} {fields}{late}: {refused}");
            let back = if path == "/unpause" { "To what happens now" } else { "To the services" };
            assert!(refused.contains(back), "{path}: {refused}");
        }
        let said = ann.said(&ann.post(path, &format!("{fields}&at={at}")).await).await;
        assert!(said.starts_with(says), "{path} {fields}: {said}");
        // What was done is on the very next page, whatever is kept for how long.
        let now_paused = ann.get("/").await.contains("on for everything.");
        match says {
            "Paused." if !fields.contains("repository") => assert!(!paused && now_paused, "{fields}"),
            "That pause has ended." => assert!(paused && !now_paused),
            _ => assert_eq!(paused, now_paused),
        }
    }
    let scopes: Vec<String> =
        world.ledger.pauses(9).await.unwrap().into_iter().map(|pause| pause.scope).collect();
    assert!(scopes.contains(&"repository:gitlab:octo-org/shop".to_owned()), "{scopes:?}");
    let policy = BreakerPolicy { threshold: 3, cooldown_ms: 1_800_000, probe_ms: 1_800_000 };
    assert_eq!(world.ledger.breakers(policy, now()).await.unwrap()[0].failures, 0);
    let entries = world.ledger.audit(0, 1_000).await.unwrap();
    let by_ann = entries.iter().filter(|entry| entry.body.contains("token:ann")).count();
    assert_eq!(by_ann, 9, "each of them, and none twice");
    assert!(world.ledger.audit_verify(None).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_draft_is_completed_accepted_and_taken_back_and_what_was_typed_is_not_lost() {
    let (world, _) = busy().await;
    seed::unnamed(&world.ledger, now()).await;
    let ann = Browser::signed_in(&world, "ann", Role::Operator).await;
    let list = ann.get("/patterns/suggested").await;
    let to = list.split("href=\"").find(|one| one.starts_with("/patterns/suggested/")).unwrap();
    let to = to.split('"').next().unwrap();
    let page = ann.get(to).await;
    let line = hidden(&page, "line").unwrap();
    let line = line
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&");
    let fields = |line: &str, title: &str, name: &str| {
        let mut fields = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("line", line),
            ("name", name),
            ("title", title),
            ("class", "service-unavailable"),
            ("explain", "All seats are taken. <script>alert(1)</script>"),
            ("fix", "Ask for more."),
            ("elsewhere", "A test prints it."),
        ] {
            fields.append_pair(name, value);
        }
        fields.finish()
    };
    // What is wrong is said, and the rest of what was typed stands there again.
    for (title, name, wrong) in [
        ("no seat", "npm-connection-lost", "is taken by a pattern"),
        ("", "no-seat", "still stands"),
        ("no seat", "No Seat", ""),
    ] {
        let refused = ann.post(to, &fields(&line, title, name)).await;
        assert!(refused.starts_with("HTTP/1.1 422"), "{name}: {refused}");
        assert!(refused.contains("It is not accepted yet") && refused.contains(wrong), "{name}: {refused}");
        assert!(
            refused.contains("All seats are taken. &#60;script&#62;") && refused.contains("Ask for more."),
            "{refused}"
        );
    }
    for (line, class) in [("something else", "service-unavailable"), (line.as_str(), "no-such")] {
        let refused =
            ann.post(to, &fields(line, "no seat", "no-seat").replace("service-unavailable", class)).await;
        assert!(refused.starts_with("HTTP/1.1 4"), "{refused}");
    }
    assert_eq!(world.ledger.accepted_patterns().await.unwrap(), []);
    let said = ann.said(&ann.post(to, &fields(&line, "no seat is free", "no-seat")).await).await;
    assert!(said.starts_with("Accepted."), "{said}");
    let accepted = world.ledger.accepted_patterns().await.unwrap();
    assert_eq!((accepted[0].name.as_str(), accepted[0].actor.as_str()), ("no-seat", "token:ann"));
    assert!(
        accepted[0].text.contains("unnamed-") && !accepted[0].text.contains("FILL IN"),
        "{}",
        accepted[0].text
    );
    // Its failures have a name now, so nothing is suggested for them.
    assert!(!ann.get("/patterns/suggested").await.contains(to));
    assert!(ann.post(to, &fields(&line, "no seat is free", "no-seat-2")).await.starts_with("HTTP/1.1 409"));
    let page = ann.get("/patterns/no-seat").await;
    for says in ["token:ann", "no seat is free", "/patterns/no-seat/take-back", "Its file"] {
        assert!(page.contains(says), "{says}: {page}");
    }
    assert!(ann.get("/patterns?q=no-seat").await.contains("accepted"));
    for says in ["Taken back.", "It was taken back already."] {
        let said = ann.said(&ann.post("/patterns/no-seat/take-back", "").await).await;
        assert!(said.starts_with(says), "{said}");
    }
    assert!(ann.get("/patterns/no-seat").await.starts_with("HTTP/1.1 404"));
    assert!(ann.get("/patterns/suggested").await.contains(to), "it is suggested again");
    assert!(ann.get("/patterns/suggested/nothing").await.starts_with("HTTP/1.1 404"));
    assert!(world.ledger.audit_verify(None).await.unwrap().is_sound());
}

#[tokio::test]
async fn what_was_left_undone_is_opened_again_by_whoever_sees_it_so() {
    let (world, run) = busy().await;
    let ann = Browser::signed_in(&world, "ann", Role::Operator).await;
    let page = format!("/incidents/{run}");
    assert!(!ann.get(&page).await.contains("Open it again"), "it is under way");
    world.ledger.close(&run, OWNER, &Closing::new(Outcome::Suggested), now()).await.unwrap();
    let seen = hidden(&ann.get(&page).await, "seen").unwrap();
    assert!(ann.get(&page).await.contains(&format!("action=\"{page}/reopen\"")));
    let said =
        ann.said(&ann.post(&format!("{page}/reopen"), &format!("seen={seen}&reason=look")).await).await;
    assert!(said.starts_with("Opened again."), "{said}");
    let incident = world.ledger.incident(&run).await.unwrap().unwrap();
    assert_eq!((incident.state, incident.decision, incident.outcome), (State::Open, None, None));
    let audit = world.ledger.audit_of(&run).await.unwrap();
    let opened = audit.iter().find(|entry| entry.kind == "incident-reopened").unwrap();
    assert!(opened.body.contains("token:ann") && opened.body.contains("look"), "{}", opened.body);
    // Who has seen it otherwise has not opened it.
    world.ledger.close(&run, OWNER, &Closing::new(Outcome::LeftAlone), now()).await.unwrap();
    let late = ann.post(&format!("{page}/reopen"), &format!("seen={seen}")).await;
    assert!(late.starts_with("HTTP/1.1 409"), "{late}");
}

#[tokio::test]
async fn what_was_decided_meanwhile_stays_and_the_reader_is_told_how_it_stands() {
    let (world, run) = busy().await;
    let ann = Browser::signed_in(&world, "ann", Role::Operator).await;
    let bob = Browser::signed_in(&world, "bob", Role::Operator).await;
    let seen = hidden(&bob.get("/incidents/waits").await, "seen").unwrap();
    let late = format!("seen={seen}");
    assert!(ann.press("waits", "deny", "").await.starts_with("HTTP/1.1 303"));
    // Who presses twice has pressed once.
    assert!(ann.post("/incidents/waits/deny", &late).await.starts_with("HTTP/1.1 303"));
    for what in ["approve", "deny"] {
        let refused = bob.post(&format!("/incidents/waits/{what}"), &late).await;
        assert!(refused.starts_with("HTTP/1.1 409"), "{what}: {refused}");
        assert!(refused.contains("token:ann denied it, just now"), "{what}: {refused}");
        assert!(refused.contains("href=\"/incidents/waits\""), "{what}: {refused}");
    }
    let word = world.ledger.incident("waits").await.unwrap().unwrap().approval.unwrap();
    assert_eq!((word.granted, word.actor.as_str()), (false, "token:ann"));
    let head = world.ledger.audit_head().await.unwrap();
    let long = format!("class=test-failure&note={}", "x".repeat(1001));
    let of = |what: &str| format!("/incidents/waits/{what}");
    for (path, fields, status) in [
        (of("rollback"), "", "409"),
        (of("retry"), "", "409"),
        (of("reopen"), "seen=0", "409"),
        (format!("/incidents/{run}/reopen"), "seen=0", "409"),
        (of("reopen"), "", "400"),
        (format!("/incidents/{run}/approve"), "", "409"),
        (of("feedback"), "class=no-such", "400"),
        (of("feedback"), "", "400"),
        (of("feedback"), &long, "400"),
        ("/incidents/nobody/approve".to_owned(), "", "404"),
        ("/incidents/nobody/feedback".to_owned(), "class=test-failure", "404"),
        ("/pause".to_owned(), "", "400"),
        ("/pause".to_owned(), "what=repository&repository=", "400"),
        ("/pause".to_owned(), "what=repository&repository=octo", "400"),
        ("/pause".to_owned(), "what=everything&repository=octo%2Fshop", "400"),
        ("/pause".to_owned(), "what=everything&host=gitea", "400"),
        ("/unpause".to_owned(), "scope=", "400"),
        ("/breakers/reset".to_owned(), "key=a%2Fb%2Fc", "404"),
    ] {
        let refused = ann.post(&path, fields).await;
        assert!(refused.starts_with(&format!("HTTP/1.1 {status}")), "{path} {fields}: {refused}");
        assert!(refused.contains("<h1>") && refused.contains("content-security-policy"), "{path} {fields}");
    }
    assert!(ann.get("/unpause?scope=fleet").await.starts_with("HTTP/1.1 409"));
    assert!(ann.get("/incidents/waits/approve").await.starts_with("HTTP/1.1 405"), "a look does nothing");
    assert_eq!(world.ledger.audit_head().await.unwrap(), head, "nothing was done");
}

#[tokio::test]
async fn who_has_signed_in_at_a_proxy_presses_in_their_own_name_alone() {
    let proxy = Proxy {
        user: proxy_header("X-User").unwrap(),
        groups: None,
        from: vec![Network::parse("127.0.0.1").unwrap()],
        by_group: Default::default(),
        by_user: [("ann".to_owned(), Role::Operator), ("bob".to_owned(), Role::Operator)].into(),
        otherwise: Some(Role::Viewer),
    };
    let world = World::with(|access| access.behind(proxy)).await;
    seed::waits(&world.ledger, "waits", now()).await;
    let by = |user: &str| format!("{OWN}X-User: {user}\r\n");
    let page = answer(&world, "/incidents/waits", &by("ann")).await;
    let cookie = page.lines().find_map(|line| line.strip_prefix("set-cookie: regreen_form=")).unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let cookie = format!("Cookie: regreen_form={}\r\n", cookie.split(';').next().unwrap());
    let (form, seen) = (hidden(&page, "form").unwrap(), hidden(&page, "seen").unwrap());
    let again = answer(&world, "/incidents/waits", &format!("{}{cookie}", by("ann"))).await;
    assert_eq!(hidden(&again, "form").as_ref(), Some(&form), "each page of the browser has the same");
    assert!(!again.contains("set-cookie") && !cookie.contains(&form));
    let yes = format!("form={form}&seen={seen}");
    let approve = async |head: String| post(&world, "/incidents/waits/approve", &head, &yes).await;
    for (head, want) in [
        (by("ann"), "That form is not of your session"),
        (format!("{}{cookie}", by("bob")), "That form is not of your session"),
        (format!("{}{cookie}", by("vic")), "proxy:vic, with the role viewer"),
        (format!("{THERE}X-User: ann\r\n{cookie}"), "That was not done"),
        (format!("{OWN}{cookie}"), "token"),
    ] {
        let refused = approve(head.clone()).await;
        assert!(refused.starts_with("HTTP/1.1 40") && refused.contains(want), "{head}: {refused}");
    }
    // Who may only look signs in with a token that may more, and then acts by that.
    let looks = answer(&world, "/incidents/waits", &by("vic")).await;
    assert!(!looks.contains("regreen_form") && looks.contains("/sign-in?then="), "{looks}");
    assert!(answer(&world, "/sign-in", &by("vic")).await.contains("name=\"token\""));
    let token = world.token("root", Role::Operator).await;
    let signed = post(&world, "/sign-in", &by("vic"), &format!("token={token}")).await;
    let session = signed.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let session = format!("{}Cookie: {}\r\n", by("vic"), session.split(';').next().unwrap());
    let mine = answer(&world, "/incidents/waits", &session).await;
    assert!(mine.contains("token:root") && hidden(&mine, "form").is_some(), "{mine}");
    // One that is over counts for nothing, and holds nobody up.
    let over = format!("{}Cookie: regreen_session=rgs_{}_{}\r\n", by("vic"), "0".repeat(16), "a".repeat(43));
    for _ in 0..25 {
        assert!(answer(&world, "/incidents/waits", &over).await.contains("proxy:vic"));
    }
    let alone = over.replace("X-User: vic\r\n", "");
    let led = answer(&world, "/incidents/waits", &alone).await;
    assert!(led.starts_with("HTTP/1.1 303") && led.contains("/sign-in"), "it was no guess: {led}");
    assert!(approve(format!("{}{cookie}", by("ann"))).await.starts_with("HTTP/1.1 303"));
    let word = world.ledger.incident("waits").await.unwrap().unwrap().approval.unwrap();
    assert_eq!((word.granted, word.actor.as_str()), (true, "proxy:ann"));
}
