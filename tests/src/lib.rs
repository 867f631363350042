//! The harness of the end-to-end tests: starts and stops the real programs on free ports.
//!
//! Each test has a folder of its own and a log per program; the logs' ends are shown when it fails. Nothing is skipped in
//! silence: a program that is missing fails the test with how to get it.

// A harness for tests: it fails by panicking, and prints logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::missing_panics_doc)]

pub mod http;
pub mod program;
pub mod samples;
pub mod shortened;
pub mod slow;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long a test waits for something that takes seconds on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// The repository's root.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository").to_owned()
}

/// A port nobody listens on now, and that no other test of this process was given.
///
/// Below the ports that the system gives to outgoing connections: one of those could take it before the program does.
#[must_use]
pub fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Processes that run at the same time begin at different places.
    let start = std::process::id().wrapping_mul(97);
    loop {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        assert!(given < COUNT, "no free port from {FIRST} on");
        let port = u16::try_from(FIRST + start.wrapping_add(given) % COUNT).expect("below 32 000");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asks `found` again and again until it has something; fails with `what` and the last answer after [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut found: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match found().await {
            Ok(value) => return value,
            Err(why) if Instant::now() >= deadline => panic!("{what}: not within {PATIENCE:?}; last: {why}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}
