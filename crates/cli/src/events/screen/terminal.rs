//! The terminal: taken over while the screen is shown and given back on every way out, and its keys.

use std::io;

use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::{DefaultTerminal, Frame};
use tokio::sync::mpsc;

use crate::error::Error;

/// Keys that wait to be read.
const WAITING: usize = 64;

/// The terminal in raw mode on its second screen. Dropping it, and a panic, restore it.
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    pub(super) fn open() -> Result<Self, Error> {
        ratatui::try_init().map(Self).map_err(failed)
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<(), Error> {
        self.0.draw(draw).map(drop).map_err(failed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that has gone needs no restoring.
        let _ = ratatui::try_restore();
    }
}

fn failed(source: io::Error) -> Error {
    Error::Io {
        what: "cannot draw on the terminal".to_owned(),
        source,
    }
}

/// What came from the terminal.
pub(super) enum Key {
    Pressed(KeyEvent),
    Resized,
}

/// The keyboard, read by a thread of its own: reading blocks.
pub(super) struct Keys(mpsc::Receiver<Key>);

impl Keys {
    pub(super) fn listen() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        std::thread::spawn(move || {
            while let Ok(event) = event::read() {
                let key = match event {
                    Event::Key(key) if key.kind != KeyEventKind::Release => Key::Pressed(key),
                    Event::Resize(..) => Key::Resized,
                    _ => continue,
                };
                if sender.blocking_send(key).is_err() {
                    return;
                }
            }
        });
        Self(receiver)
    }

    /// The next key; `None` when the terminal has gone. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Key> {
        self.0.recv().await
    }
}
