//! One command and its answer, each bounded by a zero byte, as clamd's `z` commands have it.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::config::decode::shorten;
use crate::probe::net::{self, UnixSocket};
use crate::probe::{Failure, Reason};

/// More than clamd says to any of these commands, in bytes.
const MAX_ANSWER: usize = 4 << 10;

/// How clamd is reached.
#[derive(Debug)]
pub(super) enum Way {
    Tcp(SocketAddr, Option<IpAddr>),
    Socket(UnixSocket),
}

/// Sends `command` and `stream` behind it, and returns the answer without its end.
pub(super) async fn ask(way: &Way, command: &[u8], stream: &[u8]) -> Result<String, Failure> {
    match way {
        Way::Tcp(address, source) => exchange(net::connect(*address, *source).await?, command, stream).await,
        Way::Socket(socket) => exchange(socket.connect().await?, command, stream).await,
    }
}

pub(super) async fn exchange(
    mut link: impl AsyncRead + AsyncWrite + Unpin,
    command: &[u8],
    stream: &[u8],
) -> Result<String, Failure> {
    // Together: clamd reads them as they come, and one that refuses the command closes before all of the stream is there.
    let sent = link.write_all(&[command, stream].concat()).await;
    let mut answer = Vec::new();
    let mut chunk = [0; 512];
    let end = loop {
        let count = match link.read(&mut chunk).await {
            Ok(count) => count,
            Err(error) if answer.is_empty() => return Err(Failure::io("read clamd's answer", &error)),
            Err(_) => 0,
        };
        answer.extend_from_slice(&chunk[..count]);
        if let Some(end) = answer.iter().position(|byte| matches!(byte, 0 | b'\n')) {
            break end;
        }
        if answer.len() > MAX_ANSWER {
            return Err(Failure::new(
                Reason::TooLarge,
                format_args!("an answer of more than {} KiB", MAX_ANSWER >> 10),
            ));
        }
        if count == 0 {
            break answer.len();
        }
    };
    if answer.is_empty() {
        sent.map_err(|error| Failure::io("send the command", &error))?;
        return Err(Failure::new(Reason::Reset, "closed without an answer"));
    }
    Ok(String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).trim_end().to_owned())
}

/// An answer that is not clamd's.
pub(super) fn strange(command: &str, wanted: &str, said: &str) -> Failure {
    let detail = format_args!("to {command} expected `{wanted}`, the answer was `{}`; is it clamd?", shorten(said));
    Failure::new(Reason::Protocol, detail)
}

/// The EICAR test file with a bit of each byte turned: neither this source nor the program made of it has the text that virus
/// scanners look for, which would take either for the test itself.
const TURNED: &[u8; 68] = b"Y4N Q$A@QZ5]Q[Y45)Q_(6BB(6|%DHB@S,RU@OE@SE,@OUHWHSTR,UDRU,GHMD %I*I+";

/// The EICAR test file as clamd's stream: length, bytes, length 0.
pub(super) fn test_virus() -> Vec<u8> {
    let mut stream = vec![0, 0, 0, 68];
    // Hidden from the compiler, which would work it out beforehand.
    stream.extend(std::hint::black_box(TURNED).iter().map(|byte| byte ^ 1));
    stream.extend([0; 4]);
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_virus_is_the_published_one() {
        use sha2::{Digest as _, Sha256};
        let stream = test_virus();
        assert_eq!((stream.len(), &stream[..4], &stream[72..]), (76, &[0, 0, 0, 68][..], &[0; 4][..]));
        let digest: String = Sha256::digest(&stream[4..72]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f");
    }

    async fn said(bytes: &[u8]) -> Result<String, Failure> {
        let (ours, mut theirs) = tokio::io::duplex(MAX_ANSWER * 4);
        theirs.write_all(bytes).await.unwrap();
        theirs.shutdown().await.unwrap();
        exchange(ours, b"zPING\0", &[]).await
    }

    #[tokio::test]
    async fn an_answer_ends_with_a_zero_a_line_or_the_connection_and_is_bounded() {
        for bytes in [&b"PONG\0"[..], b"PONG\n", b"PONG", b"PONG\0more", b"PONG\r\n"] {
            assert_eq!(said(bytes).await.unwrap(), "PONG", "{}", bytes.escape_ascii());
        }
        assert_eq!(said(b"").await.unwrap_err().reason, Reason::Reset);
        assert_eq!(said(&vec![b'x'; MAX_ANSWER]).await.unwrap().len(), MAX_ANSWER);
        assert_eq!(said(&vec![b'x'; MAX_ANSWER * 2]).await.unwrap_err().reason, Reason::TooLarge);
    }
}
