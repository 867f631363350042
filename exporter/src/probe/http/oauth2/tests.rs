//! What of an answer is a token and what is not, how long one is kept, and what a section must be.

use std::path::Path;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;

use super::kept::{Identity, State};
use super::*;
use crate::config::decode::Cursor;
use crate::config::diagnostics::Document;
use crate::config::node;

const SECRET: &str = "hunter2-hunter2";

fn answer(status: u16, kind: &'static str, body: &str) -> Result<Token, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let mut secrets = Secrets::default();
    secrets.replace(vec![Secret::new(SECRET)]);
    token::read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), &secrets)
}

#[test]
fn a_token_is_read_in_every_form_servers_write_it() {
    const JSON: &str = "application/json;charset=UTF-8";
    const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
    for (kind, body, header, good_for) in [
        (JSON, r#"{"access_token": "t", "token_type": "bearer", "expires_in": 60}"#, "Bearer t", 50),
        (JSON, r#"{"access_token": "t", "token_type": "BEARER", "expires_in": "60"}"#, "Bearer t", 50),
        (JSON, r#"{"access_token": "t"}"#, "Bearer t", 3600),
        (JSON, r#"{"access_token": "t", "expires_in": null, "error": null}"#, "Bearer t", 3600),
        (JSON, r#"{"access_token": "t", "expires_in": 86400.5}"#, "Bearer t", 3600),
        (JSON, r#"{"access_token": "t", "expires_in": 1e300}"#, "Bearer t", 0),
        (JSON, r#"{"access_token": "t", "expires_in": 11}"#, "Bearer t", 1),
        (JSON, r#"{"access_token": "t", "expires_in": 10}"#, "Bearer t", 0),
        (JSON, r#"{"access_token": "t", "expires_in": 0}"#, "Bearer t", 0),
        (JSON, r#"{"access_token": "t", "expires_in": -5}"#, "Bearer t", 0),
        (JSON, r#"{"access_token": "t", "token_type": "DPoP"}"#, "DPoP t", 3600),
        (JSON, r#"{"access_token": "t", "token_type": "mac"}"#, "MAC t", 3600),
        ("text/html", r#"{"access_token": "t"}"#, "Bearer t", 3600),
        (FORM, "access_token=a%2Bb&token_type=bearer&expires_in=60", "Bearer a+b", 50),
        ("text/plain", "access_token=t&scope=a", "Bearer t", 3600),
    ] {
        let token = answer(200, kind, body).unwrap_or_else(|failure| panic!("{body}: {failure}"));
        assert_eq!((token.header.to_str().unwrap(), token.good_for), (header, Duration::from_secs(good_for)), "{body}");
        assert!(token.header.is_sensitive());
    }
}

#[test]
fn what_is_no_token_is_said_with_its_reason_and_no_secret() {
    const JSON: &str = "application/json";
    for (status, kind, body, reason, part) in [
        (401, JSON, r#"{"error": "invalid_client"}"#, Reason::Permission, "refused with status 401 `invalid_client`"),
        (
            400,
            JSON,
            r#"{"error": "invalid_scope", "error_description": "no x"}"#,
            Reason::Permission,
            "`invalid_scope`: no x",
        ),
        (
            400,
            JSON,
            r#"{"error": "e", "error_description": "hunter2-hunter2 is wrong"}"#,
            Reason::Permission,
            "<secret> is wrong",
        ),
        (403, "text/html", "<html>", Reason::Permission, "status 403"),
        (404, "text/html", "<html>", Reason::Status, "status 404"),
        (302, "text/html", "", Reason::Status, "status 302"),
        (429, JSON, r#"{"error": "slow_down"}"#, Reason::Status, "status 429 `slow_down`"),
        (500, JSON, "{", Reason::Status, "status 500"),
        (200, JSON, r#"{"error": "invalid_client"}"#, Reason::Permission, "`invalid_client`"),
        (200, JSON, r#"{"token": "t"}"#, Reason::Protocol, "without `access_token`"),
        (200, JSON, r#"{"access_token": ""}"#, Reason::Protocol, "without `access_token`"),
        (200, JSON, r#"{"access_token": 5}"#, Reason::Protocol, "without `access_token`"),
        (200, JSON, r#"{"access_token": "a\nb"}"#, Reason::Protocol, "a header cannot carry"),
        (200, JSON, r#"{"access_token": "日本"}"#, Reason::Protocol, "a header cannot carry"),
        (200, JSON, r#"{"access_token": "t", "token_type": "a b"}"#, Reason::Protocol, "a header cannot carry"),
        (200, JSON, "[]", Reason::Protocol, "neither a JSON object nor a form"),
        (200, "text/html", "access_token=t", Reason::Protocol, "neither a JSON object nor a form"),
        (200, JSON, "", Reason::Protocol, "neither a JSON object nor a form"),
    ] {
        let failure = answer(status, kind, body).unwrap_err();
        assert_eq!(failure.reason, reason, "{body}: {failure}");
        assert!(failure.detail.contains(part), "{body}: {failure}");
        assert!(!failure.detail.contains("hunter2"), "{failure}");
    }
}

fn token(text: &str, good_for: u64) -> Result<Token, Failure> {
    let header = HeaderValue::from_str(text).unwrap();
    Ok(Token { header, good_for: Duration::from_secs(good_for), said: None })
}

#[tokio::test(start_paused = true)]
async fn a_token_is_kept_until_its_end_for_its_secret_and_until_it_is_refused() {
    let (secret, other) = (Secret::new("a"), Secret::new("b"));
    let mut state = State::default();
    let shown = |state: &State, secret: &Secret| state.token(secret).map(|(header, _)| header.clone());
    assert!(shown(&state, &secret).is_none());
    state.keep(&token("one", 50), secret.clone(), Instant::now());
    assert_eq!(shown(&state, &secret).unwrap(), "one");
    assert!(shown(&state, &other).is_none(), "another secret may be another client");
    tokio::time::advance(Duration::from_secs(49)).await;
    assert!(shown(&state, &secret).is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(shown(&state, &secret).is_none());
    state.keep(&token("two", 50), secret.clone(), Instant::now());
    state.forget(&HeaderValue::from_static("one"));
    assert_eq!(shown(&state, &secret).unwrap(), "two", "it came since");
    state.forget(&HeaderValue::from_static("two"));
    assert!(shown(&state, &secret).is_none());
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_failure_has_it_and_who_comes_later_tries_again() {
    let mut state = State::default();
    let before = Instant::now();
    tokio::time::advance(Duration::from_secs(1)).await;
    state.keep(&Err(Failure::new(Reason::Status, "status 500")), Secret::new("a"), before);
    assert_eq!(state.failed_since(before).unwrap().reason, Reason::Status);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(state.failed_since(Instant::now()).is_none());
    state.keep(&token("one", 50), Secret::new("a"), Instant::now());
    assert!(state.failed_since(before).is_none());
}

#[test]
fn sections_that_agree_share_their_tokens_as_long_as_one_is_there() {
    let identity = |client: &str| Identity {
        url: "https://shared.example/".to_owned(),
        client_id: client.to_owned(),
        secret: None,
        form: Vec::new(),
        certificate: None,
        verified: true,
    };
    let one = Tokens::of(identity("a"));
    assert!(Arc::ptr_eq(&one, &Tokens::of(identity("a"))));
    assert!(!Arc::ptr_eq(&one, &Tokens::of(identity("b"))));
    one.set_style(Style::Form);
    drop(one);
    assert_eq!(Tokens::of(identity("a")).style(), Style::Header, "nobody had it any longer");
}

/// A client may be its certificate and no more: without this, one would be shown as the other.
#[test]
fn clients_with_certificates_of_their_own_have_tokens_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = |name: &str| {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let [cert, key] = ["crt", "key"].map(|kind| folder.path().join(format!("{name}.{kind}")));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        format!("cert_file: {}, key_file: {}", cert.display(), key.display())
    };
    let (a, b) = (certificate("a"), certificate("b"));
    let client = |tls: &str| {
        let yaml = format!("{{client_id: certified, token_url: 'https://login.example/', tls_config: {{{tls}}}}}");
        let (oauth2, findings) = read(&yaml, false);
        oauth2.unwrap_or_else(|| panic!("{findings:?}")).tokens
    };
    let one = client(&a);
    assert!(Arc::ptr_eq(&one, &client(&a)));
    for other in [&b, &String::new(), &format!("{a}, insecure_skip_verify: true")] {
        assert!(!Arc::ptr_eq(&one, &client(other)), "{other}");
    }
}

fn read(yaml: &str, inline_secrets: bool) -> (Option<OAuth2>, Vec<String>) {
    let mut doc = Document::new(Path::new("sla.yml"));
    doc.inline_secrets = inline_secrets;
    let tree = node::parse(yaml).unwrap();
    let read = OAuth2::decode(Cursor::root(&doc, &tree).map().unwrap());
    (read, doc.into_parts().0.iter().map(ToString::to_string).collect())
}

#[test]
fn what_is_asked_for_is_what_the_section_says() {
    let yaml = "{client_id: 'a:b', client_secret: 'p w&d', token_url: 'https://login.example/token?tenant=x#y', \
                scopes: [read, write], endpoint_params: {audience: 'https://api.example', grant_type: password}}";
    let (oauth2, findings) = read(yaml, true);
    let oauth2 = oauth2.unwrap_or_else(|| panic!("{findings:?}"));
    assert_eq!((findings.len(), oauth2.url.as_str()), (0, "https://login.example/token?tenant=x"));
    let secret = Secret::new("p w&d");
    let (credentials, body, secrets) = oauth2.request(Style::Header, &secret).unwrap();
    assert_eq!(body, "scope=read+write&audience=https%3A%2F%2Fapi.example&grant_type=password");
    // Both parts are encoded as in a form (RFC 6749, 2.3.1).
    let pair = base64::engine::general_purpose::STANDARD.encode("a%3Ab:p+w%26d");
    assert_eq!(credentials.unwrap().header, format!("Basic {pair}"));
    assert!(secrets.iter().any(|secret| secret.expose() == pair));
    let (credentials, body, _) = oauth2.request(Style::Form, &secret).unwrap();
    assert!(credentials.is_none());
    assert!(body.ends_with("&client_id=a%3Ab&client_secret=p+w%26d"), "{body}");
    assert!(!format!("{oauth2:?}").contains("p w&d"));
    let (public, _) = read("{client_id: a, token_url: 'https://login.example/'}", false);
    let (_, body, _) = public.unwrap().request(Style::Form, &Secret::new("")).unwrap();
    assert_eq!(body, "grant_type=client_credentials&client_id=a");
}

#[test]
fn what_a_section_lacks_or_must_not_have_is_said_and_no_secret() {
    let with = |more: &str| format!("{{client_id: a, token_url: 'https://login.example/token'{more}}}");
    for (yaml, part) in [
        ("{token_url: 'https://login.example/'}".to_owned(), "`client_id` is missing"),
        ("{client_id: a}".to_owned(), "`token_url` is missing"),
        ("{client_id: a, token_url: login.example}".to_owned(), "is not a URL"),
        ("{client_id: a, token_url: 'ftp://login.example'}".to_owned(), "is no URL of http or https"),
        ("{client_id: a, token_url: 'https://u:hunter2@login.example'}".to_owned(), "a user does not belong"),
        (with(", client_secret: hunter2"), "name that in `client_secret_file`"),
        (with(", endpoint_params: {password: hunter2}"), "does not belong in this file"),
        (with(", endpoint_params: {client_secret: hunter2}"), "is a key of the section"),
        (with(", scopes: [a], endpoint_params: {scope: b}"), "give `scopes` or the parameter `scope`"),
        (with(", grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer'"), "accepted: client_credentials"),
        (with(", client_certificate_key: hunter2"), "`client_certificate_key` is not supported"),
        (with(", client_secret_ref: x"), "`client_secret_ref` is not supported"),
        (with(", audience: x"), "it belongs under `endpoint_params`"),
        (with(", scope: a"), "did you mean `scopes`?"),
        (with(", proxy_url: 'https://proxy'"), "a https proxy is not supported"),
        (with(", tls_config: {ca_file: /nonexistent/ca.pem}"), "cannot read"),
    ] {
        let (_, findings) = read(&yaml, false);
        assert!(findings.iter().any(|finding| finding.contains(part)), "{yaml}: {findings:?}");
        assert!(!findings.iter().any(|finding| finding.contains("hunter2")), "{findings:?}");
    }
    for (url, warned) in [("http://login.example/", 1), ("http://127.0.0.1:1/", 0), ("http://localhost/", 0)] {
        let (oauth2, findings) = read(&format!("{{client_id: a, token_url: '{url}'}}"), false);
        assert_eq!((oauth2.is_some(), findings.len()), (true, warned), "{url}: {findings:?}");
    }
}

proptest::proptest! {
    /// Whatever an endpoint answers is a token that can be sent, or a failure that says why.
    #[test]
    fn no_answer_is_neither(status in 100u16..600, kind in 0usize..3, parts in proptest::collection::vec(0usize..PARTS.len(), 0..12)) {
        let kind = ["application/json", "application/x-www-form-urlencoded", "text/html"][kind];
        let body: String = parts.into_iter().map(|part| PARTS[part]).collect();
        match answer(status, kind, &body) {
            Ok(token) => assert!((200..300).contains(&status) && token.good_for <= Duration::from_secs(3600)),
            Err(failure) => assert!(!failure.detail.is_empty() && !failure.detail.contains("hunter2")),
        }
    }
}

/// What answers are made of.
const PARTS: &[&str] = &[
    "{",
    "}",
    ":",
    ",",
    "[",
    "]",
    "\"access_token\"",
    "\"token_type\"",
    "\"expires_in\"",
    "\"error\"",
    "\"t\"",
    "\"\\u0000\"",
    "1e999",
    "-1",
    "60",
    "null",
    "access_token=",
    "t",
    "&",
    "%00",
    "%ff",
    "error=",
    "hunter2-hunter2",
    "\u{202e}",
    "\n",
];
