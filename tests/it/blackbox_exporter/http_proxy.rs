//! `prober: http` through a proxy: where it goes, what it says when the proxy does not answer or refuses.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use super::Beside;
use super::exporters::Ends::{Down, Up};
use super::pki::Pki;
use super::servers::{Stream, closed, http, serve};

/// Passes on what both say until one of them is done.
fn join(one: &TcpStream, other: &TcpStream) {
    let (mut from, mut to) = (one.try_clone().unwrap(), other.try_clone().unwrap());
    let there = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (other, one);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    let _ = there.join();
}

/// A proxy that makes tunnels where it is asked to, and passes on requests with a whole URL; the others are refused.
fn proxy(stream: &mut dyn Stream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let tunnel = method == "CONNECT";
    let named = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
    // A name only the proxy knows.
    let address = named.replace("only-the-proxy-knows.invalid", "127.0.0.1");
    let Ok(mut onward) = TcpStream::connect(&address) else {
        let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        return;
    };
    if tunnel {
        if !head.to_ascii_lowercase().contains("x-tenant: a") {
            let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
        let _ = stream.flush();
        join(stream.tcp(), &onward);
    } else {
        let head = head.replacen(&format!("http://{named}"), "", 1);
        let _ = onward.write_all(head.as_bytes());
        let mut answer = Vec::new();
        let _ = onward.read_to_end(&mut answer);
        let _ = stream.write_all(&answer);
    }
}

#[test]
fn proxies_are_used_as_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::new(folder.path());
    let (plain, secure) = (serve(None, http), serve(Some(pki.good()), http));
    let proxy = serve(None, proxy);
    let (_kept, closed) = closed();
    let via =
        |port: u16, more: &str| format!("{{preferred_ip_protocol: ip4, proxy_url: 'http://127.0.0.1:{port}'{more}}}");
    let trust = ", tls_config: {ca_file: FOLDER/ca.pem}";
    let modules = [
        ("via", via(proxy, "")),
        ("tenant", via(proxy, &format!(", proxy_connect_header: {{X-Tenant: [a]}}{trust}"))),
        ("nobody", via(proxy, trust)),
        ("unresolved", via(proxy, ", skip_resolve_phase_with_proxy: true")),
        ("gone", via(closed, "")),
    ];
    let modules: Vec<(&str, &str)> = modules.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut beside = Beside::new("proxy", "http", folder.path(), &modules);
    for (module, target, ends) in [
        ("via", format!("http://127.0.0.1:{plain}/"), Up),
        ("via", format!("http://127.0.0.1:{plain}/missing"), Down),
        ("via", format!("http://127.0.0.1:{closed}/"), Down),
        ("tenant", format!("https://127.0.0.1:{secure}/"), Up),
        ("nobody", format!("https://127.0.0.1:{secure}/"), Down),
        ("unresolved", format!("http://only-the-proxy-knows.invalid:{plain}/"), Up),
        ("via", format!("http://only-the-proxy-knows.invalid:{plain}/"), Down),
        ("gone", format!("http://127.0.0.1:{plain}/"), Down),
    ] {
        beside.check(module, &target, ends);
    }
    beside.finish();
}
