//! The body of an answer: counted or kept, decompressed where asked, never past its limit.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder};

use crate::probe::{Failure, Reason};

/// Compressed bytes given to the decoder at once: deflate makes at most about 1000 bytes of one.
const PIECE: usize = 256;
/// Decompressed bytes that a brotli decoder hands on at once.
const BROTLI_BUFFER: usize = 4096;
/// Decompressed bytes after which other tasks have their turn.
const TURN: u64 = 256 << 10;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Deflate,
    Brotli,
}

impl Compression {
    /// Its name in `Content-Encoding`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }
}

/// Takes a body's bytes as they come.
#[derive(Debug)]
pub(super) struct Reader {
    limit: u64,
    raw: u64,
    compression: Option<Compression>,
    decoder: Decoder,
}

enum Decoder {
    None(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
    Deflate(Box<DeflateDecoder<Sink>>),
    Brotli(Box<DecompressorWriter<Sink>>),
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

/// Where decompressed bytes end.
#[derive(Debug)]
struct Sink {
    limit: u64,
    length: u64,
    kept: Option<Vec<u8>>,
}

/// Marks an error as the limit's, on its way through the decoder.
#[derive(Debug, thiserror::Error)]
#[error("too large")]
struct OverLimit;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length = self.length.saturating_add(bytes.len() as u64);
        if self.length > self.limit {
            return Err(io::Error::other(OverLimit));
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader {
    /// Nothing read yet; `keep` the bytes or only count them.
    pub(super) fn new(limit: u64, compression: Option<Compression>, keep: bool) -> Self {
        let sink = Sink { limit, length: 0, kept: keep.then(Vec::new) };
        let decoder = match compression {
            None => Decoder::None(sink),
            Some(Compression::Gzip) => Decoder::Gzip(Box::new(MultiGzDecoder::new(sink))),
            Some(Compression::Deflate) => Decoder::Deflate(Box::new(DeflateDecoder::new(sink))),
            Some(Compression::Brotli) => Decoder::Brotli(Box::new(DecompressorWriter::new(sink, BROTLI_BUFFER))),
        };
        Self { limit, raw: 0, compression, decoder }
    }

    /// Takes a part of the body.
    ///
    /// # Errors
    /// Reason `too_large`; `body` where it is not compressed as it should be.
    pub(super) async fn take(&mut self, data: Bytes) -> Result<(), Failure> {
        self.raw = self.raw.saturating_add(data.len() as u64);
        if self.raw > self.limit {
            return Err(self.too_large());
        }
        if let Decoder::None(sink) = &mut self.decoder {
            let result = sink.write_all(&data);
            return result.map_err(|error| self.failure(&error));
        }
        let mut turn = self.length();
        for piece in data.chunks(PIECE) {
            let result = match &mut self.decoder {
                Decoder::None(sink) => sink.write_all(piece),
                Decoder::Gzip(decoder) => decoder.write_all(piece),
                Decoder::Deflate(decoder) => decoder.write_all(piece),
                Decoder::Brotli(decoder) => decoder.write_all(piece),
            };
            result.map_err(|error| self.failure(&error))?;
            if self.length() - turn > TURN {
                turn = self.length();
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// The end: the length after decompression, and the bytes where they were kept.
    ///
    /// # Errors
    /// As [`take`](Self::take): the end of compressed data may be missing.
    pub(super) fn finish(mut self) -> Result<(u64, Vec<u8>), Failure> {
        if self.raw > 0 {
            let result = match &mut self.decoder {
                Decoder::None(_) => Ok(()),
                Decoder::Gzip(decoder) => decoder.try_finish(),
                Decoder::Deflate(decoder) => decoder.try_finish(),
                Decoder::Brotli(decoder) => decoder.close(),
            };
            result.map_err(|error| self.failure(&error))?;
        }
        let length = self.length();
        let kept = match &mut self.decoder {
            Decoder::None(sink) => sink.kept.take(),
            Decoder::Gzip(decoder) => decoder.get_mut().kept.take(),
            Decoder::Deflate(decoder) => decoder.get_mut().kept.take(),
            Decoder::Brotli(decoder) => decoder.get_mut().kept.take(),
        };
        Ok((length, kept.unwrap_or_default()))
    }

    fn length(&self) -> u64 {
        match &self.decoder {
            Decoder::None(sink) => sink.length,
            Decoder::Gzip(decoder) => decoder.get_ref().length,
            Decoder::Deflate(decoder) => decoder.get_ref().length,
            Decoder::Brotli(decoder) => decoder.get_ref().length,
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        if error.get_ref().and_then(|inner| inner.downcast_ref::<OverLimit>()).is_some() {
            return self.too_large();
        }
        let name = self.compression.map_or("identity", Compression::name);
        Failure::new(Reason::Body, format_args!("the body is not {name} as `compression` says: {error}"))
    }

    pub(super) fn too_large(&self) -> Failure {
        let how = if self.compression.is_some() { ", decompressed or as sent" } else { "" };
        Failure::new(
            Reason::TooLarge,
            format_args!("the body has more than the {} bytes of body_size_limit{how}", self.limit),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    async fn read(limit: u64, compression: Option<Compression>, data: Bytes) -> Result<(u64, Vec<u8>), Failure> {
        let mut reader = Reader::new(limit, compression, true);
        reader.take(data).await?;
        reader.finish()
    }

    #[tokio::test]
    async fn the_limit_is_the_last_length_accepted() {
        let body = Bytes::from(vec![b'x'; 100]);
        assert_eq!(read(100, None, body.clone()).await.unwrap().0, 100);
        assert_eq!(read(99, None, body).await.unwrap_err().reason, Reason::TooLarge);
        let packed = gzip(&[b'x'; 5000]);
        assert_eq!(read(5000, Some(Compression::Gzip), packed.clone()).await.unwrap().0, 5000);
        assert_eq!(read(4999, Some(Compression::Gzip), packed).await.unwrap_err().reason, Reason::TooLarge);
    }

    #[tokio::test]
    async fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100 << 10);
        assert_eq!(read(1 << 20, Some(Compression::Gzip), bomb).await.unwrap_err().reason, Reason::TooLarge);
    }

    #[tokio::test]
    async fn brotli_is_read_to_its_end_and_no_further_than_the_limit() {
        // `some text`, and 64 MiB of zeros, made by another implementation.
        let whole = Bytes::from_static(b"\x0b\x04\x80some text\x03");
        assert_eq!(read(100, Some(Compression::Brotli), whole.clone()).await.unwrap().1, b"some text");
        let cut = whole.slice(..whole.len() - 2);
        assert_eq!(read(100, Some(Compression::Brotli), cut).await.unwrap_err().reason, Reason::Body);
        let noise = Bytes::from_static(b"plain text, long enough for a header");
        assert_eq!(read(100, Some(Compression::Brotli), noise).await.unwrap_err().reason, Reason::Body);
        let bomb = Bytes::from_static(&[
            0xcb, 0xff, 0xff, 0x3f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x8f, 0xff, 0xff, 0x7f, 0xf0,
            0x4f, 0x00, 0xc4, 0x61, 0x11, 0x80, 0xee, 0xfd, 0x1f, 0xff, 0xff, 0xff, 0xe0, 0x9f, 0x00, 0x88, 0xc3, 0x02,
            0x00, 0xdd, 0xfb, 0x3f, 0xfe, 0xff, 0xff, 0xc1, 0x3f, 0x01, 0x10, 0x87, 0x05, 0x00, 0xba, 0xf7, 0x7f, 0xfc,
            0xff, 0xff, 0x83, 0x7f, 0x02, 0x20, 0x0e, 0x0b, 0x00, 0x74, 0xef, 0xff, 0xf8, 0xff, 0xff, 0x07, 0xff, 0x04,
            0x40, 0x1c, 0x16, 0x00, 0xe8, 0xde, 0xff, 0xf1, 0xff, 0xff, 0x0f, 0xfe, 0x09, 0x80, 0x38, 0x2c, 0x00, 0xd0,
            0xbd, 0xff, 0xcb, 0xff, 0xff, 0x3f, 0xfc, 0x13, 0x00, 0x71, 0x58, 0x00, 0xa0, 0x7b, 0xff, 0x07,
        ]);
        assert_eq!(read(64 << 20, Some(Compression::Brotli), bomb.clone()).await.unwrap().0, 64 << 20);
        assert_eq!(read(1 << 20, Some(Compression::Brotli), bomb).await.unwrap_err().reason, Reason::TooLarge);
    }

    #[tokio::test]
    async fn what_is_not_compressed_as_said_fails_and_what_is_cut_off_too() {
        let plain = Bytes::from_static(b"plain text, long enough for a header");
        assert_eq!(read(100, Some(Compression::Gzip), plain).await.unwrap_err().reason, Reason::Body);
        let whole = gzip(b"some text");
        let cut = whole.slice(..whole.len() - 4);
        assert_eq!(read(100, Some(Compression::Gzip), cut).await.unwrap_err().reason, Reason::Body);
        assert_eq!(read(100, Some(Compression::Gzip), whole).await.unwrap().1, b"some text");
        assert_eq!(read(100, Some(Compression::Gzip), Bytes::new()).await.unwrap().0, 0);
    }
}
