//! How much probing costs: this exporter beside Debian's prometheus-blackbox-exporter, on the same
//! targets, at the same rate, at the same time; and one process with ten thousand probes.
//!
//! Loopback only. Ends by itself; its processes end with it. README.md beside it says how to run it and
//! what was measured. Not a test: nothing here fails for being slow, it prints what it found.

// A bench stops at the first thing that is not as expected, and its result is what it prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod client;
mod kind;
mod many;
mod ours;
mod peer;
mod process;
mod report;
mod target;

use std::time::Duration;

use kind::Kind;

/// What is measured, and for how long.
#[derive(Clone, Copy, Debug)]
struct Plan {
    probes: usize,
    interval: Duration,
    /// Not measured: connections are made, first runs done.
    warm_up: Duration,
    measured: Duration,
}

const USAGE: &str = "cargo bench -p sla-tests --bench peers -- [--probes N] [--interval SECONDS] [--seconds N] \
                     [http] [tcp] [https] [icmp] [many]";

fn main() {
    let mut plan = Plan {
        probes: 1000,
        interval: Duration::from_secs(5),
        warm_up: Duration::from_secs(15),
        measured: Duration::from_secs(120),
    };
    let mut kinds = Vec::new();
    let mut many = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<u32>().ok()).expect(USAGE);
        match argument.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--probes" => plan.probes = usize::try_from(number()).expect(USAGE),
            "--interval" => plan.interval = Duration::from_secs(number().into()),
            "--seconds" => plan.measured = Duration::from_secs(number().into()),
            "many" => many = true,
            word => kinds.push(Kind::named(word).expect(USAGE)),
        }
    }
    if kinds.is_empty() && !many {
        kinds = Kind::ALL.to_vec();
        many = true;
    }
    // A connection per target on the peer's side, and those being probed.
    let _ = rlimit::increase_nofile_limit(65_536);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async move {
        report::machine();
        report::versions();
        if !kinds.is_empty() {
            report::heading(plan);
        }
        for kind in kinds {
            let folder = tempfile::tempdir().unwrap();
            let targets = target::Targets::start(kind, plan.probes, folder.path()).await;
            let (ours, theirs) = tokio::join!(
                ours::measure(kind, &targets, plan, folder.path()),
                peer::measure(kind, &targets, plan, folder.path())
            );
            report::row(kind, &ours, &theirs);
        }
        if many {
            report::many(&many::measure(plan.measured).await);
        }
    });
}
