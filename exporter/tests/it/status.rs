//! `/status` and its documents over real connections: languages, caching, headers, and what they never say.

use crate::client::Server;

const CONFIG: &str = "site: hidden-site
contract:
  name: hidden-contract
  title: {ja: 契約, en: A contract}
  timezone: Asia/Tokyo
  functions: {form: {title: {ja: 機能, en: A function}, objective: 99, capabilities: {hidden_capability: {quorum: all}}}}
modules: {hidden_module: {prober: tcp, timeout: 1s}}
probes: [{name: hidden-probe, module: hidden_module, targets: [\"127.0.0.1:1\"], interval: 5m, evidence: form/hidden_capability}]
ledger: hidden-ledger.yml
hosts: [{name: hidden-host, role: hidden_role, address: 10.99.88.77}]
roles: {hidden_role: {load_per_cpu: 4}}
";

const LEDGER: &str = "incidents:
  - id: hidden-id-10.99.88.77
    title: {ja: 障害です, en: A failure}
    functions: [form]
    cause: internal
    started_at: 2026-01-01T00:00:00+09:00
    decided: {by: hidden-judge, at: 2026-01-02T00:00:00+09:00, evidence: hidden-evidence}
maintenance:
  - {id: hidden-stop, title: hidden-title, functions: [form], start: 2099-01-02T22:00:00+09:00, end: 2099-01-02T23:00:00+09:00}
";

const DOCUMENTS: [(&str, &str); 5] = [
    ("/status", "text/html; charset=utf-8"),
    ("/status/feed.atom", "application/atom+xml; charset=utf-8"),
    ("/status/summary.json", "application/json"),
    ("/status/maintenance.ics", "text/calendar; charset=utf-8"),
    ("/status/badge/form.svg", "image/svg+xml"),
];

fn server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("hidden-ledger.yml");
    std::fs::write(&ledger, LEDGER).unwrap();
    let server = Server::start(&CONFIG.replace("hidden-ledger.yml", &ledger.display().to_string()));
    server.run();
    server
}

#[tokio::test]
async fn each_document_has_its_type_and_says_nothing_of_the_inside() {
    let server = server();
    for (path, content_type) in DOCUMENTS {
        for lang in ["ja", "en"] {
            let answer = server.get(&format!("{path}?lang={lang}")).await;
            assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{path}");
            let text = answer.text();
            for hidden in ["hidden-", "hidden_", "10.99.88.77", "127.0.0.1", "/tmp", ".yml"] {
                assert!(!text.contains(hidden), "{hidden} is in {path}: {text}");
            }
            let head = server.request("HEAD", &format!("{path}?lang={lang}"), &[]).await;
            assert_eq!((head.status, head.text()), (200, ""));
        }
    }
    for path in ["/status/", "/status/badge/nobody.svg", "/status/badge/../feed.atom", "/statuses", "/status/feed"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    assert_eq!(server.request("POST", "/status", &[]).await.status, 405);
}

#[tokio::test]
async fn the_language_is_asked_for_or_preferred_or_the_contracts() {
    let server = server();
    for (query, accept, lang) in [
        ("", "", "ja"),
        ("", "de", "ja"),
        ("", "en-GB,en;q=0.9,ja;q=0.8", "en"),
        ("?lang=ja", "en", "ja"),
        ("?lang=en", "ja", "en"),
        ("?x=1&lang=en", "", "en"),
        ("?lang=%3Cscript%3E", "en", "en"),
    ] {
        let answer = server.request("GET", &format!("/status{query}"), &[("Accept-Language", accept)]).await;
        assert!(answer.text().contains(&format!("<html lang=\"{lang}\">")), "{query} {accept}: {}", answer.text());
        assert!(!answer.text().contains("<script"));
        assert_eq!(answer.header("vary"), Some("Accept-Language"));
    }
}

#[tokio::test]
async fn a_document_that_is_known_is_not_sent_again_and_none_is_kept_for_long() {
    let server = server();
    for (path, _) in DOCUMENTS {
        let answer = server.get(path).await;
        let tag = answer.header("etag").unwrap();
        assert_eq!(answer.header("cache-control"), Some("public, max-age=15"), "{path}");
        for known in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            // Another second may have come between.
            let (mut again, mut tries) = (server.request("GET", path, &[("If-None-Match", &known)]).await, 0);
            while again.status == 200 && tries < 3 {
                let tag = again.header("etag").unwrap().to_owned();
                again = server.request("GET", path, &[("If-None-Match", &tag)]).await;
                tries += 1;
            }
            assert_eq!((again.status, again.text()), (304, ""), "{path} {known}");
            assert!(again.header("etag").is_some());
        }
        assert_eq!(server.request("GET", path, &[("If-None-Match", "\"other\"")]).await.status, 200);
    }
}

#[tokio::test]
async fn the_page_may_load_and_run_nothing_but_its_own_style() {
    let server = server();
    let answer = server.get("/status").await;
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    // The operators' page keeps its own.
    assert_ne!(server.get("/").await.header("content-security-policy"), Some(policy));
    assert_eq!(server.get("/").await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_reload_is_seen_at_once_and_without_prometheus_nothing_is_said_of_the_past() {
    let server = server();
    let page = server.get("/status?lang=en").await;
    // An open incident, and no probe has run: it is neither up nor all well.
    assert!(page.text().contains("There is an incident with A function"), "{}", page.text());
    assert!(page.text().contains("History and figures are not available at present."));
    let text = std::fs::read_to_string(&server.config).unwrap().replace("en: A function", "en: Another name");
    std::fs::write(&server.config, text).unwrap();
    assert_eq!(server.request("POST", "/-/reload", &[]).await.status, 500, "the ledger is gone");
    let ledger = server.config.with_file_name("hidden-ledger.yml");
    std::fs::write(&ledger, "incidents: []\n").unwrap();
    let text = std::fs::read_to_string(&server.config).unwrap();
    let line = text.lines().find(|line| line.starts_with("ledger:")).unwrap();
    std::fs::write(&server.config, text.replace(line, "ledger: hidden-ledger.yml")).unwrap();
    assert_eq!(server.request("POST", "/-/reload", &[]).await.status, 200);
    let page = server.get("/status?lang=en").await;
    assert!(page.text().contains("The current state is unknown") && page.text().contains("Another name"));
}
