//! Servers in bytes, well-behaved and not; a thread for each connection, which ends with the process.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A stream a conversation is held over.
pub(super) trait Stream: Read + Write {
    /// What is below TLS, if there is any.
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for rustls::StreamOwned<rustls::ServerConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }
}

/// Serves `converse` on a port of 127.0.0.1, under TLS where there is a configuration for it.
pub(super) fn serve(
    tls: Option<Arc<rustls::ServerConfig>>,
    converse: impl Fn(&mut dyn Stream) + Send + Sync + 'static,
) -> u16 {
    serve_at(Ipv4Addr::LOCALHOST.into(), tls, converse)
}

/// The same on another address of this host.
pub(super) fn serve_at(
    address: IpAddr,
    tls: Option<Arc<rustls::ServerConfig>>,
    converse: impl Fn(&mut dyn Stream) + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let converse = Arc::new(converse);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (tls, converse) = (tls.clone(), Arc::clone(&converse));
            std::thread::spawn(move || match tls {
                None => converse(&mut stream),
                Some(config) => {
                    let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), stream);
                    converse(&mut stream);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
        }
    });
    port
}

/// A request: method, path, and the whole text of it.
struct Request {
    method: String,
    path: String,
    text: String,
}

impl Request {
    fn read(stream: &mut dyn Stream) -> Option<Self> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ").and_then(|n| n.parse().ok())
                });
                if body.len() >= length.unwrap_or(0) {
                    let mut words = head.split(' ').map(str::to_owned);
                    return Some(Self { method: words.next()?, path: words.next()?, text });
                }
            }
            match stream.read(&mut buffer) {
                Ok(n) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
                _ => return None,
            }
        }
    }

    /// A header's value, by its name in small letters.
    fn header(&self, name: &str) -> &str {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn if_so(wanted: bool, what: &str) -> Vec<u8> {
    if wanted { answer("200 OK", "", b"as wanted") } else { answer("400 Bad Request", "", what.as_bytes()) }
}

/// An HTTP server whose answer depends on the path.
pub(super) fn http(stream: &mut dyn Stream) {
    let Some(request) = Request::read(stream) else { return };
    let to = |location: &str| answer("302 Found", &format!("Location: {location}\r\n"), b"");
    let encoded = |name: &str, body: Vec<u8>| answer("200 OK", &format!("Content-Encoding: {name}\r\n"), &body);
    let path = request.path.as_str();
    let bytes = match path {
        "/missing" => answer("404 Not Found", "", b"gone"),
        "/broken" => answer("503 Service Unavailable", "", b"later"),
        "/empty" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        "/moved" => to("/"),
        "/absolute" => to(&format!("http://{}/", request.header("host"))),
        "/see-other" => answer("303 See Other", "Location: /wants-get\r\n", b""),
        "/kept" => answer("307 Temporary Redirect", "Location: /wants-post\r\n", b""),
        "/loop" => to("/loop"),
        "/to-ftp" => to("ftp://127.0.0.1/"),
        "/nowhere" => answer("302 Found", "", b""),
        "/with-cookie" => answer("302 Found", "Location: /wants-cookie\r\nSet-Cookie: a=1; Path=/\r\n", b""),
        "/wants-cookie" => if_so(request.header("cookie").contains("a=1"), "no cookie"),
        "/wants-get" => if_so(request.method == "GET", "not GET"),
        "/wants-post" => if_so(request.method == "POST" && request.text.ends_with("\r\n\r\nquestion"), "no question"),
        "/wants-host" => if_so(request.header("host") == "a.example", "another host"),
        "/wants-language" => if_so(request.header("accept-language") == "ja", "another language"),
        "/wants-gzip" if request.header("accept-encoding").contains("gzip") => encoded("gzip", gzip(b"hello")),
        "/wants-gzip" => answer("406 Not Acceptable", "", b""),
        "/gzip" => encoded("gzip", gzip(b"hello")),
        "/deflate" => encoded("deflate", deflate(b"hello")),
        "/br" => encoded("br", b"\x0b\x02\x80hello\x03".to_vec()),
        "/says-gzip" => encoded("gzip", b"hello".to_vec()),
        "/bomb" => encoded("gzip", gzip(&vec![0; 4 << 20])),
        "/large" => answer("200 OK", "", &[b'x'; 4096]),
        "/huge" => answer("200 OK", "", &vec![b'x'; 11 << 20]),
        "/chunked" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_vec(),
        "/bad-chunk" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n".to_vec(),
        "/old" => b"HTTP/1.0 200 OK\r\n\r\nhello to the end".to_vec(),
        "/short" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello".to_vec(),
        "/garbage" => b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        "/nothing" => Vec::new(),
        "/reset" => {
            // As a process that crashes ends its connections.
            let _ = socket2::SockRef::from(stream.tcp()).set_linger(Some(Duration::ZERO));
            return;
        }
        "/slow-head" | "/slow-body" => {
            if path == "/slow-body" {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
                let _ = stream.flush();
            }
            let _ = stream.read_to_end(&mut Vec::new());
            return;
        }
        _ if path.starts_with("/hops/") => match path["/hops/".len()..].parse::<u32>() {
            Ok(0) => answer("200 OK", "", b"there"),
            Ok(n) => to(&format!("/hops/{}", n - 1)),
            Err(_) => answer("400 Bad Request", "", b""),
        },
        // Somewhere else: what is behind it is written without its colon and slashes.
        _ if path.starts_with("/to/") => to(&format!("http://{}/", &path["/to/".len()..])),
        _ if request.method == "HEAD" => b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_vec(),
        _ => answer("200 OK", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Node: a\r\nX-Node: b\r\n", b"hello"),
    };
    let _ = stream.write_all(&bytes);
    let _ = stream.flush();
}

/// Who says `words`, passes on one line it hears as `heard <line>` where they ask for something, and closes.
pub(super) fn talker(words: &'static str) -> impl Fn(&mut dyn Stream) + Send + Sync + 'static {
    move |stream| {
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
}

/// A port of 127.0.0.1 where nobody listens; kept from others as long as it lives.
pub(super) fn closed() -> (socket2::Socket, u16) {
    // Bound and not listening: whoever connects is refused, and nobody else is given the port.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}
