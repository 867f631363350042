//! What fuzzing feeds with bytes: one function for each kind of thing a target, or a host, says. Only in fuzzed builds and in
//! tests, which give every saved input of `tests/fuzz/corpus` to its function again.
//!
//! Each function takes any bytes at all, does with them what a probe would, without a socket, and may only return. The engine is
//! in `tests/fuzz`.

use std::cell::RefCell;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};

/// Takes any bytes, and returns.
pub type Target = fn(&[u8]);

/// Name and function of every target.
pub const TARGETS: &[(&str, Target)] = &[
    ("answers", answers),
    ("asked", strangers),
    ("body", body),
    ("conversation", crate::probe::fuzz_conversation),
    ("dns", crate::probe::dns::fuzz::answer),
    ("http", crate::probe::http::fuzz::answers),
    ("logs", logs),
    ("tls", certificates),
];

/// Short answers of services; the first byte says whose.
fn answers(data: &[u8]) {
    let Some((whose, data)) = data.split_first() else { return };
    match whose % 7 {
        0 => crate::probe::clamd::fuzz::answer(data),
        1 => crate::probe::http::fuzz::token(data),
        2 => crate::probe::http::fuzz::cookies(data),
        3 => crate::probe::grpc::fuzz::answer(data),
        4 => crate::probe::postgres::fuzz::answer(data),
        5 => crate::probe::websocket::fuzz::frames(data),
        _ => crate::probe::websocket::fuzz::upgrade(data),
    }
}

/// What a stranger may write: a request for `/probe`, and a module file, which others wrote for blackbox_exporter.
fn strangers(data: &[u8]) {
    match data.split_first() {
        Some((0, query)) => crate::server::fuzz_probe(query),
        Some((_, file)) => crate::config::fuzz_modules(&String::from_utf8_lossy(file)),
        None => {}
    }
}

/// An HTTP body, compressed as the first byte says: decompressed, then searched as a flow and judged as `http` does.
fn body(data: &[u8]) {
    let Some((how, data)) = data.split_first() else { return };
    let Some(body) = crate::probe::http::fuzz::decompressed(*how, data) else { return };
    crate::probe::flow::fuzz::search(&body);
    crate::probe::http::fuzz::judge(&body);
}

/// Lines of the system's log and of its journal, and what the kernel says of its arrays.
fn logs(data: &[u8]) {
    crate::logins::fuzz::lines(data);
    crate::host::fuzz_arrays(data);
}

/// Certificates of a peer.
fn certificates(data: &[u8]) {
    crate::probe::tls::fuzz::chain(data);
    if let Some((_, leaf)) = data.split_first() {
        crate::probe::postgres::fuzz::leaf(leaf);
    }
}

/// Runs what is written for a connection over bytes that are all there.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: RefCell<tokio::runtime::Runtime> =
            RefCell::new(tokio::runtime::Builder::new_current_thread().build().expect("a runtime without sockets"));
    }
    RUNTIME.with_borrow(|runtime| runtime.block_on(future))
}

/// A peer that says `data`, cut in two at the place that the first byte names, closes, and hears everything.
pub(crate) fn peer(data: &[u8]) -> impl AsyncRead + AsyncWrite + Unpin + '_ {
    let (before, after) = cut(data);
    tokio::io::join(before.chain(after), tokio::io::sink())
}

/// What `ask` comes to over a connection to a peer that says the same once it is asked.
pub(crate) fn asked<T>(data: &[u8], ask: impl AsyncFnOnce(DuplexStream) -> T) -> T {
    let (before, after) = cut(data);
    now(async {
        let (ours, mut theirs) = tokio::io::duplex(64 << 10);
        let peer = async {
            theirs.read_exact(&mut [0; 4]).await?;
            theirs.write_all(before).await?;
            tokio::task::yield_now().await;
            theirs.write_all(after).await?;
            theirs.shutdown().await?;
            tokio::io::copy(&mut theirs, &mut tokio::io::sink()).await
        };
        tokio::join!(ask(ours), peer).0
    })
}

fn cut(data: &[u8]) -> (&[u8], &[u8]) {
    let (place, data) = data.split_first().map_or((0, data), |(place, data)| (usize::from(*place), data));
    data.split_at(place.min(data.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn no_saved_input_ends_the_process() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus");
        for (name, run) in TARGETS {
            run(&[]);
            let files: Vec<_> = std::fs::read_dir(corpus.join(name)).unwrap().map(|f| f.unwrap().path()).collect();
            assert!(!files.is_empty(), "no input for {name}");
            for file in files {
                // The last line of the output where one does not return.
                eprintln!("{}", file.display());
                run(&std::fs::read(file).unwrap());
            }
        }
        let folders = std::fs::read_dir(corpus).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
        for folder in folders {
            assert!(TARGETS.iter().any(|(name, _)| *name == folder), "{folder} has no function");
        }
    }
}
