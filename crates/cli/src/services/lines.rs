//! Printing what several processes write, line by line: logs with a prefix, a task's own output untouched.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};

use tokio::sync::Notify;

/// The longest line that is kept whole.
const LONGEST: u64 = 64 << 10;

/// A colour of the prefix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Color(u8);

impl Color {
    /// Colours in turn.
    pub(crate) fn of(index: usize) -> Self {
        const ANSI: [u8; 6] = [36, 33, 35, 32, 34, 31];
        Self(ANSI[index % ANSI.len()])
    }
}

/// Writes lines of one source.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    prefix: String,
}

impl Printer {
    /// A printer whose log lines begin with `name`, padded to `width`; coloured on a terminal.
    pub(crate) fn new(name: &str, width: usize, color: Color) -> Self {
        let colored = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let prefix = match colored {
            true => format!("\x1b[{}m{name:width$} |\x1b[0m ", color.0),
            false => format!("{name:width$} | "),
        };
        Self { prefix }
    }

    /// Writes one line of the manager's own.
    pub(crate) fn say(&self, text: &str) {
        self.log(text.as_bytes());
    }

    fn log(&self, line: &[u8]) {
        write_line(std::io::stderr().lock(), self.prefix.as_bytes(), line);
    }

    /// Copies a process's log to standard error until it ends, a prefix before each line. Blocks.
    pub(crate) fn copy_log(&self, source: impl Read) {
        for_each_line(source, |line| self.log(line));
    }

    /// Copies what tasks print to standard output until it ends, each line as it is, and notifies after each. Blocks.
    pub(crate) fn copy_output(source: impl Read, printed: &Notify) {
        for_each_line(source, |line| {
            write_line(std::io::stdout().lock(), b"", line);
            printed.notify_one();
        });
    }
}

/// Writes a line in one piece. A reader that has gone is not an error of the services.
fn write_line(mut target: impl Write, prefix: &[u8], line: &[u8]) {
    let whole = [prefix, line, b"\n"].concat();
    let _ = target.write_all(&whole).and_then(|()| target.flush());
}

fn for_each_line(source: impl Read, mut print: impl FnMut(&[u8])) {
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    while let Ok(1..) = source.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
        print(line.strip_suffix(b"\n").unwrap_or(&line));
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for_each_line(text, |line| all.push(line.to_vec()));
        all
    }

    #[test]
    fn lines_are_kept_whole_and_as_they_are() {
        assert_eq!(
            lines(b"a\n\n b \xff\nlast"),
            [&b"a"[..], b"", b" b \xff", b"last"]
        );
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let cut = lines(&vec![b'x'; (LONGEST + 1) as usize]);
        assert_eq!(
            cut.iter().map(Vec::len).collect::<Vec<_>>(),
            [LONGEST as usize, 1]
        );
    }

    #[test]
    fn the_prefix_comes_first() {
        let mut out = Vec::new();
        write_line(&mut out, b"beat | ", b"text");
        assert_eq!(out, b"beat | text\n");
    }
}
