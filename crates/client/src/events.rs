//! Listening to events.

use std::collections::VecDeque;

use broker::{Source, Subscription};
use protocol::Event;
use tracing::warn;

use crate::{Client, ClientError};

/// A stream of the events of workers and clients.
#[derive(Debug)]
pub struct EventReceiver {
    client: Client,
    messages: Subscription,
    ready: VecDeque<Event>,
}

impl EventReceiver {
    pub(crate) async fn open(client: &Client, binding_key: &str) -> Result<Self, ClientError> {
        let exchange = client.options().event_exchange.clone();
        let source = Source::Broadcast {
            exchange,
            binding_key: binding_key.to_owned(),
        };
        let messages = client
            .backends()
            .broker
            .subscribe(source)
            .await
            .map_err(ClientError::broker("listen to events"))?;
        Ok(Self {
            client: client.clone(),
            messages,
            ready: VecDeque::new(),
        })
    }

    /// The next event; `None` when the broker was closed. What cannot be read is logged and left out. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(self.clocked(event));
            }
            let message = self.messages.next().await?;
            let options = self.client.options();
            match Event::from_message(&message, &options.accept_content, &options.limits) {
                Ok(events) => self.ready.extend(events),
                Err(error) => warn!(%error, "an event cannot be read"),
            }
        }
    }

    /// Moves the clock. Clients do not synchronise theirs, so what they have sent counts as sent just before now.
    fn clocked(&self, mut event: Event) -> Event {
        let clock = self.client.clock();
        let own = || i64::try_from(clock.value()).unwrap_or(i64::MAX);
        match event.clock {
            Some(_) if event.kind == "task-sent" => event.clock = Some(own().saturating_sub(1)),
            Some(_) => {}
            None => event.clock = i64::try_from(clock.forward()).ok(),
        }
        clock.adjust(event.clock);
        event
    }
}
