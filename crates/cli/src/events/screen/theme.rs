//! Colours and marks. Without colours everything can still be told apart.

use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    pub(super) color: bool,
}

impl Theme {
    fn colored(self, color: Color) -> Style {
        if self.color {
            Style::new().fg(color)
        } else {
            Style::new()
        }
    }

    pub(super) fn title(self) -> Style {
        self.colored(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(super) fn good(self) -> Style {
        self.colored(Color::Green)
    }

    pub(super) fn bad(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn warning(self) -> Style {
        self.colored(Color::Yellow)
    }

    /// What a state looks like.
    pub(super) fn state(self, state: &str) -> Style {
        match state {
            "SUCCESS" => self.good(),
            "FAILURE" => self.bad(),
            "RETRY" | "REVOKED" | "REJECTED" | "CANCELLED" => self.warning(),
            "STARTED" => self.colored(Color::Cyan),
            _ => self.dim(),
        }
    }
}
