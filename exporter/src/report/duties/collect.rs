//! What Prometheus has of the duties: the verdicts of recording-rules/duties.yml over a month, and the month's inquiries.
//!
//! Not for: what they amount to (`watch`, `assemble::duties`).

use std::collections::{BTreeMap, BTreeSet};

use super::facts;
use super::watch::{Said, Tickets, Watch};
use crate::calendar::Month;
use crate::contract::Contract;
use crate::prometheus_api::{Client, Error, Series, quoted};
use crate::report::slots::{LATE, STEP, clock};

/// How often it is looked whether something is configured: that changes with a reload only.
const LOOK: i64 = 3600;

/// An inquiry of the month's last day is answered within so long, holidays included; later the month's figures are those of then.
const SETTLED: i64 = 31 * 86_400;

/// Asks for what was watched in `month`, as of `now`.
///
/// # Errors
/// When the server cannot be asked.
pub async fn collect(client: &mut Client, contract: &Contract, month: Month, now: i64) -> Result<Watch, Error> {
    let span = month.span(&contract.timezone);
    let (from, to) = (clock(span.start() + 1), (span.end().min(now - LATE)).div_euclid(STEP) * STEP);
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    // One sample per five minutes, whoever recorded it; of several servers the better, as for functions.
    let best = |name: &str| {
        let contract = quoted(&contract.name);
        format!("max by (duty, item) (last_over_time({name}{{contract={contract}}}[5m]))")
    };
    let (kept, measured) = (best("sla:duty_kept:5m"), best("sla:duty_measured:5m"));
    for (query, what) in [
        (format!("min by (duty) ({kept})"), What::Verdicts),
        (format!("min by (duty) ({measured})"), What::Measured),
        (format!("{kept} == 0"), What::Broken),
        (format!("{measured} == 0"), What::Missing),
    ] {
        let series = client.range(&query, from, to, STEP, |_, _| {}).await?;
        series.into_iter().for_each(|series| add(&mut said, what, series));
    }
    let mut configured = BTreeSet::new();
    if let Some(query) = facts::query(&contract.name, |duty| !said.contains_key(duty)) {
        // Looks end with the last moment: what was configured within the hour is there.
        let first = to - (to - from).max(0) / LOOK * LOOK;
        let series = client.range(&query, first, to, LOOK, |_, _| {}).await?;
        configured.extend(series.into_iter().filter_map(|mut series| series.labels.remove("duty")));
    }
    let duties = said.into_iter().map(|(duty, said)| (duty, said.watched())).collect();
    let tickets = tickets(client, contract, month, now.min(span.end() + SETTLED)).await?;
    Ok(Watch { asked: true, duties, configured, tickets })
}

#[derive(Clone, Copy, Debug)]
enum What {
    Verdicts,
    Measured,
    Broken,
    Missing,
}

fn add(said: &mut BTreeMap<String, Said>, what: What, Series { labels, points }: Series) {
    let Some(duty) = labels.get("duty") else { return };
    let said = said.entry(duty.clone()).or_default();
    let samples = points.iter().filter(|point| !point.value.is_nan());
    let at = |millis: i64| millis.div_euclid(1000);
    match what {
        What::Verdicts => said.verdicts.extend(samples.map(|point| (at(point.millis), point.value > 0.5))),
        What::Measured => said.measured.extend(samples.map(|point| (at(point.millis), point.value > 0.5))),
        What::Broken | What::Missing => {
            let item = labels.get("item").cloned().unwrap_or_default();
            let items = if matches!(what, What::Broken) { &mut said.broken } else { &mut said.missing };
            items.entry(item).or_default().extend(samples.map(|point| at(point.millis)));
        }
    }
}

/// The month's inquiries as they stood `at`.
async fn tickets(client: &mut Client, contract: &Contract, month: Month, at: i64) -> Result<Option<Tickets>, Error> {
    let query = format!(
        "max by (period, state) (last_over_time(sla_support_tickets{{contract={},month=\"{month}\"}}[1h]))",
        quoted(&contract.name)
    );
    let found = client.query(&query, at).await?;
    let mut states: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for sample in &found {
        if let (Some(period), Some(state)) = (sample.labels.get("period"), sample.labels.get("state")) {
            #[allow(clippy::cast_possible_truncation)]
            states.insert((period, state), sample.point.value.round() as i64);
        }
    }
    // Around the turn of a month it is there twice: what was the current month, and what is the previous one.
    let period = ["closed", "previous", "current"].into_iter().find(|p| states.keys().any(|(period, _)| period == p));
    let Some(period) = period else { return Ok(None) };
    let of = |state: &str| states.get(&(period, state)).copied().unwrap_or_default();
    Ok(Some(Tickets { in_time: of("in_time"), late: of("late"), overdue: of("overdue"), waiting: of("waiting") }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus_api::{Labels, Point};
    use crate::report::duties::Stretch;

    #[test]
    fn answers_become_stretches_by_duty_and_item() {
        let series = |labels: &[(&str, &str)], points: &[(i64, f64)]| Series {
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Labels>(),
            points: points.iter().map(|(at, value)| Point { millis: at * 1000, value: *value }).collect(),
        };
        let mut said = BTreeMap::new();
        let duty = ("duty", "backups");
        add(&mut said, What::Verdicts, series(&[duty], &[(300, 1.0), (600, 0.0), (900, f64::NAN)]));
        add(&mut said, What::Measured, series(&[duty], &[(300, 1.0), (600, 1.0)]));
        add(&mut said, What::Broken, series(&[duty, ("item", "db")], &[(600, 0.0)]));
        add(&mut said, What::Missing, series(&[("item", "of nothing")], &[(600, 0.0)]));
        let seen = said["backups"].watched();
        assert_eq!((seen.kept, seen.broken), (vec![(0, 300).into()], vec![Stretch::from((300, 600))]));
        assert_eq!(seen.items["db"], [(300, 600).into()]);
        assert_eq!(said.len(), 1);
    }
}
