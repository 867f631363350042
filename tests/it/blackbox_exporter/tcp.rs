//! `prober: tcp`: connections that are taken, refused and reset, conversations, TLS from the start and after a word.

use std::sync::Arc;

use super::Beside;
use super::exporters::Ends::{Down, Up, UpHere};
use super::pki::{Leaf, Pki};
use super::servers::{closed, serve, talker};

const MODULES: &[(&str, &str)] = &[
    ("open", "{preferred_ip_protocol: ip4}"),
    ("ip6", "{preferred_ip_protocol: ip6, ip_protocol_fallback: false}"),
    ("source", "{source_ip_address: 127.0.0.1}"),
    ("foreign_source", "{source_ip_address: 192.0.2.1}"),
    ("banner", "{query_response: [{expect: '^220 '}]}"),
    ("impatient_banner", "{query_response: [{expect: '^220 '}]}"),
    ("asking", "{query_response: [{send: 'who is there'}, {expect: '^220 '}]}"),
    ("irc", "{query_response: [{expect: 'PING :([^ ]+)', send: 'PONG ${1}'}, {expect: '^heard PONG (tok3n)$'}]}"),
    ("trusting", "{tls: true, tls_config: {ca_file: FOLDER/ca.pem}, query_response: [{expect: '^220 '}]}"),
    ("named", "{tls: true, tls_config: {ca_file: FOLDER/ca.pem, server_name: a.example}}"),
    ("careless", "{tls: true, tls_config: {insecure_skip_verify: true}}"),
    ("doubtful", "{tls: true}"),
    ("upgrade", "{tls_config: {ca_file: FOLDER/ca.pem}, query_response: [{starttls: true}, {expect: '^220 '}]}"),
    ("doubtful_upgrade", "{query_response: [{starttls: true}, {expect: '^220 '}]}"),
    ("late_upgrade", "{query_response: [{expect: '^220 '}, {starttls: true}]}"),
];

#[test]
fn the_tcp_prober_does_as_theirs_with_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::new(folder.path());
    let good = pki.good();
    let expired = pki.server(&Leaf { years: (2019, 2020), ..Leaf::default() });
    let other = pki.server(&Leaf { with_address: false, ..Leaf::default() });
    let say = |words: &'static str| serve(None, talker(words));
    let say_under = |words: &'static str, tls: &Arc<rustls::ServerConfig>| serve(Some(Arc::clone(tls)), talker(words));
    let resetting = serve(None, |stream| {
        let _ = socket2::SockRef::from(stream.tcp()).set_linger(Some(std::time::Duration::ZERO));
    });
    let silent = serve(None, |stream| drop(stream.read_to_end(&mut Vec::new())));
    let mut beside = Beside::new("tcp", "tcp", folder.path(), MODULES);
    for (module, port, ends) in [
        ("open", say(""), Up),
        ("source", say(""), Up),
        ("foreign_source", say(""), Down),
        ("banner", say("220 mail\r\n"), Up),
        ("banner", say("noise\n\n220 mail"), Up),
        ("banner", say("554 no\r\n"), Down),
        ("banner", say(""), Down),
        ("banner", resetting, Down),
        ("asking", resetting, Down),
        ("impatient_banner", silent, Down),
        ("irc", say("NOTICE wait\nPING :tok3n\r\n"), Up),
        ("irc", say("PING :other\n"), Down),
        ("trusting", say_under("220 mail\r\n", &good), Up),
        ("trusting", say_under("554 no\r\n", &good), Down),
        ("trusting", say_under("220 mail\r\n", &expired), Down),
        ("trusting", say_under("220 mail\r\n", &other), Down),
        ("trusting", say("220 mail\r\n"), Down),
        ("named", say_under("", &other), Up),
        ("careless", say_under("", &good), Up),
        ("careless", say_under("", &expired), Up),
        ("doubtful", say_under("", &good), Down),
        ("upgrade", say_under("220 mail\r\n", &good), Up),
        ("doubtful_upgrade", say_under("220 mail\r\n", &good), Down),
        ("late_upgrade", say("220 mail\r\n"), Down),
    ] {
        beside.check(module, &format!("127.0.0.1:{port}"), ends);
    }
    let open = say("");
    beside.check("open", &format!("localhost:{open}"), Up);
    beside.check_end("ip6", &format!("127.0.0.1:{open}"), Down);
    beside.check_end("open", "127.0.0.1", Down);
    beside.check("open", &format!("no-such-host.invalid:{open}"), Down);
    let named = format!("127.0.0.1:{}&hostname=a.example", say_under("220 mail\r\n", &other));
    beside.check("trusting", &named, UpHere("has TLS and is given `hostname`"));
    let (_kept, closed) = closed();
    beside.check("open", &format!("127.0.0.1:{closed}"), Down);
    beside.finish();
}
