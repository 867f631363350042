//! The metrics one run of a probe can set, and the values it did set.
//!
//! Names and meanings are blackbox_exporter's where it has them. One closed list: the page is grouped
//! by family, so a family is an index, and the list of metrics in the docs is checked against it.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::echoes::Echoes;
use super::trace::{Certificate, Trace};

macro_rules! metrics {
    ($($variant:ident = $name:literal, $help:literal;)+) => {
        /// A metric family of probe results; every one is a gauge.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // the help texts below are the documentation
        pub enum Metric { $($variant),+ }

        impl Metric {
            /// Every family, in the order of the page.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The family's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The family's HELP text.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help),+ }
            }
        }
    };
}

metrics! {
    Success = "probe_success", "Whether the last completed run succeeded; absent when no run completed for 3 intervals (at least 5 minutes).";
    Duration = "probe_duration_seconds", "How long the last completed run took, all attempts together, in seconds.";
    DnsLookupTime = "probe_dns_lookup_time_seconds", "Time to resolve the target's name in the last run, in seconds.";
    IpProtocol = "probe_ip_protocol", "Whether the last run used IPv4 or IPv6 (4 or 6).";
    IpAddrHash = "probe_ip_addr_hash", "Hash of the IP address of the last run: a change means the name resolves elsewhere.";
    HttpStatusCode = "probe_http_status_code", "HTTP status code of the final response; 0 without one.";
    HttpDuration = "probe_http_duration_seconds", "Duration of the HTTP request by phase, summed over redirects, in seconds.";
    HttpContentLength = "probe_http_content_length", "Content-Length of the final response in bytes; -1 when it has none.";
    HttpUncompressedBodyLength = "probe_http_uncompressed_body_length", "Length of the final response's body after decompression, in bytes.";
    HttpRedirects = "probe_http_redirects", "Redirects among the answers of the last run, one that was not followed included.";
    HttpSsl = "probe_http_ssl", "Whether the final request used TLS.";
    HttpVersion = "probe_http_version", "HTTP version of the final response.";
    HttpLastModified = "probe_http_last_modified_timestamp_seconds", "Last-Modified of the final response, in seconds since the epoch.";
    FailedDueToRegex = "probe_failed_due_to_regex", "Whether a regular expression on the answer made the last run fail.";
    FailedDueToCel = "probe_failed_due_to_cel", "Whether a CEL expression on the JSON body made the last run fail.";
    FailedDueToBytes = "probe_failed_due_to_bytes", "Whether the bytes of an expect_bytes step made the last run fail.";
    SslEarliestCertExpiry = "probe_ssl_earliest_cert_expiry", "Earliest expiry of the certificates the peer sent, in seconds since the epoch.";
    SslLastChainExpiry = "probe_ssl_last_chain_expiry_timestamp_seconds", "Expiry of the verified chain that ends last, in seconds since the epoch.";
    SslLastChainInfo = "probe_ssl_last_chain_info", "The peer's leaf certificate: fingerprint, subject, issuer, alternative names, serial number.";
    TlsVersionInfo = "probe_tls_version_info", "TLS version of the last run.";
    TlsCipherInfo = "probe_tls_cipher_info", "TLS cipher of the last run.";
    ExpectInfo = "probe_expect_info", "Labels captured from the answer by query_response.";
    IcmpDuration = "probe_icmp_duration_seconds", "Duration of the ICMP probe by phase (resolve, setup, rtt), in seconds.";
    IcmpReplyHopLimit = "probe_icmp_reply_hop_limit", "Hop limit (IPv4: TTL) of the echo reply.";
    DnsDuration = "probe_dns_duration_seconds", "Duration of the DNS probe by phase (resolve, connect, request), in seconds.";
    DnsAnswerRrs = "probe_dns_answer_rrs", "Resource records in the answer section.";
    DnsAuthorityRrs = "probe_dns_authority_rrs", "Resource records in the authority section.";
    DnsAdditionalRrs = "probe_dns_additional_rrs", "Resource records in the additional section.";
    DnsQuerySucceeded = "probe_dns_query_succeeded", "Whether the query was answered at all.";
    DnsSerial = "probe_dns_serial", "Serial number of the zone, for SOA queries.";
    GrpcDuration = "probe_grpc_duration_seconds", "Duration of the gRPC probe by phase (resolve, check), in seconds.";
    GrpcHealthcheckResponse = "probe_grpc_healthcheck_response", "1 for what the service last said of its health, 0 for what it did not say.";
    GrpcSsl = "probe_grpc_ssl", "Whether the last run used TLS.";
    GrpcStatusCode = "probe_grpc_status_code", "gRPC status code of the last run; 14 (UNAVAILABLE) without a connection, 4 (DEADLINE_EXCEEDED) without an answer in time.";
    WebsocketDuration = "probe_websocket_duration_seconds", "Duration of the WebSocket probe by phase (resolve, connect, processing, transfer), in seconds.";
    WebsocketStatusCode = "probe_websocket_status_code", "HTTP status code of the answer to the request for a WebSocket; 0 without one.";
    WebsocketUpgraded = "probe_websocket_connection_upgraded", "Whether the connection became a WebSocket.";
    WebsocketFailedDueToRegex = "probe_websocket_failed_due_to_regex", "Whether what was said over the WebSocket made the last run fail.";
    PostgresDuration = "probe_postgres_duration_seconds", "Duration of the PostgreSQL probe by phase (resolve, connect, tls, startup, query), in seconds.";
    FlowStepDuration = "probe_flow_step_duration_seconds", "How long each step of the last run took, in seconds; absent for steps that were not reached.";
    FlowStepSuccess = "probe_flow_step_success", "Whether each step of the last run succeeded; absent for steps that were not reached.";
    FlowFailedStepInfo = "probe_flow_failed_step_info", "The step that failed in the last run, and why; absent when none did.";
    FlowCleanupSuccess = "probe_flow_cleanup_success", "Whether all clean-up steps of the last run that could be taken succeeded.";
    Expectation = "probe_expectation_info", "What the module expects instead of an answer: closed or refused; there also where nobody knows whether it is.";
    PortOpen = "probe_port_open", "Whether a port that must be closed took a connection (C2.6.2); only of modules with `expect: closed`, absent where nobody knows.";
    AccessOpen = "probe_access_open", "Whether a request that must be refused was let in (C2.6.5); only of modules with `expect: refused`, absent where nobody knows.";
    ClamdDuration = "probe_clamd_duration_seconds", "Duration of the clamd probe by phase (resolve, ping, version, scan), in seconds.";
    ClamdInfo = "probe_clamd_info", "Engine and signature version clamd says it has.";
    ClamdSignatureTimestamp = "probe_clamd_signature_timestamp_seconds", "When clamd's signatures were published, in seconds since the epoch; absent where it does not say.";
    ClamdSignatureVersion = "probe_clamd_signature_version", "Version of clamd's daily signatures; absent where it does not say.";
    ClamdSignatureMaxAge = "probe_clamd_signature_max_age_seconds", "How old the module lets clamd's signatures become, in seconds.";
    ClamdTestFound = "probe_clamd_test_virus_found", "Whether clamd found the test virus it was sent (C2.6.4); absent where it did not answer.";
    PostgresQueryValue = "probe_postgres_query_value", "First column of the first row the query returned, where it is a number.";
}

/// One value, with at most a few labels of its own beside those of the target.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which family.
    pub metric: Metric,
    /// Labels of its own.
    pub extra: Extra,
    /// The value.
    pub value: f64,
}

/// Labels of one sample beside the target's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extra {
    /// None.
    None,
    /// `phase="…"`.
    Phase(&'static str),
    /// Already escaped, such as `version="TLS 1.3"`.
    Rendered(Box<str>),
}

/// What one run found out so far; survives a timeout.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    items: Vec<Sample>,
    stage: Cow<'static, str>,
    /// Of all attempts.
    echoes: Echoes,
    /// Only where somebody looks at this one run.
    trace: Option<Box<Trace>>,
    /// See [`Samples::of_request`].
    of_request: bool,
    /// Whether the peer of the last TLS handshake asked for a client certificate.
    pub(super) client_certificate_asked: bool,
}

impl Samples {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self { items: Vec::with_capacity(24), stage: Cow::Borrowed("starting"), ..Self::default() }
    }

    /// An empty set of a run that a request asks for, which shares no scarce place with the scheduler's own runs: whoever can
    /// send requests could keep them waiting.
    #[must_use]
    pub fn of_request() -> Self {
        Self { of_request: true, ..Self::new() }
    }

    /// Whether it is such a run's.
    #[must_use]
    pub fn is_of_request(&self) -> bool {
        self.of_request
    }

    /// An empty set that remembers what happened, too.
    #[must_use]
    pub fn traced() -> Self {
        Self { trace: Some(Box::new(Trace::new())), ..Self::new() }
    }

    /// An empty set for what happens within a step of this one; it remembers what happened where this one does.
    #[must_use]
    pub fn inner(&self) -> Self {
        let trace = self.trace.as_ref().map(|trace| Box::new(trace.inner()));
        Self { trace, of_request: self.of_request, ..Self::new() }
    }

    /// Takes over what `inner` remembers, without what `say` takes out of its texts.
    pub fn happened_within(&mut self, inner: &mut Self, say: impl Fn(&str) -> String) {
        if let (Some(trace), Some(inner)) = (&mut self.trace, inner.trace.take()) {
            trace.within(*inner, say);
        }
    }

    /// Echo requests and replies of all attempts so far.
    pub fn echoes(&mut self) -> &mut Echoes {
        &mut self.echoes
    }

    /// What happened, where it was to be remembered.
    pub fn take_trace(&mut self) -> Option<Trace> {
        self.trace.take().map(|trace| *trace)
    }

    /// Something was found out that is no metric, such as an address; made up only where somebody wants to know. No secrets.
    pub fn found(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.found(&what());
        }
    }

    /// The certificates a peer sent; read only where somebody wants to know.
    pub fn found_chain<C: Iterator<Item = Certificate>>(&mut self, chain: impl FnOnce() -> C) {
        if let Some(trace) = &mut self.trace {
            trace.chain(chain());
        }
    }

    /// What the run waits for now, such as `waiting for the TLS handshake`: a timeout says it. No secrets.
    pub fn stage(&mut self, stage: impl Into<Cow<'static, str>>) {
        self.stage = stage.into();
        if let Some(trace) = &mut self.trace {
            trace.step(&self.stage);
        }
    }

    /// The current stage.
    #[must_use]
    pub fn current_stage(&self) -> &str {
        &self.stage
    }

    /// Sets a value without labels of its own.
    pub fn set(&mut self, metric: Metric, value: f64) {
        self.put(metric, Extra::None, value);
    }

    /// Sets the value of one phase.
    pub fn set_phase(&mut self, metric: Metric, phase: &'static str, value: f64) {
        self.put(metric, Extra::Phase(phase), value);
    }

    /// Adds to the value of one phase (a request after a redirect).
    pub fn add_phase(&mut self, metric: Metric, phase: &'static str, value: f64) {
        match self.items.iter_mut().find(|s| s.metric == metric && s.extra == Extra::Phase(phase)) {
            Some(sample) => sample.value += value,
            None => self.set_phase(metric, phase, value),
        }
    }

    /// Sets a value with labels; replaces the family's earlier value, whatever its labels were.
    pub fn set_info(&mut self, metric: Metric, labels: &[(&str, &str)], value: f64) {
        self.items.retain(|sample| sample.metric != metric);
        let mut text = String::new();
        for (name, label) in labels {
            let comma = if text.is_empty() { "" } else { "," };
            let _ = write!(text, "{comma}{name}=\"{}\"", crate::exposition::escape_label(label));
        }
        self.items.push(Sample { metric, extra: Extra::Rendered(text.into()), value });
    }

    /// Sets a value with labels, beside others of the family.
    pub fn set_labelled(&mut self, metric: Metric, labels: &[(&str, &str)], value: f64) {
        let others: Vec<Sample> = self.items.iter().filter(|sample| sample.metric == metric).cloned().collect();
        self.set_info(metric, labels, value);
        let new = self.items.pop();
        self.items.extend(others.into_iter().filter(|other| new.as_ref().is_none_or(|new| new.extra != other.extra)));
        self.items.extend(new);
    }

    fn put(&mut self, metric: Metric, extra: Extra, value: f64) {
        match self.items.iter_mut().find(|s| s.metric == metric && s.extra == extra) {
            Some(sample) => sample.value = value,
            None => self.items.push(Sample { metric, extra, value }),
        }
    }

    /// Forgets all values, but not what was counted: a new attempt begins.
    pub fn clear(&mut self) {
        self.items.clear();
        self.client_certificate_asked = false;
        self.stage = Cow::Borrowed("starting");
    }

    /// The values.
    #[must_use]
    pub fn items(&self) -> &[Sample] {
        &self.items
    }

    /// The value of a family (and phase), for tests and the log.
    #[must_use]
    pub fn value(&self, metric: Metric, phase: Option<&str>) -> Option<f64> {
        self.items
            .iter()
            .find(|s| {
                s.metric == metric
                    && match (&s.extra, phase) {
                        (Extra::Phase(p), Some(wanted)) => *p == wanted,
                        (Extra::Phase(_), None) => false,
                        (_, wanted) => wanted.is_none(),
                    }
            })
            .map(|s| s.value)
    }

    /// The values as they are kept until the next run.
    #[must_use]
    pub fn into_items(mut self) -> Box<[Sample]> {
        self.items.sort_by_key(|sample| sample.metric);
        self.items.into_boxed_slice()
    }
}
