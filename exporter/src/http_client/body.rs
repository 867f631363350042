//! The body of an answer: decompressed as it comes, never past its limit.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use hyper::header::HeaderValue;

use super::error::{ErrorKind, Fault, excerpt};

/// Compressed bytes given to the decoder at once: deflate makes at most about 1000 bytes of one.
const PIECE: usize = 4 << 10;

/// Takes a body's bytes as they come.
#[derive(Debug)]
pub(crate) struct Body {
    limit: u64,
    raw: u64,
    decoder: Decoder,
}

#[derive(Debug)]
enum Decoder {
    Identity(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
}

/// Where decompressed bytes end.
#[derive(Debug)]
struct Sink {
    limit: u64,
    kept: Vec<u8>,
}

/// Marks an error as the limit's, on its way through the decoder.
#[derive(Debug, thiserror::Error)]
#[error("too large")]
struct OverLimit;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.kept.len() as u64).saturating_add(bytes.len() as u64) > self.limit {
            return Err(io::Error::other(OverLimit));
        }
        self.kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Body {
    /// Nothing read yet; `encoding` is the answer's `Content-Encoding`.
    pub(crate) fn new(limit: u64, encoding: Option<&HeaderValue>) -> Result<Self, Fault> {
        let sink = Sink { limit, kept: Vec::new() };
        let name = encoding.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase());
        let decoder = match name.as_deref() {
            None | Some("" | "identity") => Decoder::Identity(sink),
            Some("gzip" | "x-gzip") => Decoder::Gzip(Box::new(MultiGzDecoder::new(sink))),
            Some(other) => {
                return Err(Fault::new(
                    ErrorKind::NotTheApi,
                    format_args!(
                        "the answer is compressed as `{}`, which was not asked for; only gzip was",
                        excerpt(other)
                    ),
                ));
            }
        };
        Ok(Self { limit, raw: 0, decoder })
    }

    /// Takes a part of the body.
    pub(crate) fn take(&mut self, data: &[u8]) -> Result<(), Fault> {
        self.raw = self.raw.saturating_add(data.len() as u64);
        if self.raw > self.limit {
            return Err(self.too_large());
        }
        for piece in data.chunks(PIECE) {
            let written = match &mut self.decoder {
                Decoder::Identity(sink) => sink.write_all(piece),
                Decoder::Gzip(decoder) => decoder.write_all(piece),
            };
            written.map_err(|error| self.fault(&error))?;
        }
        Ok(())
    }

    /// The whole body; a compressed one must have come to its end.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, Fault> {
        if let Decoder::Gzip(decoder) = &mut self.decoder
            && self.raw > 0
            && let Err(error) = decoder.try_finish()
        {
            return Err(self.fault(&error));
        }
        Ok(match self.decoder {
            Decoder::Identity(mut sink) => std::mem::take(&mut sink.kept),
            Decoder::Gzip(mut decoder) => std::mem::take(&mut decoder.get_mut().kept),
        })
    }

    pub(crate) fn too_large(&self) -> Fault {
        Fault::new(
            ErrorKind::TooMuch,
            format_args!("the answer has more than {} MiB; ask for fewer series", self.limit >> 20),
        )
    }

    fn fault(&self, error: &io::Error) -> Fault {
        if error.get_ref().and_then(|inner| inner.downcast_ref::<OverLimit>()).is_some() {
            return self.too_large();
        }
        Fault::new(ErrorKind::NotTheApi, format_args!("the answer is not the gzip it says it is: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(limit: u64, encoding: Option<&'static str>, data: &[u8]) -> Result<Vec<u8>, ErrorKind> {
        let encoding = encoding.map(HeaderValue::from_static);
        let read = || {
            let mut body = Body::new(limit, encoding.as_ref())?;
            body.take(data)?;
            body.finish()
        };
        read().map_err(|fault: Fault| fault.kind)
    }

    #[test]
    fn the_limit_is_the_last_length_accepted() {
        for (encoding, body) in [(None, vec![b'x'; 5000]), (Some("gzip"), gzip(&[b'x'; 5000]))] {
            assert_eq!(read(5000, encoding, &body).unwrap(), [b'x'; 5000], "{encoding:?}");
            assert_eq!(read(4999, encoding, &body), Err(ErrorKind::TooMuch), "{encoding:?}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100 << 10);
        assert_eq!(read(1 << 20, Some("gzip"), &bomb), Err(ErrorKind::TooMuch));
    }

    #[test]
    fn what_is_not_compressed_as_said_or_cut_off_is_refused() {
        let whole = gzip(b"some text");
        assert_eq!(read(99, Some("GZIP"), &whole).unwrap(), b"some text");
        assert_eq!(read(99, Some("gzip"), &whole[..whole.len() - 4]), Err(ErrorKind::NotTheApi));
        assert_eq!(read(99, Some("gzip"), b"plain text, longer than a header"), Err(ErrorKind::NotTheApi));
        assert_eq!(read(99, Some("br"), b"x"), Err(ErrorKind::NotTheApi));
        assert_eq!(read(99, Some("gzip"), b"").unwrap(), b"");
    }
}
