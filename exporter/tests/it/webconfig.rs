//! `--web.config.file`: TLS, client certificates, passwords and rate limits against real clients.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use sla_exporter::server::WebConfig;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{Answer, PATIENCE, SMALL, Server, request, write};

/// A certificate authority with a folder of what it made.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Certificate and key for `names`, in PEM.
    fn issue(&self, names: &[SanType]) -> (String, String) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names.to_vec();
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

/// A folder with `server.crt`, `server.key`, `ca.crt` and a `web.yml`.
struct Setup {
    folder: TempDir,
    authority: Authority,
}

impl Setup {
    fn new() -> Self {
        let setup = Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new() };
        write(setup.folder.path(), "ca.crt", &setup.authority.pem);
        setup.renew_certificate();
        setup
    }

    fn renew_certificate(&self) {
        let (certificate, key) = self.authority.issue(&[dns("localhost")]);
        write(self.folder.path(), "server.key", key);
        write(self.folder.path(), "server.crt", certificate);
    }

    fn write(&self, yaml: &str) -> PathBuf {
        write(self.folder.path(), "web.yml", yaml)
    }

    #[track_caller]
    fn load(&self, yaml: &str) -> WebConfig {
        let (web, warnings) = WebConfig::load(&self.write(yaml)).unwrap_or_else(|findings| panic!("{findings:#?}"));
        assert!(warnings.is_empty(), "{warnings:#?}");
        web
    }

    /// A server with `tls` within its `tls_server_config`.
    #[track_caller]
    fn serve(&self, tls: &str) -> Server {
        let yaml = format!("tls_server_config: {{cert_file: server.crt, key_file: server.key{tls}}}\n");
        Server::start_with(SMALL, self.load(&yaml))
    }

    fn client(&self) -> Client {
        Client {
            ca: self.authority.pem.clone(),
            identity: None,
            versions: vec![&version::TLS12, &version::TLS13],
            alpn: vec!["http/1.1"],
        }
    }
}

#[derive(Clone)]
struct Client {
    ca: String,
    identity: Option<(String, String)>,
    versions: Vec<&'static SupportedProtocolVersion>,
    alpn: Vec<&'static str>,
}

impl Client {
    async fn connect(&self, server: &Server) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&self.versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
            }
        };
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(server.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// In TLS 1.3 a refused certificate shows only when something is read.
    async fn get(&self, server: &Server, path: &str) -> std::io::Result<Answer> {
        request(self.connect(server).await?, "GET", path, &[]).await
    }
}

#[tokio::test]
async fn tls_is_served_and_plain_http_is_not() {
    let setup = Setup::new();
    let server = setup.serve("");
    let answer = setup.client().get(&server, "/-/healthy").await.unwrap();
    assert_eq!((answer.status, answer.text()), (200, "sla-exporter is healthy\n"));
    let stream = TcpStream::connect(server.address).await.unwrap();
    assert!(request(stream, "GET", "/-/healthy", &[]).await.is_err());
}

#[tokio::test]
async fn http2_is_offered_unless_switched_off() {
    let setup = Setup::new();
    let both = Client { alpn: vec!["h2", "http/1.1"], ..setup.client() };
    for (http2, expected) in [("true", &b"h2"[..]), ("false", b"http/1.1")] {
        let yaml = format!(
            "tls_server_config: {{cert_file: server.crt, key_file: server.key}}\nhttp_server_config: {{http2: {http2}}}\n"
        );
        let server = Server::start_with(SMALL, setup.load(&yaml));
        let stream = both.connect(&server).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(expected), "{http2}");
    }
}

#[tokio::test]
async fn certificate_and_key_may_stand_in_the_file() {
    let setup = Setup::new();
    let indent = |name: &str| {
        let text = std::fs::read_to_string(setup.folder.path().join(name)).unwrap();
        text.lines().map(|line| format!("    {line}\n")).collect::<String>()
    };
    let (certificate, key) = (indent("server.crt"), indent("server.key"));
    let yaml = format!("tls_server_config:\n  cert: |\n{certificate}  key: |\n{key}");
    let server = Server::start_with(SMALL, setup.load(&yaml));
    assert_eq!(setup.client().get(&server, "/-/healthy").await.unwrap().status, 200);
}

#[tokio::test]
async fn each_policy_for_client_certificates_does_what_go_does() {
    let setup = Setup::new();
    let none = setup.client();
    let ours = Client { identity: Some(setup.authority.issue(&[dns("prometheus")])), ..none.clone() };
    let foreign = Client { identity: Some(Authority::new().issue(&[dns("prometheus")])), ..none.clone() };
    for (policy, without, with_ours, with_foreign) in [
        ("client_auth_type: NoClientCert", true, true, true),
        ("client_auth_type: RequestClientCert", true, true, true),
        ("client_auth_type: RequireAnyClientCert", false, true, true),
        ("client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.crt", true, true, false),
        ("client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt", false, true, false),
    ] {
        let server = setup.serve(&format!(", {policy}"));
        for versions in [vec![&version::TLS12], vec![&version::TLS13]] {
            for (client, expected) in [(&none, without), (&ours, with_ours), (&foreign, with_foreign)] {
                let client = Client { versions: versions.clone(), ..client.clone() };
                let found = client.get(&server, "/-/healthy").await.is_ok();
                assert_eq!(found, expected, "{policy}, {:?}, {:?}", client.identity.is_some(), versions);
            }
        }
    }
}

#[tokio::test]
async fn only_listed_names_are_let_in() {
    let setup = Setup::new();
    let server = setup.serve(
        ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, \
         client_allowed_sans: [prometheus, 10.1.2.3, \"spiffe://a/b\", \"ops@example.com\"]",
    );
    let mail = |text: &str| SanType::Rfc822Name(text.try_into().unwrap());
    for (names, expected) in [
        (vec![dns("prometheus")], true),
        (vec![dns("other"), dns("prometheus")], true),
        (vec![SanType::IpAddress("10.1.2.3".parse().unwrap())], true),
        (vec![SanType::URI("spiffe://a/b".try_into().unwrap())], true),
        (vec![mail("ops@example.com")], true),
        (vec![dns("prometheus.example.com")], false),
        (vec![SanType::IpAddress("10.1.2.4".parse().unwrap())], false),
        (vec![], false),
    ] {
        let client = Client { identity: Some(setup.authority.issue(&names)), ..setup.client() };
        assert_eq!(client.get(&server, "/-/healthy").await.is_ok(), expected, "{names:?}");
    }
}

#[tokio::test]
async fn versions_suites_and_curves_are_those_configured() {
    let setup = Setup::new();
    let client = setup.client();
    let only = |version| Client { versions: vec![version], ..client.clone() };
    for (settings, tls12, tls13) in [
        ("", true, true),
        (", min_version: TLS13", false, true),
        (", max_version: TLS12", true, false),
        (", min_version: TLS12, max_version: TLS13", true, true),
        (", cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]", true, true),
        // The certificate has an elliptic key: no suite of TLS 1.2 is left.
        (", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]", false, true),
        (", curve_preferences: [CurveP384], prefer_server_cipher_suites: false", true, true),
    ] {
        let server = setup.serve(settings);
        for (version, expected) in [(&version::TLS12, tls12), (&version::TLS13, tls13)] {
            let found = only(version).get(&server, "/-/healthy").await.is_ok();
            assert_eq!(found, expected, "{settings}: {version:?}");
        }
    }
    let server = setup.serve(", cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384], max_version: TLS12");
    let stream = client.connect(&server).await.unwrap();
    let (_, connection) = stream.get_ref();
    assert_eq!(connection.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    let suite = connection.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_delays_nobody() {
    let setup = Setup::new();
    let server = setup.serve("");
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    let answer = tokio::time::timeout(Duration::from_secs(5), setup.client().get(&server, "/-/healthy")).await;
    assert_eq!(answer.expect("an answer in time").unwrap().status, 200);
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_without_a_reload() {
    let setup = Setup::new();
    let server = setup.serve("");
    let certificate = async || {
        let stream = setup.client().connect(&server).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    };
    let first = certificate().await;
    setup.renew_certificate();
    eventually("the new certificate", async || certificate().await != first).await;
}

fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

async fn status(server: &Server, credentials: Option<&str>) -> u16 {
    let basic = credentials.map(|c| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(c)));
    let headers: Vec<(&str, &str)> = basic.iter().map(|value| ("Authorization", value.as_str())).collect();
    server.request("GET", "/-/healthy", &headers).await.status
}

#[tokio::test]
async fn a_password_is_asked_for_everywhere() {
    let setup = Setup::new();
    let web = setup.load(&format!("basic_auth_users: {{prometheus: \"{}\"}}\n", hash("secret")));
    let server = Server::start_with(SMALL, web);
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/metrics"),
        ("GET", "/sd"),
        ("POST", "/-/reload"),
        ("GET", "/-/healthy"),
        ("GET", "/nothing"),
    ] {
        let answer = server.request(method, path, &[]).await;
        assert_eq!((answer.status, answer.text()), (401, "a user name and a password are needed\n"), "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"sla-exporter\", charset=\"UTF-8\""));
    }
    assert_eq!(status(&server, Some("prometheus:secret")).await, 200);
    assert_eq!(status(&server, Some("prometheus:wrong")).await, 401);
    assert_eq!(status(&server, Some("nobody:secret")).await, 401);
}

#[tokio::test]
async fn a_changed_file_is_taken_and_a_bad_one_is_not() {
    let setup = Setup::new();
    let users = |password: &str| format!("basic_auth_users: {{prometheus: \"{}\"}}\n", hash(password));
    let server = Server::start_with(SMALL, setup.load(&users("first")));
    assert_eq!(status(&server, Some("prometheus:first")).await, 200);
    setup.write(&users("second"));
    eventually("the new password", async || status(&server, Some("prometheus:second")).await == 200).await;
    assert_eq!(status(&server, Some("prometheus:first")).await, 401);
    // While it is written, a file is broken, then empty: neither opens the port.
    for broken in ["basic_auth_users: {prometheus: plain}", "", "http_server_config: {http2: true}"] {
        setup.write(broken);
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(status(&server, None).await, 401, "{broken}");
        assert_eq!(status(&server, Some("prometheus:second")).await, 200, "{broken}");
    }
    setup.write(&users("third"));
    eventually("the good file after them", async || status(&server, Some("prometheus:third")).await == 200).await;
}

#[tokio::test]
async fn configured_headers_replace_ours() {
    let setup = Setup::new();
    let web = setup.load(
        "http_server_config: {headers: {X-Frame-Options: sameorigin, Content-Security-Policy: \"default-src 'self'\", \
         Strict-Transport-Security: max-age=60, X-XSS-Protection: \"\"}}\n",
    );
    let answer = Server::start_with(SMALL, web).get("/-/healthy").await;
    for (name, value) in [
        ("x-frame-options", Some("sameorigin")),
        ("content-security-policy", Some("default-src 'self'")),
        ("strict-transport-security", Some("max-age=60")),
        ("x-content-type-options", Some("nosniff")),
        ("x-xss-protection", None),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
        assert!(answer.headers.iter().filter(|(key, _)| key == name).count() <= 1, "{name}");
    }
}

#[tokio::test]
async fn requests_over_the_rate_are_turned_away() {
    let setup = Setup::new();
    let server = Server::start_with(SMALL, setup.load("rate_limit: {interval: 10m, burst: 2}\n"));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(status(&server, None).await);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
    let off = Server::start_with(SMALL, setup.load("rate_limit: {interval: 0, burst: 0}\n"));
    assert_eq!(status(&off, None).await, 200);
}

/// Prometheus, killed when dropped.
struct Prometheus(std::process::Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn prometheus_scrapes_and_discovers_with_certificate_and_password() {
    let setup = Setup::new();
    let folder = setup.folder.path();
    let (certificate, key) = setup.authority.issue(&[dns("prometheus")]);
    write(folder, "client.crt", certificate);
    write(folder, "client.key", key);
    let web = setup.load(&format!(
        "tls_server_config: {{cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, \
         client_auth_type: RequireAndVerifyClientCert}}\nbasic_auth_users: {{prometheus: \"{}\"}}\n",
        hash("secret")
    ));
    let server = Server::start_with(
        &format!("{SMALL}hosts: [{{name: web1, address: 127.0.0.1, exporter: \"127.0.0.1:1\"}}]\n"),
        web,
    );
    let client = "tls_config: {ca_file: ca.crt, server_name: localhost, cert_file: client.crt, key_file: client.key}, \
                  basic_auth: {username: prometheus, password: secret}";
    let address = server.address;
    write(
        folder,
        "prometheus.yml",
        format!(
            "global: {{scrape_interval: 1s}}
scrape_configs:
  - {{job_name: exporter, scheme: https, {client}, static_configs: [{{targets: [\"{address}\"]}}]}}
  - {{job_name: hosts, http_sd_configs: [{{url: \"https://{address}/sd\", {client}}}]}}
"
        ),
    );
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let prometheus = std::process::Command::new("prometheus")
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=error"])
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .current_dir(folder)
        .stderr(std::process::Stdio::null())
        .spawn();
    let _prometheus = Prometheus(prometheus.expect("prometheus on the PATH: `apt-get install prometheus`"));
    let query = async |expression: &str| {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let path = format!("/api/v1/query?query={expression}");
        let answer = request(stream, "GET", &path, &[]).await.ok()?;
        serde_json::from_slice::<serde_json::Value>(&answer.body).ok().map(|value| value["data"]["result"].clone())
    };
    eventually("a scrape", async || {
        query("up%7Bjob=%22exporter%22%7D==1").await.is_some_and(|result| !result[0].is_null())
    })
    .await;
    eventually("a discovered host", async || {
        query("up%7Bjob=%22hosts%22%7D").await.is_some_and(|result| {
            result[0]["metric"]["host"] == "web1" && result[0]["metric"]["instance"] == "127.0.0.1:1"
        })
    })
    .await;
}

#[test]
fn each_fault_is_named_with_its_place_and_no_secret() {
    let setup = Setup::new();
    let folder = setup.folder.path().display().to_string();
    write(setup.folder.path(), "text", "no PEM at all");
    let (_, other_key) = setup.authority.issue(&[]);
    write(setup.folder.path(), "other.key", other_key);
    let tls = |more: &str| format!("tls_server_config: {{cert_file: server.crt, key_file: server.key{more}}}");
    let expensive = hash("x").replacen("$04$", "$17$", 1);
    let expected_hash = "this is not a bcrypt hash (60 characters, beginning with $2a$, $2b$ or $2y$); make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`";
    for (yaml, expected) in [
        ("tls_server_config: {}".to_owned(), vec!["1:20: tls_server_config: `cert_file` is missing".to_owned(), "1:20: tls_server_config: `key_file` is missing".to_owned()]),
        ("tls_server_config: {cert_file: none, key_file: server.key}".to_owned(), vec![format!("1:32: tls_server_config.cert_file: cannot read {folder}/none: No such file or directory (os error 2)")]),
        ("tls_server_config: {cert_file: text, key_file: text}".to_owned(), vec![
            "1:32: tls_server_config.cert_file: there is no certificate in it (`-----BEGIN CERTIFICATE-----`)".to_owned(),
            "1:48: tls_server_config.key_file: not an unencrypted private key in PEM: no items found".to_owned(),
        ]),
        ("tls_server_config: {cert_file: server.crt, key_file: other.key}".to_owned(), vec!["1:20: tls_server_config: certificate and key do not work together: keys may not be consistent: KeyMismatch".to_owned()]),
        (tls(", cert: x"), vec!["1:72: tls_server_config.cert: give `cert` or `cert_file`, not both".to_owned()]),
        (tls(", min_version: TLS10"), vec!["1:79: tls_server_config.min_version: TLS 1.0 and 1.1 are not supported; write TLS12 or TLS13".to_owned()]),
        (tls(", min_version: TLS13, max_version: TLS12"), vec!["1:79: tls_server_config.min_version: min_version is above max_version".to_owned()]),
        (tls(", cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]"), vec!["1:82: tls_server_config.cipher_suites[0]: cipher suite `TLS_RSA_WITH_AES_128_CBC_SHA` is not supported; accepted: TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256".to_owned()]),
        (tls(", curve_preferences: [CurveP521]"), vec!["1:86: tls_server_config.curve_preferences[0]: curve `CurveP521` is not supported; accepted: X25519, CurveP256, CurveP384".to_owned()]),
        (tls(", client_auth_type: Sometimes"), vec!["1:84: tls_server_config.client_auth_type: unknown value `Sometimes`; accepted: NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert".to_owned()]),
        (tls(", client_auth_type: RequireAndVerifyClientCert"), vec!["1:20: tls_server_config: `client_ca_file` is missing: without it no client certificate can be verified".to_owned()]),
        (tls(", client_ca_file: ca.crt"), vec!["1:82: tls_server_config.client_ca_file: has no effect without client_auth_type; write `client_auth_type: RequireAndVerifyClientCert`".to_owned()]),
        (tls(", client_allowed_sans: [a]"), vec!["1:87: tls_server_config.client_allowed_sans: has no effect on clients without a certificate; set client_auth_type to RequireAndVerifyClientCert".to_owned()]),
        ("basic_auth_users: {prometheus: hunter2}".to_owned(), vec![format!("1:32: basic_auth_users.prometheus: {expected_hash}")]),
        (format!("basic_auth_users: {{prometheus: \"{expensive}\"}}"), vec!["1:32: basic_auth_users.prometheus: bcrypt cost 17 is not accepted, only 4 to 16; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`".to_owned()]),
        (format!("basic_auth_users: {{\"a:b\": \"{}\"}}", hash("x")), vec!["1:27: basic_auth_users.a:b: a user name with `:` in it can never log in".to_owned()]),
        ("http_server_config: {headers: {X-Frame-Options: maybe}}".to_owned(), vec!["1:49: http_server_config.headers.X-Frame-Options: unknown value; accepted: deny, sameorigin".to_owned()]),
        ("http_server_config: {headers: {Content-Security-Policy: \"a\\nb\"}}".to_owned(), vec!["1:57: http_server_config.headers.Content-Security-Policy: this is not the value of a header: it holds a line end or another control character".to_owned()]),
        ("http_server_config: {headers: {Server: x}}".to_owned(), vec!["1:32: http_server_config.headers.Server: unknown key `Server`; accepted here: Content-Security-Policy, Strict-Transport-Security, X-XSS-Protection, X-Frame-Options, X-Content-Type-Options".to_owned()]),
        ("rate_limit: {interval: 1s}".to_owned(), vec!["1:13: rate_limit: `burst` is missing".to_owned()]),
        ("rate_limit: {interval: 1s, burst: 0}".to_owned(), vec!["1:35: rate_limit.burst: a burst of 0 lets no request through; write at least 1".to_owned()]),
        ("rate_limit: {burst: 1}".to_owned(), vec!["1:13: rate_limit: `interval` is missing".to_owned()]),
        ("[]".to_owned(), vec!["1:1: expected a mapping (`key: value`), found a list".to_owned()]),
    ] {
        let file = setup.write(&yaml);
        let findings = WebConfig::load(&file).expect_err(&yaml);
        let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let expected: Vec<String> = expected.iter().map(|text| format!("{}:{text}", file.display())).collect();
        assert_eq!(texts, expected, "{yaml}");
        assert!(!texts.concat().contains("hunter2"));
    }
}

#[test]
fn promtool_accepts_what_the_documentation_shows_and_so_do_we() {
    let setup = Setup::new();
    let documentation =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/web-configuration.md"));
    let documentation = documentation.unwrap();
    let blocks: Vec<&str> =
        documentation.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let file = setup.write(block);
        if let Err(findings) = WebConfig::load(&file) {
            panic!("{block}: {findings:#?}");
        }
        // Debian's promtool does not know this key yet.
        if block.contains("rate_limit") {
            continue;
        }
        let output = std::process::Command::new("promtool")
            .args(["check", "web-config"])
            .arg(&file)
            .output()
            .expect("promtool on the PATH: `apt-get install prometheus`");
        assert!(output.status.success(), "{block}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

async fn eventually(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let started = tokio::time::Instant::now();
    while !look().await {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
