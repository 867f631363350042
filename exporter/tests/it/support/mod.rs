//! What the tests of the probers share: a module from its YAML, one run, and servers written in bytes.

pub(crate) mod certs;
pub(crate) mod exporter;
pub(crate) mod grafana;
pub(crate) mod http;
pub(crate) mod pki;
pub(crate) mod postgres;

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sla_exporter::config::decode::Cursor;
use sla_exporter::config::diagnostics::Document;
use sla_exporter::config::node;
use sla_exporter::probe::{self, Budget, Extra, Metric, Module, Reason, Run, Shared};
use tokio::net::{TcpListener, TcpStream};

/// Reads one module; its YAML must be without findings.
#[track_caller]
pub(crate) fn module(yaml: &str) -> Arc<Module> {
    let doc = Document::new(Path::new("sla.yml"));
    let tree = node::parse(yaml).unwrap_or_else(|error| panic!("{error:?} in {yaml}"));
    let module = probe::decode_module("test", &Cursor::root(&doc, &tree));
    let (findings, _) = doc.into_parts();
    assert!(findings.is_empty(), "{yaml}: {findings:#?}");
    Arc::new(module.expect("a module without findings"))
}

/// Reads every module in the YAML of `docs/modules/<page>`, and lets every documented target be checked by its module.
#[track_caller]
pub(crate) fn documented(page: &str) -> Vec<Module> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/modules").join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // The files it names are not there.
    let certs = certs::Certs::of(&["localhost"]);
    let folder = certs.ca_file();
    std::fs::write(folder.with_file_name("pg.pass"), "documented").unwrap();
    let text = text.replace("/etc/sla-exporter", &folder.parent().unwrap().display().to_string());
    let mut modules = Vec::new();
    for block in text.split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        let doc = Document::new(&path);
        let tree = node::parse(block).unwrap_or_else(|error| panic!("{error:?} in {block}"));
        let mut map = Cursor::root(&doc, &tree).map().unwrap();
        for (name, _, cursor) in map.require("modules").unwrap().named().unwrap() {
            modules.extend(probe::decode_module(name, &cursor));
        }
        for probe in map.get("probes").and_then(|c| c.list()).unwrap_or_default() {
            let mut probe = probe.map().unwrap();
            let name = probe.require("module").and_then(|c| c.string()).unwrap();
            let module = modules.iter().find(|m| m.name == name).unwrap();
            for target in probe.require("targets").and_then(|c| c.strings()).unwrap() {
                assert_eq!(probe::check_target(module, &target), Ok(()), "{target}");
            }
        }
        let (findings, _) = doc.into_parts();
        assert!(findings.is_empty(), "{block}: {findings:#?}");
    }
    modules
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(Shared::new)
}

/// One run of one attempt. The target must be one the module accepts.
#[track_caller]
pub(crate) fn run<'a>(module: &'a Module, target: &'a str) -> impl Future<Output = Run> + 'a {
    if let Err(why) = probe::check_target(module, target) {
        panic!("{target}: {why}");
    }
    let timeout = module.timeout_within(Duration::from_secs(300), 1);
    probe::run(module, target, Budget { timeout, attempts: 1, spare: Duration::ZERO }, shared())
}

/// Why a run failed; panics when it succeeded.
#[track_caller]
pub(crate) fn failure(run: &Run) -> (Reason, &str) {
    assert_eq!(value(run, Metric::Success), Some(0.0));
    let failure = run.failure.as_ref().expect("a failed run");
    (failure.reason, &failure.detail)
}

/// Panics when a run failed.
#[track_caller]
pub(crate) fn succeeded(run: &Run) {
    assert_eq!(run.failure, None);
    assert_eq!(value(run, Metric::Success), Some(1.0));
}

/// The value of a family without labels of its own.
pub(crate) fn value(run: &Run, metric: Metric) -> Option<f64> {
    run.samples.iter().find(|s| s.metric == metric && s.extra == Extra::None).map(|s| s.value)
}

/// The value of a phase.
pub(crate) fn phase(run: &Run, metric: Metric, phase: &str) -> Option<f64> {
    run.samples
        .iter()
        .find(|s| s.metric == metric && matches!(&s.extra, Extra::Phase(p) if *p == phase))
        .map(|s| s.value)
}

/// The labels of an info family, as the page writes them.
pub(crate) fn info(run: &Run, metric: Metric) -> Option<&str> {
    run.samples.iter().find(|s| s.metric == metric).and_then(|s| match &s.extra {
        Extra::Rendered(text) => Some(&**text),
        _ => None,
    })
}

/// A server on a free port of `host` that treats every connection with `serve`; it ends with the test's runtime.
pub(crate) async fn server_on<F, R>(host: &str, serve: F) -> String
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((host, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a local address").to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// The same on 127.0.0.1.
pub(crate) async fn server<F, R>(serve: F) -> String
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    server_on("127.0.0.1", serve).await
}

/// An address of 127.0.0.1 where connections are refused, kept from everybody else until the tests end.
pub(crate) fn closed() -> String {
    // Bound and not listening.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
    let address = socket.local_addr().expect("a local address").as_socket().expect("an IPv4 address");
    std::mem::forget(socket);
    address.to_string()
}
