//! What `/probe` is asked. Pure: whether it can be done is another matter.

use url::form_urlencoded;

/// The module where the request names none: blackbox_exporter's.
const DEFAULT_MODULE: &str = "http_2xx";

/// The parameters of a request; the first of each name counts, an empty one is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) target: Option<String>,
    pub(super) module: String,
    pub(super) hostname: Option<String>,
    pub(super) debug: bool,
}

impl Query {
    /// Reads the part of a URL behind `?`.
    pub(super) fn parse(text: &str) -> Self {
        let find = |name: &str| {
            let found = form_urlencoded::parse(text.as_bytes()).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
        };
        Self {
            target: find("target"),
            module: find("module").unwrap_or_else(|| DEFAULT_MODULE.to_owned()),
            hostname: find("hostname"),
            debug: find("debug").is_some_and(|value| value == "true"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_the_first_counts() {
        let query = Query::parse("target=http%3A%2F%2Fa%2F%3Fx%3D1%26y&module=m&target=b&hostname=&debug=true");
        let expected =
            Query { target: Some("http://a/?x=1&y".to_owned()), module: "m".to_owned(), hostname: None, debug: true };
        assert_eq!(query, expected);
    }

    #[test]
    fn what_is_not_said_is_as_blackbox_exporter_has_it() {
        let nothing = Query { target: None, module: "http_2xx".to_owned(), hostname: None, debug: false };
        for text in ["", "&&", "target=&debug=1", "%ff=%fe"] {
            assert_eq!(Query::parse(text), nothing, "{text}");
        }
    }
}
