//! `tcp` with `expect: closed` (C2.6.2): what is closed, what is open, and what says nothing about the port.

use std::time::Duration;

use sla_exporter::probe::{self, Budget, Metric, Reason, Run, Shared};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::client::{SMALL, Server, write};
use crate::icmp_network::in_a_network;
use crate::support::{documented, failure, module, run, server, succeeded, value};

async fn probe(target: &str) -> Run {
    run(&module("{prober: tcp, timeout: 2s, tcp: {expect: closed}}"), target).await
}

/// An address that nothing listens on.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A listener whose queue is full: whoever else connects hears nothing, as behind a firewall that drops.
async fn silent() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
        assert!(waiting.len() < 100, "the queue never fills");
    }
    (listener, waiting)
}

#[tokio::test]
async fn a_port_that_takes_a_connection_is_open_and_a_failure() {
    // It is not spoken to, and need not speak.
    let target = server(|stream| async move { drop(stream) }).await;
    let run = probe(&target).await;
    let (reason, detail) = failure(&run);
    assert_eq!(reason, Reason::ExpectedFailure);
    assert!(detail.contains(&target) && detail.contains("must be closed"), "{detail}");
    assert_eq!(value(&run, Metric::PortOpen), Some(1.0));
    assert_eq!(value(&run, Metric::FailedDueToRegex), None, "of conversations only");
}

#[tokio::test]
async fn a_port_that_refuses_is_closed() {
    let run = probe(&nobody().await).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::PortOpen), Some(0.0));
}

#[tokio::test]
async fn a_port_that_is_silent_is_closed_within_the_timeout() {
    let (listener, _waiting) = silent().await;
    let run = probe(&listener.local_addr().unwrap().to_string()).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::PortOpen), Some(0.0));
    assert!(run.duration >= Duration::from_secs(1), "{:?}: the port had no time to answer", run.duration);
}

#[tokio::test]
async fn a_name_that_is_unknown_says_nothing_about_a_port() {
    let run = probe("no-such-host.invalid:23").await;
    assert_eq!(failure(&run).0, Reason::Dns);
    assert_eq!(value(&run, Metric::PortOpen), None);
    assert!(run.samples.iter().any(|sample| sample.metric == Metric::Expectation), "that it should be closed is known");
}

#[test]
fn this_hosts_own_network_says_nothing_about_a_port_and_a_routers_no_says_closed() {
    in_a_network(&["route add unreachable 10.1.0.0/16", "route add prohibit 10.2.0.0/16"], || async {
        for (target, open, reason) in [
            // As a router's "host unreachable" and "prohibited" arrive.
            ("10.1.0.1:23", Some(0.0), None),
            // This host's own rule: the question never left.
            ("10.2.0.1:23", None, Some(Reason::Permission)),
            // No route at all.
            ("192.0.2.1:23", None, Some(Reason::Connect)),
        ] {
            let shared = Shared::new();
            let module = module("{prober: tcp, timeout: 1s, tcp: {expect: closed}}");
            let budget = Budget { timeout: Duration::from_secs(1), attempts: 1, spare: Duration::ZERO };
            let run = probe::run(&module, target, budget, &shared).await;
            assert_eq!(run.failure.as_ref().map(|failure| failure.reason), reason, "{target}: {:?}", run.failure);
            assert_eq!(value(&run, Metric::PortOpen), open, "{target}");
        }
    });
}

#[tokio::test]
async fn an_open_port_is_open_after_all_attempts() {
    let target = server(|stream| async move { drop(stream) }).await;
    let module = module("{prober: tcp, timeout: 1s, tcp: {expect: closed}}");
    let budget = Budget { timeout: Duration::from_secs(1), attempts: 3, spare: Duration::ZERO };
    let run = probe::run(&module, &target, budget, &Shared::new()).await;
    assert_eq!(failure(&run).0, Reason::ExpectedFailure);
    assert_eq!(value(&run, Metric::PortOpen), Some(1.0));
}

fn configuration(targets: &str) -> String {
    SMALL
        .replace("modules: {", "modules: {closed: {prober: tcp, timeout: 2s, tcp: {expect: closed}}, ")
        .replace("probes: [", &format!("probes: [{{name: shut, module: closed, targets: [{targets}], interval: 5m}}, "))
}

#[tokio::test]
async fn the_endpoint_and_the_command_say_open_and_closed() {
    let open = server(|stream| async move { drop(stream) }).await;
    let closed = nobody().await;
    let config = configuration(&format!("\"{open}\", \"{closed}\""));
    let endpoint = Server::start(&config);
    for (target, lines) in
        [(&open, ["probe_port_open 1", "probe_success 0"]), (&closed, ["probe_port_open 0", "probe_success 1"])]
    {
        let answer = endpoint.get(&format!("/probe?module=closed&target={target}")).await;
        let text = answer.text();
        for line in lines {
            assert!(text.lines().any(|found| found == line), "{target}: no {line} in\n{text}");
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "sla.yml", config);
    let output = tokio::task::spawn_blocking(move || {
        std::process::Command::new(env!("CARGO_BIN_EXE_sla-exporter"))
            .args(["probe", &format!("--config.file={}", path.display()), "shut"])
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "one of two is open: {text}");
    for part in ["closed: ", "probe_port_open", "expected_failure", "took a connection"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[test]
fn the_documented_module_expects_closed() {
    let closed = documented("tcp.md").into_iter().filter(|module| module.prober.check() == "closed_port").count();
    assert!(closed > 0, "docs/modules/tcp.md shows no `expect: closed`");
}
