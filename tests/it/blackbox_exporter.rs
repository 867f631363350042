//! The probers beside Debian's blackbox_exporter: the same module text, the same targets, the same metrics with the same
//! values. What differs on purpose is listed here, and in docs/modules/.

mod grpc;
mod login;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use sla_tests::program::{Program, ours};

/// An exporter that answers `/probe`: theirs or ours.
struct Exporter {
    _program: Program,
    port: u16,
}

impl Exporter {
    /// Debian's blackbox_exporter with `config`, a blackbox.yml.
    fn theirs(config: &Path) -> Self {
        let arguments = |port: u16| {
            vec![format!("--config.file={}", config.display()), format!("--web.listen-address=127.0.0.1:{port}")]
        };
        let folder = config.parent().expect("a file");
        let (program, port) = Program::listening("prometheus-blackbox-exporter", arguments, folder);
        Self { _program: program, port }
    }

    /// Ours with the same file taken as it is, and no probe of its own.
    fn ours(config: &Path) -> Self {
        let folder = config.parent().expect("a file");
        let file = folder.join("sla.yml");
        std::fs::write(&file, SLA.replace("BLACKBOX", &config.display().to_string())).unwrap();
        let arguments = |port: u16| {
            vec![
                format!("--config.file={}", file.display()),
                format!("--web.listen-address=127.0.0.1:{port}"),
                format!("--storage.path={}", folder.join("data").display()),
            ]
        };
        let (program, port) = Program::listening_at("sla-exporter", &ours("sla-exporter"), arguments, folder);
        Self { _program: program, port }
    }

    /// Series and values of one probe.
    fn probe(&self, module: &str, target: &str) -> BTreeMap<String, f64> {
        let body = self.ask(&format!("module={module}&target={target}"));
        let samples = body.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| line.rsplit_once(' ').unwrap()).map(|(k, v)| (k.to_owned(), v.parse().unwrap())).collect()
    }

    /// The body of an answer that must be good.
    fn ask(&self, query: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET /probe?{query} HTTP/1.0\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{query}: {answer}");
        body.to_owned()
    }
}

/// The least configuration there is around a blackbox.yml.
const SLA: &str = "site: here
contract: {name: c, title: none, timezone: UTC, functions: {f: {title: f, objective: 99, capabilities: {a: {}}}}}
module_files: [BLACKBOX]
collectors: []
";

/// Answers by path; a thread for each server, which ends with the process.
fn serve(tls: Option<Arc<rustls::ServerConfig>>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = tls.clone();
            std::thread::spawn(move || match tls {
                None => converse(stream),
                Some(config) => {
                    let connection = rustls::ServerConnection::new(config).unwrap();
                    converse(rustls::StreamOwned::new(connection, stream));
                }
            });
        }
    });
    port
}

fn converse<S: std::io::Read + std::io::Write>(mut stream: S) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
    let path = String::from_utf8_lossy(&request).split(' ').nth(1).unwrap_or_default().to_owned();
    let answer = match path.as_str() {
        "/missing" => "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone",
        "/moved" => "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "/loop" => "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
        "/chunked" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "/old" => "HTTP/1.0 200 OK\r\n\r\nhello to the end",
        _ => {
            "HTTP/1.1 200 OK\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Node: a\r\nContent-Length: 5\r\n\r\nhello"
        }
    };
    let _ = stream.write_all(answer.as_bytes());
    let _ = stream.flush();
}

/// A root, a certificate between and one for 127.0.0.1, which end in this order: leaf last.
fn server_config(folder: &Path) -> Arc<rustls::ServerConfig> {
    let ca = |name: &str, end: i32| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(end, 1, 1);
        (params, KeyPair::generate().unwrap())
    };
    let (root, root_key) = ca("root", 2060);
    std::fs::write(folder.join("ca.pem"), root.self_signed(&root_key).unwrap().pem()).unwrap();
    let root = Issuer::new(root, root_key);
    let (between, between_key) = ca("between", 2070);
    let between_der = between.signed_by(&between_key, &root).unwrap().der().clone();
    let between = Issuer::new(between, between_key);
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(["a.example".to_owned()]).unwrap();
    leaf.subject_alt_names.push(SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
    leaf.not_after = date_time_ymd(2080, 1, 1);
    let leaf_der = leaf.signed_by(&key, &between).unwrap().der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf_der, between_der], key)
        .unwrap();
    Arc::new(config)
}

/// Modules in blackbox_exporter's own notation, by name.
const MODULES: &[(&str, &str)] = &[
    ("plain", "{prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}"),
    ("ip6", "{prober: http, timeout: 5s, http: {ip_protocol_fallback: false}}"),
    ("stay", "{prober: http, timeout: 5s, http: {follow_redirects: false, valid_status_codes: [302]}}"),
    ("good_body", "{prober: http, timeout: 5s, http: {fail_if_body_not_matches_regexp: ['^hello']}}"),
    ("bad_body", "{prober: http, timeout: 5s, http: {fail_if_body_matches_regexp: [hell]}}"),
    ("bad_header", "{prober: http, timeout: 5s, http: {fail_if_header_matches: [{header: x-node, regexp: a}]}}"),
    ("needs_tls", "{prober: http, timeout: 5s, http: {fail_if_not_ssl: true}}"),
    ("trusting", "{prober: http, timeout: 5s, http: {tls_config: {ca_file: FOLDER/ca.pem}}}"),
    ("careless", "{prober: http, timeout: 5s, http: {tls_config: {insecure_skip_verify: true}}}"),
    ("strict", "{prober: http, timeout: 5s, http: {tls_config: {ca_file: FOLDER/ca.pem, server_name: b.example}}}"),
];

/// Families that differ on purpose: module (or all), family, why.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("", "probe_duration_seconds", "a measurement"),
    ("", "probe_dns_lookup_time_seconds", "a measurement"),
    ("", "probe_http_duration_seconds", "a measurement"),
    ("", "probe_failed_due_to_regex", "ours: only with regular expressions; compared where there are some"),
    ("", "probe_ssl_last_chain_info", "ours has the labels of later versions; the fingerprint is compared"),
    ("", "probe_tls_cipher_info", "theirs: later versions only; ours is in the order of another library"),
    ("careless", "probe_ssl_last_chain_expiry_timestamp_seconds", "theirs: the year 1"),
    ("strict", "probe_ssl_earliest_cert_expiry", "ours: also where the certificate is refused"),
];

/// Families a failed answer has at 0 there and not here: nothing is known of them.
const UNKNOWN: &[&str] = &[
    "probe_http_uncompressed_body_length",
    "probe_http_content_length",
    "probe_http_version",
    "probe_ip_protocol",
    "probe_ip_addr_hash",
    "probe_http_last_modified_timestamp_seconds",
];

#[test]
fn the_http_prober_has_the_same_metrics_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, secure) = (serve(None), serve(Some(server_config(folder.path()))));
    let text = |yaml: &str| yaml.replace("FOLDER", &folder.path().display().to_string());
    let mut config = String::from("modules:\n");
    for (name, yaml) in MODULES {
        writeln!(config, "  {name}: {}", text(yaml)).unwrap();
    }
    let file = folder.path().join("blackbox.yml");
    std::fs::write(&file, config).unwrap();
    let (blackbox, exporter) = (Exporter::theirs(&file), Exporter::ours(&file));

    let cases: Vec<(&str, String)> = [
        ("plain", "http", "/"),
        ("plain", "http", "/missing"),
        ("plain", "http", "/moved"),
        ("plain", "http", "/loop"),
        ("plain", "http", "/chunked"),
        ("plain", "http", "/old"),
        ("ip6", "http", "/"),
        ("stay", "http", "/moved"),
        ("good_body", "http", "/"),
        ("bad_body", "http", "/"),
        ("bad_header", "http", "/"),
        ("needs_tls", "http", "/"),
        ("trusting", "https", "/"),
        ("trusting", "https", "/moved"),
        ("careless", "https", "/"),
        ("strict", "https", "/"),
        ("plain", "https", "/"),
    ]
    .map(|(module, scheme, path)| {
        let port = if scheme == "http" { plain } else { secure };
        (module, format!("{scheme}://127.0.0.1:{port}{path}"))
    })
    .into();
    let mut problems = Vec::new();
    for (name, target) in &cases {
        let (ours, theirs) = (exporter.probe(name, target), blackbox.probe(name, target));
        let failed = theirs["probe_success"] == 0.0;
        assert_eq!(failed, ours["probe_success"] == 0.0, "{name} {target}");
        for (series, value) in &theirs {
            let family = series.split('{').next().unwrap();
            let different = DIFFERENT.iter().any(|(m, f, _)| (m.is_empty() || m == name) && *f == family);
            let unknown = failed && UNKNOWN.contains(&family) && !ours.contains_key(series);
            if !different && !unknown && ours.get(series) != Some(value) {
                problems.push(format!("{name} {target}: {series}: theirs {value}, ours {:?}", ours.get(series)));
            }
            let phase = family == "probe_http_duration_seconds" && !ours.contains_key(series);
            let regex = family == "probe_failed_due_to_regex" && *value > 0.0 && ours.get(series) != Some(value);
            if phase || regex {
                problems.push(format!("{name} {target}: {series}: not as theirs"));
            }
            if let Some(rest) = series.strip_prefix("probe_ssl_last_chain_info{fingerprint_sha256=\"") {
                let start = format!("probe_ssl_last_chain_info{{fingerprint_sha256=\"{}", &rest[..64]);
                if !ours.keys().any(|key| key.starts_with(&start)) {
                    problems.push(format!("{name} {target}: another fingerprint than {rest}"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A peer that says `words`, passes on one line it hears as `heard <line>`, and closes.
fn speak(words: &'static str, tls: Option<Arc<rustls::ServerConfig>>) -> u16 {
    fn converse<S: std::io::Read + std::io::Write>(mut stream: S, words: &str) {
        let _ = stream.write_all(words.as_bytes());
        let _ = stream.flush();
        if words.contains("PING") {
            let (mut heard, mut byte) = (Vec::new(), [0]);
            while heard.last() != Some(&b'\n') && stream.read(&mut byte).is_ok_and(|count| count > 0) {
                heard.push(byte[0]);
            }
            let _ = stream.write_all(&[b"heard ", heard.as_slice()].concat());
            let _ = stream.flush();
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = tls.clone();
            std::thread::spawn(move || match tls {
                None => converse(stream, words),
                Some(config) => {
                    let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), stream);
                    converse(&mut stream, words);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
        }
    });
    port
}

#[test]
fn the_tcp_prober_has_the_same_metrics_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let secure = server_config(folder.path());
    let modules = [
        ("open", "{preferred_ip_protocol: ip4}"),
        ("banner", "{query_response: [{expect: '^220 '}]}"),
        ("irc", "{query_response: [{expect: 'PING :([^ ]+)', send: 'PONG ${1}'}, {expect: '^heard PONG (tok3n)$'}]}"),
        ("trusting", "{tls: true, tls_config: {ca_file: FOLDER/ca.pem}, query_response: [{expect: '^220 '}]}"),
        ("careless", "{tls: true, tls_config: {insecure_skip_verify: true}}"),
        ("doubtful", "{tls: true}"),
        ("upgrade", "{tls_config: {ca_file: FOLDER/ca.pem}, query_response: [{starttls: true}, {expect: '^220 '}]}"),
    ];
    let text = |tcp: &str| {
        format!("{{prober: tcp, timeout: 5s, tcp: {}}}", tcp.replace("FOLDER", &folder.path().display().to_string()))
    };
    let file = folder.path().join("blackbox.yml");
    let lines = modules.map(|(name, tcp)| format!("  {name}: {}\n", text(tcp)));
    std::fs::write(&file, format!("modules:\n{}", lines.concat())).unwrap();
    let (blackbox, exporter) = (Exporter::theirs(&file), Exporter::ours(&file));
    // As in the documentation: what ours has beyond theirs, or does not show where nothing is known.
    let different = ["probe_duration_seconds", "probe_dns_lookup_time_seconds", "probe_ssl_last_chain_info"];
    for (name, port, success) in [
        ("open", speak("", None), true),
        ("banner", speak("220 mail\r\n", None), true),
        ("banner", speak("noise\n\n220 mail", None), true),
        ("banner", speak("554 no\r\n", None), false),
        ("banner", speak("", None), false),
        ("irc", speak("NOTICE wait\nPING :tok3n\r\n", None), true),
        ("irc", speak("PING :other\n", None), false),
        ("trusting", speak("220 mail\r\n", Some(Arc::clone(&secure))), true),
        ("trusting", speak("554 no\r\n", Some(Arc::clone(&secure))), false),
        ("trusting", speak("220 mail\r\n", None), false),
        ("careless", speak("", Some(Arc::clone(&secure))), true),
        ("doubtful", speak("", Some(Arc::clone(&secure))), false),
        ("upgrade", speak("220 mail\r\n", Some(secure)), true),
    ] {
        let target = format!("127.0.0.1:{port}");
        let (ours, theirs) = (exporter.probe(name, &target), blackbox.probe(name, &target));
        assert_eq!(
            (theirs["probe_success"], ours["probe_success"]),
            (f64::from(success), f64::from(success)),
            "{name}"
        );
        for (series, value) in &theirs {
            let family = series.split('{').next().unwrap();
            // The year 1 is no expiry.
            let careless = name == "careless" && family == "probe_ssl_last_chain_expiry_timestamp_seconds";
            if !different.contains(&family) && !careless {
                assert_eq!(ours.get(series), Some(value), "{name}: {series}");
            }
        }
    }
}

#[test]
fn debug_has_the_same_three_parts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blackbox.yml");
    std::fs::write(&file, "modules: {http_2xx: {prober: http, timeout: 5s, http: {follow_redirects: false}}}").unwrap();
    let port = serve(None);
    let query = format!("target=http://127.0.0.1:{port}/moved&debug=true");
    let headings = |text: &str| -> Vec<String> {
        let headings = text.lines().filter(|line| line.ends_with(':') && line.contains(' ') && !line.starts_with(' '));
        headings.map(str::to_owned).collect()
    };
    let (theirs, ours) = (Exporter::theirs(&file).ask(&query), Exporter::ours(&file).ask(&query));
    assert_eq!(headings(&ours), headings(&theirs), "{ours}");
    for part in ["reason:   status", "probe_http_status_code 302", "follow_redirects: false", "timeout:  5s"] {
        assert!(ours.contains(part), "{part} in {ours}");
    }
}
