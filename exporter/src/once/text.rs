//! A run as text for a terminal: what happened first, what it means last, where the eye is. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use super::{Told, advice};
use crate::config::decode::format_duration;
use crate::probe::trace::Certificate;
use crate::probe::{Extra, Metric};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBT: Style = AnsiColor::Yellow.on_default().bold();
const HEAD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Said elsewhere in the text, or no figure for people.
const LEFT_OUT: [Metric; 5] =
    [Metric::Success, Metric::Duration, Metric::IpAddrHash, Metric::SslEarliestCertExpiry, Metric::SslLastChainExpiry];
/// Certificates that end within as long are marked.
const SOON: i64 = 30 * 86_400;
/// The longest bar of a phase, in characters.
const BAR: f64 = 40.0;

/// The text, with colours; `now` in seconds since the epoch.
pub(super) fn render(told: &Told<'_>, now: i64) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, told, now);
    text
}

fn write(out: &mut String, told: &Told<'_>, now: i64) -> std::fmt::Result {
    let Told { chosen, timeout, run, trace } = told;
    let module = &chosen.module;
    write!(out, "{HEAD}{}{HEAD:#}  {DIM}", chosen.target)?;
    if let Some(probe) = &chosen.probe {
        write!(out, "probe {probe}, ")?;
    }
    let place = if chosen.built_in { "built-in module" } else { "module" };
    write!(out, "{place} {}", module.name)?;
    if module.name != module.prober.name() {
        write!(out, " ({})", module.prober.name())?;
    }
    writeln!(out, ", at most {}{DIM:#}", format_duration(*timeout))?;

    if !trace.steps().is_empty() {
        writeln!(out, "\n{HEAD}Steps{HEAD:#}")?;
    }
    for step in trace.steps() {
        let (indent, style) = if step.found { ("  → ", DIM) } else { ("", Style::new()) };
        writeln!(out, "  {DIM}{:>10}{DIM:#}  {indent}{style}{}{style:#}", took(step.at), step.what)?;
    }
    phases(out, told)?;
    if !trace.certificates().is_empty() {
        writeln!(out, "\n{HEAD}Certificates{HEAD:#}")?;
    }
    for certificate in trace.certificates() {
        write_certificate(out, certificate, now)?;
    }
    let figures = run.samples.iter().filter(|s| s.extra == Extra::None && !LEFT_OUT.contains(&s.metric));
    let width = figures.clone().map(|sample| sample.metric.name().len()).max().unwrap_or_default();
    if width > 0 {
        writeln!(out, "\n{HEAD}Figures{HEAD:#}")?;
    }
    for sample in figures {
        writeln!(out, "  {:<width$}  {}", sample.metric.name(), sample.value)?;
    }
    writeln!(out)?;
    match &run.failure {
        None => writeln!(out, "{GOOD}✓ success{GOOD:#} after {}", took(run.duration)),
        Some(failure) => {
            writeln!(out, "{BAD}✗ failure{BAD:#} after {}: {BAD}{}{BAD:#}", took(run.duration), failure.reason)?;
            writeln!(out, "  {}", failure.detail)?;
            writeln!(out, "  {HEAD}What to do:{HEAD:#} {}", advice::of(failure.reason, &module.prober))
        }
    }
}

fn phases(out: &mut String, told: &Told<'_>) -> std::fmt::Result {
    // One that did not come about took no time.
    let phases: Vec<(&str, f64)> = told
        .run
        .samples
        .iter()
        .filter_map(|sample| match sample.extra {
            Extra::Phase(phase) if sample.value > 0.0 => Some((phase, sample.value)),
            _ => None,
        })
        .collect();
    let longest = phases.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max);
    if !phases.is_empty() {
        writeln!(out, "\n{HEAD}Phases{HEAD:#}")?;
    }
    for (phase, seconds) in phases {
        #[allow(clippy::cast_possible_truncation)] // 0 to BAR
        let bar = "▇".repeat((seconds / longest * BAR).round() as usize);
        let duration = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        writeln!(out, "  {phase:<10}  {:>10}  {DIM}{bar}{DIM:#}", took(duration))?;
    }
    Ok(())
}

fn write_certificate(out: &mut String, certificate: &Certificate, now: i64) -> std::fmt::Result {
    let Certificate { subject, issuer, names, not_before, not_after } = certificate;
    let nobody = "(no subject)";
    writeln!(out, "  {}", if subject.is_empty() { nobody } else { subject })?;
    if !names.is_empty() {
        writeln!(out, "    {DIM}names  {DIM:#} {}", names.join(", "))?;
    }
    let by = if issuer == subject { "itself" } else { issuer };
    writeln!(out, "    {DIM}issued {DIM:#} by {by}")?;
    let (style, left) = match not_after - now {
        _ if now < *not_before => (BAD, "not valid yet".to_owned()),
        left if left < 0 => (BAD, format!("expired {} ago", days(-left))),
        left if left < SOON => (DOUBT, format!("{} left", days(left))),
        left => (GOOD, format!("{} left", days(left))),
    };
    writeln!(out, "    {DIM}valid  {DIM:#} {} to {}, {style}{left}{style:#}", moment(*not_before), moment(*not_after))
}

fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| "an unknown time".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// Whole days, or hours where there is none.
fn days(seconds: i64) -> String {
    let (number, unit) = match seconds / 86_400 {
        0 => (seconds / 3600, "hour"),
        days => (days, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

fn took(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds > 0.0 && seconds < 0.001 => format!("{:.0} µs", seconds * 1e6),
        seconds if seconds < 10.0 => format!("{:.1} ms", seconds * 1000.0),
        seconds => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(not_before: i64, not_after: i64) -> String {
        let mut text = String::new();
        let one = Certificate {
            subject: "CN=a".to_owned(),
            issuer: "CN=b".to_owned(),
            names: vec!["a".to_owned(), "10.0.0.1".to_owned()],
            not_before,
            not_after,
        };
        write_certificate(&mut text, &one, 1_000_000_000).unwrap();
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_certificates_time_is_told_on_both_sides_of_its_ends() {
        const NOW: i64 = 1_000_000_000;
        for (from, to, expected) in [
            (NOW + 1, NOW + 2, "not valid yet"),
            (NOW, NOW, "0 hours left"),
            (0, NOW + 3600, "1 hour left"),
            (0, NOW + 86_400, "1 day left"),
            (0, NOW + 90 * 86_400, "90 days left"),
            (0, NOW - 1, "expired 0 hours ago"),
            (0, NOW - 3 * 86_400, "expired 3 days ago"),
        ] {
            let text = certificate(from, to);
            assert!(text.ends_with(&format!(", {expected}\n")), "{text}");
        }
        let text = certificate(0, NOW + 86_400);
        assert_eq!(
            text,
            "  CN=a\n    names   a, 10.0.0.1\n    issued  by CN=b\n    \
             valid   1970-01-01 00:00 UTC to 2001-09-10 01:46 UTC, 1 day left\n"
        );
    }
}
