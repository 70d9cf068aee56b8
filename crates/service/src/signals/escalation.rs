//! How one signal after the other ends sooner, by Celery's rules: the first INT is patient, each QUIT is less so.

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Finish what runs.
    Warm,
    /// Finish what runs for a while, then give it back.
    Soft,
    /// Give back what runs, now.
    Cold,
    /// End the process.
    Exit,
}

/// The signals so far.
#[derive(Debug, Default)]
pub(super) struct Escalation {
    interrupted: bool,
    quits: u32,
    remapped: bool,
}

impl Escalation {
    /// Nothing came yet. `remapped`: TERM means QUIT.
    pub(super) fn new(remapped: bool) -> Self {
        Self {
            remapped,
            ..Self::default()
        }
    }

    /// TERM: patient, however often it comes.
    pub(super) fn terminate(&mut self) -> Ask {
        if self.remapped {
            self.quit()
        } else {
            Ask::Warm
        }
    }

    /// INT: patient the first time, then as QUIT.
    pub(super) fn interrupt(&mut self) -> Ask {
        let first = !self.interrupted && self.quits == 0;
        self.interrupted = true;
        if first { Ask::Warm } else { self.quit() }
    }

    /// QUIT.
    pub(super) fn quit(&mut self) -> Ask {
        self.quits = self.quits.saturating_add(1);
        match self.quits {
            1 => Ask::Soft,
            2 => Ask::Cold,
            _ => Ask::Exit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn term_stays_patient() {
        let mut escalation = Escalation::new(false);
        assert_eq!([(); 3].map(|()| escalation.terminate()), [Ask::Warm; 3]);
        assert_eq!(escalation.quit(), Ask::Soft);
        assert_eq!(escalation.terminate(), Ask::Warm);
    }

    #[test]
    fn each_interrupt_ends_sooner() {
        let mut escalation = Escalation::new(false);
        let asked = [(); 4].map(|()| escalation.interrupt());
        assert_eq!(asked, [Ask::Warm, Ask::Soft, Ask::Cold, Ask::Exit]);
    }

    #[test]
    fn an_interrupt_after_a_quit_is_another_quit() {
        let mut escalation = Escalation::new(false);
        let asked = [escalation.quit(), escalation.interrupt(), escalation.quit()];
        assert_eq!(asked, [Ask::Soft, Ask::Cold, Ask::Exit]);
    }

    #[test]
    fn a_remapped_term_is_a_quit() {
        let mut escalation = Escalation::new(true);
        let asked = [(); 3].map(|()| escalation.terminate());
        assert_eq!(asked, [Ask::Soft, Ask::Cold, Ask::Exit]);
    }
}
