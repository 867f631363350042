//! A page as Prometheus' protobuf format, for native histograms, which no text format has.
//!
//! Made out of the text page: whoever asks for it pays for that, and nobody else does; and both say the same. Not for reading
//! pages of others.

mod message;

use std::collections::HashMap;

use prost::Message as _;

use self::message::{Bucket, BucketSpan, Histogram, LabelPair, Metric, MetricFamily, MetricType, Number, Quantile};
use crate::host::textfile::line::{Labels, Sample};
use crate::host::textfile::parse::unescape_help;

/// The native buckets of one histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Native {
    /// Observations in all of them.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// 2^schema buckets to a doubling.
    pub schema: i32,
    /// What is not above it is zero.
    pub zero_threshold: f64,
    /// Observations that are.
    pub zero_count: u64,
    /// `(offset, length)`, see `BucketSpan` of Prometheus' metrics.proto.
    pub spans: Vec<(i32, u32)>,
    /// Each bucket's count less that of the bucket before.
    pub deltas: Vec<i64>,
}

/// Native buckets by the series they belong to: `name{labels}` as the text page writes it, without `_count`.
pub type Natives = HashMap<String, Native>;

/// The text page `text` (format 0.0.4, ours) with native buckets added.
#[must_use]
pub fn page(text: &[u8], natives: &Natives) -> Vec<u8> {
    let mut pages = Writer { out: Vec::with_capacity(text.len()), family: None, series: HashMap::new(), natives };
    for line in String::from_utf8_lossy(text).lines() {
        pages.line(line);
    }
    pages.end_family();
    pages.out
}

struct Writer<'a> {
    out: Vec<u8>,
    family: Option<MetricFamily>,
    /// Where the histogram or summary with these labels stands in the family.
    series: HashMap<Vec<LabelPair>, usize>,
    natives: &'a Natives,
}

// === impl Writer ===

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or((rest, ""));
            self.end_family();
            let help = unescape_help(help).unwrap_or_else(|_| help.to_owned());
            self.family = Some(MetricFamily { name: name.to_owned(), help, ..MetricFamily::default() });
        } else if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            if let Some(family) = &mut self.family {
                family.set_type(kind_of(kind));
            }
        } else if let Ok(sample) = Sample::parse(line) {
            self.sample(line, sample);
        }
    }

    fn sample(&mut self, line: &str, sample: Sample<'_>) {
        let Some(family) = &mut self.family else { return };
        let number = Some(Number { value: Some(sample.value) });
        let metric = match family.r#type() {
            MetricType::Counter => Metric { counter: number, ..Metric::default() },
            MetricType::Gauge => Metric { gauge: number, ..Metric::default() },
            MetricType::Untyped => Metric { untyped: number, ..Metric::default() },
            MetricType::Histogram | MetricType::Summary => return self.part(line, sample),
        };
        family.metric.push(Metric { label: pairs(sample.labels), ..metric });
    }

    /// One line of the several that a histogram or a summary has.
    fn part(&mut self, line: &str, mut sample: Sample<'_>) {
        let Some(family) = &mut self.family else { return };
        let part = sample.name.strip_prefix(family.name.as_str()).unwrap_or_default();
        let kind = family.r#type();
        let of_its_own = if kind == MetricType::Histogram { "le" } else { "quantile" };
        let at = sample.labels.iter().position(|(name, _)| *name == of_its_own);
        let bound = at.and_then(|at| sample.labels.remove(at).1.parse().ok());
        let label = pairs(sample.labels);
        let at = *self.series.entry(label.clone()).or_insert_with(|| {
            family.metric.push(Metric { label, ..Metric::default() });
            family.metric.len() - 1
        });
        let Some(metric) = family.metric.get_mut(at) else { return };
        if kind == MetricType::Histogram {
            let histogram = metric.histogram.get_or_insert_default();
            match part {
                "_bucket" => {
                    let cumulative_count = Some(whole(sample.value));
                    histogram.bucket.push(Bucket { cumulative_count, upper_bound: bound });
                }
                "_sum" => histogram.sample_sum = Some(sample.value),
                "_count" => {
                    histogram.sample_count = Some(whole(sample.value));
                    let native = line.strip_prefix(sample.name).and_then(|rest| rest.rsplit_once(' '));
                    if let Some(native) =
                        native.and_then(|(labels, _)| self.natives.get(&format!("{}{labels}", family.name)))
                    {
                        native.add_to(histogram);
                    }
                }
                _ => {}
            }
        } else {
            let summary = metric.summary.get_or_insert_default();
            match part {
                "_sum" => summary.sample_sum = Some(sample.value),
                "_count" => summary.sample_count = Some(whole(sample.value)),
                _ => summary.quantile.push(Quantile { quantile: bound, value: Some(sample.value) }),
            }
        }
    }

    fn end_family(&mut self) {
        self.series.clear();
        if let Some(family) = self.family.take().filter(|family| !family.metric.is_empty()) {
            // A vector takes whatever is written to it.
            let _ = family.encode_length_delimited(&mut self.out);
        }
    }
}

fn kind_of(kind: &str) -> MetricType {
    match kind {
        "counter" => MetricType::Counter,
        "gauge" => MetricType::Gauge,
        "histogram" => MetricType::Histogram,
        "summary" => MetricType::Summary,
        _ => MetricType::Untyped,
    }
}

fn pairs(labels: Labels<'_>) -> Vec<LabelPair> {
    labels.into_iter().map(|(name, value)| LabelPair { name: name.to_owned(), value }).collect()
}

/// A count, as the text writes every number: a float.
#[allow(clippy::cast_possible_truncation)]
fn whole(value: f64) -> u64 {
    value as u64
}

impl Native {
    fn add_to(&self, histogram: &mut Histogram) {
        // Observed since the text was written: the native buckets and their count belong together.
        histogram.sample_count = Some(self.count);
        histogram.sample_sum = Some(self.sum);
        histogram.schema = Some(self.schema);
        histogram.zero_threshold = Some(self.zero_threshold);
        histogram.zero_count = Some(self.zero_count);
        let span = |&(offset, length): &(i32, u32)| BucketSpan { offset: Some(offset), length: Some(length) };
        histogram.positive_span = self.spans.iter().map(span).collect();
        histogram.positive_delta.clone_from(&self.deltas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a_total a \\\\ b\\nc\n# TYPE a_total counter\na_total{l=\"x\\\"y\",m=\"\u{65e5}\"} 3\na_total 0\n\
        # HELP g g\n# TYPE g gauge\ng NaN\n\
        # HELP empty e\n# TYPE empty gauge\n\
        # HELP u u\n# TYPE u untyped\nu -Inf\n\
        # HELP h h\n# TYPE h histogram\n\
        h_bucket{p=\"1\",le=\"0.5\"} 1\nh_bucket{p=\"1\",le=\"+Inf\"} 2\nh_sum{p=\"1\"} 3.5\nh_count{p=\"1\"} 2\n\
        h_bucket{p=\"2\",le=\"+Inf\"} 0\nh_sum{p=\"2\"} 0\nh_count{p=\"2\"} 0\n\
        # HELP s s\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 2\n";

    fn families(natives: &Natives) -> Vec<MetricFamily> {
        let bytes = page(TEXT.as_bytes(), natives);
        let mut rest = bytes.as_slice();
        std::iter::from_fn(|| (!rest.is_empty()).then(|| MetricFamily::decode_length_delimited(&mut rest).unwrap()))
            .collect()
    }

    #[test]
    fn every_kind_is_there_and_says_what_the_text_says() {
        let families = families(&Natives::new());
        let [a, g, u, h, s] = families.as_slice() else { panic!("{families:?}") };
        assert_eq!((a.name.as_str(), a.help.as_str(), a.r#type()), ("a_total", "a \\ b\nc", MetricType::Counter));
        let label = |name: &str, value: &str| LabelPair { name: name.to_owned(), value: value.to_owned() };
        assert_eq!(a.metric[0].label, [label("l", "x\"y"), label("m", "日")]);
        assert_eq!(a.metric[0].counter.as_ref().unwrap().value, Some(3.0));
        assert_eq!(a.metric[1].counter.as_ref().unwrap().value, Some(0.0));
        assert!(g.metric[0].gauge.as_ref().unwrap().value.unwrap().is_nan());
        assert_eq!(u.metric[0].untyped.as_ref().unwrap().value, Some(f64::NEG_INFINITY));
        let [one, other] = h.metric.as_slice() else { panic!("{h:?}") };
        assert_eq!(
            (one.label.as_slice(), other.label.as_slice()),
            ([label("p", "1")].as_slice(), [label("p", "2")].as_slice())
        );
        let histogram = one.histogram.as_ref().unwrap();
        assert_eq!((histogram.sample_count, histogram.sample_sum, histogram.schema), (Some(2), Some(3.5), None));
        let bucket = |count, bound| Bucket { cumulative_count: Some(count), upper_bound: Some(bound) };
        assert_eq!(histogram.bucket, [bucket(1, 0.5), bucket(2, f64::INFINITY)]);
        let summary = s.metric[0].summary.as_ref().unwrap();
        assert_eq!((summary.sample_count, summary.sample_sum, summary.quantile.len()), (Some(2), Some(2.0), 1));
    }

    #[test]
    fn native_buckets_are_added_to_their_own_series_alone() {
        let native = Native {
            count: 3,
            sum: 4.5,
            schema: 3,
            zero_threshold: 1e-6,
            zero_count: 1,
            spans: vec![(-4, 2)],
            deltas: vec![1, 0],
        };
        let families = families(&Natives::from([("h{p=\"1\"}".to_owned(), native)]));
        let histograms = |at: usize| families[3].metric[at].histogram.as_ref().unwrap();
        let (one, other) = (histograms(0), histograms(1));
        assert_eq!((one.sample_count, one.schema, one.zero_count), (Some(3), Some(3), Some(1)));
        assert_eq!(one.positive_span, [BucketSpan { offset: Some(-4), length: Some(2) }]);
        assert_eq!(one.positive_delta, [1, 0]);
        assert_eq!(one.bucket.len(), 2, "the classic buckets stay");
        assert_eq!((other.schema, other.positive_span.len()), (None, 0));
    }
}
