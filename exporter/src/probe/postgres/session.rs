//! A session: login, a query between `BEGIN` and its end, goodbye.

use std::future::{self, Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_util::TryStreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config, Connection, Error, SimpleQueryMessage, SimpleQueryStream};

use super::Rows;
use super::explain::{Doing, failure};
use super::guard::Guard;
use super::settings::Settings;
use super::transport::Transport;
use crate::probe::{Failure, Reason};

/// A logged-in session.
pub(super) struct Session {
    client: Client,
    connection: Connection<Guard<Transport>, Secured>,
}

/// Logs in: everything up to the server's first `ReadyForQuery`. The server may send `most` bytes in all.
pub(super) async fn login(settings: &Settings, transport: Transport, most: usize) -> Result<Session, Failure> {
    let mut config = Config::new();
    config.user(&settings.user).application_name(&settings.application_name);
    if let Some(name) = &settings.dbname {
        config.dbname(name);
    }
    if let Some(options) = &settings.options {
        config.options(options);
    }
    if let Some(source) = &settings.password {
        let secret = source.read().map_err(|error| Failure::new(Reason::Permission, error))?;
        config.password(secret.expose());
    }
    // TLS, where it is wanted, is there already: the library is told that it begins at once, and is handed
    // the stream as it is. So it sees the channel binding, and the phases stay apart.
    config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
    config.channel_binding(settings.channel_binding);
    let doing = Doing::Login { password: settings.password.is_some() };
    let (client, connection) =
        config.connect_raw(Guard::new(transport, most), AsItIs).await.map_err(|error| failure(&error, doing))?;
    Ok(Session { client, connection })
}

/// What a query returned first.
enum Found {
    /// Statements without a result, such as `INSERT`.
    NoResult,
    NoRow,
    NoColumn,
    Null,
    Text(String),
}

impl Session {
    /// Runs `query` in a transaction that ends with it; its first row's first column, where it has one.
    pub(super) async fn query(
        &mut self,
        query: &str,
        read_only: bool,
        deadline: Instant,
    ) -> Result<Option<String>, Failure> {
        let left = deadline.saturating_duration_since(Instant::now());
        // The library writes the query to the `log` crate, at debug; this process has no logger for it, on purpose.
        // SET LOCAL ends with the transaction: nothing sticks to a session that a pooler hands on.
        let prologue = format!(
            // In a literal only the quote is special, whatever the server's settings: texts from elsewhere are put into some.
            "BEGIN {}; SET LOCAL statement_timeout = {}; SET LOCAL datestyle = 'ISO'; SET LOCAL standard_conforming_strings = on",
            if read_only { "READ ONLY" } else { "READ WRITE" },
            left.as_millis().clamp(1, 86_400_000)
        );
        let epilogue = if read_only { "ROLLBACK" } else { "COMMIT" };
        let client = &self.client;
        let conversation = async {
            // All three are sent before the first answer is read: one round trip.
            let prologue = client.simple_query_raw(&prologue).await?;
            let answer = client.simple_query_raw(query).await?;
            let epilogue = client.simple_query_raw(epilogue).await?;
            drain(prologue).await?;
            let (found, more) = first(answer, read_only).await?;
            if !more {
                drain(epilogue).await?;
            }
            Ok(found)
        };
        let found = drive(&mut self.connection, conversation).await.map_err(|error| {
            let late = Instant::now() + std::time::Duration::from_millis(100) >= deadline;
            failure(&error, Doing::Query { read_only, late })
        })?;
        match found {
            Found::Text(text) => Ok(Some(text)),
            Found::NoResult | Found::NoColumn => Ok(None),
            Found::NoRow => Err(Failure::new(Reason::Query, "query: it returned no row")),
            Found::Null => Err(Failure::new(Reason::Query, "query: the first column of the first row is NULL")),
        }
    }

    /// Runs `query` in a transaction that changes nothing; all of its rows, at most `most`, as texts.
    pub(super) async fn rows(&mut self, query: &str, most: usize, deadline: Instant) -> Result<Rows, Failure> {
        let left = deadline.saturating_duration_since(Instant::now());
        let prologue = format!(
            "BEGIN READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL datestyle = 'ISO'",
            left.as_millis().clamp(1, 86_400_000)
        );
        let client = &self.client;
        let conversation = async {
            drain(client.simple_query_raw(&prologue).await?).await?;
            let (found, statements) = all(client.simple_query_raw(query).await?, most).await?;
            if found.rows.len() <= most {
                drain(client.simple_query_raw("ROLLBACK").await?).await?;
            }
            Ok((found, statements))
        };
        let (found, statements) = drive(&mut self.connection, conversation).await.map_err(|error| {
            let late = Instant::now() + std::time::Duration::from_millis(100) >= deadline;
            failure(&error, Doing::Rows { late })
        })?;
        // Rows of one would be taken for those of another, and one of them may have ended the transaction.
        if statements > 1 {
            return Err(Failure::new(
                Reason::Query,
                format_args!("query: it is {statements} statements; give one SELECT"),
            ));
        }
        if found.rows.len() > most {
            return Err(Failure::new(Reason::TooLarge, format_args!("the query returned more than {most} rows")));
        }
        Ok(found)
    }

    /// Says goodbye, so that the server does not log a lost connection. A session cut short just ends.
    pub(super) async fn close(self) {
        let Self { client, mut connection } = self;
        drop(client);
        // Waits for nothing the server says: Terminate is written, then the connection shut down.
        let goodbye = poll_fn(|cx| match connection.poll_message(cx) {
            Poll::Ready(Some(Ok(_))) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        });
        let _ = tokio::time::timeout(std::time::Duration::from_millis(500), goodbye).await;
    }
}

/// The rows of an answer, up to one more than `most`, and how many statements they are of.
async fn all(answer: SimpleQueryStream, most: usize) -> Result<(Rows, usize), Error> {
    let mut answer = pin!(answer);
    let mut found = Rows::default();
    let mut statements = 0;
    while let Some(message) = answer.try_next().await? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                found.columns = columns.iter().map(|column| column.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let texts = (0..row.len()).map(|at| Ok(row.try_get(at)?.map(str::to_owned)));
                found.rows.push(texts.collect::<Result<_, Error>>()?);
                if found.rows.len() > most {
                    break;
                }
            }
            SimpleQueryMessage::CommandComplete(_) => statements += 1,
            _ => {}
        }
    }
    Ok((found, statements))
}

/// Reads an answer whose content does not matter.
async fn drain(answer: SimpleQueryStream) -> Result<(), Error> {
    let mut answer = pin!(answer);
    while answer.try_next().await?.is_some() {}
    Ok(())
}

/// The first row of an answer, and whether there is more that was not read.
///
/// Reading stops at the second row, however many there are; unless data may change: then what the
/// transaction's end says counts, and all of it is read (the guard bounds it).
async fn first(answer: SimpleQueryStream, stop_early: bool) -> Result<(Found, bool), Error> {
    let mut answer = pin!(answer);
    let mut found = Found::NoResult;
    while let Some(message) = answer.try_next().await? {
        match (message, &found) {
            (SimpleQueryMessage::RowDescription(_), Found::NoResult) => found = Found::NoRow,
            (SimpleQueryMessage::Row(row), Found::NoResult | Found::NoRow) => {
                found = if row.is_empty() {
                    Found::NoColumn
                } else {
                    row.try_get(0)?.map_or(Found::Null, |text| Found::Text(text.to_owned()))
                };
            }
            (SimpleQueryMessage::Row(_), _) if stop_early => return Ok((found, true)),
            _ => {}
        }
    }
    Ok((found, false))
}

/// Runs a conversation and the connection it is held over in one task: both end when the probe does.
async fn drive<T>(
    connection: &mut Connection<Guard<Transport>, Secured>,
    conversation: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut conversation = pin!(conversation);
    let mut ended = None;
    poll_fn(|cx| {
        loop {
            match (conversation.as_mut().poll(cx), ended.take()) {
                (Poll::Ready(Err(error)), Some(end)) if error.as_db_error().is_none() => return Poll::Ready(Err(end)),
                (Poll::Ready(result), _) => return Poll::Ready(result),
                (Poll::Pending, Some(end)) => return Poll::Ready(Err(end)),
                (Poll::Pending, None) => {}
            }
            match connection.poll_message(cx) {
                Poll::Pending => return Poll::Pending,
                // Notices are no result, and may hold anything: not logged.
                Poll::Ready(Some(Ok(_))) => {}
                // What arrived before the end tells more than the end: the conversation is asked once more.
                Poll::Ready(Some(Err(end))) => ended = Some(end),
                // Cannot be while the client is alive.
                Poll::Ready(None) => return Poll::Pending,
            }
        }
    })
    .await
}

/// The TLS connector that has nothing left to do.
struct AsItIs;

/// A stream that is as secure as it is going to be.
pub(super) struct Secured(Guard<Transport>);

impl TlsConnect<Guard<Transport>> for AsItIs {
    type Stream = Secured;
    type Error = std::convert::Infallible;
    type Future = future::Ready<Result<Secured, Self::Error>>;

    fn connect(self, stream: Guard<Transport>) -> Self::Future {
        future::ready(Ok(Secured(stream)))
    }
}

impl TlsStream for Secured {
    fn channel_binding(&self) -> ChannelBinding {
        self.0.inner().channel_binding()
    }
}

impl AsyncRead for Secured {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
