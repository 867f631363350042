//! `prober: http` without TLS: methods, bodies, assertions, redirects, compression, limits, versions, addresses; answers that
//! break off, hang and lie.

use std::net::Ipv4Addr;

use super::Beside;
use super::exporters::Ends::{Down, Up, UpHere, UpThere};
use super::servers::{closed, http, serve, serve_at};

const MODULES: &[(&str, &str)] = &[
    ("plain", "{preferred_ip_protocol: ip4}"),
    ("impatient", "{preferred_ip_protocol: ip4}"),
    ("ip6", "{ip_protocol_fallback: false}"),
    ("fallback", "{preferred_ip_protocol: ip6, ip_protocol_fallback: true}"),
    // Requests.
    ("post", "{method: POST, body: question}"),
    ("head", "{method: HEAD}"),
    ("language", "{headers: {Accept-Language: ja}}"),
    ("host", "{headers: {Host: a.example}}"),
    // Assertions, both ways.
    ("missing_is_fine", "{valid_status_codes: [404, 503]}"),
    ("body", "{fail_if_body_not_matches_regexp: ['^hel', 'lo$']}"),
    ("no_body", "{fail_if_body_not_matches_regexp: [hello, absent]}"),
    ("bad_body", "{fail_if_body_matches_regexp: [absent, hell]}"),
    ("not_bad_body", "{fail_if_body_matches_regexp: [absent]}"),
    ("bad_header", "{fail_if_header_matches: [{header: x-node, regexp: b}]}"),
    ("not_bad_header", "{fail_if_header_matches: [{header: X-Node, regexp: c}]}"),
    ("absent_bad_header", "{fail_if_header_matches: [{header: X-None, regexp: c}]}"),
    ("allowed_bad_header", "{fail_if_header_matches: [{header: X-None, regexp: c, allow_missing: true}]}"),
    ("header", "{fail_if_header_not_matches: [{header: X-Node, regexp: a}]}"),
    ("no_header", "{fail_if_header_not_matches: [{header: X-Node, regexp: c}]}"),
    ("absent_header", "{fail_if_header_not_matches: [{header: X-None, regexp: a}]}"),
    ("allowed_header", "{fail_if_header_not_matches: [{header: X-None, regexp: a, allow_missing: true}]}"),
    ("v11", "{valid_http_versions: [HTTP/1.1, HTTP/2.0]}"),
    ("v2", "{valid_http_versions: [HTTP/2.0]}"),
    ("needs_tls", "{fail_if_not_ssl: true}"),
    ("needs_none", "{fail_if_ssl: true}"),
    // Redirects.
    ("stay", "{follow_redirects: false, valid_status_codes: [302]}"),
    ("stay_of_old", "{no_follow_redirects: true, valid_status_codes: [302]}"),
    // Bodies.
    ("gzip", "{compression: gzip, fail_if_body_not_matches_regexp: ['^hello$']}"),
    (
        "gzip_asked",
        "{compression: gzip, headers: {Accept-Encoding: gzip}, fail_if_body_not_matches_regexp: ['^hello$']}",
    ),
    ("deflate", "{compression: deflate, fail_if_body_not_matches_regexp: ['^hello$']}"),
    ("br", "{compression: br, fail_if_body_not_matches_regexp: ['^hello$']}"),
    ("uncompressed", "{compression: identity}"),
    ("asks", "{compression: gzip}"),
    ("small", "{body_size_limit: 1KB}"),
    ("small_gzip", "{body_size_limit: 1KB, compression: gzip}"),
    ("small_searched", "{body_size_limit: 1KB, fail_if_body_matches_regexp: [y]}"),
];

#[test]
fn the_http_prober_does_as_theirs_with_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let plain = serve(None, http);
    let elsewhere = serve_at(Ipv4Addr::new(127, 0, 0, 2).into(), None, http);
    let mut beside = Beside::new("http", "http", folder.path(), MODULES);
    let at = |path: &str| format!("http://127.0.0.1:{plain}{path}");
    for (module, path, ends) in [
        ("plain", "/", Up),
        ("plain", "/missing", Down),
        ("plain", "/broken", Down),
        ("plain", "/empty", Up),
        ("plain", "/chunked", Up),
        ("plain", "/old", Up),
        ("ip6", "/", Down),
        ("fallback", "/", Up),
        ("post", "/wants-post", Up),
        ("plain", "/wants-post", Down),
        ("head", "/", Up),
        ("language", "/wants-language", Up),
        ("plain", "/wants-language", Down),
        ("host", "/wants-host", Up),
        ("plain", "/wants-host&hostname=a.example", Up),
        ("plain", "/wants-host", Down),
        ("missing_is_fine", "/missing", Up),
        ("missing_is_fine", "/broken", Up),
        ("missing_is_fine", "/", Down),
        ("body", "/", Up),
        ("no_body", "/", Down),
        ("bad_body", "/", Down),
        ("not_bad_body", "/", Up),
        ("bad_header", "/", Down),
        ("not_bad_header", "/", Up),
        ("absent_bad_header", "/", Down),
        ("allowed_bad_header", "/", Up),
        ("header", "/", Up),
        ("no_header", "/", Down),
        ("absent_header", "/", Down),
        ("allowed_header", "/", Up),
        ("v11", "/", Up),
        ("v11", "/old", Down),
        ("v2", "/", Down),
        ("needs_tls", "/", Down),
        ("needs_none", "/", Up),
        // Redirects.
        ("plain", "/moved", Up),
        ("plain", "/absolute", Up),
        ("plain", "/with-cookie", Up),
        ("post", "/see-other", Up),
        ("post", "/kept", Up),
        ("plain", "/hops/10", Up),
        ("plain", "/hops/11", Down),
        ("plain", "/loop", Down),
        ("plain", "/to-ftp", Down),
        ("plain", "/nowhere", Down),
        ("stay", "/moved", Up),
        ("stay", "/", Down),
        ("stay_of_old", "/moved", Up),
        // Bodies.
        ("gzip", "/gzip", Up),
        ("gzip_asked", "/gzip", Up),
        ("gzip", "/says-gzip", Down),
        ("gzip", "/deflate", Down),
        ("deflate", "/deflate", Up),
        ("br", "/br", Up),
        ("br", "/gzip", Down),
        ("uncompressed", "/", Up),
        ("plain", "/gzip", Up),
        ("gzip_asked", "/wants-gzip", Up),
        ("asks", "/wants-gzip", UpHere("has `compression`, to a server that compresses only when asked")),
        ("gzip", "/", Down),
        ("small", "/", Up),
        ("small", "/large", Down),
        ("small_searched", "/large", Down),
        ("small_gzip", "/bomb", Down),
        // Answers that are none.
        ("plain", "/bad-chunk", Down),
        ("plain", "/short", Down),
        ("plain", "/garbage", Down),
        ("plain", "/nothing", Down),
        ("plain", "/reset", Down),
        ("impatient", "/slow-head", Down),
        ("impatient", "/slow-body", Down),
    ] {
        beside.check(module, &at(path), ends);
    }
    // To another host.
    beside.check("plain", &at(&format!("/to/127.0.0.2:{elsewhere}")), Up);
    let (_kept, closed) = closed();
    beside.check("plain", &at(&format!("/to/127.0.0.1:{closed}")), Down);
    beside.check("plain", &format!("http://127.0.0.1:{closed}/"), Down);
    beside.check("plain", "http://no-such-host.invalid/", Down);
    beside.check_end("plain", "ftp://127.0.0.1/", Down);
    beside.check("plain", &format!("http://user:secret@127.0.0.1:{plain}/"), UpThere("has a user name in its URL"));
    beside.check("plain", &at("/huge"), UpThere("is answered with more than 10 MB, without a `body_size_limit`"));
    beside.check("plain", &format!("127.0.0.1:{plain}"), Up);
    if let Ok(listener) = std::net::TcpListener::bind("[::1]:0") {
        drop(listener);
        let six = serve_at(std::net::Ipv6Addr::LOCALHOST.into(), None, http);
        beside.check("ip6", &format!("http://[::1]:{six}/"), Up);
    }
    beside.finish();
}
