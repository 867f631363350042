//! What `report` and `ledger draft` say while Prometheus takes its time: a program that waits does not look like one that hangs.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::client::{SMALL, write};

#[test]
fn a_server_that_does_not_answer_is_named_before_it_is_given_up() {
    // It accepts, and never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let config = format!("--config.file={}", write(folder.path(), "sla.yml", SMALL).display());
    for command in [&["report", "--month=2026-10"][..], &["ledger", "draft", "--month=2026-10"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_sla-exporter"))
            .args(command)
            .args([&config, &format!("--prometheus.url={url}"), "--prometheus.timeout=3s"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], format!("reading 2026-10 from {url}"), "{command:?}: {said}");
        assert!(lines.len() == 2 && lines[1].contains("no answer within 3s"), "{command:?}: {said}");
        assert!(!said.contains(['\r', '\x1b']), "{command:?} writes for a terminal where there is none: {said:?}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{command:?}: {said}");
    }
}
