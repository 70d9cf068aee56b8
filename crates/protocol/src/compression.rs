//! Compression of bodies and results, by kombu's names, with a bound on what comes out.

use std::io::{self, Read, Write};

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::limits::Limits;

/// A compression of message bodies and results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// A zlib stream; kombu calls it `gzip` or `zlib`.
    Zlib,
    /// bzip2.
    Bzip2,
    /// The xz container; kombu calls it `lzma`.
    Lzma,
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
}

/// Whether something is compressed, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Packing {
    /// With what; `None` leaves everything as it is.
    pub compression: Option<Compression>,
    /// What has fewer bytes than this is left as it is; 0 compresses everything.
    pub threshold: usize,
}

impl Packing {
    /// The compression for these bytes.
    pub fn choose(&self, bytes: &[u8]) -> Option<Compression> {
        self.compression.filter(|_| bytes.len() >= self.threshold)
    }
}

impl From<Option<Compression>> for Packing {
    fn from(compression: Option<Compression>) -> Self {
        Self {
            compression,
            threshold: 0,
        }
    }
}

/// Every compression: (compression, mime type, other names).
const TABLE: [(Compression, &str, &[&str]); 5] = [
    (
        Compression::Zlib,
        "application/x-gzip",
        &["gzip", "zlib", "application/gzip"],
    ),
    (
        Compression::Bzip2,
        "application/x-bz2",
        &["bzip2", "bzip", "application/x-bzip2"],
    ),
    (Compression::Lzma, "application/x-lzma", &["lzma", "xz"]),
    (Compression::Brotli, "application/x-brotli", &["brotli"]),
    (
        Compression::Zstd,
        "application/zstd",
        &["zstd", "zstandard", "application/zstandard"],
    ),
];

const BROTLI_BUFFER: usize = 4_096;
const BROTLI_QUALITY: u32 = 5;
const BROTLI_WINDOW: u32 = 22;
const XZ_PRESET: u32 = 6;

impl Compression {
    /// Finds a compression by short name or mime type.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn from_name(name: &str) -> Result<Self, DecodeError> {
        let found = TABLE
            .iter()
            .find(|(_, mime, names)| *mime == name || names.contains(&name));
        found.map(|(compression, ..)| *compression).ok_or_else(|| {
            let shown: String = name.chars().take(80).collect();
            let known = "known are gzip, bzip2, lzma, brotli and zstd";
            let detail = format!("unknown compression {shown:?}; {known}");
            DecodeError::new(DecodeErrorKind::Compression, detail)
        })
    }

    /// The mime type that goes into headers.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Zlib => "application/x-gzip",
            Self::Bzip2 => "application/x-bz2",
            Self::Lzma => "application/x-lzma",
            Self::Brotli => "application/x-brotli",
            Self::Zstd => "application/zstd",
        }
    }

    /// Compresses.
    ///
    /// # Errors
    /// When the compressor fails, which takes a fault of its own.
    pub fn compress(self, bytes: &[u8]) -> Result<Vec<u8>, EncodeError> {
        self.try_compress(bytes)
            .map_err(|source| EncodeError::Compression {
                name: self.content_type(),
                source,
            })
    }

    fn try_compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zlib => {
                let mut encoder =
                    flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Bzip2 => {
                let mut encoder =
                    bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Lzma => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), XZ_PRESET);
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Brotli => {
                let mut out = Vec::new();
                let mut encoder = brotli::CompressorWriter::new(
                    &mut out,
                    BROTLI_BUFFER,
                    BROTLI_QUALITY,
                    BROTLI_WINDOW,
                );
                encoder.write_all(bytes)?;
                encoder.flush()?;
                drop(encoder);
                Ok(out)
            }
            Self::Zstd => zstd::stream::encode_all(bytes, 0),
        }
    }

    /// Decompresses, stopping at `limits.decompressed` bytes.
    ///
    /// # Errors
    /// When the stream is broken or cut short, or holds more than the limit.
    pub fn decompress(self, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, DecodeError> {
        let limit = limits.decompressed;
        match self {
            Self::Zlib => bounded(flate2::read::ZlibDecoder::new(bytes), limit),
            Self::Bzip2 => bounded(bzip2::read::BzDecoder::new(bytes), limit),
            Self::Lzma => unxz(bytes, limit),
            Self::Brotli if has_large_window(bytes) => Err(Fault::Broken(io::Error::other(
                "windows above 16 MiB are not supported",
            ))),
            Self::Brotli => bounded(brotli::Decompressor::new(bytes, BROTLI_BUFFER), limit),
            Self::Zstd => unzstd(bytes, limit),
        }
        .map_err(|fault| match fault {
            Fault::Broken(error) => self.broken(&error),
            Fault::TooLarge => DecodeError::new(
                DecodeErrorKind::TooLarge,
                format!("decompressed content is larger than the limit of {limit} bytes"),
            ),
        })
    }

    fn broken(self, error: &io::Error) -> DecodeError {
        let detail = format!("broken {} stream: {error}", self.content_type());
        DecodeError::new(DecodeErrorKind::Compression, detail)
    }
}

/// The xz decoder allocates its dictionary at once, so it gets the bound as well.
fn unxz(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let memory = u64::try_from(limit).unwrap_or(u64::MAX).max(XZ_MEMORY);
    let stream = liblzma::stream::Stream::new_stream_decoder(memory, 0);
    let stream = stream.map_err(|error| Fault::Broken(error.into()))?;
    bounded(liblzma::read::XzDecoder::new_stream(bytes, stream), limit)
}

/// A zstd frame says how large a window it wants; more than the bound is never needed.
fn unzstd(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let window = limit.max(1).ilog2().clamp(ZSTD_WINDOW, ZSTD_LARGEST_WINDOW);
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(Fault::Broken)?;
    decoder.window_log_max(window).map_err(Fault::Broken)?;
    bounded(decoder, limit)
}

/// True for brotli's extension to windows of up to a gigabyte, which standard streams reserve.
fn has_large_window(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|byte| byte & 0x7f == 0x11)
}

/// Windows of the usual zstd levels, as a power of two.
const ZSTD_WINDOW: u32 = 23;
/// The largest window any zstd frame may ask for here, as a power of two.
const ZSTD_LARGEST_WINDOW: u32 = 27;

/// Enough for the dictionaries of the usual presets.
const XZ_MEMORY: u64 = 100 << 20;

enum Fault {
    Broken(io::Error),
    TooLarge,
}

/// Reads at most `limit` bytes; one more is a fault.
fn bounded(reader: impl Read, limit: usize) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut limited = reader.take(bound.saturating_add(1));
    limited.read_to_end(&mut out).map_err(Fault::Broken)?;
    if out.len() > limit {
        Err(Fault::TooLarge)
    } else {
        Ok(out)
    }
}

/// Decompresses by the name in a header.
pub(crate) fn decompress_named(
    name: &str,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Vec<u8>, DecodeError> {
    Compression::from_name(name)?.decompress(bytes, limits)
}
