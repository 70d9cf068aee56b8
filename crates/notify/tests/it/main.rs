//! The channels on real servers: mail over SMTP with STARTTLS, webhooks and pushes over HTTP.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod email;
mod http;
mod world;
