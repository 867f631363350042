//! What the peer sent and nobody looked at yet: lines and bytes out of it, with bounds.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::probe::{Failure, Reason};

/// The longest line, in bytes: Go's scanner, and with it blackbox_exporter, has the same bound.
const MAX_LINE: usize = 64 << 10;
/// All a peer may send in one conversation, in bytes.
const MAX_TOTAL: usize = 1 << 20;
/// How much is read at once, in bytes.
const CHUNK: usize = 4 << 10;

#[derive(Debug, Default)]
pub(super) struct Received {
    buffer: Vec<u8>,
    /// `buffer[..start]` has been handed out.
    start: usize,
    /// `buffer[start..searched]` has no line end.
    searched: usize,
    total: usize,
    closed: bool,
}

impl Received {
    /// Waits for more bytes; false when the peer has closed its side.
    ///
    /// # Errors
    /// `reset` and the like, and `too_large` when the peer sends more than a conversation may have.
    pub(super) async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<bool, Failure> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let mut chunk = [0; CHUNK];
        let count = match stream.read(&mut chunk).await {
            Ok(count) => count,
            // TLS without close_notify: the end all the same, as the peer's FIN is without TLS.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(Failure::io("read what the peer says", &error)),
        };
        self.closed |= count == 0;
        self.total += count;
        if self.total > MAX_TOTAL {
            let limit = MAX_TOTAL >> 20;
            return Err(Failure::new(Reason::TooLarge, format_args!("the peer sent more than {limit} MiB")));
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    /// The next line without its end (`\n` or `\r\n`), bytes that are not UTF-8 replaced. What comes before
    /// the end of the stream is a line even without a line end.
    ///
    /// # Errors
    /// `too_large` for a line beyond its bound.
    pub(super) fn line(&mut self) -> Result<Option<String>, Failure> {
        let end = self.buffer[self.searched..].iter().position(|b| *b == b'\n').map(|at| self.searched + at);
        let length = end.unwrap_or(self.buffer.len()) - self.start;
        if length > MAX_LINE {
            let limit = MAX_LINE >> 10;
            return Err(Failure::new(Reason::TooLarge, format_args!("the peer sent a line of more than {limit} KiB")));
        }
        self.searched = end.unwrap_or(self.buffer.len());
        let (line, next) = match end {
            Some(end) => (&self.buffer[self.start..end], end + 1),
            None if self.closed && length > 0 => (&self.buffer[self.start..], self.buffer.len()),
            None => return Ok(None),
        };
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
        self.start = next;
        self.searched = next;
        Ok(Some(line))
    }

    /// What is there, not handed out yet.
    pub(super) fn pending(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Hands out `count` bytes of [`pending`](Self::pending).
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.buffer.len());
        self.searched = self.searched.max(self.start);
    }

    /// Whether the peer said nothing at all.
    pub(super) fn is_silent(&self) -> bool {
        self.total == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything a peer's bytes yield, until it closes.
    async fn lines(mut bytes: impl AsyncRead + Unpin) -> Result<Vec<String>, Failure> {
        let mut received = Received::default();
        let mut found = Vec::new();
        loop {
            while let Some(line) = received.line()? {
                found.push(line);
            }
            if !received.fill(&mut bytes).await? {
                break;
            }
        }
        found.extend(received.line()?);
        Ok(found)
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: &[&str]) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(lines(bytes)).unwrap(), expected, "{}", bytes.escape_ascii());
    }

    #[test]
    fn lines_end_with_a_line_feed_or_with_the_stream() {
        check(b"", &[]);
        check(b"a\nb\r\n\nc", &["a", "b", "", "c"]);
        check(b"a\r\r\n", &["a\r"]);
        check(b"\xff\n", &["\u{fffd}"]);
    }

    #[tokio::test]
    async fn a_line_may_be_as_long_as_its_bound_and_no_longer() {
        let mut line = vec![b'x'; MAX_LINE];
        line.push(b'\n');
        assert_eq!(lines(line.as_slice()).await.unwrap()[0].len(), MAX_LINE);
        line.insert(0, b'x');
        assert_eq!(lines(line.as_slice()).await.unwrap_err().reason, Reason::TooLarge);
    }

    #[tokio::test]
    async fn a_conversation_may_be_as_long_as_its_bound_and_no_longer() {
        let mut talk = vec![b'\n'; MAX_TOTAL];
        assert_eq!(lines(talk.as_slice()).await.unwrap().len(), MAX_TOTAL);
        talk.push(b'\n');
        assert_eq!(lines(talk.as_slice()).await.unwrap_err().reason, Reason::TooLarge);
    }
}
