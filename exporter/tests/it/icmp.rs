//! Pings of this host's own addresses, alone and by the hundred.

use std::sync::Arc;
use std::time::Duration;

use sla_exporter::config::decode::Cursor;
use sla_exporter::config::diagnostics::Document;
use sla_exporter::config::node;
use sla_exporter::probe::{self, Budget, Echoes, Metric, Module, Reason, Run, Shared};

fn module(section: &str) -> Module {
    let doc = Document::new(std::path::Path::new("test.yml"));
    let node = node::parse(&format!("{{prober: icmp, timeout: 10s, icmp: {section}}}")).unwrap();
    probe::decode_module("ping", &Cursor::root(&doc, &node)).unwrap_or_else(|| panic!("{:?}", doc.into_parts().0))
}

fn refused(section: &str) -> String {
    let doc = Document::new(std::path::Path::new("test.yml"));
    let node = node::parse(&format!("{{prober: icmp, icmp: {section}}}")).unwrap();
    let _ = probe::decode_module("ping", &Cursor::root(&doc, &node));
    doc.into_parts().0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

async fn ping(module: &Module, target: &str, timeout: Duration, shared: &Shared) -> Run {
    probe::run(module, target, Budget { timeout, attempts: 1, spare: Duration::ZERO }, shared).await
}

fn value(run: &Run, metric: Metric, phase: &str) -> Option<f64> {
    let wanted = probe::Extra::Phase(match phase {
        "resolve" => "resolve",
        "setup" => "setup",
        _ => "rtt",
    });
    run.samples.iter().find(|s| s.metric == metric && (s.extra == wanted || phase.is_empty())).map(|s| s.value)
}

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn loopback_answers() {
    let run = ping(&module("{preferred_ip_protocol: ip4}"), "127.0.0.1", PATIENCE, &Shared::new()).await;
    assert_eq!(run.failure, None);
    assert_eq!(value(&run, Metric::Success, ""), Some(1.0));
    assert_eq!(value(&run, Metric::IpProtocol, ""), Some(4.0));
    assert!(value(&run, Metric::IcmpDuration, "rtt").is_some_and(|rtt| rtt > 0.0 && rtt < 5.0));
    assert!(
        value(&run, Metric::IcmpDuration, "setup").is_some() && value(&run, Metric::IcmpDuration, "resolve").is_some()
    );
}

#[tokio::test]
async fn every_request_is_counted_and_so_is_every_reply() {
    let shared = Shared::new();
    let run = ping(&module("{preferred_ip_protocol: ip4}"), "127.0.0.1", PATIENCE, &shared).await;
    assert_eq!(run.echoes, Echoes { requests: 1, replies: 1, send_errors: 0 });
    let rtt = value(&run, Metric::IcmpDuration, "rtt").unwrap();
    assert!((run.latency.unwrap().as_secs_f64() - rtt).abs() < 1e-9, "the round trip alone");
    // No reply comes in no time; both attempts asked.
    let budget = Budget { timeout: Duration::ZERO, attempts: 2, spare: Duration::from_millis(20) };
    let run = probe::run(&module("{preferred_ip_protocol: ip4}"), "127.0.0.1", budget, &shared).await;
    if run.failure.is_some() {
        assert_eq!((run.echoes.requests, run.latency), (2, None), "{:?}", run.echoes);
    }
    // Larger than any link: refused by this host, so nobody lost it.
    let run = ping(
        &module("{preferred_ip_protocol: ip4, dont_fragment: true, payload_size: 65507}"),
        "127.0.0.1",
        PATIENCE,
        &shared,
    )
    .await;
    match run.failure {
        Some(_) => assert_eq!(run.echoes, Echoes { requests: 0, replies: 0, send_errors: 1 }),
        None => assert_eq!(run.echoes.replies, 1),
    }
}

#[tokio::test]
async fn loopback_of_ipv6_answers_where_there_is_one() {
    let run = ping(&module("{}"), "::1", PATIENCE, &Shared::new()).await;
    // A host without IPv6 says so; it never hangs.
    match run.failure {
        None => assert_eq!(value(&run, Metric::IpProtocol, ""), Some(6.0)),
        Some(failure) => assert_eq!(failure.reason, Reason::Connect, "{failure}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_pings_at_once_each_get_their_own_reply() {
    let (module, shared) = (Arc::new(module("{payload_size: 8}")), Arc::new(Shared::new()));
    let mut runs = tokio::task::JoinSet::new();
    for i in 0..500u16 {
        let (module, shared) = (Arc::clone(&module), Arc::clone(&shared));
        // Every address twice, and 127.0.0.1 a hundred times more.
        let target = if i < 100 { "127.0.0.1".to_owned() } else { format!("127.0.1.{}", i % 200 + 1) };
        runs.spawn(async move { (target.clone(), ping(&module, &target, PATIENCE, &shared).await) });
    }
    while let Some(done) = runs.join_next().await {
        let (target, run) = done.unwrap();
        assert_eq!(run.failure, None, "{target}");
    }
}

#[tokio::test]
async fn settings_with_a_socket_of_their_own_work() {
    let shared = Shared::new();
    let run =
        ping(&module("{ttl: 3, source_ip_address: 127.0.0.1, payload_size: 1400}"), "127.0.0.2", PATIENCE, &shared)
            .await;
    assert_eq!(run.failure, None);
}

#[tokio::test]
async fn a_source_that_is_not_ours_is_said() {
    let run = ping(&module("{source_ip_address: 192.0.2.1}"), "127.0.0.1", PATIENCE, &Shared::new()).await;
    let failure = run.failure.expect("fails");
    assert_eq!(failure.reason, Reason::Connect, "{failure}");
    assert!(failure.detail.contains("192.0.2.1"), "{failure}");
}

#[tokio::test]
async fn what_cannot_be_set_is_refused_by_name() {
    let only6 = "preferred_ip_protocol: ip6, ip_protocol_fallback: false";
    assert!(refused(&format!("{{dont_fragment: true, {only6}}}")).contains("dont_fragment: has no meaning over IPv6"));
    for fine in ["{dont_fragment: true}", "{dont_fragment: false}", "{ttl: 0}"] {
        assert_eq!(refused(fine), "");
    }
    assert!(refused("{payload_size: 70000}").contains("a whole number from 0 to 65507"));
    assert!(refused("{ttl: 256}").contains("a whole number from 0 to 255"));
    assert!(refused("{preferred_ip_protocol: ip5}").contains("accepted: ip4, ip6"));
    assert!(refused("{source_ip_address: here}").contains("is not an IP address"));
}

#[tokio::test]
async fn targets_are_checked_before_they_are_probed() {
    let any = module("{}");
    for target in ["127.0.0.1", "::1", "web-1.example.com"] {
        assert_eq!(probe::check_target(&any, target), Ok(()), "{target}");
    }
    for target in ["127.0.0.1:80", "http://127.0.0.1/", "a b", "", "[::1]:80"] {
        assert!(probe::check_target(&any, target).is_err(), "{target}");
    }
    assert!(
        probe::check_target(&module("{preferred_ip_protocol: ip6, ip_protocol_fallback: false}"), "127.0.0.1").is_err()
    );
    assert!(probe::check_target(&module("{source_ip_address: 127.0.0.1}"), "::1").is_err());
}

#[tokio::test]
async fn the_documented_examples_are_read() {
    assert_eq!(crate::support::documented("icmp.md").len(), 1);
}
