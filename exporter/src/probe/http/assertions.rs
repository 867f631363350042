//! What an answer must be to count as a success.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{StatusCode, Version};
use regex::bytes::Regex;

use super::json_cel::JsonAssertions;
use crate::config::decode::{Cursor, MapCursor, collect};
use crate::probe::{Failure, Reason};

/// Bodies longer than this are searched off the async threads.
const SEARCH_INLINE: usize = 32 << 10;

/// The assertions of a module.
#[derive(Debug)]
pub(super) struct Assertions {
    statuses: Vec<u16>,
    versions: Vec<Version>,
    tls: Tls,
    header_matches: Vec<HeaderMatch>,
    header_not_matches: Vec<HeaderMatch>,
    body: Arc<BodyAssertions>,
    json: JsonAssertions,
}

/// `fail_if_ssl` and `fail_if_not_ssl`.
#[derive(Debug)]
struct Tls {
    fail_if: bool,
    fail_if_not: bool,
}

#[derive(Debug, Default)]
struct BodyAssertions {
    matches: Vec<Regex>,
    not_matches: Vec<Regex>,
}

#[derive(Debug)]
struct HeaderMatch {
    name: HeaderName,
    regex: Regex,
    allow_missing: bool,
}

impl Assertions {
    /// Any answer that is a success by its status.
    pub(super) fn none() -> Self {
        Self {
            statuses: Vec::new(),
            versions: Vec::new(),
            tls: Tls { fail_if: false, fail_if_not: false },
            header_matches: Vec::new(),
            header_not_matches: Vec::new(),
            body: Arc::default(),
            json: JsonAssertions::default(),
        }
    }

    /// Takes these statuses for good where none are named.
    pub(super) fn take_for_good(&mut self, statuses: &[u16]) {
        self.statuses.extend_from_slice(statuses);
    }

    /// Reads the keys; all of them, also after an error.
    pub(super) fn decode(map: &mut MapCursor<'_>) -> Option<Self> {
        let statuses = map.get("valid_status_codes").map_or(Some(Vec::new()), |c| {
            collect(&c.list()?, |c| c.integer(100..=999).and_then(|code| u16::try_from(code).ok()))
        });
        let versions = map.get("valid_http_versions").map_or(Some(Vec::new()), |c| collect(&c.list()?, version_of));
        let fail_if = map.get("fail_if_ssl").map_or(Some(false), |c| c.bool());
        let fail_if_not = map.get("fail_if_not_ssl").map_or(Some(false), |c| c.bool());
        let matches = regexes(map.get("fail_if_body_matches_regexp"));
        let not_matches = regexes(map.get("fail_if_body_not_matches_regexp"));
        let json = JsonAssertions::decode(map);
        let header_matches = header_list(map.get("fail_if_header_matches"));
        let header_not_matches = header_list(map.get("fail_if_header_not_matches"));
        if (fail_if, fail_if_not) == (Some(true), Some(true)) {
            map.error("`fail_if_ssl` and `fail_if_not_ssl` together always fail; give one of them");
            return None;
        }
        Some(Self {
            statuses: statuses?,
            versions: versions?,
            tls: Tls { fail_if: fail_if?, fail_if_not: fail_if_not? },
            header_matches: header_matches?,
            header_not_matches: header_not_matches?,
            body: Arc::new(BodyAssertions { matches: matches?, not_matches: not_matches? }),
            json: json?,
        })
    }

    /// Whether the body is looked into.
    pub(super) fn needs_body(&self) -> bool {
        self.body.is_some() || self.has_cel()
    }

    /// Whether a regular expression looks into the body.
    pub(super) fn searches_body(&self) -> bool {
        self.body.is_some()
    }

    /// Whether a CEL expression decides.
    pub(super) fn has_cel(&self) -> bool {
        self.json.is_some()
    }

    /// Whether any regular expression decides.
    pub(super) fn has_regex(&self) -> bool {
        self.body.is_some() || !self.header_matches.is_empty() || !self.header_not_matches.is_empty()
    }

    /// Judges all of the head but what regular expressions say.
    ///
    /// # Errors
    /// Reasons `status`, `tls`, `protocol`.
    pub(super) fn check_head(&self, status: StatusCode, version: Version, tls: bool) -> Result<(), Failure> {
        let code = status.as_u16();
        if self.statuses.is_empty() {
            if !status.is_success() {
                return Err(Failure::new(Reason::Status, format_args!("status {code}; expected 2xx")));
            }
        } else if !self.statuses.contains(&code) {
            let expected = self.statuses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(Failure::new(Reason::Status, format_args!("status {code}; expected {expected}")));
        }
        if tls && self.tls.fail_if {
            return Err(Failure::new(Reason::Tls, "the final answer came over TLS, and fail_if_ssl is set"));
        }
        if !tls && self.tls.fail_if_not {
            return Err(Failure::new(Reason::Tls, "the final answer came without TLS, and fail_if_not_ssl is set"));
        }
        if !self.versions.is_empty() && !self.versions.contains(&version) {
            return Err(Failure::new(
                Reason::Protocol,
                format_args!("answered in {version:?}; valid_http_versions has {:?}", self.versions),
            ));
        }
        Ok(())
    }

    /// Judges the headers.
    ///
    /// # Errors
    /// Reason `header`.
    pub(super) fn check_headers(&self, headers: &HeaderMap) -> Result<(), Failure> {
        for rule in &self.header_matches {
            if rule.find(headers)? == Found::Match {
                return Err(rule.failure("matches"));
            }
        }
        for rule in &self.header_not_matches {
            if rule.find(headers)? == Found::NoMatch {
                return Err(rule.failure("does not match"));
            }
        }
        Ok(())
    }

    /// Judges the body by regular expressions.
    ///
    /// # Errors
    /// Reason `body`.
    pub(super) async fn check_body(&self, body: &Bytes) -> Result<(), Failure> {
        if body.len() <= SEARCH_INLINE {
            return self.body.check(body);
        }
        let (rules, body) = (Arc::clone(&self.body), body.clone());
        match tokio::task::spawn_blocking(move || rules.check(&body)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::new(Reason::Internal, "searching the body was interrupted")),
        }
    }

    /// Judges the body by CEL expressions.
    ///
    /// # Errors
    /// Reason `body`, also where the body is not JSON.
    pub(super) async fn check_json(&self, body: &Bytes, of_request: bool) -> Result<(), Failure> {
        self.json.check(body, of_request).await
    }
}

impl BodyAssertions {
    fn is_some(&self) -> bool {
        !self.matches.is_empty() || !self.not_matches.is_empty()
    }

    fn check(&self, body: &[u8]) -> Result<(), Failure> {
        let fail = |what: &str, regex: &Regex| {
            Err(Failure::new(Reason::Body, format_args!("the body {what} `{}` ({} bytes)", regex.as_str(), body.len())))
        };
        if let Some(regex) = self.matches.iter().find(|regex| regex.is_match(body)) {
            return fail("matches", regex);
        }
        if let Some(regex) = self.not_matches.iter().find(|regex| !regex.is_match(body)) {
            return fail("does not match", regex);
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Match,
    NoMatch,
    /// Absent, and that is allowed.
    Absent,
}

impl HeaderMatch {
    fn find(&self, headers: &HeaderMap) -> Result<Found, Failure> {
        let mut values = headers.get_all(&self.name).iter().peekable();
        if values.peek().is_none() {
            return if self.allow_missing {
                Ok(Found::Absent)
            } else {
                Err(Failure::new(Reason::Header, format_args!("header {} is missing", self.name)))
            };
        }
        let found = values.any(|value| self.regex.is_match(value.as_bytes()));
        Ok(if found { Found::Match } else { Found::NoMatch })
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::new(Reason::Header, format_args!("header {} {what} `{}`", self.name, self.regex.as_str()))
    }
}

fn regexes(cursor: Option<Cursor<'_>>) -> Option<Vec<Regex>> {
    cursor.map_or(Some(Vec::new()), |c| collect(&c.list()?, bytes_regex))
}

/// A regular expression for bytes: a body need not be UTF-8.
fn bytes_regex(cursor: &Cursor<'_>) -> Option<Regex> {
    let regex = cursor.regex()?;
    match Regex::new(regex.as_str()) {
        Ok(regex) => Some(regex),
        Err(_) => cursor.error("is not a regular expression that can search bytes"),
    }
}

fn header_list(cursor: Option<Cursor<'_>>) -> Option<Vec<HeaderMatch>> {
    cursor.map_or(Some(Vec::new()), |c| {
        collect(&c.list()?, |c| {
            let mut map = c.map()?;
            let name = map.require("header").and_then(|c| {
                let text = c.non_empty()?;
                match HeaderName::from_bytes(text.as_bytes()) {
                    Ok(name) => Some(name),
                    Err(_) => c.error("is not a header's name; write for example Content-Type"),
                }
            });
            let regex = map.require("regexp").and_then(|c| bytes_regex(&c));
            let allow_missing = map.get("allow_missing").map_or(Some(false), |c| c.bool());
            map.finish();
            Some(HeaderMatch { name: name?, regex: regex?, allow_missing: allow_missing? })
        })
    })
}

fn version_of(cursor: &Cursor<'_>) -> Option<Version> {
    cursor.one_of(&[
        ("HTTP/1.0", Version::HTTP_10),
        ("HTTP/1.1", Version::HTTP_11),
        ("HTTP/2.0", Version::HTTP_2),
        ("HTTP/2", Version::HTTP_2),
    ])
}
