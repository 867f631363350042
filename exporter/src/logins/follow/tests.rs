//! Real files, rotated in every way while they are read: each line counts exactly once.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A log in a folder of its own, its writer, and who reads it.
struct Log {
    folder: TempDir,
    writer: File,
    follower: Follower,
    now: i64,
    written: Vec<String>,
    read: Vec<String>,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.log");
        fs::write(&path, "history\n").unwrap();
        let writer = append(&path);
        let mut log = Self {
            follower: Follower::new(path, None),
            folder,
            writer,
            now: 1_000_000,
            written: Vec::new(),
            read: Vec::new(),
        };
        log.look();
        assert_eq!(log.read, Vec::<String>::new(), "what was there before is history");
        log
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).unwrap();
    }

    fn line(&mut self) {
        let line = format!("line {} {}", self.written.len(), "x".repeat(self.written.len() % 7 * 50));
        self.raw(format!("{line}\n").as_bytes());
        self.written.push(line);
    }

    /// `auth.log.1` becomes `auth.log.2` and so on.
    fn shift(&self) {
        for number in (1..9).rev() {
            let _ =
                fs::rename(self.path(&format!("auth.log.{number}")), self.path(&format!("auth.log.{}", number + 1)));
        }
    }

    fn rename(&self) {
        self.shift();
        fs::rename(self.path("auth.log"), self.path("auth.log.1")).unwrap();
        File::create(self.path("auth.log")).unwrap();
    }

    fn reopen(&mut self) {
        self.writer = append(&self.path("auth.log"));
    }

    fn copytruncate(&self) {
        self.shift();
        fs::copy(self.path("auth.log"), self.path("auth.log.1")).unwrap();
        OpenOptions::new().write(true).truncate(true).open(self.path("auth.log")).unwrap();
    }

    fn look_with(&mut self, budget: u64) -> io::Result<Look> {
        self.now += 5;
        let read = &mut self.read;
        self.follower.look(self.now, budget, &mut |line| read.push(String::from_utf8_lossy(line).into_owned()))
    }

    fn look(&mut self) {
        self.look_with(u64::MAX).unwrap();
    }

    fn restart(&mut self) {
        let position = serde_json::to_string(&self.follower.position()).unwrap();
        let position = serde_json::from_str(&position).unwrap();
        self.follower = Follower::new(self.path("auth.log"), Some(position));
    }

    #[track_caller]
    fn settled(mut self) -> u64 {
        for _ in 0..3 {
            self.look();
        }
        let (mut read, mut written) = (self.read.clone(), self.written.clone());
        read.sort();
        written.sort();
        assert_eq!(read, written);
        self.follower.gaps()
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Line,
    /// The first half of a line; the second half follows before anything else is written.
    Half,
    Look,
    /// Reads a few bytes only.
    Glance(u64),
    Restart,
    /// The writer goes on in the old file until it reopens.
    Rename,
    Reopen,
    CopyTruncate,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Line),
        2 => Just(Step::Half),
        4 => Just(Step::Look),
        2 => (1u64..400).prop_map(Step::Glance),
        2 => Just(Step::Restart),
        2 => Just(Step::Rename),
        2 => Just(Step::Reopen),
        2 => Just(Step::CopyTruncate),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// C2.6.7
    #[test]
    fn any_interleaving_of_writes_rotations_and_restarts_counts_each_line_once(steps in proptest::collection::vec(step(), 1..60)) {
        let mut log = Log::new();
        let (mut half, mut renamed, mut rotations) = (None::<String>, false, 0);
        for step in steps {
            match step {
                Step::Line => {
                    if let Some(rest) = half.take() {
                        log.raw(rest.as_bytes());
                    }
                    log.line();
                }
                Step::Half if half.is_none() => {
                    let line = format!("half {}", log.written.len());
                    log.raw(line.as_bytes());
                    half = Some(" other half\n".to_owned());
                    log.written.push(format!("{line} other half"));
                }
                Step::Half => {}
                Step::Look => log.look(),
                Step::Glance(bytes) => drop(log.look_with(bytes).unwrap()),
                Step::Restart => log.restart(),
                // As many as rotation keeps here.
                Step::Rename if rotations < 8 => {
                    rotations += 1;
                    renamed = true;
                    log.rename();
                }
                // rsyslog writes a line as a whole: it does not reopen within one.
                Step::Reopen if half.is_none() => {
                    renamed = false;
                    log.reopen();
                }
                // The writer's file is the one that is copied, and a line is not copied in two parts.
                Step::CopyTruncate if rotations < 8 && !renamed && half.is_none() => {
                    rotations += 1;
                    log.copytruncate();
                }
                Step::Rename | Step::Reopen | Step::CopyTruncate => {}
            }
        }
        if let Some(rest) = half {
            log.raw(rest.as_bytes());
        }
        prop_assert_eq!(log.settled(), 0);
    }
}

#[test]
fn what_is_written_to_a_renamed_file_before_its_writer_is_told_counts() {
    let mut log = Log::new();
    log.line();
    log.rename();
    log.line();
    log.look();
    log.line();
    log.reopen();
    log.line();
    assert_eq!(log.settled(), 0);
}

#[test]
fn several_rotations_while_nothing_ran_lose_nothing() {
    let mut log = Log::new();
    log.line();
    log.look();
    for _ in 0..3 {
        log.line();
        log.rename();
        log.reopen();
        log.line();
    }
    log.restart();
    assert_eq!(log.settled(), 0);
}

#[test]
fn a_file_that_was_emptied_and_has_grown_beyond_the_place_is_seen_by_its_bytes() {
    let mut log = Log::new();
    for _ in 0..3 {
        log.line();
    }
    log.look();
    log.copytruncate();
    for _ in 0..40 {
        log.line();
    }
    assert_eq!(log.settled(), 0);
}

#[test]
fn what_is_gone_is_a_gap_and_what_was_read_is_none() {
    let mut log = Log::new();
    log.line();
    log.look();
    log.restart();
    // Rotated and compressed at once, while nothing ran.
    log.rename();
    fs::remove_file(log.path("auth.log.1")).unwrap();
    log.reopen();
    log.line();
    assert_eq!(log.settled(), 1);

    // While running the file stays open: nothing is lost.
    let mut log = Log::new();
    log.line();
    log.look();
    log.line();
    log.rename();
    fs::remove_file(log.path("auth.log.1")).unwrap();
    log.reopen();
    log.line();
    assert_eq!(log.settled(), 0);

    // Emptied without a copy.
    let mut log = Log::new();
    log.line();
    log.look();
    fs::write(log.path("auth.log"), "").unwrap();
    log.look();
    log.line();
    assert_eq!(log.settled(), 1);
}

#[test]
fn a_copy_that_somebody_makes_is_not_read_again() {
    let mut log = Log::new();
    log.line();
    log.look();
    fs::copy(log.path("auth.log"), log.path("auth.log.1")).unwrap();
    fs::copy(log.path("auth.log"), log.path("auth.log.bak")).unwrap();
    log.look();
    log.line();
    log.look();
    assert_eq!(log.settled(), 0);
}

#[test]
fn a_long_line_is_cut_and_one_that_is_no_text_is_a_line() {
    let mut log = Log::new();
    log.raw(&vec![b'a'; 3 * generation::MAX_LINE + 5]);
    log.look();
    log.raw(&vec![b'a'; 9 * generation::MAX_LINE]);
    log.look();
    log.restart();
    log.raw(b"end\n\xff\xfe\x00z\n");
    log.line();
    log.look();
    assert_eq!(log.read.len(), 3, "one long line, one odd one, one more");
    assert_eq!(log.read[0].len(), MAX_LINE);
    assert_eq!(log.read[1], "\u{fffd}\u{fffd}\0z");
}

#[test]
fn a_hole_before_a_line_is_none() {
    let mut log = Log::new();
    log.line();
    log.look();
    // A writer that does not append goes on at its own place after the file was emptied.
    fs::write(log.path("auth.log"), [vec![0; 200_000], b"after\n".to_vec()].concat()).unwrap();
    log.look();
    assert_eq!(log.read.last().unwrap(), "after");
}

#[test]
fn a_last_line_without_an_end_counts_when_nobody_writes_any_more() {
    let mut log = Log::new();
    log.raw(b"last words");
    log.written.push("last words".to_owned());
    log.rename();
    log.reopen();
    log.look();
    assert_eq!(log.read, Vec::<String>::new());
    log.now += LINGER;
    assert_eq!(log.settled(), 0);
}

#[test]
fn a_log_that_is_not_there_yet_is_read_from_its_beginning_once_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let mut follower = Follower::new(path.clone(), None);
    let mut lines = 0;
    assert_eq!(follower.look(0, 99, &mut |_| lines += 1).unwrap_err().kind(), io::ErrorKind::NotFound);
    fs::write(&path, "a\nb\n").unwrap();
    assert_eq!(follower.look(5, 99, &mut |_| lines += 1).unwrap(), Look { caught_up: true, bytes: 4 });
    assert_eq!(lines, 2);
    fs::remove_file(&path).unwrap();
    assert!(follower.look(10, 99, &mut |_| lines += 1).is_err());
    fs::create_dir(&path).unwrap();
    assert_eq!(follower.look(15, 99, &mut |_| lines += 1).unwrap_err().to_string(), "it is not a regular file");
    assert!(Follower::new(folder.path().join("none/a.log"), None).look(0, 9, &mut |_| {}).is_err());
    assert_eq!(lines, 2);
}

#[test]
fn what_is_stored_has_no_text_of_the_log() {
    let mut log = Log::new();
    log.raw(b"sshd[1]: Failed password for hunter2\n");
    log.look();
    assert!(!serde_json::to_string(&log.follower.position()).unwrap().contains("hunter2"));
}
