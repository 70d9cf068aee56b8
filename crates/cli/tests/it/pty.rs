//! `celeriac` on a terminal of its own, and what is on that terminal's screen.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::wait_until;

use crate::sandbox::PATIENCE;

/// A program on a pseudo-terminal. Dropping it kills the program.
pub(crate) struct Pty {
    child: Child,
    keyboard: Option<File>,
    parser: Arc<Mutex<vt100::Parser>>,
}

impl Pty {
    /// Starts a program on a screen of this many columns and rows.
    pub(crate) fn spawn(mut command: Command, columns: u16, rows: u16) -> Self {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(&size, None).unwrap();
        let end = |end: &OwnedFd| Stdio::from(end.try_clone().unwrap());
        command.stdin(end(&pty.slave)).stdout(end(&pty.slave));
        let child = command.stderr(end(&pty.slave)).spawn().unwrap();
        // The command keeps copies of the program's end: only without them a reader sees that the program has gone.
        drop((command, pty.slave));
        let keyboard = File::from(pty.master);
        let mut screen = keyboard.try_clone().unwrap();
        let parser = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let shown = parser.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                shown.lock().unwrap().process(&bytes[..count]);
            }
        });
        Self {
            child,
            keyboard: Some(keyboard),
            parser,
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// What is on the screen.
    pub(crate) fn picture(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    /// Whether the program has taken the screen over and not given it back.
    pub(crate) fn is_taken(&self) -> bool {
        self.parser.lock().unwrap().screen().alternate_screen()
    }

    /// Waits until a text is on the screen.
    pub(crate) async fn shows(&self, text: &str) {
        let shown = async || self.picture().contains(text);
        let waited = tokio::time::timeout(PATIENCE, wait_until(PATIENCE * 2, shown)).await;
        assert!(waited.is_ok(), "{text} is not in\n{}", self.picture());
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    pub(crate) async fn wait_exit(&mut self) -> ExitStatus {
        wait_until(PATIENCE, || {
            let ended = self.child.try_wait().unwrap().is_some();
            async move { ended }
        })
        .await;
        self.child.wait().unwrap()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
