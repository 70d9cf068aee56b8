//! Gossip: listens to the other workers, keeps the clock beyond theirs, and takes part in their elections.
//!
//! What a worker says when it starts is `mingle`; what it says of itself while it runs is `heartbeat`.

mod elections;
pub(crate) mod mingle;
mod peers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use broker::{Source, Subscription};
use protocol::{Event, Signature, Value};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::WorkerError;
use crate::engine::Engine;
use crate::events::{publish, stamp};
use crate::reach::reach;
use elections::{Candidate, Elections};
use peers::Peers;

/// How often lost workers are looked for; Celery's.
const LOOK: Duration = Duration::from_secs(5);
/// How long the other candidates of an election have to come forward before one is acknowledged.
const CANDIDACY: Duration = Duration::from_millis(200);

/// What is known of the other workers.
#[derive(Debug)]
pub(crate) struct Gossip {
    engine: Arc<Engine>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    peers: Peers,
    elections: Elections,
}

impl Gossip {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            state: Mutex::default(),
        }
    }

    /// Listens from now on.
    pub(crate) async fn listen(&self) -> Result<Subscription, WorkerError> {
        let client = &self.engine.client;
        let source = Source::Broadcast {
            exchange: client.options().event_exchange.clone(),
            binding_key: "worker.#".to_owned(),
        };
        let listen = || client.backends().broker.subscribe(source.clone());
        reach(&self.engine, "listening to other workers", listen).await
    }

    /// Runs until cancelled, or until the broker is closed.
    pub(crate) async fn run(self: Arc<Self>, mut events: Subscription, stop: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => self.lock().peers.drop_lost(Instant::now()),
                message = events.next() => match message {
                    Some(message) => self.receive(&message),
                    None => return,
                },
            }
        }
    }

    /// Calls an election: every worker that gossips runs for it and one does what `action` says.
    pub(crate) async fn elect(&self, id: &str, topic: &str, action: Value) {
        self.lock().elections.open(id);
        let event = Event::worker_elect(stamp(&self.engine), id, topic, action);
        publish(&self.engine.client, &[event]).await;
    }

    fn receive(&self, message: &protocol::Message) {
        let settings = &self.engine.settings;
        match Event::from_message(message, &settings.accept_content, &settings.limits) {
            Ok(events) => {
                events.iter().for_each(|event| self.handle(event));
            }
            Err(error) => warn!(%error, "an event of another worker cannot be read"),
        }
    }

    fn handle(&self, event: &Event) {
        let clock = self.engine.client.clock();
        let is_own = event.hostname == self.engine.settings.hostname;
        if is_own {
            clock.forward();
        } else {
            clock.adjust(event.clock);
        }
        match event.kind.as_str() {
            "worker-elect" => self.on_elect(event),
            "worker-elect-ack" => self.on_acknowledged(event),
            _ if !is_own => self.lock().peers.heard(event, Instant::now()),
            _ => {}
        }
    }

    /// Somebody runs for an election; that is acknowledged, or the others could never finish the vote. But not at once: a Python worker
    /// that has heard of one candidate only cannot tell who leads.
    fn on_elect(&self, event: &Event) {
        let Some((id, candidate)) = Candidate::of(event) else {
            return error!("a candidate says too little to be elected");
        };
        self.lock().elections.run_for(&id, candidate);
        let engine = Arc::clone(&self.engine);
        tokio::spawn(async move {
            tokio::time::sleep(CANDIDACY).await;
            let event = Event::worker_elect_ack(stamp(&engine), &id);
            publish(&engine.client, &[event]).await;
        });
    }

    fn on_acknowledged(&self, event: &Event) {
        let Some(id) = event.text("id") else { return };
        let mut state = self.lock();
        let alive = state.peers.alive(Instant::now());
        let Some(leader) = state.elections.acknowledge(id, alive) else {
            return;
        };
        drop(state);
        let own = format!("{}.{}", self.engine.settings.hostname, std::process::id());
        if leader.name != own {
            return info!(leader = leader.name, id, "another worker won the election");
        }
        info!(id, "this worker won the election");
        self.lead(leader);
    }

    fn lead(&self, leader: Candidate) {
        if leader.topic != "task" {
            return error!(topic = leader.topic, "unknown election topic");
        }
        let engine = Arc::clone(&self.engine);
        tokio::spawn(async move {
            let signature = match Signature::from_value(leader.action) {
                Ok(signature) => signature,
                Err(error) => return error!(%error, "the elected task cannot be read"),
            };
            match engine.client.apply(signature).await {
                Ok(_) => debug!("the elected task was sent"),
                Err(error) => error!(%error, "the elected task was not sent"),
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
