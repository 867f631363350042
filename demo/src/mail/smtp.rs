//! The SMTP conversation: the protocol is `mailin`'s, the sockets and the bounds are ours.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mailin::{Action, Handler, Response, Session, SessionBuilder, response};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Store;

/// The largest mail, in bytes.
const MAX_MAIL: usize = 1024 * 1024;
/// The longest line, in bytes; RFC 5321 allows 1 000.
const MAX_LINE: usize = 64 * 1024;
/// A silent client is dropped.
const IDLE: Duration = Duration::from_secs(60);
/// Conversations at once.
const MAX_CONVERSATIONS: usize = 100;

/// Receives mails on `listener` into `store`, until dropped.
pub async fn receive(listener: TcpListener, store: Store) {
    let places = Arc::new(Semaphore::new(MAX_CONVERSATIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let store = store.clone();
                tokio::spawn(async move {
                    // A client that breaks off has said all it wanted.
                    let _ = converse(stream, store).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn converse(stream: TcpStream, store: Store) -> io::Result<()> {
    let remote = stream.peer_addr()?.ip();
    let mut session = SessionBuilder::new("sla-demo-mail")
        .build(remote, Receiver { store, recipients: Vec::new(), mail: Vec::new() });
    let mut stream = BufReader::new(stream);
    reply(&mut stream, &session.greeting()).await?;
    let mut line = Vec::new();
    loop {
        line.clear();
        tokio::time::timeout(IDLE, read_line(&mut stream, &mut line)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        if line.is_empty() || !step(&mut session, &mut stream, &line).await? {
            return Ok(());
        }
    }
}

async fn step(session: &mut Session<Receiver>, stream: &mut BufReader<TcpStream>, line: &[u8]) -> io::Result<bool> {
    let answer = session.process(line);
    match answer.action {
        Action::NoReply => Ok(true),
        Action::Close => reply(stream, &answer).await.map(|()| false),
        _ => reply(stream, &answer).await.map(|()| true),
    }
}

async fn reply(stream: &mut BufReader<TcpStream>, answer: &Response) -> io::Result<()> {
    stream.write_all(&answer.buffer()?).await?;
    stream.flush().await
}

/// Up to and with the line's end, at most [`MAX_LINE`] bytes; nothing at the conversation's end.
async fn read_line(stream: &mut BufReader<TcpStream>, line: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let available = stream.fill_buf().await?;
        if available.is_empty() {
            return Ok(());
        }
        let end = available.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let taken = end.unwrap_or(available.len());
        line.extend_from_slice(available.get(..taken).unwrap_or_default());
        stream.consume(taken);
        if line.len() > MAX_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long"));
        }
        if end.is_some() {
            return Ok(());
        }
    }
}

struct Receiver {
    store: Store,
    recipients: Vec<String>,
    mail: Vec<u8>,
}

impl Handler for Receiver {
    fn data_start(&mut self, _domain: &str, _from: &str, _is8bit: bool, to: &[String]) -> Response {
        self.recipients = to.to_vec();
        self.mail.clear();
        response::OK
    }

    fn data(&mut self, buffer: &[u8]) -> io::Result<()> {
        if self.mail.len() + buffer.len() > MAX_MAIL {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the mail is too large"));
        }
        self.mail.extend_from_slice(buffer);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.store.add(std::mem::take(&mut self.recipients), &std::mem::take(&mut self.mail));
        response::OK
    }
}
