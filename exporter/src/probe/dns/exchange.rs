//! A query and its answer over UDP, TCP or TLS.
//!
//! Over UDP anybody can send a packet that looks like an answer: what is not from the server, has another id or
//! answers another question is ignored until the timeout. Over a connection such a message is a fault.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_proto::op::{Message, MessageType};
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
            (asked, over_udp(&socket, &bytes, query).await?)
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
        Some(source) => Failure::io(&format!("use source_ip_address {source}"), &error),
        None => Failure::io("open a UDP socket", &error),
    })?;
    // Connected: the kernel drops packets from anywhere else and reports a closed port.
    socket.connect(server).await.map_err(|error| Failure::io(&format!("connect to {server}"), &error))?;
    Ok(socket)
}

async fn over_udp(socket: &UdpSocket, bytes: &[u8], query: &Message) -> Result<Message, Failure> {
    let fail = |error: std::io::Error| Failure::io("ask over UDP", &error);
    socket.send(bytes).await.map_err(fail)?;
    let mut buffer = vec![0; MAX_MESSAGE];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(fail)?;
        match Message::from_vec(buffer.get(..length).unwrap_or_default()) {
            Ok(answer) if answers(&answer, query) => return Ok(answer),
            _ => {}
        }
    }
}

/// RFC 1035 §4.2.2: each message is preceded by its length in two bytes.
async fn over_stream<S>(mut stream: S, bytes: &[u8], query: &Message) -> Result<Message, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let fail = |error: std::io::Error| Failure::io("ask the name server", &error);
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
        Err(error) => Err(Failure::new(Reason::Protocol, format_args!("the answer is not a DNS message: {error}"))),
    }
}

/// Whether `answer` answers `query`. A server may leave the question out of a refusal.
fn answers(answer: &Message, query: &Message) -> bool {
    answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == query.metadata.id
        && (answer.queries.is_empty() && answer.answers.is_empty() || answer.queries == query.queries)
}
