//! Layers: what stands before a server and does some things in its own way leaves the others to the one below.

mod broker;
mod consumer;
mod coordinator;

pub use broker::BrokerLayer;
pub use consumer::ConsumerLayer;
pub use coordinator::CoordinatorLayer;
