//! `prober: icmp` on loopback; both need the right to ping, which root has.

use super::Beside;
use super::exporters::Ends::{Down, Up};

const MODULES: &[(&str, &str)] = &[
    ("ping", "{preferred_ip_protocol: ip4}"),
    ("ping6", "{preferred_ip_protocol: ip6}"),
    ("only6", "{preferred_ip_protocol: ip6, ip_protocol_fallback: false}"),
    ("far", "{preferred_ip_protocol: ip4, ttl: 64}"),
    ("large", "{preferred_ip_protocol: ip4, payload_size: 4000}"),
    ("empty", "{preferred_ip_protocol: ip4, payload_size: 0}"),
    ("whole", "{preferred_ip_protocol: ip4, dont_fragment: true, payload_size: 1000}"),
    ("source", "{source_ip_address: 127.0.0.1, preferred_ip_protocol: ip4}"),
    ("foreign_source", "{source_ip_address: 192.0.2.1, preferred_ip_protocol: ip4}"),
];

#[test]
fn the_icmp_prober_does_as_theirs_with_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let mut beside = Beside::new("icmp", "icmp", folder.path(), MODULES);
    for (module, target, ends) in [
        ("ping", "127.0.0.1", Up),
        ("ping", "127.1.2.3", Up),
        ("ping", "localhost", Up),
        ("ping", "no-such-host.invalid", Down),
        ("ping6", "127.0.0.1", Up),
        ("far", "127.0.0.1", Up),
        ("large", "127.0.0.1", Up),
        ("empty", "127.0.0.1", Up),
        ("whole", "127.0.0.1", Up),
        ("source", "127.0.0.1", Up),
        ("foreign_source", "127.0.0.1", Down),
    ] {
        beside.check(module, target, ends);
    }
    // Where the machine has it.
    if std::net::UdpSocket::bind("[::1]:0").is_ok() {
        beside.check("ping6", "::1", Up);
        beside.check("only6", "::1", Up);
    } else {
        println!("NOT TESTED: pings over IPv6, which this machine has not");
        beside.excuse("probe_icmp_reply_hop_limit", "only there");
    }
    beside.finish();
}
