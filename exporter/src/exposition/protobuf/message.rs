//! The messages of `io.prometheus.client`, as far as they are written here; tags are those of Prometheus' metrics.proto.

/// `LabelPair`.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(super) struct LabelPair {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `Gauge`, `Counter` and `Untyped`: one number.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Number {
    /// The number; said even where it is 0.
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
}

/// `Quantile`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Quantile {
    /// From 0 to 1.
    #[prost(double, optional, tag = "1")]
    pub quantile: Option<f64>,
    /// Its value.
    #[prost(double, optional, tag = "2")]
    pub value: Option<f64>,
}

/// `Summary`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Summary {
    /// Observations.
    #[prost(uint64, optional, tag = "1")]
    pub sample_count: Option<u64>,
    /// Their sum.
    #[prost(double, optional, tag = "2")]
    pub sample_sum: Option<f64>,
    /// Their quantiles.
    #[prost(message, repeated, tag = "3")]
    pub quantile: Vec<Quantile>,
}

/// `Bucket`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Bucket {
    /// Observations up to the bound.
    #[prost(uint64, optional, tag = "1")]
    pub cumulative_count: Option<u64>,
    /// The bound.
    #[prost(double, optional, tag = "2")]
    pub upper_bound: Option<f64>,
}

/// `BucketSpan`: buckets in a row.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BucketSpan {
    /// Buckets left out before it; of the first span, its first bucket's index.
    #[prost(sint32, optional, tag = "1")]
    pub offset: Option<i32>,
    /// How many.
    #[prost(uint32, optional, tag = "2")]
    pub length: Option<u32>,
}

/// `Histogram`, classic, native or both.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Histogram {
    /// Observations.
    #[prost(uint64, optional, tag = "1")]
    pub sample_count: Option<u64>,
    /// Their sum.
    #[prost(double, optional, tag = "2")]
    pub sample_sum: Option<f64>,
    /// Classic buckets.
    #[prost(message, repeated, tag = "3")]
    pub bucket: Vec<Bucket>,
    /// Resolution of the native buckets.
    #[prost(sint32, optional, tag = "5")]
    pub schema: Option<i32>,
    /// What is not above it is zero.
    #[prost(double, optional, tag = "6")]
    pub zero_threshold: Option<f64>,
    /// Observations that are.
    #[prost(uint64, optional, tag = "7")]
    pub zero_count: Option<u64>,
    /// Native buckets above it.
    #[prost(message, repeated, tag = "12")]
    pub positive_span: Vec<BucketSpan>,
    /// Each one's count less that of the one before.
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    pub positive_delta: Vec<i64>,
}

/// `Metric`: one series, or the several of a histogram or summary.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Metric {
    /// Its labels.
    #[prost(message, repeated, tag = "1")]
    pub label: Vec<LabelPair>,
    /// Of a gauge.
    #[prost(message, optional, tag = "2")]
    pub gauge: Option<Number>,
    /// Of a counter.
    #[prost(message, optional, tag = "3")]
    pub counter: Option<Number>,
    /// Of a summary.
    #[prost(message, optional, tag = "4")]
    pub summary: Option<Summary>,
    /// Of neither.
    #[prost(message, optional, tag = "5")]
    pub untyped: Option<Number>,
    /// Of a histogram.
    #[prost(message, optional, tag = "7")]
    pub histogram: Option<Histogram>,
}

/// `MetricFamily`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MetricFamily {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// What it is, for people.
    #[prost(string, tag = "2")]
    pub help: String,
    /// Which kind.
    #[prost(enumeration = "MetricType", optional, tag = "3")]
    pub r#type: Option<i32>,
    /// Its series.
    #[prost(message, repeated, tag = "4")]
    pub metric: Vec<Metric>,
}

/// `MetricType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum MetricType {
    /// Only rises.
    Counter = 0,
    /// Goes up and down.
    Gauge = 1,
    /// Quantiles, sum, count.
    Summary = 2,
    /// Said by nobody.
    Untyped = 3,
    /// Buckets, sum, count.
    Histogram = 4,
}
