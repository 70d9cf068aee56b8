//! A durable outbox for producers whose broker is down.
//!
//! [`OutboxBroker`] stands before a broker. What the broker takes goes there directly. What it does not take in time is written into
//! the [`Outbox`], one SQLite file, and is safe when `publish` returns; a sender in the same process, or in the next one that opens
//! the file, delivers it in its order when the broker answers, and deletes it only after the broker has confirmed it.
//!
//! * As long as something waits, whatever this process publishes waits behind it, so that one producer's order is kept.
//! * Delivery is at least once: a sender that dies between the broker's confirmation and the deletion, or a broker that answers too
//!   late, has the message published twice, with the same task id.
//! * One sender at a time delivers, whoever holds the lock of the file `<outbox>.lock`; it ends with its process.
//! * A message that the broker refuses for its own sake (no time would mend it) stays in the file with the reason and holds up nobody.
//!
//! It knows no server, and only what is published: broadcasts, results and chords have no outbox.

mod broker;
mod error;
mod file;
mod options;
mod schema;
mod sender;
mod stored;

pub use self::broker::OutboxBroker;
pub use error::OutboxError;
pub use file::{Outbox, Totals};
pub use options::OutboxOptions;
pub use sender::{Delivered, Sender};
pub use stored::Waiting;
