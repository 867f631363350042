//! What is sent to log in, beside Debian's blackbox_exporter: the same headers to the target, the same form to the token
//! endpoint, the same success.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::Exporter;

const MODULES: &[(&str, &str)] = &[
    ("basic", "basic_auth: {username: user, password: 'p:w d'}"),
    ("nobody", "basic_auth: {password: key}"),
    ("bearer", "authorization: {credentials: t0ken}"),
    ("scheme", "authorization: {type: Token, credentials: t0ken}"),
    ("old", "bearer_token: t0ken"),
    ("header", "headers: {Authorization: Token t0ken}"),
    ("oauth2", "oauth2: {client_id: 'a b', client_secret: 'c:d', token_url: 'BASE/token'}"),
    (
        "asked",
        "oauth2: {client_id: a, client_secret: c, token_url: 'BASE/token?x=y', scopes: [one, two], endpoint_params: {audience: z}}",
    ),
    ("in_form", "oauth2: {client_id: a, client_secret: 'c d', token_url: 'BASE/form'}"),
    ("as_form", "oauth2: {client_id: a, client_secret: c, token_url: 'BASE/answers-a-form'}"),
    ("refused", "oauth2: {client_id: a, client_secret: c, token_url: 'BASE/refused'}"),
    ("garbage", "oauth2: {client_id: a, client_secret: c, token_url: 'BASE/garbage'}"),
    ("moved", "oauth2: {client_id: a, client_secret: c, token_url: 'BASE/gone'}"),
];

/// A request: its line, its `Authorization`, and its body as the set of its fields.
type Asked = (String, String, BTreeSet<String>);

/// Target and token endpoint; and what they were asked.
fn serve() -> (u16, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || converse(stream, &seen));
        }
    });
    (port, asked)
}

fn converse(mut stream: TcpStream, seen: &Mutex<Vec<Asked>>) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let (head, body) = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let field = |name: &str| {
                head.lines().find_map(|line| Some(line.split_once(": ")?).filter(|(n, _)| n.eq_ignore_ascii_case(name)))
            };
            let length = field("content-length").map_or(0, |(_, length)| length.parse().unwrap());
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        }
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    };
    let line = head.lines().next().unwrap_or_default().to_owned();
    let login = head.lines().find_map(|line| line.strip_prefix("Authorization: ")).unwrap_or_default().to_owned();
    let json = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let token = json("200 OK", r#"{"access_token": "given", "token_type": "bearer", "expires_in": 3600}"#);
    let path = line.split(' ').nth(1).unwrap_or_default();
    let answer = match path.split('?').next().unwrap_or_default() {
        "/token" => token,
        "/form" if body.contains("client_secret=c+d") => token,
        "/form" | "/refused" => json("401 Unauthorized", r#"{"error": "invalid_client"}"#),
        "/answers-a-form" => {
            let body = "access_token=given&token_type=bearer&expires_in=3600";
            let kind = "application/x-www-form-urlencoded";
            format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        }
        "/garbage" => json("200 OK", "<html>"),
        "/gone" => json("404 Not Found", ""),
        // The target takes what is sent.
        _ if login.is_empty() => json("401 Unauthorized", ""),
        _ => json("200 OK", "{}"),
    };
    seen.lock().unwrap().push((line, login, body.split('&').map(str::to_owned).collect()));
    let _ = stream.write_all(answer.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes());
}

#[test]
fn logins_and_tokens_are_sent_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (port, asked) = serve();
    let base = format!("http://127.0.0.1:{port}");
    let line = |(name, http): &(&str, &str)| {
        let http = http.replace("BASE", &base);
        format!("  {name}: {{prober: http, timeout: 5s, http: {{preferred_ip_protocol: ip4, {http}}}}}\n")
    };
    let file = folder.path().join("blackbox.yml");
    std::fs::write(&file, format!("modules:\n{}", MODULES.iter().map(line).collect::<String>())).unwrap();
    let (blackbox, exporter) =
        (Exporter::theirs(&file), Exporter::ours_with(&file, &["--probe.credentials-to-any-target"]));
    for (name, _) in MODULES {
        let run = |exporter: &Exporter| {
            let success = exporter.probe(name, &format!("{base}/"))["probe_success"];
            // Theirs tries a refused client again, and in the other form; each way of asking counts once.
            (success, std::mem::take(&mut *asked.lock().unwrap()).into_iter().collect::<BTreeSet<Asked>>())
        };
        let (theirs, ours) = (run(&blackbox), run(&exporter));
        let fails = ["refused", "garbage", "moved"].contains(name);
        assert_eq!((theirs.0, ours.0), if fails { (0.0, 0.0) } else { (1.0, 1.0) }, "{name}");
        // Whatever goes wrong, theirs asks in the other form, too; ours where the client is refused.
        let same = if ["garbage", "moved"].contains(name) { ours.1.is_subset(&theirs.1) } else { ours.1 == theirs.1 };
        assert!(same, "{name}: ours {:#?}, theirs {:#?}", ours.1, theirs.1);
        assert!(!ours.1.is_empty(), "{name}");
    }
}
