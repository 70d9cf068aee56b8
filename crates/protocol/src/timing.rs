//! Celery's formulas about time: rate limits, retry back-off, and the routing key of a delay.

use crate::error::{DecodeError, DecodeErrorKind};

/// Tokens per second of a rate limit such as `10/m`; 0 means no limit.
///
/// # Errors
/// When the text is not `N`, `N/s`, `N/m` or `N/h`.
pub fn rate(limit: &str) -> Result<f64, DecodeError> {
    if limit.is_empty() {
        return Ok(0.0);
    }
    let (count, unit) = limit.split_once('/').unwrap_or((limit, "s"));
    let count = count
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|count| count.is_finite() && *count >= 0.0);
    match (count, unit) {
        (Some(count), "s" | "") => Ok(count),
        (Some(count), "m") => Ok(count / 60.0),
        (Some(count), "h") => Ok(count / 60.0 / 60.0),
        _ => {
            let detail = format!("expected a rate such as 10/s, 10/m or 10/h, found {limit:?}");
            Err(DecodeError::new(DecodeErrorKind::Value, detail))
        }
    }
}

/// Seconds to wait before retry number `retries`: `min(maximum, factor × 2^retries)`.
///
/// With `jitter`, a random number in 0 … 1, the wait is that part of 0 … the value, in whole seconds.
pub fn backoff(factor: u64, retries: u32, maximum: u64, jitter: Option<f64>) -> u64 {
    let doubled = 1_u64.checked_shl(retries).unwrap_or(u64::MAX);
    let wait = factor.max(1).saturating_mul(doubled).min(maximum);
    match jitter {
        None => wait,
        Some(random) => ((wait as f64 + 1.0) * random.clamp(0.0, 1.0))
            .floor()
            .min(wait as f64) as u64,
    }
}

/// Bits in the routing key of a delayed message.
const DELAY_BITS: u32 = 28;

/// The routing key that keeps a message for `countdown` seconds in the delay queues of RabbitMQ:
/// 28 bits, the highest first, then the original key. A delay in the key already is replaced.
pub fn delayed_routing_key(countdown: u64, routing_key: &str) -> String {
    let longest = (1 << DELAY_BITS) - 1;
    let countdown = countdown.min(longest);
    let mut key = String::with_capacity(2 * DELAY_BITS as usize + routing_key.len());
    for bit in (0..DELAY_BITS).rev() {
        key.push(if countdown >> bit & 1 == 1 { '1' } else { '0' });
        key.push('.');
    }
    key.push_str(without_delay(routing_key));
    key
}

fn without_delay(routing_key: &str) -> &str {
    let width = 2 * DELAY_BITS as usize;
    match routing_key.split_at_checked(width) {
        Some((bits, rest))
            if bits
                .as_bytes()
                .chunks(2)
                .all(|pair| matches!(pair, b"0." | b"1.")) =>
        {
            rest
        }
        _ => routing_key,
    }
}
