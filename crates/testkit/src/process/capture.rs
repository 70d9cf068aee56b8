//! Reads a child's two output streams into one list of lines, each on a thread of its own, so that a child
//! never blocks on a full pipe, whatever the test is doing.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::thread;

use tokio::sync::watch;

/// Which output a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of output, without its line end; bytes that are not UTF-8 are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it was written.
    pub stream: Stream,
    /// What was written.
    pub text: String,
}

/// Starts reading. The channel closes when both streams have ended.
pub(super) fn start(child: &mut Child) -> watch::Receiver<Vec<Line>> {
    let (sender, receiver) = watch::channel(Vec::new());
    if let Some(stdout) = child.stdout.take() {
        read(stdout, Stream::Stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        read(stderr, Stream::Stderr, sender);
    }
    receiver
}

fn read(source: impl Read + Send + 'static, stream: Stream, lines: watch::Sender<Vec<Line>>) {
    thread::spawn(move || {
        for bytes in BufReader::new(source).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&bytes);
            let text = text.trim_end_matches('\r').to_owned();
            lines.send_modify(|all| all.push(Line { stream, text }));
        }
    });
}
