//! Whether people can be told, as the command line says it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    thread,
};

use insta::assert_snapshot;

use crate::said::Bare;

/// A server that answers so many requests, each as it says; its address.
fn server(answers: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/T000/B000/of-nobody-elses-business", listener.local_addr().unwrap());
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            while reader.read_line(&mut head).unwrap() > 2 {}
            for line in head.to_ascii_lowercase().lines() {
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            reader.take(length).read_to_end(&mut Vec::new()).unwrap();
            let body = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(body.as_bytes()).unwrap();
        }
    });
    address
}

#[test]
fn who_should_be_told_is_tried() {
    let bare = Bare::new();
    assert_snapshot!(bare.tell(&["notify", "test"]), @r"
    exit code 3
    --- err
    regreen: error: the configuration names no sink
      help: add a [[notify.sink]]; the manual's page “Who is told, away from the CI host” has examples
    ");
    let file = bare.base().join("operator.toml");
    fs::write(bare.base().join("slack"), server(&["200 OK", "404 Not Found"])).unwrap();
    let sink = "[[notify.sink]]\nname = \"ops\"\nkind = \"slack\"\naddress-file = \"slack\"\n";
    fs::write(&file, sink).unwrap();
    let at = file.to_str().unwrap();
    assert_snapshot!(bare.tell(&["notify", "test", "--config", at]), @r"
    exit code 0
    --- out
    ops (slack): told
    ");
    assert_snapshot!(bare.tell(&["notify", "test", "ops", "--config", at]), @r"
    exit code 5
    --- out
    ops (slack): not told: refused: 404
    ");
    assert_snapshot!(bare.tell(&["notify", "test", "other", "--config", at]), @r#"
    exit code 2
    --- err
    regreen: error: there is no sink "other"; there are ops
    "#);
    fs::write(bare.base().join("slack"), "http://hooks.example.com/T000/B000/of-nobody-elses-business")
        .unwrap();
    assert_snapshot!(bare.tell(&["notify", "test", "--config", at]), @r"
    exit code 4
    --- err
    regreen: error: [BASE]/operator.toml:2:8: sink ops: [BASE]/slack: it must begin with https:// (http:// only for this machine)
    ");
}
