//! `debug=true`, for a person: the same three parts.

use super::Exporter;
use super::servers::{http, serve};

#[test]
fn debug_has_the_same_three_parts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blackbox.yml");
    std::fs::write(&file, "modules: {http_2xx: {prober: http, timeout: 5s, http: {follow_redirects: false}}}").unwrap();
    let port = serve(None, http);
    let query = format!("target=http://127.0.0.1:{port}/moved&debug=true");
    let headings = |text: &str| -> Vec<String> {
        let headings = text.lines().filter(|line| line.ends_with(':') && line.contains(' ') && !line.starts_with(' '));
        headings.map(str::to_owned).collect()
    };
    let (theirs, ours) = (Exporter::theirs(&file).ask(&query), Exporter::ours(&file).ask(&query));
    assert_eq!(headings(&ours), headings(&theirs), "{ours}");
    for part in [
        "reason:   status",
        "probe_http_status_code 302",
        "follow_redirects: false",
        "timeout:  5s",
        "s  waiting for the response",
        "→ HTTP/1.1 302",
        "try:      ",
    ] {
        assert!(ours.contains(part), "{part} in {ours}");
    }
}
