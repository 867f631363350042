//! What is said over a WebSocket: messages one by one, each matched as a whole.

use futures_util::{SinkExt as _, StreamExt as _};
use regex::Regex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::config::decode::shorten;
use crate::http_client::Secrets;
use crate::probe::conversation::{Captured, Expect, Step};
use crate::probe::{Failure, Reason, Samples, tls};

/// The longest message, and the longest frame of one, in bytes.
const MAX_MESSAGE: usize = 1 << 20;
/// How much is read or written at once, in bytes.
const BUFFER: usize = 4 << 10;
/// What the library may hold back of what is sent, in bytes: a step's text is part of the configuration.
const MAX_UNSENT: usize = 4 << 20;

/// Takes every step, then says goodbye; `secrets` are what the request had and no message may show.
///
/// # Errors
/// `body` when a message did not match, `status` when the peer closed with a code, `reset` when it did without, `too_large`,
/// `protocol` and `tls` as they happen.
pub(super) async fn hold<S: AsyncRead + AsyncWrite + Unpin>(
    link: S,
    steps: &[Step],
    secrets: &Secrets,
    out: &mut Samples,
) -> Result<(), Failure> {
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_UNSENT)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let mut socket = WebSocketStream::from_raw_socket(link, Role::Client, Some(config)).await;
    let mut captured = Captured::default();
    for step in steps {
        let mut text = step.send.clone().unwrap_or_default();
        if let Expect::Line { pattern, labels } = &step.expect {
            let message = expect(&mut socket, pattern, secrets, out).await?;
            text = captured.take(pattern, labels, &text, &message, out);
        }
        if !text.is_empty() {
            out.stage("sending");
            socket.send(Message::text(text)).await.map_err(|error| explain(&error))?;
        }
    }
    // The result stands whatever comes of it.
    out.stage("closing the WebSocket");
    let _ = socket.close(None).await;
    Ok(())
}

/// The next message, which must match.
async fn expect<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    pattern: &Regex,
    secrets: &Secrets,
    out: &mut Samples,
) -> Result<String, Failure> {
    let wanted = shorten(pattern.as_str());
    out.stage(format!("waiting for a message that matches `{wanted}`"));
    loop {
        let message = match socket.next().await {
            Some(message) => message.map_err(|error| explain(&error))?,
            None => return Err(gone()),
        };
        let bytes = match message {
            // Answered by the library, at the next poll.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            Message::Close(frame) => return Err(closed(frame.as_ref(), secrets)),
            Message::Text(text) => text.into(),
            Message::Binary(bytes) => bytes,
        };
        let text = String::from_utf8_lossy(&bytes);
        if pattern.is_match(&text) {
            return Ok(text.into_owned());
        }
        let why =
            format_args!("expected a message that matches `{wanted}`, found `{}`", shorten(&secrets.excerpt(&text)));
        return Err(Failure::new(Reason::Body, why));
    }
}

fn gone() -> Failure {
    Failure::new(Reason::Reset, "the peer hung up without closing the WebSocket")
}

fn closed(frame: Option<&CloseFrame>, secrets: &Secrets) -> Failure {
    let Some(CloseFrame { code, reason }) = frame else {
        return Failure::new(Reason::Reset, "the peer closed the WebSocket without a word");
    };
    let said = if reason.is_empty() { String::new() } else { format!(": {}", shorten(&secrets.excerpt(reason))) };
    Failure::new(Reason::Status, format_args!("the peer closed the WebSocket with code {}{said}", u16::from(*code)))
}

fn explain(error: &Error) -> Failure {
    match error {
        Error::Io(io) => tls::explain(io).unwrap_or_else(|| Failure::io("the WebSocket", io)),
        Error::ConnectionClosed | Error::AlreadyClosed => gone(),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => gone(),
        Error::Capacity(CapacityError::MessageTooLong { size, .. }) => {
            let limit = MAX_MESSAGE >> 10;
            Failure::new(
                Reason::TooLarge,
                format_args!("a message of {size} bytes or more; at most {limit} KiB are read"),
            )
        }
        Error::WriteBufferFull(_) => Failure::new(Reason::TooLarge, "the peer does not read what is sent"),
        other => Failure::new(Reason::Protocol, format_args!("what the peer says is no WebSocket's: {other}")),
    }
}
