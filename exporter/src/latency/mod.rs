//! How long probes take: a histogram for each probe, over all its targets (design §7: one per target makes pages megabytes
//! long).
//!
//! Successful runs only: how long a failure took says how long somebody waited, not how fast the service is; failures have
//! counters of their own. Not for how a run is timed (`probe`), nor for the formats of pages (`exposition`).

mod shared;
mod sparse;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::shared::{Latencies, latencies_in_use};
pub use self::sparse::Sparse;
use crate::config::{Config, TargetSpec};
use crate::exposition::protobuf::Native;
use crate::exposition::{Kind, Page};

/// The family's name.
pub const NAME: &str = "probe_latency_seconds";
const BUCKET: &str = "probe_latency_seconds_bucket";
const SUM: &str = "probe_latency_seconds_sum";
const COUNT: &str = "probe_latency_seconds_count";
const HELP: &str =
    "How long the successful attempts of a probe took, over all its targets; of a ping its round trip, in seconds.";

/// Upper bounds where the configuration names none, in seconds: from a ping within a building to what no user waits for.
pub const DEFAULT_BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The histogram of one probe. One short lock per run and per scrape.
#[derive(Debug)]
pub struct Latency {
    /// The labels of its series, escaped.
    labels: Box<str>,
    bounds: Box<[f64]>,
    /// `le="…"` of each bound, ready for the page.
    shown: Box<[Box<str>]>,
    counts: Mutex<Counts>,
}

/// What was observed.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Observations by bucket, not cumulative; one more than there are bounds.
    buckets: Box<[u64]>,
    /// Of all observations, in seconds.
    pub sum: f64,
    /// How many there were.
    pub count: u64,
    /// The same in buckets of a fixed resolution, for native histograms.
    pub sparse: Sparse,
}

impl Latency {
    /// An empty one for the probe of `spec`.
    #[must_use]
    pub fn new(config: &Config, spec: &TargetSpec) -> Self {
        Self::with(crate::schedule::probe_labels(config, spec), &spec.latency_buckets)
    }

    fn with(labels: Box<str>, bounds: &[f64]) -> Self {
        let shown = bounds.iter().map(|bound| format!("le=\"{bound:?}\"").into_boxed_str()).collect();
        let buckets = vec![0; bounds.len() + 1].into_boxed_slice();
        let counts = Counts { buckets, sum: 0.0, count: 0, sparse: Sparse::default() };
        Self { labels, bounds: bounds.into(), shown, counts: Mutex::new(counts) }
    }

    /// Whether this is where the runs of `spec`'s probe are counted, labels and bounds alike.
    #[must_use]
    pub fn is_of(&self, config: &Config, spec: &TargetSpec) -> bool {
        *self.bounds == *spec.latency_buckets && self.labels == crate::schedule::probe_labels(config, spec)
    }

    /// One successful attempt.
    pub fn observe(&self, seconds: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < seconds);
        let mut counts = self.lock();
        if let Some(count) = counts.buckets.get_mut(bucket) {
            *count += 1;
        }
        counts.sum += seconds;
        counts.count += 1;
        counts.sparse.observe(seconds);
    }

    /// The native buckets, and the series they belong to.
    #[must_use]
    pub fn native(&self) -> (String, Native) {
        let Counts { sum, count, sparse, .. } = self.counts();
        (format!("{NAME}{{{}}}", self.labels), sparse.native(count, sum))
    }

    /// What was observed so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // A panic elsewhere while it was held spoils one observation at most.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, page: &mut Page) {
        let Counts { buckets, sum, count, .. } = self.counts();
        let mut below = 0;
        for (bound, bucket) in self.shown.iter().zip(&buckets) {
            below += bucket;
            page.line(BUCKET, &self.labels, bound, below as f64);
        }
        page.line(BUCKET, &self.labels, "le=\"+Inf\"", count as f64);
        page.line(SUM, &self.labels, "", sum);
        page.line(COUNT, &self.labels, "", count as f64);
    }
}

/// Writes the family.
pub fn write<'a>(latencies: impl IntoIterator<Item = &'a Latency>, page: &mut Page) {
    let mut latencies = latencies.into_iter().peekable();
    if latencies.peek().is_some() {
        page.family(NAME, HELP, Kind::Histogram);
        latencies.for_each(|latency| latency.write(page));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Format;

    fn page(latency: &Latency) -> String {
        let mut page = Page::new(Format::Text, Vec::new());
        write([latency], &mut page);
        String::from_utf8(page.finish()).unwrap()
    }

    #[test]
    fn an_observation_is_in_the_bucket_whose_bound_it_does_not_exceed() {
        let latency = Latency::with("probe=\"p\"".into(), &[0.25, 1.0]);
        for seconds in [0.0, 0.25, 0.2500001, 1.0, 60.0] {
            latency.observe(seconds);
        }
        let page = page(&latency);
        for line in [
            "# TYPE probe_latency_seconds histogram\n",
            "probe_latency_seconds_bucket{probe=\"p\",le=\"0.25\"} 2\n",
            "probe_latency_seconds_bucket{probe=\"p\",le=\"1.0\"} 4\n",
            "probe_latency_seconds_bucket{probe=\"p\",le=\"+Inf\"} 5\n",
            "probe_latency_seconds_sum{probe=\"p\"} 61.5000001\n",
            "probe_latency_seconds_count{probe=\"p\"} 5\n",
        ] {
            assert!(page.contains(line), "{line} is missing in\n{page}");
        }
    }

    #[test]
    fn without_bounds_sum_and_count_are_left() {
        let latency = Latency::with("probe=\"p\"".into(), &[]);
        latency.observe(2.0);
        let page = page(&latency);
        assert_eq!(page.matches("_bucket{").count(), 1, "{page}");
        assert!(page.contains("le=\"+Inf\"} 1\n") && page.contains("_sum{probe=\"p\"} 2\n"), "{page}");
    }

    #[test]
    fn what_does_not_exist_is_no_family() {
        let mut page = Page::new(Format::Text, Vec::new());
        write([], &mut page);
        assert_eq!(page.finish(), b"");
    }
}
