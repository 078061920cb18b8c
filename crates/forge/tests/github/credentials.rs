//! As whom is asked: a token, nobody, an app.

use std::{process::Command, time::Duration};

use regreen_forge::{Credential, Forge, ForgeError, GitHub};
use regreen_lab::forge;

use crate::{NAME, marker, options, repository, run_ref, stage};

/// A private key made for this test, as GitHub gives them (PKCS#1) or as other tools write them (PKCS#8).
pub fn key(traditional: bool) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(["genrsa"]).args(traditional.then_some("-traditional")).arg("2048");
    let made = openssl.output().unwrap();
    String::from_utf8(made.stdout).unwrap()
}

fn app(host: &forge::GitHub, pem: &str) -> GitHub {
    host.world().app_only = true;
    GitHub::new(&host.url(), Credential::app("12345", pem).unwrap(), options()).unwrap()
}

#[tokio::test]
async fn an_app_asks_as_its_installation_and_gets_a_new_token_in_time() {
    let (host, _) = stage();
    let client = app(&host, &key(true));
    let (run, _) = host.world().add_failed(NAME, b"");
    client.run(&run_ref(run)).await.unwrap();
    client.run(&run_ref(run)).await.unwrap();
    let asked = |method: &str, path: &str| host.world().count(method, path);
    assert_eq!(asked("GET", "/installation"), 1);
    assert_eq!(asked("POST", "/access_tokens"), 1);
    assert_eq!(client.actor().await.unwrap().login, "regreen[bot]");
    let issue = regreen_forge::IssueText {
        marker: marker("incident/0001"),
        title: "t".to_owned(),
        body: "b".to_owned(),
        labels: Vec::new(),
    };
    let made = client.create_issue(&repository(), &issue).await.unwrap();
    assert_eq!(
        client.find_issue(&repository(), &issue.marker).await.unwrap().map(|i| i.number),
        Some(made.number)
    );
    assert_eq!(host.world().count("POST", "/access_tokens"), 1);

    // One that is good for four minutes only is not used past now.
    let client = app(&host, &key(false));
    host.world().token_life = Duration::from_secs(240);
    client.run(&run_ref(run)).await.unwrap();
    let before = host.world().installation_tokens.len();
    client.run(&run_ref(run)).await.unwrap();
    assert!(host.world().installation_tokens.len() > before);
}

#[tokio::test]
async fn a_token_that_the_host_took_back_is_replaced_the_next_time() {
    let (host, _) = stage();
    let client = app(&host, &key(true));
    let (run, _) = host.world().add_failed(NAME, b"");
    client.run(&run_ref(run)).await.unwrap();
    host.world().installation_tokens.clear();
    assert!(matches!(client.run(&run_ref(run)).await, Err(ForgeError::Denied { .. })));
    client.run(&run_ref(run)).await.unwrap();
}

#[test]
fn what_is_no_key_is_refused_and_not_shown() {
    let truncated: String = key(true).lines().take(9).collect::<Vec<_>>().join("\n");
    for wrong in ["", "secretkey", &truncated, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"] {
        let error = Credential::app("1", wrong).unwrap_err();
        assert!(matches!(error, ForgeError::Invalid { .. }));
        assert!(!format!("{error:?}").contains("secretkey"));
    }
}
