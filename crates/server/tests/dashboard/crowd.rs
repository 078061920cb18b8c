//! Many people behind one proxy, who all have its address: each has their own share of the streams of news.

use regreen_server::access::{Network, Proxy, Role, proxy_header};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use super::{World, news::ask};

/// How the answer begins, and the stream that goes on.
async fn stream(world: &World, user: &str) -> (String, TcpStream) {
    let mut stream = ask(world, "/events", &format!("Host: regreen.example\r\nX-User: {user}\r\n")).await;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    (String::from_utf8_lossy(&head).into_owned(), stream)
}

#[tokio::test]
async fn who_has_signed_in_at_a_proxy_has_a_share_of_the_news_of_their_own() {
    let proxy = Proxy {
        user: proxy_header("X-User").unwrap(),
        groups: None,
        from: vec![Network::parse("127.0.0.1").unwrap()],
        by_group: Default::default(),
        by_user: Default::default(),
        otherwise: Some(Role::Viewer),
    };
    let world = World::with(|access| access.behind(proxy)).await;
    let mut open = Vec::new();
    for user in ["ann", "bob"] {
        for n in 0..128 {
            let (head, stream) = stream(&world, user).await;
            assert_eq!(head, "HTTP/1.1 200", "{user} {n}");
            open.push(stream);
        }
        let (head, _) = stream(&world, user).await;
        assert_eq!(head, "HTTP/1.1 503", "{user} has all of theirs");
    }
    // More connections by now than any one address else may have.
    let (head, _one) = stream(&world, "cy").await;
    assert_eq!(head, "HTTP/1.1 200");
}
