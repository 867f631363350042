//! Pages of metrics: Prometheus text 0.0.4, OpenMetrics 1.0, and Prometheus' protobuf format, which alone carries native
//! histograms.
//!
//! A [`Page`] is written family by family; nothing is allocated per sample. Not for: deciding what is
//! on the page, compression, HTTP.

pub mod protobuf;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Write as _;

/// The format a scraper asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// `io.prometheus.client.MetricFamily`, delimited; a page is written as [`Format::Text`] first, see [`protobuf`].
    Protobuf,
}

impl Format {
    /// The exact Content-Type; Prometheus 3 refuses anything else.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// The kind of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only rises; the name ends in `_total`.
    Counter,
    /// Buckets, sum and count; written with [`Page::line`].
    Histogram,
    /// Quantiles, sum and count; written with [`Page::line`].
    Summary,
    /// Said by nobody.
    Untyped,
}

/// A page being written.
#[derive(Debug)]
pub struct Page {
    format: Format,
    buffer: Vec<u8>,
    families: HashSet<String>,
    name: String,
}

impl Page {
    /// An empty page; `buffer` is reused memory of an earlier one.
    #[must_use]
    pub fn new(format: Format, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self { format, buffer, families: HashSet::new(), name: String::new() }
    }

    /// The format written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether a family of this name is already on the page: a second one would spoil it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.families.contains(name)
    }

    /// Keeps a name for whoever begins the family on other pages, where it has nothing to say on this one.
    pub fn reserve(&mut self, name: &str) {
        self.families.insert(name.to_owned());
    }

    /// Begins a family; its samples follow. Each family may begin once per page.
    pub fn family(&mut self, name: &str, help: &str, kind: Kind) {
        debug_assert!(!self.has(name), "{name} is on the page twice");
        self.families.insert(name.to_owned());
        name.clone_into(&mut self.name);
        let (shown, kind) = match (self.format, kind) {
            (Format::OpenMetrics, Kind::Counter) => (name.strip_suffix("_total").unwrap_or(name), "counter"),
            (Format::OpenMetrics, Kind::Untyped) => (name, "unknown"),
            (_, Kind::Gauge) => (name, "gauge"),
            (_, Kind::Counter) => (name, "counter"),
            (_, Kind::Histogram) => (name, "histogram"),
            (_, Kind::Summary) => (name, "summary"),
            (_, Kind::Untyped) => (name, "untyped"),
        };
        let help = escape_help(help, self.format);
        let _ = writeln!(self.buffer, "# HELP {shown} {help}\n# TYPE {shown} {kind}");
    }

    /// A sample of the current family.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.buffer.extend_from_slice(self.name.as_bytes());
        for (i, (name, label)) in labels.iter().enumerate() {
            self.buffer.push(if i == 0 { b'{' } else { b',' });
            self.buffer.extend_from_slice(name.as_bytes());
            self.buffer.extend_from_slice(b"=\"");
            self.buffer.extend_from_slice(escape_label(label).as_bytes());
            self.buffer.push(b'"');
        }
        if !labels.is_empty() {
            self.buffer.push(b'}');
        }
        self.buffer.push(b' ');
        write_value(&mut self.buffer, value);
        self.buffer.push(b'\n');
    }

    /// A sample of the current family whose labels are already escaped text (`a="b",c="d"`), in up to two parts.
    pub fn rendered(&mut self, labels: &str, more: &str, value: f64) {
        write_line(&mut self.buffer, &self.name, labels, more, value);
    }

    /// A line whose name differs from the family's (`x_bucket`, `x_sum`, `x_count`).
    pub fn line(&mut self, name: &str, labels: &str, more: &str, value: f64) {
        write_line(&mut self.buffer, name, labels, more, value);
    }

    /// Lines written elsewhere for the current family.
    pub fn raw(&mut self, lines: &[u8]) {
        self.buffer.extend_from_slice(lines);
    }

    /// A family with one sample.
    pub fn single(&mut self, name: &str, help: &str, kind: Kind, value: f64) {
        self.family(name, help, kind);
        self.sample(&[], value);
    }

    /// The page's bytes.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if self.format == Format::OpenMetrics {
            self.buffer.extend_from_slice(b"# EOF\n");
        }
        self.buffer
    }
}

/// One line, `name{labels,more} value`; both label parts are already escaped.
pub fn write_line(buffer: &mut Vec<u8>, name: &str, labels: &str, more: &str, value: f64) {
    buffer.extend_from_slice(name.as_bytes());
    if !labels.is_empty() || !more.is_empty() {
        buffer.push(b'{');
        buffer.extend_from_slice(labels.as_bytes());
        if !labels.is_empty() && !more.is_empty() {
            buffer.push(b',');
        }
        buffer.extend_from_slice(more.as_bytes());
        buffer.push(b'}');
    }
    buffer.push(b' ');
    write_value(buffer, value);
    buffer.push(b'\n');
}

/// A value as both formats write it.
pub fn write_value(buffer: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        buffer.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        buffer.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if value != 0.0 && !(1e-5..1e17).contains(&value.abs()) {
        let _ = write!(buffer, "{value:e}");
    } else {
        let _ = write!(buffer, "{value}");
    }
}

/// A label value with `\`, `"` and line ends escaped.
#[must_use]
pub fn escape_label(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn escape_help(text: &str, format: Format) -> Cow<'_, str> {
    match format {
        Format::OpenMetrics => escape_label(text),
        Format::Text | Format::Protobuf if text.contains(['\\', '\n']) => {
            Cow::Owned(text.replace('\\', "\\\\").replace('\n', "\\n"))
        }
        Format::Text | Format::Protobuf => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(format: Format) -> String {
        let mut page = Page::new(format, Vec::new());
        page.family("x_total", "a \"b\" \\", Kind::Counter);
        page.sample(&[("l", "a\"\\\nb"), ("m", "日本")], 1.0);
        page.rendered("a=\"1\"", "b=\"2\"", 0.25);
        page.single("y_seconds", "y.", Kind::Gauge, 1e-9);
        String::from_utf8(page.finish()).unwrap()
    }

    #[test]
    fn text_format() {
        assert_eq!(
            page(Format::Text),
            "# HELP x_total a \"b\" \\\\\n# TYPE x_total counter\nx_total{l=\"a\\\"\\\\\\nb\",m=\"日本\"} 1\n\
             x_total{a=\"1\",b=\"2\"} 0.25\n# HELP y_seconds y.\n# TYPE y_seconds gauge\ny_seconds 1e-9\n"
        );
    }

    #[test]
    fn openmetrics_names_the_counter_without_its_suffix_and_ends() {
        assert_eq!(
            page(Format::OpenMetrics),
            "# HELP x a \\\"b\\\" \\\\\n# TYPE x counter\nx_total{l=\"a\\\"\\\\\\nb\",m=\"日本\"} 1\n\
             x_total{a=\"1\",b=\"2\"} 0.25\n# HELP y_seconds y.\n# TYPE y_seconds gauge\ny_seconds 1e-9\n# EOF\n"
        );
    }

    #[test]
    fn values_are_written_so_that_any_parser_reads_them_back() {
        for value in [0.0, -0.0, 1.0, 1e21, 1.5e300, 5e-324, 0.1, -3.25, 1_700_000_000.123, f64::MAX] {
            let mut buffer = Vec::new();
            write_value(&mut buffer, value);
            let text = String::from_utf8(buffer).unwrap();
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{text}");
        }
    }
}
