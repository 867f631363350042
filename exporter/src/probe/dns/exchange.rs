//! A query and its answer over UDP, TCP or TLS.
//!
//! Over UDP anybody can send a packet that looks like an answer: what is not from the server's address, has
//! another id or answers another question is ignored until the timeout. Over a connection it is a fault.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_proto::op::{Message, MessageType};
use hickory_proto::serialize::binary::DecodeError;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::super::tls::{self, TlsSettings};
use super::{Failure, Metric, PORT, PORT_TLS, Reason, Samples, net};

/// The largest message there is, over any transport.
const MAX_MESSAGE: usize = 65_535;

/// How the query travels.
#[derive(Debug)]
pub(super) enum Transport {
    Udp,
    Tcp,
    Tls(Box<TlsSettings>),
}

impl Transport {
    /// The port where the target names none.
    pub(super) fn port(&self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => PORT,
            Self::Tls(_) => PORT_TLS,
        }
    }
}

/// Sends `query` to `server` and waits for its answer.
pub(super) async fn run(
    transport: &Transport,
    server: SocketAddr,
    host: &str,
    source: Option<IpAddr>,
    query: &Message,
    out: &mut Samples,
) -> Result<Message, Failure> {
    if let Some(source) = source.filter(|source| source.is_ipv4() != server.is_ipv4()) {
        return Err(Failure::new(
            Reason::Connect,
            format_args!(
                "source_ip_address {source} cannot reach {}: the families differ; set preferred_ip_protocol accordingly",
                server.ip()
            ),
        ));
    }
    let bytes = query.to_vec().map_err(|error| Failure::new(Reason::Internal, format_args!("the query: {error}")))?;
    let started = Instant::now();
    out.stage("connecting to the name server");
    let connected = |out: &mut Samples| {
        out.set_phase(Metric::DnsDuration, "connect", started.elapsed().as_secs_f64());
        out.stage("waiting for the name server's answer");
        Instant::now()
    };
    let (asked, answer) = match transport {
        Transport::Udp => {
            let socket = udp_socket(server, source).await?;
            let asked = connected(out);
            (asked, over_udp(&socket, &bytes, query, out).await?)
        }
        Transport::Tcp => {
            let stream = net::connect(server, source).await?;
            let asked = connected(out);
            (asked, over_stream(stream, &bytes, query).await?)
        }
        Transport::Tls(settings) => {
            let stream = net::connect(server, source).await?;
            out.stage("waiting for the TLS handshake");
            let stream = tls::handshake(stream, host, settings, out).await?;
            let asked = connected(out);
            (asked, over_stream(stream, &bytes, query).await?)
        }
    };
    out.set_phase(Metric::DnsDuration, "request", asked.elapsed().as_secs_f64());
    Ok(answer)
}

async fn udp_socket(server: SocketAddr, source: Option<IpAddr>) -> Result<UdpSocket, Failure> {
    let any = if server.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { IpAddr::from(Ipv6Addr::UNSPECIFIED) };
    let local = SocketAddr::new(source.unwrap_or(any), 0);
    let socket = UdpSocket::bind(local).await.map_err(|error| match source {
        Some(source) => net::no_source(source, &error),
        None => Failure::io("open a UDP socket", &error),
    })?;
    // Connected: the kernel drops packets from anywhere else and reports a closed port.
    socket.connect(server).await.map_err(|error| Failure::io(&format!("connect to {server}"), &error))?;
    Ok(socket)
}

async fn over_udp(socket: &UdpSocket, bytes: &[u8], query: &Message, out: &mut Samples) -> Result<Message, Failure> {
    let fail = |error: std::io::Error| Failure::io("ask over UDP", &error);
    socket.send(bytes).await.map_err(fail)?;
    // Not filled with zeros first: the buffer is larger than almost any answer.
    let mut packet = Vec::with_capacity(MAX_MESSAGE);
    loop {
        packet.clear();
        socket.recv_buf(&mut packet).await.map_err(fail)?;
        match Message::from_vec(&packet) {
            Ok(answer) if answers(&answer, query) => return Ok(answer),
            // Who knows the random id has seen the query: no stranger, but a server that mumbles.
            Err(error) if has_id(&packet, query.metadata.id) => return Err(not_a_message(&error)),
            _ => out.stage("waiting for the name server's answer, after packets that do not answer the query"),
        }
    }
}

/// Whether a packet is marked as the answer to the query of this id.
fn has_id(packet: &[u8], id: u16) -> bool {
    packet.first_chunk::<2>() == Some(&id.to_be_bytes()) && packet.get(2).is_some_and(|flags| flags & 0x80 != 0)
}

fn not_a_message(error: &DecodeError) -> Failure {
    Failure::new(Reason::Protocol, format_args!("the answer is not a DNS message: {error}"))
}

/// RFC 1035 §4.2.2: each message is preceded by its length in two bytes.
pub(super) async fn over_stream<S>(mut stream: S, bytes: &[u8], query: &Message) -> Result<Message, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let fail = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            Failure::new(Reason::Reset, "the name server closed the connection without a whole answer")
        }
        _ => Failure::io("ask the name server", &error),
    };
    let length = u16::try_from(bytes.len()).map_err(|_| Failure::new(Reason::Internal, "the query is too long"))?;
    let mut framed = Vec::with_capacity(bytes.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(bytes);
    stream.write_all(&framed).await.map_err(fail)?;
    stream.flush().await.map_err(fail)?;
    let length = stream.read_u16().await.map_err(fail)?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.map_err(fail)?;
    match Message::from_vec(&buffer) {
        Ok(answer) if answers(&answer, query) => Ok(answer),
        Ok(_) => Err(Failure::new(Reason::Protocol, "the answer is to another question")),
        Err(error) => Err(not_a_message(&error)),
    }
}

/// Whether `answer` answers `query`. A server may leave the question out of a refusal.
fn answers(answer: &Message, query: &Message) -> bool {
    answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == query.metadata.id
        && (answer.queries.is_empty() && answer.answers.is_empty() || answer.queries == query.queries)
}
