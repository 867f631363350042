//! What differs, held against the tables of docs/blackbox.md.
//!
//! A row names topics, a metric and how it differs: `only there`, `only here`, `value` or `labels`; with `failed runs:` in
//! front where only probes that fail differ. Times that were measured are compared by their presence and size alone.

use std::collections::BTreeSet;

use super::exporters::{Ends, Page, Samples};

/// One probe in both.
pub(super) struct Found<'a> {
    pub(super) theirs: &'a Page,
    pub(super) ours: &'a Page,
    pub(super) ends: Ends,
}

/// A metric and how it differs; `.2`: in a probe that failed.
type Difference = (String, &'static str, bool);

pub(super) struct Differences {
    topic: &'static str,
    metrics: BTreeSet<Difference>,
    /// Runs that end differently, as the documentation names them.
    runs: BTreeSet<&'static str>,
    /// Each difference with its case, and all that cannot be excused.
    cases: Vec<(Difference, String)>,
    problems: Vec<String>,
}

/// The longest a measured time may be; the tests' modules have less time.
const LONGEST: f64 = 10.0;

impl Differences {
    pub(super) fn of(topic: &'static str) -> Self {
        Self { topic, metrics: BTreeSet::new(), runs: BTreeSet::new(), cases: Vec::new(), problems: Vec::new() }
    }

    /// How both ended; `None` where what else differs follows from that, or where it is not what was expected.
    pub(super) fn compare_ends(&mut self, case: &str, found: &Found<'_>) -> Option<f64> {
        let success = |page: &Page| page.samples["probe_success"];
        let wanted = match found.ends {
            Ends::Up => (1.0, 1.0),
            Ends::Down => (0.0, 0.0),
            Ends::UpThere(_) => (1.0, 0.0),
            Ends::UpHere(_) => (0.0, 1.0),
        };
        if let Ends::UpThere(why) | Ends::UpHere(why) = found.ends {
            self.runs.insert(why);
        }
        let ended = (success(found.theirs), success(found.ours));
        if ended != wanted {
            self.problems.push(format!("{case}: ended (there, here) {ended:?}, expected {wanted:?}"));
            return None;
        }
        (ended.0 == ended.1).then_some(ended.0)
    }

    pub(super) fn compare(&mut self, case: &str, found: &Found<'_>) {
        let Some(ended) = self.compare_ends(case, found) else { return };
        for (family, kind) in &found.theirs.types {
            if found.ours.types.get(family).is_some_and(|ours| ours != kind) {
                self.problems.push(format!("{case}: {family} is a {kind} there"));
            }
        }
        let families: BTreeSet<&str> =
            found.theirs.samples.keys().chain(found.ours.samples.keys()).map(|series| family(series)).collect();
        for name in families.into_iter().filter(|name| *name != "probe_success") {
            match compare(&of(&found.theirs.samples, name), &of(&found.ours.samples, name)) {
                Ok(None) => {}
                Ok(Some(kind)) => {
                    let difference = (name.to_owned(), kind, ended == 0.0);
                    self.metrics.insert(difference.clone());
                    let (theirs, ours) = (of(&found.theirs.samples, name), of(&found.ours.samples, name));
                    self.cases.push((difference, format!("{case}: there {theirs:?}, here {ours:?}")));
                }
                Err(why) => self.problems.push(format!("{case}: {name}: {why}")),
            }
        }
    }

    /// As if a difference had been found in a probe that succeeded.
    pub(super) fn excuse(&mut self, metric: &str, how: &'static str) {
        self.metrics.insert((metric.to_owned(), how, false));
    }

    /// Both ways: nothing that is not listed, and nothing listed that does not occur.
    pub(super) fn judge(mut self) {
        let page = std::fs::read_to_string(sla_tests::repository().join("docs/blackbox.md")).unwrap();
        let metrics: BTreeSet<Difference> = rows(&page, "| with | metric | how | why |")
            .filter(|row| row[0].split(", ").any(|topic| topic == self.topic))
            .flat_map(|row| {
                let (kind, failed) = match row[2].strip_prefix("failed runs: ") {
                    Some(kind) => (kind, true),
                    None => (row[2], false),
                };
                let kinds = ["only there", "only here", "value", "labels"];
                let kind = kinds.into_iter().find(|known| *known == kind).unwrap_or_else(|| panic!("{row:?}"));
                let names = row[1].split(", ").map(|name| name.trim_matches('`').to_owned());
                names.map(|name| (name, kind, failed)).collect::<Vec<_>>()
            })
            .collect();
        let listed = |(name, kind, failed): &Difference| {
            metrics.contains(&(name.clone(), kind, false)) || *failed && metrics.contains(&(name.clone(), kind, true))
        };
        let mut told = BTreeSet::new();
        for (difference, case) in self.cases.iter().filter(|(difference, _)| !listed(difference)) {
            // The first case of each will do.
            if told.insert(difference) {
                self.problems.push(format!("not listed: {difference:?} in {case}"));
            }
        }
        for (name, kind, failed) in metrics.difference(&self.metrics) {
            self.problems.push(format!("listed and not found: {name} {kind}, failed: {failed}"));
        }
        let runs: BTreeSet<&str> = rows(&page, "| with | a run that | there | here | why |")
            .filter(|row| row[0] == self.topic)
            .map(|row| row[1])
            .collect();
        for run in self.runs.symmetric_difference(&runs) {
            self.problems.push(format!("in the test or in docs/blackbox.md, and not in both: {run}"));
        }
        assert!(self.problems.is_empty(), "{}: {}", self.topic, self.problems.join("\n"));
    }
}

/// The rows of the table that begins with `head`.
pub(super) fn rows<'a>(page: &'a str, head: &'a str) -> impl Iterator<Item = Vec<&'a str>> {
    let (_, table) = page.split_once(head).unwrap_or_else(|| panic!("docs/blackbox.md has no table {head}"));
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
}

fn family(series: &str) -> &str {
    series.split('{').next().unwrap_or_default()
}

fn of(samples: &Samples, name: &str) -> Samples {
    samples
        .iter()
        .filter(|(series, _)| family(series) == name)
        .map(|(series, value)| (series.clone(), *value))
        .collect()
}

/// How one family differs; what no table can excuse is an error.
fn compare(theirs: &Samples, ours: &Samples) -> Result<Option<&'static str>, String> {
    if theirs.is_empty() || ours.is_empty() {
        return Ok(Some(if ours.is_empty() { "only there" } else { "only here" }));
    }
    if !theirs.keys().eq(ours.keys()) {
        let ([theirs], [ours]) = (&theirs.keys().collect::<Vec<_>>()[..], &ours.keys().collect::<Vec<_>>()[..]) else {
            return Ok(Some("labels"));
        };
        let ours = labels(ours);
        return match labels(theirs).iter().find(|(name, value)| ours.iter().any(|(n, v)| n == name && v != value)) {
            Some(label) => Err(format!("there {label:?}, here {ours:?}")),
            None => Ok(Some("labels")),
        };
    }
    let measured = theirs.keys().all(|series| {
        let name = family(series);
        name.ends_with("duration_seconds") || name == "probe_dns_lookup_time_seconds"
    });
    if measured {
        let sizes = theirs.values().chain(ours.values()).all(|seconds| (0.0..LONGEST).contains(seconds));
        return if sizes { Ok(None) } else { Err(format!("there {theirs:?}, here {ours:?}")) };
    }
    Ok((theirs != ours).then_some("value"))
}

/// The labels of a series without commas and quotes in their values' names; good enough for what is compared here.
fn labels(series: &str) -> Vec<(&str, &str)> {
    let Some((_, rest)) = series.split_once('{') else { return Vec::new() };
    rest.trim_end_matches('}')
        .split("\",")
        .filter_map(|label| label.split_once("=\""))
        .map(|(n, v)| (n, v.trim_end_matches('"')))
        .collect()
}
