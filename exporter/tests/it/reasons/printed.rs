//! What `sla-exporter probe` prints of each failure of an `http` probe: the reason, what was found, and what to do.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use futures_util::future::join_all;

use super::http;
use crate::client::{SMALL, write};

#[tokio::test]
async fn a_person_reads_what_is_wrong_and_what_to_do() {
    let (folder, cases) = http::cases().await;
    let mut modules = String::new();
    for (number, case) in cases.iter().enumerate() {
        writeln!(modules, "  m{number}: {}", case.module("http")).unwrap();
    }
    let (head, _) = SMALL.split_once("modules:").unwrap();
    let file = write(folder.path(), "sla.yml", format!("{head}modules:\n{modules}probes: []\n"));
    join_all(cases.iter().enumerate().map(async |(number, case)| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sla-exporter"));
        command.args(["probe", "--module", &format!("m{number}"), &case.target]).stdin(Stdio::null());
        command.arg(format!("--config.file={}", file.display())).env_clear();
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        println!("{text}");
        assert_eq!(output.status.code(), Some(1), "{case:?}: {text}");
        let (_, end) = text.split_once("✗ failure after ").unwrap_or_else(|| panic!("{case:?}: {text}"));
        let mut lines = end.lines();
        assert!(lines.next().is_some_and(|line| line.ends_with(&format!(": {}", case.reason))), "{text}");
        let detail = lines.next().unwrap_or_default();
        assert!(!detail.trim().is_empty() && case.says.iter().all(|words| detail.contains(words)), "{case:?}: {text}");
        assert!(lines.next().is_some_and(|line| line.trim().starts_with("What to do: ")), "{text}");
    }))
    .await;
}
