//! Channels of fanout exchanges.

/// The default prefix of fanout channels in database `db`.
pub fn fanout_prefix(db: i64) -> String {
    format!("/{db}.")
}

/// The channel a message is published on; the routing key is added only when it is not empty.
pub fn fanout_channel(prefix: &str, exchange: &str, routing_key: &str) -> String {
    if routing_key.is_empty() {
        format!("{prefix}{exchange}")
    } else {
        format!("{prefix}{exchange}/{routing_key}")
    }
}

/// The pattern a queue subscribes to: the channel with `#` as `*`.
pub fn fanout_pattern(prefix: &str, exchange: &str, binding_key: &str) -> String {
    fanout_channel(prefix, exchange, &binding_key.replace('#', "*"))
}

/// The exchange of a channel: without its prefix and routing key.
pub fn channel_exchange(channel: &str) -> &str {
    let bare = match channel.strip_prefix('/') {
        Some(rest) => rest.split_once('.').map_or(rest, |(_, exchange)| exchange),
        None => channel,
    };
    bare.split('/').next().unwrap_or(bare)
}
