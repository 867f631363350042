//! The duties beside availability: what sla.yml says of them, and the files it names there, beside the ledger.
//!
//! Inquiries to the support desk come twice on each working day and are answered within hours, but for one that was late. All
//! of it is as invented as the rest, and nothing of it is alarming.

use std::fmt::Write as _;
use std::io;

use jiff::civil::Weekday::{Saturday, Sunday, Tuesday};

use super::calendar::{date, written};
use super::openmetrics::{Page, failure, number, stretches};
use super::probes::REFUSED;
use super::story::{DAY, HOUR, MINUTE};
use super::{CONTRACT, History};

/// What sla.yml says.
pub(super) const SECTION: &str = "
# Duties beside availability; the files are invented, as the history is.
support:
  hours: [\"10:00-12:00\", \"13:00-18:00\"]
  holidays: japan
  closed: [\"12-28..01-04\"]
  tickets: {csv: {path: tickets.csv}}
";

/// The files it names, with their contents.
pub(super) fn files(history: &History) -> Vec<(&'static str, String)> {
    vec![("tickets.csv", tickets(history))]
}

/// All inquiries there were, one a line.
fn tickets(history: &History) -> String {
    let mut text = "received_at,answered_at\n".to_owned();
    let late = late(history);
    let mut day = history.start().start();
    while day <= history.end() {
        if !matches!(date(day).weekday(), Saturday | Sunday) {
            for (received, took) in [(10 * HOUR + 20 * MINUTE, 3 * HOUR), (15 * HOUR + 40 * MINUTE, 2 * HOUR)] {
                line(&mut text, day + received, took, history.end());
            }
        }
        if day <= late && late < day + DAY {
            line(&mut text, late, 3 * DAY, history.end());
        }
        day += DAY;
    }
    text
}

/// When the one was received that was answered late, three days after.
fn late(history: &History) -> i64 {
    history.current().back(1).on(2, Tuesday, (16, 10))
}

/// What recording-rules/duties.yml recorded from `start` on: the device `host` was measured whenever anything was, and of the inquiries one was
/// overdue, from its deadline on the second evening at the latest. Nobody was let in who must not be, as far as there was anybody to ask.
pub(super) fn verdicts(history: &History, start: i64, host: &str, page: &mut Page) -> io::Result<()> {
    let late = late(history);
    let answered = late + 3 * DAY;
    // From 18:00; a holiday between moves no answer.
    let overdue = late - (16 * HOUR + 10 * MINUTE) + 2 * DAY + 18 * HOUR;
    let verdict = |duty: &str, at: i64| duty == "monitoring" || !(overdue < at && at <= answered);
    for (name, is_verdict) in [("sla:duty_kept:5m", true), ("sla:duty_measured:5m", false)] {
        page.family(name, "gauge")?;
        for (duty, clause, item) in [("monitoring", "C2.1", host), ("answers", "C3.4", "inquiries")] {
            let series =
                format!("{name}{{contract=\"{CONTRACT}\",duty=\"{duty}\",clause=\"{clause}\",item=\"{item}\"}}");
            for (_, times) in stretches(history, start).filter(|(stretch, _)| stretch.failing.is_some()) {
                for at in times {
                    page.sample(&series, number(!is_verdict || verdict(duty, at)), at)?;
                }
            }
        }
        for watch in REFUSED {
            let item = watch.item(&history.addresses);
            let series =
                format!("{name}{{contract=\"{CONTRACT}\",duty=\"authentication\",clause=\"C2.6.5\",item=\"{item}\"}}");
            for (stretch, times) in stretches(history, start) {
                let answers = match failure(stretch, watch) {
                    None => continue,
                    Some(failed) => failed.is_none(),
                };
                for at in times.filter(|_| answers || !is_verdict) {
                    page.sample(&series, number(answers), at)?;
                }
            }
        }
    }
    Ok(())
}

/// One that was received by `now`, and answered if it was by then.
fn line(text: &mut String, received: i64, took: i64, now: i64) {
    if received <= now {
        let answered = if received + took <= now { written(received + took) } else { String::new() };
        let _ = writeln!(text, "{},{answered}", written(received));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::addresses;
    use super::*;

    #[test]
    fn nobody_asked_or_was_answered_in_the_future_and_only_the_last_day_waits() {
        // Noon in Tokyo, a Tuesday.
        let now = 1_794_884_400;
        let history = History::new(now, addresses());
        let text = tickets(&history);
        let lines: Vec<(&str, &str)> = text.lines().skip(1).map(|line| line.split_once(',').unwrap()).collect();
        assert!(lines.len() > 400, "{}", lines.len());
        // All in one zone: texts are in the order of time.
        let now = written(now);
        assert!(lines.iter().all(|(received, answered)| *received <= now.as_str() && *answered <= now.as_str()));
        let waiting: Vec<&str> = lines.iter().filter(|(_, answered)| answered.is_empty()).map(|line| line.0).collect();
        assert_eq!(waiting, [format!("{}T10:20:00+09:00", &now[..10])]);
    }
}
