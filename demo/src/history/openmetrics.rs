//! Samples in OpenMetrics' text format, one series after another.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::figures::{Figures, recorded};
use super::measure::{Evidence, Stretch};
use super::probes::{CAPABILITIES, SITE, Watch};
use super::{CONTRACT, FUNCTIONS, History, SLOT, around};

/// Writes all series of `history`.
pub(super) fn write(history: &History, path: &Path) -> io::Result<()> {
    let mut page = Page { out: BufWriter::new(File::create(path)?), line: String::new() };
    let detailed = history.current().back(1).start();
    slots(history, detailed, &mut page)?;
    runs(history, detailed, &mut page)?;
    months(history, detailed, &mut page)?;
    around::write(history, detailed, &mut page)?;
    page.out.write_all(b"# EOF\n")?;
    page.out.flush()
}

/// The file, and the line in work.
pub(super) struct Page {
    out: BufWriter<File>,
    line: String,
}

impl Page {
    pub(super) fn family(&mut self, name: &str, kind: &str) -> io::Result<()> {
        writeln!(self.out, "# TYPE {name} {kind}")
    }

    pub(super) fn sample(&mut self, series: &str, value: f64, at: i64) -> io::Result<()> {
        self.line.clear();
        self.line.push_str(series);
        let _ = writeln!(self.line, " {value} {at}");
        self.out.write_all(self.line.as_bytes())
    }
}

/// The stretches of `history` from `start` on, and their slots' times: the last is the end itself, so that the live slots
/// that follow leave no hole.
pub(super) fn stretches(history: &History, start: i64) -> impl Iterator<Item = (&Stretch, impl Iterator<Item = i64>)> {
    let later = history.measured.stretches().iter().filter(move |stretch| stretch.end > start);
    later.map(move |stretch| {
        let first = stretch.start.max(start) / SLOT + 1;
        let seam = (stretch.end == history.now && history.now % SLOT != 0).then_some(history.now);
        (stretch, (first..=stretch.end / SLOT).map(|slot| slot * SLOT).chain(seam))
    })
}

/// One series of slots.
pub(super) fn series(
    history: &History,
    start: i64,
    series: &str,
    page: &mut Page,
    value: impl Fn(&Stretch) -> Option<f64>,
) -> io::Result<()> {
    for (stretch, times) in stretches(history, start) {
        if let Some(value) = value(stretch) {
            for at in times {
                page.sample(series, value, at)?;
            }
        }
    }
    Ok(())
}

pub(super) fn number(up: bool) -> f64 {
    if up { 1.0 } else { 0.0 }
}

/// A series of recording-rules/slots.yml about a capability with a quorum: its value where it has one.
type OfCapability = (&'static str, fn(Evidence, usize) -> Option<f64>);

#[allow(clippy::cast_precision_loss)]
const OF_CAPABILITY: [OfCapability; 4] = [
    ("sla:capability_evidence_up:5m", |evidence, _| (evidence.measured > 0).then_some(evidence.up as f64)),
    ("sla:capability_evidence_measured:5m", |e, _| (e.measured > 0).then_some(e.measured as f64)),
    ("sla:capability_evidence_expected:5m", |evidence, _| Some(evidence.expected as f64)),
    ("sla:capability_up:5m", |evidence, quorum| evidence.state(quorum).map(number)),
];

/// recording-rules/slots.yml's.
fn slots(history: &History, detailed: i64, page: &mut Page) -> io::Result<()> {
    let at = &history.addresses;
    page.family("sla:site_connected:5m", "gauge")?;
    let site = format!("sla:site_connected:5m{{contract=\"{CONTRACT}\",site=\"{SITE}\"}}");
    series(history, detailed, &site, page, |stretch| stretch.connected.map(number))?;

    page.family("sla:probe_up:5m", "gauge")?;
    for watch in Watch::ALL.into_iter().filter(|watch| watch.capability().is_some()) {
        let name = format!("sla:probe_up:5m{{{}}}", watch.labels(at, true));
        let place = watch as usize;
        series(history, detailed, &name, page, |stretch| stretch.probes.get(place).copied().flatten().map(number))?;
    }

    for (name, value) in OF_CAPABILITY {
        page.family(name, "gauge")?;
        for (place, capability) in CAPABILITIES.iter().enumerate() {
            let function = FUNCTIONS.get(capability.function).copied().unwrap_or_default();
            let capability_name = capability.name;
            let name =
                format!("{name}{{contract=\"{CONTRACT}\",function=\"{function}\",capability=\"{capability_name}\"}}");
            series(history, detailed, &name, page, |stretch| {
                value(stretch.capabilities.get(place).copied().flatten()?, capability.quorum)
            })?;
        }
    }

    page.family("sla:function_up:5m", "gauge")?;
    for (place, function) in FUNCTIONS.iter().enumerate() {
        let name = format!("sla:function_up:5m{{contract=\"{CONTRACT}\",function=\"{function}\"}}");
        let up = |stretch: &Stretch| stretch.functions.get(place).copied().flatten().map(number);
        series(history, history.start().start(), &name, page, up)?;
    }
    Ok(())
}

/// The exporter's own, one sample a slot.
fn runs(history: &History, detailed: i64, page: &mut Page) -> io::Result<()> {
    let at = &history.addresses;
    page.family("probe_success", "gauge")?;
    for watch in history.watched() {
        let name = format!("probe_success{{{}}}", watch.labels(at, false));
        series(history, detailed, &name, page, |stretch| Some(number(failure(stretch, watch)?.is_none())))?;
    }
    page.family("probe_duration_seconds", "gauge")?;
    for watch in history.watched() {
        let name = format!("probe_duration_seconds{{{}}}", watch.labels(at, false));
        for (stretch, times) in stretches(history, detailed) {
            let Some(failure) = failure(stretch, watch) else { continue };
            for at in times {
                page.sample(&name, duration(watch, failure, at), at)?;
            }
        }
    }
    page.family("probe_runs", "counter")?;
    for watch in history.watched() {
        let name = format!("probe_runs_total{{{}}}", watch.labels(at, false));
        counter(history, detailed, watch, &name, None, page)?;
    }
    page.family("probe_failures", "counter")?;
    for watch in history.watched() {
        let own = history.story.faults.iter().filter(|fault| fault.what.contains(&watch) && fault.end > detailed);
        let mut reasons: Vec<&str> = own.map(|fault| fault.reason).collect();
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            let name = format!("probe_failures_total{{{},reason=\"{reason}\"}}", watch.labels(at, false));
            counter(history, detailed, watch, &name, Some(reason), page)?;
        }
    }
    Ok(())
}

/// Why `watch` failed, where it did; `None` where nothing was recorded.
pub(super) fn failure(stretch: &Stretch, watch: Watch) -> Option<Option<&'static str>> {
    stretch.failing.map(|all| all.get(watch as usize).copied().flatten())
}

/// Counts runs, or those that failed for `reason`; from 0 again after the exporter was away, and after it was started anew,
/// which happens once a week and takes no longer than a scrape.
fn counter(
    history: &History,
    detailed: i64,
    watch: Watch,
    name: &str,
    reason: Option<&str>,
    page: &mut Page,
) -> io::Result<()> {
    const WEEK: i64 = 7 * 86_400;
    let (mut runs, mut before) = (0, detailed);
    for (stretch, times) in stretches(history, detailed) {
        let Some(failure) = failure(stretch, watch) else {
            (runs, before) = (0, stretch.end);
            continue;
        };
        for at in times {
            if at / WEEK != before / WEEK {
                runs = 0;
            }
            if reason.is_none() || reason == failure {
                // A reason appears with its first failure: where it began can be seen only then.
                if reason.is_some() && runs == 0 {
                    page.sample(name, 1.0, before + watch.interval())?;
                }
                runs += (at - before) / watch.interval();
            }
            before = at;
            if reason.is_none() || runs > 0 {
                #[allow(clippy::cast_precision_loss)]
                page.sample(name, runs as f64, at)?;
            }
        }
    }
    Ok(())
}

/// How long the run at a moment took, in seconds: a little more by day, never quite the same.
#[allow(clippy::cast_precision_loss)]
pub(super) fn duration(watch: Watch, failure: Option<&str>, at: i64) -> f64 {
    let hour = (at + 9 * 3600).rem_euclid(86_400) / 3600;
    let busy = if (9..18).contains(&hour) { 1.3 } else { 1.0 };
    let noise = 0.8 + noise(watch, at) * 0.5;
    let seconds = match failure {
        Some("timeout") => watch.timeout(),
        Some("refused" | "connect" | "reset") => 0.001 * noise,
        _ => watch.usual() * busy * noise,
    };
    (seconds * 1e6).round() / 1e6
}

/// From 0 to 1, the same for the same arguments (splitmix64).
#[allow(clippy::cast_precision_loss, clippy::cast_sign_loss)]
pub(super) fn noise(watch: Watch, at: i64) -> f64 {
    let mut x = (at as u64).wrapping_mul(31).wrapping_add(watch as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A series of recording-rules/months.yml: its name, another label where it has one, its value where it has one.
type Monthly = (&'static str, &'static str, fn(Figures) -> Option<f64>);

#[allow(clippy::cast_precision_loss)]
const MONTHLY: [Monthly; 14] = [
    ("sla:month_parts:seconds", ",part=\"service\"", |f| Some(f.service as f64)),
    ("sla:month_parts:seconds", ",part=\"elapsed\"", |f| Some(f.elapsed as f64)),
    ("sla:month_parts:seconds", ",part=\"judged\"", |f| Some(f.judged as f64)),
    ("sla:month_parts:seconds", ",part=\"allowed\"", |f| Some(f.allowed())),
    ("sla:month_parts:seconds", ",part=\"up\"", |f| Some(f.up as f64)),
    ("sla:month_parts:seconds", ",part=\"unexplained\"", |f| Some(f.unexplained as f64)),
    ("sla:month_parts:seconds", ",part=\"unmeasured\"", |f| Some(f.unmeasured as f64)),
    ("sla:month_downtime:seconds", "", |f| Some(f.downtime() as f64)),
    ("sla:month_availability:ratio", "", Figures::availability),
    ("sla:month_availability_to_date:ratio", "", Figures::to_date),
    ("sla:month_budget_remaining:seconds", "", Figures::budget),
    ("sla:month_unmeasured:seconds", "", |f| Some(f.unmeasured as f64)),
    ("sla:month_availability_lower:ratio", "", Figures::lower),
    ("sla:month_unexplained_downtime:seconds", "", |f| Some(f.unexplained as f64)),
];

fn months(history: &History, detailed: i64, page: &mut Page) -> io::Result<()> {
    let recorded = recorded(&history.story, &history.measured, detailed, history.now);
    let mut family = "";
    for (name, label, value) in MONTHLY {
        if name != family {
            page.family(name, "gauge")?;
            family = name;
        }
        // What only the rules themselves read is written once an hour.
        let each = if label.is_empty() { SLOT } else { 3600 };
        for (month, function, figures) in &recorded {
            let month = month.name();
            let name = format!("{name}{{contract=\"{CONTRACT}\",function=\"{function}\",month=\"{month}\"{label}}}");
            for (at, figures) in figures.iter().filter(|(at, _)| (at + SLOT) % each == 0) {
                if let Some(value) = value(*figures) {
                    page.sample(&name, value, *at)?;
                }
            }
        }
    }
    Ok(())
}
