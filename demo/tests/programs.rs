//! The demo service and the mail catcher as their users meet them.

// All of it is tests, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use std::time::Duration;

use sla_demo::mail::{Catcher, Mail, Store, receive};
use sla_demo::service::{Clicks, Service};
use sla_demo::web;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(10);

async fn service() -> SocketAddr {
    let listener = web::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(web::serve(listener, Service::new(Clicks::in_memory())));
    address
}

/// Sends `head` (request line and headers) and `body`; returns all that comes back.
async fn ask(address: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{head}\r\nHost: demo\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an end");
    answer
}

async fn get(address: SocketAddr, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1"), "").await
}

async fn post(address: SocketAddr, path: &str, body: &str) -> String {
    ask(address, &format!("POST {path} HTTP/1.1"), body).await
}

#[tokio::test]
async fn a_visitor_can_do_what_the_contract_promises() {
    let demo = service().await;
    assert!(get(demo, "/app").await.contains("location: /login"));
    assert!(post(demo, "/login", "user=demo&password=wrong").await.contains("wrong user or password"));
    assert!(post(demo, "/login", "user=demo&password=demo").await.contains("set-cookie: demo_session=open"));
    assert!(ask(demo, "GET /app HTTP/1.1\r\nCookie: demo_session=open", "").await.starts_with("HTTP/1.1 200"));
    let sent = post(demo, "/form", "text=%3Cb%3E%E5%B1%8A%E3%81%84%E3%81%9F").await;
    assert!(sent.contains("location: /form/1"), "{sent}");
    assert!(get(demo, "/form/1").await.contains("&lt;b&gt;届いた"));
    for _ in 0..2 {
        assert!(get(demo, "/c/campaign-1").await.contains("location: /landing/campaign-1"));
    }
    assert!(get(demo, "/c/campaign-1/count").await.ends_with("\r\n\r\n2\n"));
}

#[tokio::test]
async fn each_switch_breaks_its_capability_and_no_other() {
    let demo = service().await;
    for (capability, path) in [("web_app", "/login"), ("web_form", "/form"), ("click_count", "/c/x")] {
        assert!(post(demo, &format!("/break/{capability}"), "").await.ends_with(&format!("{capability}: error\n")));
        for (other, other_path) in [("web_app", "/login"), ("web_form", "/form"), ("click_count", "/c/x")] {
            let broken = other == capability;
            assert_eq!(get(demo, other_path).await.starts_with("HTTP/1.1 500"), broken, "{capability} {other}");
            assert_eq!(
                get(demo, &format!("/health/{other}")).await.starts_with("HTTP/1.1 500"),
                broken,
                "{capability} {other}"
            );
        }
        post(demo, &format!("/fix/{capability}"), "").await;
        assert!(!get(demo, path).await.starts_with("HTTP/1.1 500"));
    }
}

#[tokio::test]
async fn modes_do_what_they_say() {
    let demo = service().await;
    post(demo, "/break/web_form?mode=close", "").await;
    assert_eq!(get(demo, "/form").await, "");
    post(demo, "/break/web_form?mode=empty", "").await;
    assert!(get(demo, "/form").await.ends_with("\r\n\r\n"));
    post(demo, "/break/web_form?mode=hang", "").await;
    let hangs = tokio::time::timeout(Duration::from_millis(500), get(demo, "/form")).await;
    assert!(hangs.is_err());
    assert!(
        post(demo, "/break/web_form?mode=explode", "")
            .await
            .contains("accepted: works, error, slow, hang, close, empty")
    );
    assert!(post(demo, "/break/everything", "").await.contains("accepted: web_app, web_form, click_count"));
    assert!(get(demo, "/break/web_form").await.starts_with("HTTP/1.1 404"), "a GET changes nothing");
}

async fn catcher() -> (SocketAddr, SocketAddr, Store) {
    let any = "127.0.0.1:0".parse().unwrap();
    let (smtp, pages) = (web::listen(any).await.unwrap(), web::listen(any).await.unwrap());
    let addresses = (smtp.local_addr().unwrap(), pages.local_addr().unwrap());
    let store = Store::default();
    tokio::spawn(receive(smtp, store.clone()));
    tokio::spawn(web::serve(pages, Catcher::new(store.clone())));
    (addresses.0, addresses.1, store)
}

/// One conversation, each line answered before the next is sent.
async fn send(smtp: SocketAddr, mail: &str) -> String {
    let mut stream = TcpStream::connect(smtp).await.unwrap();
    let mut said = String::new();
    let mut buffer = [0; 4096];
    let lines = [
        "",
        "EHLO test\r\n",
        "MAIL FROM:<a@example.com>\r\n",
        "RCPT TO:<b@example.com>\r\n",
        "RCPT TO:<c@example.com>\r\n",
        "DATA\r\n",
        mail,
        "QUIT\r\n",
    ];
    for line in lines {
        stream.write_all(line.as_bytes()).await.unwrap();
        let length = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
        said.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    said
}

#[tokio::test]
async fn a_mail_is_received_and_decoded() {
    let (smtp, pages, store) = catcher().await;
    let mail = "From: a@example.com\r\nTo: b@example.com\r\nSubject: =?utf-8?q?=E9=9A=9C=E5=AE=B3?= down\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\
                Content-Transfer-Encoding: quoted-printable\r\n\r\n=E9=9A=9C=E5=AE=B3\r\n..dot\r\n--x\r\nContent-Type: text/html\r\n\r\n<b>x</b><script>1</script>\r\n--x--\r\n.\r\n";
    let said = send(smtp, mail).await;
    assert!(said.starts_with("220 ") && said.contains("\r\n354 "), "{said}");
    let mails: Vec<Mail> = store.all();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, "障害 down");
    assert_eq!(mails[0].recipients, ["b@example.com", "c@example.com"]);
    assert_eq!(mails[0].text.lines().collect::<Vec<_>>(), ["障害", ".dot"]);
    assert!(mails[0].html.contains("<b>x</b>"));
    assert!(get(pages, "/").await.contains("障害 down"));
    assert!(get(pages, "/api/messages").await.contains("\"subject\":\"障害 down\""));
    assert!(get(pages, "/mail/1").await.contains("iframe sandbox=\"\""));
    assert!(get(pages, "/mail/1/html").await.contains("content-security-policy: sandbox;"));
}

#[tokio::test]
async fn what_is_no_conversation_does_not_end_the_catcher() {
    let (smtp, _, store) = catcher().await;
    for garbage in [&b"\x00\xff\r\n"[..], b"GET / HTTP/1.1\r\n\r\n", &[b'x'; 100_000]] {
        let mut stream = TcpStream::connect(smtp).await.unwrap();
        let _ = stream.write_all(garbage).await;
    }
    send(smtp, "Subject: after\r\n\r\nx\r\n.\r\n").await;
    assert_eq!(store.all().last().unwrap().subject, "after");
}
