//! Task messages: one view for reading whatever protocol a sender used, one builder for sending.

mod chain;
mod embed;
mod message;
mod remains;
mod request;

pub use chain::Chain;
pub use embed::Embed;
pub use message::TaskMessage;
pub use request::TaskRequest;

/// The version of the task message format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Everything in the body, as one map.
    One,
    /// Metadata in the headers, body `[args, kwargs, embed]`; the default.
    #[default]
    Two,
}
