//! A real server whose clock a test holds: everything else is the server's.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use beat::Clock;
use broker::{Coordinator, CoordinatorLayer, Result};
use jiff::{SignedDuration, Timestamp};

/// Stands still until it is moved; also as the clock of a machine that agrees with the server's.
#[derive(Debug)]
pub struct HeldTime {
    server: Arc<dyn Coordinator>,
    shown: Mutex<Timestamp>,
}

impl HeldTime {
    pub fn at(shown: Timestamp, server: Arc<dyn Coordinator>) -> Arc<Self> {
        let shown = Mutex::new(shown);
        Arc::new(Self { server, shown })
    }

    pub fn shown(&self) -> Timestamp {
        *self.shown.lock().unwrap()
    }

    pub fn pass(&self, time: SignedDuration) {
        *self.shown.lock().unwrap() += time;
    }
}

impl Clock for HeldTime {
    fn now(&self) -> Timestamp {
        self.shown()
    }
}

#[async_trait]
impl CoordinatorLayer for HeldTime {
    fn below(&self) -> &dyn Coordinator {
        &*self.server
    }

    async fn now(&self) -> Result<Timestamp> {
        Ok(self.shown())
    }
}
