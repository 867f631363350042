//! The API's JSON: an envelope, and series in it.
//!
//! Read straight into what is kept, without a tree in between: an answer can have millions of samples.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::http_client::{ErrorKind, Fault, Secrets, excerpt};

/// The labels of a series; the metric's name is `__name__`.
pub type Labels = BTreeMap<String, String>;

/// A value at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Milliseconds since the epoch, as Prometheus keeps them.
    pub millis: i64,
    /// The value; it may be infinite or not a number.
    pub value: f64,
}

/// One series' value in an instant query.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: Labels,
    /// Its value, and when it was.
    pub point: Point,
}

/// A series and its points, in the order of time, no moment twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// At least one.
    pub points: Vec<Point>,
}

/// What every answer has around its data.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    status: String,
    #[serde(default = "none")]
    pub(super) data: Option<T>,
    #[serde(default, rename = "errorType")]
    error_type: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    /// A cluster of VictoriaMetrics says so when a storage node did not answer.
    #[serde(default, rename = "isPartial")]
    is_partial: bool,
}

fn none<T>() -> Option<T> {
    None
}

impl<T> Envelope<T> {
    /// What the server says went wrong.
    pub(super) fn fault(&self, secrets: &Secrets) -> Option<Fault> {
        if self.is_partial {
            return Some(Fault::new(
                ErrorKind::Partial,
                "the answer is partial: a part of the storage does not answer; try again when all of it does",
            ));
        }
        if self.status == "success" {
            return None;
        }
        let text = secrets.excerpt(self.error.as_deref().unwrap_or("it does not say why"));
        let error_type = self.error_type.as_deref().unwrap_or_default();
        Some(match kind(error_type, &text) {
            ErrorKind::Timeout => Fault::new(
                ErrorKind::Timeout,
                format_args!("the server gave up: {text}; its own limit is --query.timeout"),
            ),
            ErrorKind::TooMuch => Fault::new(
                ErrorKind::TooMuch,
                format_args!(
                    "{text}; ask for fewer series, or raise the server's limit (Prometheus: --query.max-samples)"
                ),
            ),
            ErrorKind::Unreachable => {
                Fault::new(ErrorKind::Unreachable, format_args!("the server is not ready: {text}; try again later"))
            }
            _ if error_type.is_empty() => Fault::new(ErrorKind::Query, text),
            _ => Fault::new(ErrorKind::Query, format_args!("{}: {text}", secrets.excerpt(error_type))),
        })
    }

    /// The data, and what the server remarked on it.
    pub(super) fn into_parts(self) -> Result<(T, Vec<String>), Fault> {
        let missing = || Fault::new(ErrorKind::NotTheApi, "the answer has no data");
        Ok((self.data.ok_or_else(missing)?, self.warnings.unwrap_or_default()))
    }
}

/// What kind of fault a server tells of. The types are few and the same for many causes: the text tells more.
fn kind(error_type: &str, text: &str) -> ErrorKind {
    /// What Prometheus, Thanos, Mimir and VictoriaMetrics say where a limit is in the way.
    const TOO_MUCH: [&str; 6] =
        ["too many samples", "too many points", "maximum resolution", "exceed", "search.max", "limit reached"];
    let text = text.to_ascii_lowercase();
    match error_type {
        "unavailable" => ErrorKind::Unreachable,
        "timeout" | "canceled" => ErrorKind::Timeout,
        _ if text.contains("deadline exceeded") || text.contains("timed out") => ErrorKind::Timeout,
        _ if TOO_MUCH.iter().any(|part| text.contains(part)) => ErrorKind::TooMuch,
        _ => ErrorKind::Query,
    }
}

/// The data of `query` and `query_range`.
#[derive(Debug, Deserialize)]
pub(super) struct QueryData {
    /// Null is how some servers write an empty list.
    pub(super) result: Option<Vec<Element>>,
}

/// An item of a result: a series, or one half of a scalar or string, which are `[time, "text"]`.
#[derive(Debug)]
pub(super) enum Element {
    Series { labels: Labels, points: Vec<Point>, histograms: bool },
    Time(f64),
    Text(String),
}

impl QueryData {
    /// The series of a vector or matrix; a scalar is a series without labels.
    pub(super) fn into_series(self) -> Result<Vec<Series>, Fault> {
        let result = self.result.unwrap_or_default();
        if let [Element::Time(at), Element::Text(text)] = result.as_slice() {
            let value =
                text.parse().map_err(|_| Fault::new(ErrorKind::Query, "the query's result is a text, not a number"))?;
            return Ok(vec![Series { labels: Labels::new(), points: vec![Point { millis: millis(*at), value }] }]);
        }
        let mut all = Vec::with_capacity(result.len());
        for element in result {
            match element {
                Element::Series { histograms: true, labels, .. } => {
                    let name = labels.get("__name__").map_or("a series", String::as_str);
                    return Err(Fault::new(
                        ErrorKind::Query,
                        format_args!("{} has histograms, not numbers", excerpt(name)),
                    ));
                }
                Element::Series { labels, points, .. } => all.push(Series { labels, points }),
                Element::Time(_) | Element::Text(_) => {
                    return Err(Fault::new(ErrorKind::NotTheApi, "the result is neither series nor a scalar"));
                }
            }
        }
        Ok(all)
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementVisitor;
        impl<'de> Visitor<'de> for ElementVisitor {
            type Value = Element;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a series")
            }

            fn visit_f64<E>(self, at: f64) -> Result<Element, E> {
                Ok(Element::Time(at))
            }

            // seconds of this era are exact
            fn visit_u64<E>(self, at: u64) -> Result<Element, E> {
                Ok(Element::Time(at as f64))
            }

            fn visit_i64<E>(self, at: i64) -> Result<Element, E> {
                Ok(Element::Time(at as f64))
            }

            fn visit_str<E>(self, text: &str) -> Result<Element, E> {
                Ok(Element::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
                let (mut labels, mut points, mut histograms) = (Labels::new(), Vec::new(), false);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "metric" => labels = map.next_value()?,
                        "value" => points.extend(map.next_value::<Pair>()?.0),
                        "values" => points = map.next_value::<Pairs>()?.0,
                        other => {
                            histograms |= other.starts_with("histogram");
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(Element::Series { labels, points, histograms })
            }
        }
        deserializer.deserialize_any(ElementVisitor)
    }
}

/// `[time, "value"]`; nothing where the value is null, which is how some servers write "no longer there".
struct Pair(Option<Point>);

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, Number(value)) = Deserialize::deserialize(deserializer)?;
        Ok(Self(value.map(|value| Point { millis: millis(at), value })))
    }
}

struct Pairs(Vec<Point>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of samples")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Pairs, A::Error> {
                let mut points = Vec::new();
                while let Some(Pair(point)) = seq.next_element()? {
                    points.extend(point);
                }
                Ok(Pairs(points))
            }
        }
        deserializer.deserialize_seq(PairsVisitor)
    }
}

/// A value: a text, as JSON knows neither infinities nor NaN.
struct Number(Option<f64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sample's value as a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(|value| Number(Some(value))).map_err(|_| E::custom("a sample's value is not a number"))
            }

            fn visit_unit<E>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// Seconds as the API writes them, in milliseconds.
#[allow(clippy::cast_possible_truncation)] // what is out of range ends at the range's end
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(json: &str) -> Result<Vec<Series>, Fault> {
        let envelope: Envelope<QueryData> =
            serde_json::from_str(json).map_err(|error| Fault::new(ErrorKind::NotTheApi, error))?;
        match envelope.fault(&Secrets::default()) {
            Some(fault) => Err(fault),
            None => envelope.into_parts()?.0.into_series(),
        }
    }

    fn points(json: &str) -> Vec<(i64, String)> {
        series(json).unwrap().iter().flat_map(|s| &s.points).map(|p| (p.millis, p.value.to_string())).collect()
    }

    #[test]
    fn vectors_matrices_and_scalars_are_series() {
        let ok = |kind: &str, result: &str| {
            format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}},"stats":{{"x":1}}}}"#)
        };
        for (kind, result, expected) in [
            ("vector", r#"[{"metric":{"a":"b"},"value":[1435781451.781,"1"]}]"#, &[(1_435_781_451_781, "1")][..]),
            ("vector", r#"[{"metric":{},"value":[1,"NaN"]}]"#, &[(1000, "NaN")]),
            (
                "matrix",
                r#"[{"metric":{},"values":[[0.5,"+Inf"],[1,"-Inf"],[2,"1e-3"]]}]"#,
                &[(500, "inf"), (1000, "-inf"), (2000, "0.001")],
            ),
            ("matrix", r#"[{"values":[[1,"2"],[2,null]],"metric":{}}]"#, &[(1000, "2")]),
            ("matrix", "[]", &[]),
            ("vector", "null", &[]),
            ("scalar", r#"[1435781451.781,"7"]"#, &[(1_435_781_451_781, "7")]),
            ("scalar", r#"[-1,"7"]"#, &[(-1000, "7")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(at, text)| (*at, (*text).to_owned())).collect();
            assert_eq!(points(&ok(kind, result)), expected, "{result}");
        }
    }

    #[test]
    fn labels_are_kept() {
        let json = r#"{"status":"success","data":{"resultType":"vector","result":
            [{"metric":{"__name__":"up","job":"日本 \"x\""},"value":[1,"1"]}]}}"#;
        let labels = [("__name__", "up"), ("job", "日本 \"x\"")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(series(json).unwrap()[0].labels, Labels::from(labels));
    }

    #[test]
    fn errors_are_told_apart() {
        for (json, kind, part) in [
            (
                r#"{"status":"error","errorType":"bad_data","error":"1:3: parse error"}"#,
                ErrorKind::Query,
                "bad_data: 1:3: parse error",
            ),
            (r#"{"status":"error","errorType":"422","error":"cannot parse"}"#, ErrorKind::Query, "cannot parse"),
            (r#"{"status":"error"}"#, ErrorKind::Query, "does not say why"),
            (
                r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}"#,
                ErrorKind::TooMuch,
                "--query.max-samples",
            ),
            (
                r#"{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points per timeseries."}"#,
                ErrorKind::TooMuch,
                "maximum resolution",
            ),
            (
                r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
                ErrorKind::Timeout,
                "--query.timeout",
            ),
            (
                r#"{"status":"error","errorType":"unavailable","error":"TSDB not ready"}"#,
                ErrorKind::Unreachable,
                "TSDB",
            ),
            (
                r#"{"status":"error","errorType":"execution","error":"expanding series: context deadline exceeded"}"#,
                ErrorKind::Timeout,
                "gave up",
            ),
            (
                r#"{"status":"error","errorType":"422","error":"the query time range exceeds the limit"}"#,
                ErrorKind::TooMuch,
                "fewer series",
            ),
            (r#"{"status":"success","isPartial":true,"data":{"result":[]}}"#, ErrorKind::Partial, "partial"),
            (r#"{"status":"success"}"#, ErrorKind::NotTheApi, "no data"),
            (r#"{"status":"success","data":{"result":[1,"a text"]}}"#, ErrorKind::Query, "a text"),
            (r#"{"status":"success","data":{"result":[1,2]}}"#, ErrorKind::NotTheApi, "neither"),
            (
                r#"{"status":"success","data":{"result":[{"metric":{},"value":[1,"x"]}]}}"#,
                ErrorKind::NotTheApi,
                "not a number",
            ),
            (
                r#"{"status":"success","data":{"result":[{"metric":{},"histogram":[1,{"count":"1"}]}]}}"#,
                ErrorKind::Query,
                "histograms",
            ),
            (r#"{"sta"#, ErrorKind::NotTheApi, "EOF"),
        ] {
            let fault = series(json).unwrap_err();
            assert_eq!(fault.kind, kind, "{json}: {}", fault.detail);
            assert!(fault.detail.contains(part), "{json}: {}", fault.detail);
        }
    }
}
