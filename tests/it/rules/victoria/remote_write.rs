//! Prometheus' remote write protocol 1.0: alone of what VictoriaMetrics reads it says that a series has ended.

use std::collections::BTreeMap;

use prost::Message;
use sla_tests::http;

/// Labels of a series, `__name__` among them.
pub(super) type Labels = BTreeMap<String, String>;

/// A sample's value that says that the series has ended.
const STALE: u64 = 0x7ff0_0000_0000_0002;

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    series: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    at: i64,
}

/// Series to be sent.
#[derive(Default)]
pub(super) struct Data(Vec<TimeSeries>);

impl Data {
    /// One more series; samples at milliseconds since the epoch, `None` where it ends.
    pub(super) fn add(&mut self, labels: &Labels, samples: impl Iterator<Item = (i64, Option<f64>)>) {
        let labels = labels.iter().map(|(name, value)| Label { name: name.clone(), value: value.clone() }).collect();
        let sample = |(at, value): (i64, Option<f64>)| Sample { value: value.unwrap_or(f64::from_bits(STALE)), at };
        self.0.push(TimeSeries { labels, samples: samples.map(sample).collect() });
    }

    /// Sends all of it, and has it searched from then on.
    pub(super) async fn send(self, port: u16) {
        for part in self.0.chunks(1000) {
            let message = WriteRequest { series: part.to_vec() }.encode_to_vec();
            let body = snap::raw::Encoder::new().compress_vec(&message).unwrap();
            http::post_bytes(port, "/api/v1/write", "application/x-protobuf", &body)
                .await
                .expect("VictoriaMetrics takes it");
        }
        http::get(port, "/internal/force_flush").await.expect("VictoriaMetrics flushes");
    }
}
