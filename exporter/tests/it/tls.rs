//! TLS as the `http` prober has it: what is verified, what is shown, what the failure says.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use sla_exporter::probe::{Metric, Reason, Run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::http::{Server, answer, serve_tls};
use crate::support::pki::{Authority, Identity, start_of};
use crate::support::{failure, info, module, run, succeeded, value};

const YEARS: (i32, i32) = (2020, 2080);

async fn probe(server: &Server, tls_config: &str) -> Run {
    let yaml = format!("{{prober: http, timeout: 5s, http: {{preferred_ip_protocol: ip4, tls_config: {tls_config}}}}}");
    run(&module(&yaml), &format!("https://{}/", server.address)).await
}

async fn server(identity: &Identity) -> Server {
    serve_tls(identity.acceptor(&["http/1.1"], None), |_| answer(200, "", "ok")).await
}

fn trusting(ca_file: &Path) -> String {
    format!("{{ca_file: {}}}", ca_file.display())
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    Sha256::digest(certificate).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_verified_chain_shows_its_expiry_and_its_leaf() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let leaf = root.below("between", (2010, 2070)).issue(&["127.0.0.1", "a.example", "b.example"], YEARS);
    let run = probe(&server(&leaf).await, &trusting(&root.write(folder.path()))).await;
    succeeded(&run);
    // The intermediate certificate ends first.
    assert_eq!(value(&run, Metric::SslEarliestCertExpiry), Some(start_of(2070)));
    assert_eq!(value(&run, Metric::SslLastChainExpiry), Some(start_of(2070)));
    let labels = info(&run, Metric::SslLastChainInfo).unwrap();
    let fingerprint = fingerprint(&leaf.chain[0]);
    assert!(labels.contains(&format!("fingerprint_sha256=\"{fingerprint}\"")), "{labels}");
    // As Go writes it: a comma within a part is escaped, and the label escapes that again.
    assert!(labels.contains(r#"subject="CN=leaf,O=Example\\, Ltd.""#), "{labels}");
    assert!(labels.contains(r#"issuer="CN=between""#), "{labels}");
    assert!(labels.contains(r#"subjectalternative="a.example,b.example""#), "{labels}");
    assert!(labels.contains("serialnumber=\""), "{labels}");
    assert_eq!(info(&run, Metric::TlsVersionInfo), Some("version=\"TLS 1.3\""));
    let cipher = info(&run, Metric::TlsCipherInfo).unwrap();
    assert!(cipher.starts_with("cipher=\"TLS_AES_"), "{cipher}");
}

#[tokio::test]
async fn a_root_that_ends_first_ends_the_chain_but_was_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let leaf = root.issue(&["127.0.0.1"], (2020, 2095));
    let run = probe(&server(&leaf).await, &trusting(&root.write(folder.path()))).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::SslEarliestCertExpiry), Some(start_of(2095)));
    assert_eq!(value(&run, Metric::SslLastChainExpiry), Some(start_of(2090)));
}

/// The certificate's metrics are there, without a verified chain; the reason and the text say what is wrong.
#[track_caller]
fn check_refused(run: &Run, part: &str, expiry: f64) {
    let (reason, detail) = failure(run);
    assert_eq!(reason, Reason::Certificate, "{detail}");
    assert!(detail.contains(part), "{detail}");
    assert_eq!(value(run, Metric::SslEarliestCertExpiry), Some(expiry));
    assert_eq!(value(run, Metric::SslLastChainExpiry), None);
    assert!(info(run, Metric::SslLastChainInfo).is_some());
    assert_eq!(value(run, Metric::HttpStatusCode), Some(0.0));
}

#[tokio::test]
async fn an_expired_certificate_fails_and_still_shows_its_expiry() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let trust = trusting(&root.write(folder.path()));
    let expired = server(&root.issue(&["127.0.0.1"], (2019, 2020))).await;
    check_refused(&probe(&expired, &trust).await, "expired since 2020-01-01T00:00:00Z", start_of(2020));
    let early = server(&root.issue(&["127.0.0.1"], (2085, 2089))).await;
    check_refused(&probe(&early, &trust).await, "not valid before 2085-01-01T00:00:00Z", start_of(2089));
}

#[tokio::test]
async fn another_name_fails_and_says_whose_certificate_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let server = server(&root.issue(&["other.example"], YEARS)).await;
    let ca = root.write(folder.path());
    check_refused(
        &probe(&server, &trusting(&ca)).await,
        "name mismatch: the certificate is for other.example, not for 127.0.0.1",
        start_of(2080),
    );
    let named = format!("{{ca_file: {}, server_name: other.example}}", ca.display());
    succeeded(&probe(&server, &named).await);
}

#[tokio::test]
async fn an_unknown_issuer_fails_unless_verification_is_off() {
    let leaf = server(&Authority::new("nobody").issue(&["127.0.0.1"], YEARS)).await;
    check_refused(&probe(&leaf, "{}").await, "unknown issuer: `CN=nobody`", start_of(2080));
    let run = probe(&leaf, "{insecure_skip_verify: true}").await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::SslEarliestCertExpiry), Some(start_of(2080)));
    // Nothing was verified, so no chain was.
    assert_eq!(value(&run, Metric::SslLastChainExpiry), None);
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_where_ca_file_names_it() {
    for ca in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (identity, pem) = Identity::self_signed(&["127.0.0.1"], ca);
        let server = server(&identity).await;
        check_refused(&probe(&server, "{}").await, "the certificate is self-signed (", start_of(2090));
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, pem).unwrap();
        let run = probe(&server, &trusting(&path)).await;
        succeeded(&run);
        assert_eq!(value(&run, Metric::SslLastChainExpiry), Some(start_of(2090)));
        // Trusted, but not as somebody else.
        let named = format!("{{ca_file: {}, server_name: other.example}}", path.display());
        check_refused(&probe(&server, &named).await, "name mismatch", start_of(2090));
    }
}

#[tokio::test]
async fn a_missing_intermediate_certificate_is_suspected() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let mut leaf = root.below("between", (2010, 2070)).issue(&["127.0.0.1"], YEARS);
    leaf.chain.truncate(1);
    let run = probe(&server(&leaf).await, &trusting(&root.write(folder.path()))).await;
    check_refused(&run, "an intermediate one may be missing", start_of(2080));
}

#[tokio::test]
async fn plain_text_on_a_tls_port_is_said_to_be_no_tls() {
    for words in ["HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail.example ESMTP\r\n", "SSH-2.0-OpenSSH_9.2\r\n"] {
        let address = crate::support::server(move |mut stream| async move {
            let _ = stream.write_all(words.as_bytes()).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let run = run(&module("{prober: http, timeout: 5s}"), &format!("https://{address}/")).await;
        let (reason, detail) = failure(&run);
        assert_eq!(reason, Reason::Tls, "{detail}");
        assert!(detail.contains("does not speak TLS"), "{detail}");
        assert_eq!(value(&run, Metric::SslEarliestCertExpiry), None);
    }
}

#[tokio::test]
async fn versions_outside_the_accepted_ones_fail() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let leaf = root.issue(&["127.0.0.1"], YEARS);
    let old = serve_tls(leaf.acceptor_with(&[], None, &[&rustls::version::TLS12]), |_| answer(200, "", "ok")).await;
    let run = probe(&old, &trusting(&ca)).await;
    succeeded(&run);
    assert_eq!(info(&run, Metric::TlsVersionInfo), Some("version=\"TLS 1.2\""));
    let cipher = info(&run, Metric::TlsCipherInfo).unwrap();
    assert!(cipher.starts_with("cipher=\"TLS_ECDHE_ECDSA_WITH_"), "{cipher}");
    let run = probe(&old, &format!("{{ca_file: {}, min_version: TLS13}}", ca.display())).await;
    assert_eq!(failure(&run).0, Reason::Tls, "{:?}", run.failure);
    let new = serve_tls(leaf.acceptor_with(&[], None, &[&rustls::version::TLS13]), |_| answer(200, "", "ok")).await;
    let run = probe(&new, &format!("{{ca_file: {}, max_version: TLS12}}", ca.display())).await;
    assert_eq!(failure(&run).0, Reason::Tls, "{:?}", run.failure);
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let (cert, key) = root.issue(&["client"], YEARS).write(folder.path());
    let identity = root.issue(&["127.0.0.1"], YEARS);
    let server = serve_tls(identity.acceptor(&[], Some(&root)), |_| answer(200, "", "ok")).await;
    let yaml = format!("{{ca_file: {}, cert_file: {}, key_file: {}}}", ca.display(), cert.display(), key.display());
    succeeded(&probe(&server, &yaml).await);
    let run = probe(&server, &trusting(&ca)).await;
    let (reason, detail) = failure(&run);
    // TLS 1.3 lets the client finish first: the refusal comes in place of the answer.
    assert_eq!(reason, Reason::ClientCertificate, "{detail}");
    assert!(detail.contains("asks for a client certificate"), "{detail}");
    // HTTP/2's library does not tell by itself.
    let server = serve_tls(identity.acceptor(&["h2"], Some(&root)), |_| answer(200, "", "ok")).await;
    let run = probe(&server, &trusting(&ca)).await;
    let (reason, detail) = failure(&run);
    assert_eq!(reason, Reason::ClientCertificate, "{detail}");
    assert!(detail.contains("asks for a client certificate"), "{detail}");
}

#[tokio::test]
async fn each_handshake_is_a_full_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let server = server(&root.issue(&["127.0.0.1"], YEARS)).await;
    let yaml = format!("{{prober: http, timeout: 5s, http: {{tls_config: {}}}}}", trusting(&root.write(folder.path())));
    let module = module(&yaml);
    for _ in 0..3 {
        let run = run(&module, &format!("https://{}/", server.address)).await;
        succeeded(&run);
        assert_eq!(value(&run, Metric::SslEarliestCertExpiry), Some(start_of(2080)));
    }
}

#[tokio::test]
async fn a_new_client_certificate_is_taken_over_when_either_of_its_files_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let ca = new.write(folder.path());
    let server = serve_tls(new.issue(&["127.0.0.1"], YEARS).acceptor(&[], Some(&new)), |_| answer(200, "", "ok")).await;
    let path = |name: &str| folder.path().join(name);
    let put = |authority: &Authority| {
        let (cert, key) = authority.issue(&["client"], YEARS).write(folder.path());
        std::fs::rename(cert, path("mine.pem")).unwrap();
        std::fs::rename(key, path("mine.key")).unwrap();
    };
    put(&old);
    let text = format!(
        "site: s\ncontract: {{name: c, timezone: UTC, functions: {{f: {{objective: 99, capabilities: {{a: }}}}}}}}\n\
         modules: {{m: {{prober: http, http: {{tls_config: {{ca_file: {}, cert_file: mine.pem, key_file: mine.key}}}}}}}}\n\
         probes: [{{name: p, module: m, targets: [\"https://{}/\"], evidence: f/a}}]\n",
        ca.display(),
        server.address
    );
    std::fs::write(path("sla.yml"), text).unwrap();
    let load =
        || sla_exporter::config::load(&path("sla.yml")).unwrap_or_else(|findings| panic!("{findings:#?}")).config;
    let before = load();
    // Watched, both.
    for name in ["mine.pem", "mine.key"] {
        assert!(before.files.iter().any(|file| file.ends_with(name)), "{name}: {:?}", before.files);
    }
    let url = format!("https://{}/", server.address);
    assert_eq!(failure(&run(&before.targets[0].module, &url).await).0, Reason::ClientCertificate);
    // The key alone, as when the certificate was there first.
    let key = std::fs::read_to_string(path("mine.key")).unwrap();
    std::fs::write(path("mine.key"), format!("{key}\n")).unwrap();
    assert_ne!(load().targets[0].fingerprint, before.targets[0].fingerprint);
    put(&new);
    succeeded(&run(&load().targets[0].module, &url).await);
}
