//! What was measured, as Markdown: the results folder keeps it as it was printed.

use std::process::Command;
use std::time::Duration;

use crate::kind::Kind;
use crate::many::Many;
use crate::{Plan, ours, peer};

/// One exporter under one load.
pub(crate) struct Measured {
    pub(crate) runs: f64,
    pub(crate) failed: f64,
    pub(crate) missed: f64,
    pub(crate) expected: f64,
    pub(crate) cpu_seconds: f64,
    /// Resident at the end, in MiB.
    pub(crate) memory: f64,
    pub(crate) memory_peak: f64,
    /// Of what is resident, what is no page of the program's file, in MiB.
    pub(crate) memory_own: f64,
    pub(crate) page_bytes: usize,
    pub(crate) page_bytes_compressed: usize,
    pub(crate) scrape_median: Duration,
    pub(crate) scrape_worst: Duration,
}

impl Measured {
    /// Microseconds of processor time for one run.
    fn cpu_per_run(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.runs
    }
}

/// When and on what, without names.
pub(crate) fn machine() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("Date: {}", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"]));
    println!("Machine: {cpus} x {}, Linux {}", model.trim_start_matches([' ', '\t', ':']), output("uname", &["-r"]));
    println!("Load before: {}", load.split(' ').next().unwrap_or_default());
}

pub(crate) fn versions() {
    let theirs = Command::new(peer::PROGRAM).arg("--version").output().map_or_else(
        |_| panic!("{} is missing: apt-get install prometheus-blackbox-exporter", peer::PROGRAM),
        // Goes to standard error in old versions.
        |output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    );
    println!("sla-exporter: {}", output(&ours::binary().display().to_string(), &["--version"]));
    println!("Peer: {}", theirs.lines().next().unwrap_or_default().split(" (").next().unwrap_or_default());
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    // The version, and which revision it is of.
    String::from_utf8_lossy(&output.stdout).lines().take(2).collect::<Vec<_>>().join(", ")
}

pub(crate) fn heading(plan: Plan) {
    let Plan { probes, interval, measured, .. } = plan;
    println!("\n{probes} probes every {} s for {} s, both at once:\n", interval.as_secs(), measured.as_secs());
    println!(
        "| probe | exporter | runs (expected) | failed | missed | CPU µs/run | ratio | RSS MiB (peak; own) | page kB (gzip) | scrape ms (worst) |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
}

pub(crate) fn row(kind: Kind, ours: &Measured, theirs: &Measured) {
    let common = |name: &str, measured: &Measured, ratio: String| {
        let Measured { runs, expected, failed, missed, memory, memory_peak, memory_own, .. } = measured;
        format!(
            "| {} | {name} | {runs} ({expected}) | {failed} | {missed} | {:.0} | {ratio} | {memory:.1} ({memory_peak:.1}; {memory_own:.1}) |",
            kind.name(),
            measured.cpu_per_run(),
        )
    };
    let ratio = format!("{:.2}", ours.cpu_per_run() / theirs.cpu_per_run());
    println!(
        "{} {} ({}) | {:.1} ({:.1}) |",
        common("sla-exporter", ours, ratio),
        ours.page_bytes / 1000,
        ours.page_bytes_compressed / 1000,
        milliseconds(ours.scrape_median),
        milliseconds(ours.scrape_worst),
    );
    println!("{} – | – |", common("blackbox_exporter", theirs, "1".to_owned()));
}

pub(crate) fn many(many: &Many) {
    println!("\n10 000 HTTP probes every 60 s, for {:.0} s:\n", many.seconds);
    println!("| what | measured |\n|---|---|");
    println!("| start to ready | {:.0} ms |", milliseconds(many.start_to_ready));
    println!("| runs, failed, missed | {}, {}, {} |", many.runs, many.failed, many.missed);
    println!(
        "| CPU | {:.3} cores, {:.0} µs/run |",
        many.cpu_seconds / many.seconds,
        many.cpu_seconds * 1e6 / many.runs
    );
    println!("| scheduler lag p99 | at most {:.0} ms |", many.lag_p99 * 1e3);
    println!("| RSS (peak; own) | {:.1} MiB ({:.1}; {:.1}) |", many.memory, many.memory_peak, many.memory_own);
    println!("| page (gzip) | {} kB ({} kB) |", many.page_bytes / 1000, many.page_bytes_compressed / 1000);
    println!(
        "| scrape, gzip: median, p99, CPU | {:.1} ms, {:.1} ms, {:.1} ms |",
        milliseconds(many.scrape_median),
        milliseconds(many.scrape_p99),
        many.scrape_cpu_seconds * 1e3
    );
    println!(
        "| reload, one target changed: time, runs missed | {:.0} ms, {} |",
        milliseconds(many.reload),
        many.runs_missed_by_reload
    );
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
