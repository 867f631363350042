//! A stand-in for `journalctl`: a shell script that answers as it does.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

fn journal(folder: &Path, script: &str) -> Journal {
    let program = folder.join("journalctl");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    Journal { program, directory: None }
}

/// A program that was just written may still be open in the child of another test.
async fn look(journal: &Journal, cursor: Option<&str>) -> io::Result<Found> {
    loop {
        match super::look(journal, cursor).await {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => tokio::task::yield_now().await,
            result => return result,
        }
    }
}

/// Five entries; what comes from a cursor on is found as journalctl finds it.
const FIVE: &str = r#"
number=1
for argument in "$@"; do case "$argument" in --cursor=*) number=${argument#--cursor=c};; --lines=1) number=5;; esac; done
while [ $number -le 5 ]; do
  echo "{\"__CURSOR\":\"c$number\",\"_PID\":\"$number\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"MESSAGE\":\"m$number\"}"
  number=$((number + 1))
done"#;

#[tokio::test]
async fn it_begins_at_the_end_and_goes_on_from_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path(), FIVE);
    let first = look(&journal, None).await.unwrap();
    assert_eq!((first.entries.len(), first.cursor.as_deref(), first.caught_up), (0, Some("c5"), true));
    let later = look(&journal, Some("c2")).await.unwrap();
    assert_eq!(later.entries.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>(), ["m3", "m4", "m5"]);
    assert_eq!(later.cursor.as_deref(), Some("c5"));
    let nothing = look(&journal, Some("c5")).await.unwrap();
    assert_eq!(nothing, Found { entries: Vec::new(), cursor: Some("c5".to_owned()), newest: None, caught_up: true });
}

#[tokio::test]
async fn what_is_too_much_is_read_in_parts_and_no_entry_twice() {
    let folder = tempfile::tempdir().unwrap();
    // 300 entries of 100 kB.
    let script = r#"
for argument in "$@"; do case "$argument" in --cursor=*) from=${argument#--cursor=c};; esac; done
exec awk -v from="$from" 'BEGIN { long = sprintf("%1000s", ""); for (i = 0; i < 100; i++) all = all long; long = all; for (n = from; n <= 300; n++)
  print "{\"__CURSOR\":\"c" n "\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"MESSAGE\":\"m" n " " long "\"}" }'"#;
    let journal = journal(folder.path(), script);
    let (mut cursor, mut seen) = (Some("c0".to_owned()), 0);
    for _ in 0..4 {
        let found = look(&journal, cursor.as_deref()).await.unwrap();
        seen += found.entries.len();
        cursor = found.cursor;
        if found.caught_up {
            break;
        }
    }
    assert_eq!((seen, cursor.as_deref()), (300, Some("c300")));
}

#[tokio::test]
async fn a_program_that_fails_or_is_missing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let failing =
        journal(folder.path(), "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1");
    let error = look(&failing, None).await.unwrap_err().to_string();
    assert!(error.contains("exit status: 1") && error.ends_with("insufficient permissions."), "{error}");
    let missing = Journal { program: folder.path().join("none"), directory: None };
    let error = look(&missing, None).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot run ") && error.contains("none"), "{error}");
}

/// The real one, on no journal at all: its options are known to it.
#[tokio::test]
async fn no_journal_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal { program: "journalctl".into(), directory: Some(folder.path().to_owned()) };
    let error = look(&journal, None).await.unwrap_err().to_string();
    assert!(error.starts_with("the journal has no entry; see that its folder is right"), "{error}");
    // A cursor is only taken where there is a journal.
    match look(&journal, Some("s=0;i=1")).await {
        Ok(found) => assert_eq!(found.entries, Vec::new()),
        Err(error) => assert!(!error.to_string().contains("unrecognized option"), "{error}"),
    }
}
