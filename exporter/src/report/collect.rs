//! What a report needs of Prometheus: the month's slots, and the recorded figures of the year's earlier months.
//!
//! Not for: how a server is asked (`prometheus_api`), what the slots amount to (`figures`).

use std::collections::BTreeMap;

use super::assemble::{Past, Sent};
use super::duties::{self, Watch};
use super::model::{Origin, Source};
use super::slots::{self, Slot};
use crate::calendar::Month;
use crate::contract::Contract;
use crate::prometheus_api::{Client, Error, Sample, Series, quoted};

/// The recorded series with all parts of a month, see recording-rules/months.yml.
const PARTS: &str = "sla:month_parts:seconds";
/// How far back a month of the same year can have been recorded last.
const YEAR: &str = "400d";
/// A group of rules is evaluated every five minutes: what the month's last evaluation recorded is there by then.
const SETTLE: i64 = 600;

/// What Prometheus had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// By function of the contract: its slots, one per five minutes of the clock. A function without any is missing.
    pub slots: BTreeMap<String, Vec<Slot>>,
    /// Earlier months of the year.
    pub past: Vec<Past>,
    /// Notices the exporters sent.
    pub sent: Vec<Sent>,
    /// What was watched of the duties.
    pub watch: Watch,
    /// Who was asked.
    pub source: Source,
}

/// Why there is nothing to report from.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The server could not be asked.
    #[error("{0}")]
    Prometheus(#[from] Error),
    /// It has not one slot of the month.
    #[error(
        "{url}: no slots of contract `{contract}` in {month}: not one sample of `sla:function_up:5m`{hint}; is it the right \
         Prometheus, does it load recording-rules/slots.yml, and does it keep samples that long (--storage.tsdb.retention.time)?"
    )]
    NoSlots {
        /// Where.
        url: String,
        /// Of which contract.
        contract: String,
        /// Of which month.
        month: Month,
        /// What it has instead.
        hint: String,
    },
}

/// Asks for everything a report of `month`, as of `now`, needs. `url` is the server's, for the report; `progress` is told how
/// many of how many seconds of the month are read.
///
/// # Errors
/// When the server cannot be asked, or has not one slot of the month.
pub async fn collect(
    client: &mut Client,
    url: String,
    contract: &Contract,
    month: Month,
    now: i64,
    progress: impl FnMut(u64, u64),
) -> Result<Collected, CollectError> {
    let span = month.span(&contract.timezone);
    let slots = slots(client, &url, contract, month, now, progress).await?;
    let past = past(client, contract, month, (span.end() + SETTLE).min(now)).await?;
    let sent = sent(client, contract, now).await?;
    let watch = duties::collect::collect(client, contract, month, now).await?;
    // Only told along; a server that does not know this question has answered the others.
    let version = client.server().await.ok().and_then(|server| server.version);
    Ok(Collected { slots, past, sent, watch, source: Source { url, version, warnings: client.take_warnings() } })
}

/// Asks for the slots of `month`, as of `now`, alone: by function of the contract, one per five minutes of the clock.
///
/// # Errors
/// As [`collect`].
pub async fn slots(
    client: &mut Client,
    url: &str,
    contract: &Contract,
    month: Month,
    now: i64,
    progress: impl FnMut(u64, u64),
) -> Result<BTreeMap<String, Vec<Slot>>, CollectError> {
    let span = month.span(&contract.timezone);
    let until = span.end().min(now);
    let slots = between(client, contract, span.start(), until, progress).await?;
    if slots.is_empty() {
        let hint = hint(client, contract, span.start(), until).await;
        return Err(CollectError::NoSlots { url: url.to_owned(), contract: contract.name.clone(), month, hint });
    }
    Ok(slots)
}

/// The slots of each function of the contract with `from < t <= to`, one per five minutes of the clock; a function without any
/// is missing.
///
/// # Errors
/// When the server cannot be asked.
pub async fn between(
    client: &mut Client,
    contract: &Contract,
    from: i64,
    to: i64,
    progress: impl FnMut(u64, u64),
) -> Result<BTreeMap<String, Vec<Slot>>, Error> {
    let selector = format!("sla:function_up:5m{{contract={}}}", quoted(&contract.name));
    Ok(by_function(contract, client.raw(&selector, from, to, progress).await?))
}

/// The slots of each function of the contract, out of the series of one server or several.
fn by_function(contract: &Contract, series: Vec<Series>) -> BTreeMap<String, Vec<Slot>> {
    let mut all: BTreeMap<String, Vec<Vec<Slot>>> = BTreeMap::new();
    for Series { labels, points } in series {
        let known = contract.functions.iter().find(|function| labels.get("function") == Some(&function.name));
        let slots: Vec<Slot> = points.iter().filter_map(|point| slot(point.millis, point.value)).collect();
        if let Some(function) = known.filter(|_| !slots.is_empty()) {
            all.entry(function.name.clone()).or_default().push(slots);
        }
    }
    all.into_iter().map(|(function, series)| (function, slots::merge(series))).collect()
}

/// A sample as a slot. The second it ends in: so it lies on the same side of every whole second as its milliseconds do.
fn slot(millis: i64, value: f64) -> Option<Slot> {
    let at = -(-millis).div_euclid(1000);
    (!value.is_nan()).then_some(Slot { at, up: value > 0.5 })
}

/// What the server has instead of slots of this contract: the commonest mistakes are another server and another name.
async fn hint(client: &mut Client, contract: &Contract, from: i64, to: i64) -> String {
    let Ok(found) = client.series("sla:function_up:5m", from, to).await else { return String::new() };
    let label = |name: &str| -> Vec<String> {
        let own = found.iter().filter(|labels| name == "contract" || labels.get("contract") == Some(&contract.name));
        let mut values: Vec<String> = own.filter_map(|labels| labels.get(name)).map(|v| format!("`{v}`")).collect();
        values.sort();
        values.dedup();
        values.truncate(10);
        values
    };
    let (contracts, functions) = (label("contract"), label("function"));
    if !functions.is_empty() {
        format!(" of its functions (it has some of {})", functions.join(", "))
    } else if !contracts.is_empty() {
        format!(" (it has some of {})", contracts.join(", "))
    } else {
        String::new()
    }
}

/// What the exporters say they sent. Each goes on saying it for longer than any month is reported on, so the last day is
/// enough, and one that is down for an hour does not take it away.
async fn sent(client: &mut Client, contract: &Contract, now: i64) -> Result<Vec<Sent>, Error> {
    let query = format!(
        "min by (entry, event) (last_over_time(sla_notice_sent_timestamp_seconds{{contract={}}}[1d]))",
        quoted(&contract.name)
    );
    Ok(of_notices(&client.query(&query, now).await?))
}

fn of_notices(samples: &[Sample]) -> Vec<Sent> {
    let mut sent: Vec<Sent> = samples
        .iter()
        .filter_map(|sample| Some(Sent { entry: sample.labels.get("entry")?.clone(), at: whole(sample.point.value) }))
        .collect();
    sent.sort_by(|a, b| (a.at, &a.entry).cmp(&(b.at, &b.entry)));
    sent
}

/// The last recorded figures of the earlier months of the year.
async fn past(client: &mut Client, contract: &Contract, month: Month, at: i64) -> Result<Vec<Past>, Error> {
    let mut months = Vec::new();
    let mut earlier = month.previous();
    while earlier.year() == month.year() {
        months.push(earlier.to_string());
        earlier = earlier.previous();
    }
    if months.is_empty() {
        return Ok(Vec::new());
    }
    let query = format!(
        "max by (function, month, part) (last_over_time({PARTS}{{contract={},month=~\"{}\"}}[{YEAR}]))",
        quoted(&contract.name),
        months.join("|")
    );
    Ok(of_parts(&client.query(&query, at).await?))
}

fn of_parts(samples: &[Sample]) -> Vec<Past> {
    let mut months: BTreeMap<(Month, String), BTreeMap<&str, i64>> = BTreeMap::new();
    for Sample { labels, point } in samples {
        let month = labels.get("month").and_then(|month| month.parse().ok());
        let (Some(month), Some(function), Some(part)) = (month, labels.get("function"), labels.get("part")) else {
            continue;
        };
        months.entry((month, function.clone())).or_default().insert(part, whole(point.value));
    }
    let of = |((month, function), parts): ((Month, String), BTreeMap<&str, i64>)| {
        let part = |name: &str| parts.get(name).copied();
        let downtime_seconds = part("unexplained")? + part("judged")?;
        let unmeasured_seconds = part("unmeasured")?;
        Some(Past {
            month,
            function,
            origin: Origin::Recorded,
            service_seconds: part("service")?,
            downtime_seconds,
            unmeasured_seconds,
            known: part("up")? + downtime_seconds > 0 || unmeasured_seconds == 0,
        })
    };
    months.into_iter().filter_map(of).collect()
}

/// Whole seconds; what is not a number is 0.
#[allow(clippy::cast_possible_truncation)]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus_api::{Labels, Point};
    use crate::report::sample::contract;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_sample_lies_on_the_same_side_of_a_second_as_its_slot() {
        for (millis, at) in [(300_000, 300), (300_001, 301), (299_999, 300), (299_001, 300), (0, 0)] {
            assert_eq!(slot(millis, 1.0).unwrap().at, at, "{millis}");
        }
        assert_eq!(slot(300_000, f64::NAN), None);
        assert_eq!([0.0, 1.0].map(|value| slot(300_000, value).unwrap().up), [false, true]);
    }

    #[test]
    fn servers_are_merged_and_other_functions_left_out() {
        let series = |function: &str, replica: &str, points: &[(i64, f64)]| Series {
            labels: labels(&[("function", function), ("replica", replica)]),
            points: points.iter().map(|(seconds, value)| Point { millis: seconds * 1000, value: *value }).collect(),
        };
        let slots = by_function(
            &contract(),
            vec![
                series("client", "a", &[(310, 0.0), (610, 1.0)]),
                series("client", "b", &[(320, 1.0), (920, 0.0)]),
                series("other", "a", &[(310, 0.0)]),
                series("consumer", "a", &[(310, f64::NAN)]),
            ],
        );
        let expected = [(320, 1), (610, 1), (920, 0)].map(Slot::from).to_vec();
        assert_eq!(slots, BTreeMap::from([("client".to_owned(), expected)]));
    }

    #[test]
    fn a_recorded_month_is_taken_whole_or_not_at_all() {
        let sample = |month: &str, part: &str, value: f64| Sample {
            labels: labels(&[("function", "client"), ("month", month), ("part", part)]),
            point: Point { millis: 0, value },
        };
        let mut samples: Vec<Sample> =
            [("service", 2_592_000.0), ("up", 300.0), ("unexplained", 600.0), ("judged", 90.0), ("unmeasured", 0.0)]
                .into_iter()
                .map(|(part, value)| sample("2026-09", part, value))
                .collect();
        samples.push(sample("2026-08", "service", 1.0));
        samples.push(sample("soon", "service", 1.0));
        let past = of_parts(&samples);
        assert_eq!(past.len(), 1);
        assert_eq!((past[0].service_seconds, past[0].downtime_seconds, past[0].known), (2_592_000, 690, true));
    }

    #[test]
    fn a_contracts_name_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"} or vector(1) #\\"), r#""a\"} or vector(1) #\\""#);
    }
}
