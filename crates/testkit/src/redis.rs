//! A Redis server that belongs to one test: its own port, folder and settings.

mod addresses;
mod builder;
mod server;

pub use builder::RedisBuilder;
pub use server::RedisServer;
