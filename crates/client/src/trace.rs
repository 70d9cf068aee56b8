//! Trace context in message headers: W3C's, and Sentry's.

use protocol::{Map, Value};

/// The headers that say which trace a message belongs to.
const HEADERS: [&str; 4] = ["traceparent", "tracestate", "baggage", "sentry-trace"];

/// The trace context among these headers, to be handed on to child messages.
pub fn trace_headers(headers: &Map) -> Map {
    let known = HEADERS.into_iter();
    known
        .filter_map(|name| headers.get(name).map(|value| (name, value.clone())))
        .collect()
}

/// The trace id among these headers, 32 hexadecimal digits.
pub fn trace_id(headers: &Map) -> Option<&str> {
    let parent = headers.get("traceparent").and_then(Value::as_str)?;
    let id = parent.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_id_is_read_from_a_sound_traceparent_only() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        let headers = |text: &str| Map::from_iter([("traceparent", text), ("other", "x")]);
        assert_eq!(
            trace_id(&headers(&format!("00-{id}-b7ad6b7169203331-01"))),
            Some(id)
        );
        assert_eq!(trace_id(&headers("00-short-b7ad6b7169203331-01")), None);
        assert_eq!(trace_headers(&headers("anything")).len(), 1);
    }
}
