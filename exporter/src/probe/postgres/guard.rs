//! What a server may say: a stream that watches the messages passing through it.
//!
//! The client library trusts a message's length and a server's parameters for the login. A probe does not:
//! a peer that is no PostgreSQL server is named as such at its first bytes, a huge value ends the probe
//! instead of filling memory, and a login cannot be made arbitrarily expensive.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::probe::{Failure, Reason};

/// The longest message before the login is done, in bytes: key, parameters, an error.
const MAX_LOGIN_MESSAGE: usize = 64 << 10;
/// All a server may send in one session, in bytes, and so the bound of one value.
pub(super) const MAX_TOTAL: usize = 1 << 20;
/// The most SCRAM iterations that are computed, about half a second's worth; PostgreSQL's default is 4096.
const MAX_ITERATIONS: u32 = 1_000_000;

/// A connection to a server, watched.
#[derive(Debug)]
pub(super) struct Guard<S> {
    inner: S,
    watch: Watch,
}

impl<S> Guard<S> {
    /// Of a connection over which the server may send `most` bytes.
    pub(super) fn new(inner: S, most: usize) -> Self {
        Self { inner, watch: Watch::up_to(most) }
    }

    pub(super) fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = ready!(Pin::new(&mut this.inner).poll_read(cx, buf));
        let closed = match result {
            Ok(()) => buf.filled().len() == before,
            // TLS without close_notify: servers that end a session with an error do that.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => true,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let checked = if closed {
            Err(Failure::new(Reason::Reset, "the server closed the connection"))
        } else {
            this.watch.see(&buf.filled()[before..])
        };
        if checked.is_err() {
            // A read that fails has read nothing: callers may rely on it.
            buf.set_filled(before);
        }
        Poll::Ready(checked.map_err(io::Error::other))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

/// Follows the messages: one byte of type, four of length (themselves included), the rest.
#[derive(Debug)]
struct Watch {
    head: Vec<u8>,
    /// Bytes of the current message's body still to come.
    rest: usize,
    /// The body, of messages about the login only.
    login: Vec<u8>,
    total: usize,
    most: usize,
    logged_in: bool,
}

impl Watch {
    fn up_to(most: usize) -> Self {
        Self { head: Vec::new(), rest: 0, login: Vec::new(), total: 0, most, logged_in: false }
    }

    fn see(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        self.total += bytes.len();
        if self.total > self.most {
            let limit = self.most >> 20;
            return Err(Failure::new(Reason::TooLarge, format_args!("the server sent more than {limit} MiB")));
        }
        while let Some((byte, behind)) = bytes.split_first() {
            if self.head.len() < 5 {
                self.head.push(*byte);
                bytes = behind;
                if self.head.len() < 5 {
                    continue;
                }
                self.begin()?;
            } else {
                let count = self.rest.min(bytes.len());
                if self.head[0] == b'R' {
                    self.login.extend_from_slice(&bytes[..count]);
                }
                self.rest -= count;
                bytes = &bytes[count..];
            }
            if self.rest == 0 {
                self.end()?;
            }
        }
        Ok(())
    }

    /// A message's type and length are known.
    fn begin(&mut self) -> Result<(), Failure> {
        let kind = self.head[0];
        let length = u32::from_be_bytes([self.head[1], self.head[2], self.head[3], self.head[4]]) as usize;
        let expected = if self.logged_in { kind.is_ascii_alphanumeric() } else { b"RESKZNv".contains(&kind) };
        if !expected || length < 4 || (!self.logged_in && length > MAX_LOGIN_MESSAGE) {
            let what = if self.logged_in { "sent something that is no message" } else { "is no PostgreSQL server" };
            let found = self.head.escape_ascii();
            return Err(Failure::new(Reason::Protocol, format_args!("the peer {what}: it sent `{found}`")));
        }
        if length > self.most {
            let limit = self.most >> 20;
            return Err(Failure::new(
                Reason::TooLarge,
                format_args!("the server sent a message of {length} bytes; at most {limit} MiB are read"),
            ));
        }
        self.rest = length - 4;
        Ok(())
    }

    /// A message is complete.
    fn end(&mut self) -> Result<(), Failure> {
        match self.head[0] {
            b'R' => {
                check_login(&self.login)?;
                self.login.clear();
            }
            b'Z' => self.logged_in = true,
            _ => {}
        }
        self.head.clear();
        Ok(())
    }
}

/// A SCRAM challenge (`r=…,s=…,i=4096`) says how much work the login is, and the library would just do it.
fn check_login(body: &[u8]) -> Result<(), Failure> {
    const SASL_CONTINUE: [u8; 4] = [0, 0, 0, 11];
    let Some(challenge) = body.strip_prefix(&SASL_CONTINUE) else { return Ok(()) };
    let iterations = challenge.split(|b| *b == b',').find_map(|field| field.strip_prefix(b"i="));
    let text = iterations.map_or_else(String::new, |i| String::from_utf8_lossy(i).into_owned());
    if text.parse::<u32>().is_ok_and(|i| i <= MAX_ITERATIONS) {
        return Ok(());
    }
    Err(Failure::new(
        Reason::Protocol,
        format_args!("the server asks for `{text}` SCRAM iterations; from 1 to {MAX_ITERATIONS} are computed"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], &length[..], body].concat()
    }

    /// The verdict must not depend on how the bytes are cut.
    #[track_caller]
    fn check(bytes: &[u8], reason: Option<Reason>) {
        for size in [1, 3, 5, 4096] {
            let mut watch = Watch::up_to(MAX_TOTAL);
            let result = bytes.chunks(size).try_for_each(|chunk| watch.see(chunk));
            assert_eq!(result.as_ref().err().map(|f| f.reason), reason, "in pieces of {size}: {result:?}");
        }
    }

    fn scram(iterations: &str) -> Vec<u8> {
        message(b'R', &[&[0, 0, 0, 11], format!("r=nonce,s=c2FsdA==,i={iterations}").as_bytes()].concat())
    }

    #[test]
    fn a_login_and_a_result_pass() {
        let mut talk = message(b'R', &[0, 0, 0, 0]);
        talk.extend(message(b'S', b"server_version\x0015.1\0"));
        talk.extend(message(b'Z', b"I"));
        talk.extend(message(b'D', &vec![0; 100_000]));
        talk.extend(message(b'n', b""));
        talk.extend(message(b'Z', b"I"));
        check(&talk, None);
    }

    #[test]
    fn another_protocol_is_named_at_its_first_bytes() {
        for banner in ["HTTP/1.1 400 Bad Request", "SSH-2.0-OpenSSH_9.6", "220 mail ESMTP", "RFB 003.008", "\0\0\0\0\0"]
        {
            check(banner.as_bytes(), Some(Reason::Protocol));
        }
    }

    #[test]
    fn a_message_may_fill_the_session_and_no_more() {
        let ready = message(b'Z', b"I");
        let of = |size: usize| [&ready[..], b"D", &u32::try_from(size).unwrap().to_be_bytes()].concat();
        check(&of(MAX_TOTAL), None);
        check(&of(MAX_TOTAL + 1), Some(Reason::TooLarge));
        check(&of(3), Some(Reason::Protocol));
        check(&[&ready[..], &message(b'N', &vec![b'x'; 1000]).repeat(2000)].concat(), Some(Reason::TooLarge));
    }

    #[test]
    fn a_login_costs_no_more_than_its_bound() {
        check(&scram("4096"), None);
        check(&scram("1000000"), None);
        check(&scram("1000001"), Some(Reason::Protocol));
        check(&scram("4294967296"), Some(Reason::Protocol));
        check(&scram(""), Some(Reason::Protocol));
    }
}
