//! Redis' protocol over a plain socket: commands gathered and sent at once, replies read in order. It allocates little and waits for
//! everything, so that what is measured with it is the server.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, bail};

/// Room for the replies to one batch.
const BUFFER: usize = 1 << 18;

/// A connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    replies: BufReader<TcpStream>,
    outgoing: Vec<u8>,
}

/// What the server answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A state or a number.
    Simple,
    /// A text, or none.
    Text(Option<Vec<u8>>),
    /// Several.
    List(Vec<Reply>),
}

impl Wire {
    /// Connects to `host:port`.
    pub(crate) fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            replies: BufReader::with_capacity(BUFFER, stream.try_clone()?),
            stream,
            outgoing: Vec::new(),
        })
    }

    /// Adds a command to what is sent next.
    pub(crate) fn command(&mut self, parts: &[&[u8]]) {
        self.header(b'*', parts.len());
        for part in parts {
            self.header(b'$', part.len());
            self.outgoing.extend_from_slice(part);
            self.outgoing.extend_from_slice(b"\r\n");
        }
    }

    /// Sends what was added and reads this many replies.
    pub(crate) fn exchange(&mut self, replies: usize) -> anyhow::Result<Vec<Reply>> {
        self.stream.write_all(&self.outgoing)?;
        self.outgoing.clear();
        (0..replies).map(|_| self.reply()).collect()
    }

    fn header(&mut self, kind: u8, length: usize) {
        write!(self.outgoing, "{}{length}\r\n", char::from(kind))
            .expect("writing to a vector does not fail");
    }

    fn reply(&mut self) -> anyhow::Result<Reply> {
        let mut line = Vec::new();
        self.replies.read_until(b'\n', &mut line)?;
        let line = std::str::from_utf8(&line)?.trim_end();
        let (kind, rest) = line.split_at_checked(1).context("the server hung up")?;
        Ok(match kind {
            "+" | ":" => Reply::Simple,
            "$" => Reply::Text(self.text(rest.parse()?)?),
            "*" => Reply::List(
                (0..rest.parse::<i64>()?)
                    .map(|_| self.reply())
                    .collect::<Result<_, _>>()?,
            ),
            _ => bail!("the server answered {line:?}"),
        })
    }

    fn text(&mut self, length: i64) -> anyhow::Result<Option<Vec<u8>>> {
        let Ok(length) = usize::try_from(length) else {
            return Ok(None);
        };
        let mut text = vec![0; length + 2];
        self.replies.read_exact(&mut text)?;
        text.truncate(length);
        Ok(Some(text))
    }
}

/// The text of a reply that is one.
pub(crate) fn text(reply: Reply) -> Option<String> {
    match reply {
        Reply::Text(text) => String::from_utf8(text?).ok(),
        Reply::Simple | Reply::List(_) => None,
    }
}

/// How many replies one is; 0 for what is no list.
pub(crate) fn length(reply: &Reply) -> usize {
    match reply {
        Reply::List(replies) => replies.len(),
        Reply::Simple | Reply::Text(_) => 0,
    }
}
