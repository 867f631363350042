//! What a client wants to read: `Accept` and `Accept-Encoding` with their q-values (RFC 9110, 12.5).
//!
//! Pure. Nothing here refuses a request: who accepts nothing we have gets the plain text format, as
//! client libraries do it.

use hyper::HeaderMap;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, HeaderName};

use crate::exposition::Format;
use crate::lang::Lang;

/// The format of a page of metrics. `text/plain; version=1.0.0` is another format than ours and is never answered.
#[must_use]
pub fn format(headers: &HeaderMap) -> Format {
    let ranges = ranges(headers, ACCEPT);
    let text = quality(&ranges, "text", "plain", "0.0.4");
    let open = quality(&ranges, "application", "openmetrics-text", "1.0.0");
    // Only who asks for native histograms names it; `*/*` never means it.
    let proto = ranges.iter().filter(|range| range.delimited_families).map(|range| range.quality).fold(0.0, f32::max);
    if proto > 0.0 && proto >= text.max(open) {
        return Format::Protobuf;
    }
    // Who only says `*/*` gets the format everything reads.
    let named = ranges.iter().any(|range| range.name == "application/openmetrics-text");
    if open > 0.0 && (open > text || (open >= text && named)) { Format::OpenMetrics } else { Format::Text }
}

/// Whether the answer may be compressed with gzip and the client does not like it less than uncompressed.
#[must_use]
pub fn gzip(headers: &HeaderMap) -> bool {
    let codings = ranges(headers, ACCEPT_ENCODING);
    let of = |names: &[&str]| codings.iter().find(|c| names.contains(&c.name.as_str())).map(|c| c.quality);
    let gzip = of(&["gzip", "x-gzip"]).or_else(|| of(&["*"])).unwrap_or(0.0);
    gzip > 0.0 && gzip >= of(&["identity"]).unwrap_or(0.0)
}

/// The language the client likes best of those there are; nothing where it likes none of them.
#[must_use]
pub fn language(headers: &HeaderMap) -> Option<Lang> {
    let wanted = ranges(headers, ACCEPT_LANGUAGE);
    let mut best: Option<(Lang, f32)> = None;
    for range in &wanted {
        let primary = range.name.split('-').next().unwrap_or_default();
        let known = Lang::ALL.into_iter().find(|lang| lang.code() == primary);
        // Of equals the one that was named first.
        if let Some(lang) = known.filter(|_| range.quality > best.map_or(0.0, |(_, quality)| quality)) {
            best = Some((lang, range.quality));
        }
    }
    best.map(|(lang, _)| lang)
}

/// One element of the list: `type/subtype; version=…; q=…`, names in lower case.
#[derive(Debug)]
struct Range {
    name: String,
    version: Option<String>,
    /// Prometheus' protobuf format, as it is written here.
    delimited_families: bool,
    quality: f32,
}

fn ranges(headers: &HeaderMap, name: HeaderName) -> Vec<Range> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|element| !element.trim().is_empty())
        .map(range)
        .collect()
}

fn range(element: &str) -> Range {
    let mut parts = element.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let (mut version, mut quality) = (None, 1.0);
    let (mut families, mut delimited) = (false, false);
    for (key, value) in parts.filter_map(|part| part.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match key.trim().to_ascii_lowercase().as_str() {
            "version" => version = Some(value.to_owned()),
            "proto" => families = value == "io.prometheus.client.MetricFamily",
            "encoding" => delimited = value == "delimited",
            "q" => quality = value.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(1.0),
            _ => {}
        }
    }
    let delimited_families = families && delimited && name == "application/vnd.google.protobuf";
    Range { name, version, delimited_families, quality }
}

/// The quality of what we offer: that of the most specific range it falls under, 0 without one.
fn quality(ranges: &[Range], main: &str, sub: &str, version: &str) -> f32 {
    if ranges.is_empty() {
        return 1.0;
    }
    let exact = format!("{main}/{sub}");
    let of_main = format!("{main}/*");
    let specificity = |range: &Range| match &range.version {
        Some(asked) if range.name == exact => (asked == version).then_some(4),
        None if range.name == exact => Some(3),
        _ if range.name == of_main => Some(2),
        _ if range.name == "*/*" => Some(1),
        _ => None,
    };
    ranges
        .iter()
        .filter_map(|range| specificity(range).map(|level| (level, range.quality)))
        .max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map_or(0.0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMETHEUS_2: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const PROMETHEUS_PROTO: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.6,*/*;q=0.2";

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_format_is_the_one_asked_for() {
        use Format::{OpenMetrics, Protobuf, Text};
        for (accept, expected) in [
            (PROMETHEUS_2, OpenMetrics),
            (PROMETHEUS_3, OpenMetrics),
            (PROMETHEUS_PROTO, Protobuf),
            ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", Text),
            ("application/vnd.google.protobuf;proto=another.Family;encoding=delimited", Text),
            ("application/vnd.google.protobuf", Text),
            ("application/*", OpenMetrics),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.4,application/openmetrics-text;version=1.0.0;q=0.5",
                OpenMetrics,
            ),
            ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0", Text),
            ("", Text),
            ("*/*", Text),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Text),
            ("text/plain", Text),
            ("text/plain;version=0.0.4", Text),
            ("text/plain;version=1.0.0", Text),
            ("application/openmetrics-text", OpenMetrics),
            ("APPLICATION/OpenMetrics-Text; Version=1.0.0", OpenMetrics),
            ("application/openmetrics-text; version=\"1.0.0\"", OpenMetrics),
            ("application/openmetrics-text;version=0.0.1", Text),
            ("application/openmetrics-text;version=2.0.0, text/plain;q=0.1", Text),
            ("application/openmetrics-text;q=0", Text),
            ("application/openmetrics-text;q=0.4,text/plain;q=0.5", Text),
            ("application/openmetrics-text;q=0.5,text/plain;q=0.5", OpenMetrics),
            ("text/plain;version=1.0.0,application/openmetrics-text;version=1.0.0;q=0.1", OpenMetrics),
            ("application/json", Text),
            (";;;q=,=,/", Text),
            ("application/openmetrics-text;q=nonsense", OpenMetrics),
        ] {
            assert_eq!(format(&headers(ACCEPT, accept)), expected, "{accept}");
        }
        assert_eq!(format(&HeaderMap::new()), Text);
    }

    #[test]
    fn the_language_is_the_one_liked_best_of_those_there_are() {
        for (accept, expected) in [
            ("ja", Some(Lang::Ja)),
            ("en-GB,en;q=0.9,ja;q=0.8", Some(Lang::En)),
            ("de,ja;q=0.5,en;q=0.4", Some(Lang::Ja)),
            ("EN;q=0.7, ja-JP", Some(Lang::Ja)),
            ("ja;q=0, en;q=0.1", Some(Lang::En)),
            ("fr, *;q=0.1", None),
            ("jap", None),
            ("", None),
        ] {
            assert_eq!(language(&headers(ACCEPT_LANGUAGE, accept)), expected, "{accept}");
        }
    }

    #[test]
    fn gzip_is_used_when_it_is_not_liked_less_than_nothing() {
        for (accept, expected) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("GZIP;q=0.5", true),
            ("x-gzip", true),
            ("*", true),
            ("", false),
            ("identity", false),
            ("deflate", false),
            ("gzip;q=0", false),
            ("gzip;q=0,*", false),
            ("*;q=0", false),
            ("identity;q=1,gzip;q=0.5", false),
            ("identity;q=0.5,gzip;q=1", true),
        ] {
            assert_eq!(gzip(&headers(ACCEPT_ENCODING, accept)), expected, "{accept}");
        }
        assert!(!gzip(&HeaderMap::new()));
    }
}
