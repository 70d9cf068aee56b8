//! The file: JSON lines, compressed with zstd unless that is not wanted. The first line says what follows, the last one how
//! many rows there were and the SHA-256 of everything before it, so that a file that was cut short or changed is noticed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::contents::FORMAT;
use super::{Cell, Contents, unusable};
use crate::error::{Error, Result};

/// A line longer than this is no row.
const LONGEST_LINE: u64 = 1 << 28;
/// What zstd's frames begin with.
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The last line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    rows: u64,
    sha256: String,
}

/// Where lines go.
enum Output<W: Write> {
    Plain(BufWriter<W>),
    Zstd(zstd::Encoder<'static, BufWriter<W>>),
}

/// Writes lines.
pub(super) struct Writer<W: Write> {
    output: Output<W>,
    hash: Sha256,
    rows: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(file: W, compress: bool) -> io::Result<Writer<W>> {
        let file = BufWriter::new(file);
        let output = if compress {
            let mut encoder = zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            encoder.include_checksum(true)?;
            Output::Zstd(encoder)
        } else {
            Output::Plain(file)
        };
        Ok(Writer {
            output,
            hash: Sha256::new(),
            rows: 0,
        })
    }

    pub(super) fn contents(&mut self, contents: &Contents) -> io::Result<()> {
        self.line(contents)
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.rows += 1;
        let values: Vec<Value> = cells.iter().map(Cell::to_json).collect();
        self.line(&values)
    }

    /// Writes the last line and everything that is still on its way.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let end = End {
            rows: self.rows,
            sha256: hex::encode(self.hash.clone().finalize()),
        };
        self.line(&end)?;
        match self.output {
            Output::Plain(mut file) => file.flush(),
            Output::Zstd(encoder) => encoder.finish()?.flush(),
        }
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.hash.update(&line);
        match &mut self.output {
            Output::Plain(file) => file.write_all(&line),
            Output::Zstd(encoder) => encoder.write_all(&line),
        }
    }
}

/// Reads a file's lines.
pub(super) struct Reader {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    hash: Sha256,
    rows: u64,
}

impl Reader {
    /// Opens the file and reads its first line.
    pub(super) fn open(path: &Path) -> Result<(Reader, Contents)> {
        let mut reader = Reader {
            path: path.to_owned(),
            input: input(path)?,
            hash: Sha256::new(),
            rows: 0,
        };
        let contents: Contents = reader.line()?;
        if contents.format != FORMAT {
            let problem = format!("its format is {:?}, not {FORMAT}", contents.format);
            return Err(unusable(path, problem));
        }
        Ok((reader, contents))
    }

    /// The next row, which must have this many values.
    pub(super) fn row(&mut self, columns: usize) -> Result<Vec<Cell>> {
        let values: Vec<Value> = self.line()?;
        self.rows += 1;
        let cells: Option<Vec<Cell>> = values.into_iter().map(Cell::from_json).collect();
        cells
            .filter(|cells| cells.len() == columns)
            .ok_or_else(|| self.problem("it is damaged: a row is not as its table"))
    }

    /// Reads the last line and holds it against what was read.
    pub(super) fn finish(mut self) -> Result<()> {
        let read = End {
            rows: self.rows,
            sha256: hex::encode(self.hash.clone().finalize()),
        };
        let said: End = self.line()?;
        let mut rest = [0];
        let more = self
            .input
            .read(&mut rest)
            .map_err(|error| self.cut(&error))?;
        if said != read || more > 0 {
            return Err(self.problem("its checksum does not fit: it was changed or damaged"));
        }
        Ok(())
    }

    fn line<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.input).take(LONGEST_LINE);
        let read = bounded.read_until(b'\n', &mut line);
        read.map_err(|error| self.cut(&error))?;
        if line.last() != Some(&b'\n') {
            return Err(self.problem("it is cut short"));
        }
        self.hash.update(&line);
        serde_json::from_slice(&line)
            .map_err(|_| self.problem("it is damaged, or no backup: a line is not as it must be"))
    }

    fn cut(&self, error: &io::Error) -> Error {
        self.problem(&format!("it is cut short or damaged: {error}"))
    }

    fn problem(&self, problem: &str) -> Error {
        unusable(&self.path, problem)
    }
}

fn input(path: &Path) -> Result<Box<dyn BufRead + Send>> {
    let failed = |source: io::Error| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    if file.fill_buf().map_err(failed)?.starts_with(&ZSTD) {
        let decoder = zstd::Decoder::with_buffer(file).map_err(failed)?;
        return Ok(Box::new(BufReader::new(decoder)));
    }
    Ok(Box::new(file))
}

/// Size and SHA-256 of a file.
pub(super) fn measure(path: &Path) -> Result<(u64, String)> {
    let failed = |source: io::Error| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            return Ok((bytes, hex::encode(hash.finalize())));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}
