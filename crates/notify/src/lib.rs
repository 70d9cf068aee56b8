//! Telling people: a notification's channels, and how far each has got.
//!
//! * [`Settings`]: the mail server, the webhook and the push gateway of this installation.
//! * [`Preferences`]: what a user wants, from the user's row.
//! * [`Channels`]: the ways out, opened once for a process. [`Channels::deliver`] tries those of a notification that have not
//!   been sent yet and notes what became of each; [`Channels::mail`] sends one mail to anybody.
//!
//! The row that says what happened is written before and after each try. So a run that is killed and starts again sends only
//! what was not sent; the one try that was under way then is made again, with the same Message-ID, `webhook-id` and
//! `Idempotency-Key`, by which the other side can tell that it is the same. How often and when to try again is the caller's
//! business. There is no task queue in it.

mod attempt;
mod channels;
mod deliver;
mod email;
mod error;
mod http;
mod message;
mod preferences;
mod push;
mod reach;
mod settings;
mod webhook;

pub use attempt::Attempt;
pub use channels::Channels;
pub use deliver::Outlook;
pub use email::Mail;
pub use error::{Error, Result};
pub use preferences::Preferences;
pub use settings::{EmailSettings, PushSettings, Security, Settings, WebhookSettings};
pub use webhook::signature;
