//! The names of everything on the server: kombu's keys as kombu writes them, ours beginning with `celeriac.`, all behind
//! `global_keyprefix`. It owns no connection.

use protocol::redis::{self as kombu, Binding};

use crate::RedisOptions;

/// The names of one broker's keys and channels.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
    separator: String,
    steps: Vec<u8>,
    fanout_prefix: String,
    fanout_patterns: bool,
    pub(crate) unacked: String,
    pub(crate) unacked_index: String,
    pub(crate) unacked_mutex: String,
    /// Incarnations by the end of their lease.
    pub(crate) workers: String,
    /// Incarnation to its description.
    pub(crate) nodes: String,
    /// When somebody last showed life, and until when nobody may be declared dead.
    pub(crate) pulse: String,
    /// Dead incarnations whose messages are not all back yet.
    pub(crate) dead: String,
    /// What early acknowledgements are kept under, completed by the incarnation.
    pub(crate) started: String,
    /// Held payloads that would break a Python sweep.
    pub(crate) poison: String,
    /// Deferred tags by due time.
    pub(crate) eta: String,
    pub(crate) parked: String,
    pub(crate) parked_index: String,
}

impl Keys {
    pub(crate) fn new(options: &RedisOptions) -> Self {
        let prefix = options.global_keyprefix.clone();
        let name = |rest: &str| format!("{prefix}{rest}");
        Self {
            separator: options.separator.clone(),
            steps: options.priority_steps.clone(),
            fanout_prefix: name(&options.fanout_prefix),
            fanout_patterns: options.fanout_patterns,
            unacked: name(kombu::UNACKED),
            unacked_index: name(kombu::UNACKED_INDEX),
            unacked_mutex: name(kombu::UNACKED_MUTEX),
            workers: name("celeriac.workers"),
            nodes: name("celeriac.nodes"),
            pulse: name("celeriac.pulse"),
            dead: name("celeriac.dead"),
            started: name("celeriac.started:"),
            poison: name("celeriac.poison"),
            eta: name("celeriac.eta"),
            parked: name("celeriac.parked"),
            parked_index: name("celeriac.parked_index"),
            prefix,
        }
    }

    /// `global_keyprefix`.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Between a queue and its step, and between the parts of a binding.
    pub(crate) fn separator(&self) -> &str {
        &self.separator
    }

    /// A binding as a member of its exchange's table.
    pub(crate) fn write_binding(&self, binding: &Binding) -> String {
        binding.member_with(&self.separator)
    }

    /// A member of a binding table; `None` when it is none.
    pub(crate) fn read_binding(&self, member: &str) -> Option<Binding> {
        Binding::parse_with(&self.separator, member)
    }

    /// The priority steps, most urgent first.
    pub(crate) fn steps(&self) -> &[u8] {
        &self.steps
    }

    /// The step that a priority falls on.
    pub(crate) fn step(&self, priority: i64) -> u8 {
        kombu::priority_step(priority, &self.steps)
    }

    /// The list of a queue at a step.
    pub(crate) fn list(&self, queue: &str, step: u8) -> String {
        format!(
            "{}{}",
            self.prefix,
            kombu::queue_key_with(&self.separator, queue, step)
        )
    }

    /// The lists of a queue, most urgent first.
    pub(crate) fn lists(&self, queue: &str) -> Vec<String> {
        self.steps
            .iter()
            .map(|step| self.list(queue, *step))
            .collect()
    }

    /// The queue that a list belongs to.
    pub(crate) fn queue_of<'a>(&self, list: &'a str) -> &'a str {
        let name = list.strip_prefix(self.prefix.as_str()).unwrap_or(list);
        kombu::key_queue_with(&self.separator, name)
    }

    /// The binding table of an exchange.
    pub(crate) fn binding(&self, exchange: &str) -> String {
        format!("{}{}", self.prefix, kombu::binding_table(exchange))
    }

    /// The table of an exchange's lasting bindings.
    pub(crate) fn permanent_binding(&self, exchange: &str) -> String {
        format!(
            "{}{}",
            self.prefix,
            kombu::permanent_binding_table(exchange)
        )
    }

    /// When which binding table may be deleted.
    pub(crate) fn binding_deadlines(&self) -> String {
        format!("{}{}", self.prefix, kombu::BINDING_DEADLINES)
    }

    /// The hash of what an incarnation acknowledged early.
    pub(crate) fn started_by(&self, incarnation: &str) -> String {
        format!("{}{incarnation}", self.started)
    }

    /// The channel that a broadcast goes to.
    pub(crate) fn channel(&self, exchange: &str, routing_key: &str) -> String {
        let routing_key = if self.fanout_patterns {
            routing_key
        } else {
            ""
        };
        kombu::fanout_channel(&self.fanout_prefix, exchange, routing_key)
    }

    /// The pattern that a listener subscribes to.
    pub(crate) fn channel_pattern(&self, exchange: &str, binding_key: &str) -> String {
        let binding_key = if self.fanout_patterns {
            binding_key
        } else {
            ""
        };
        kombu::fanout_pattern(
            &literal(&self.fanout_prefix),
            &literal(exchange),
            binding_key,
        )
    }

    /// Says that a call of this name was published.
    pub(crate) fn called(&self, name: &str) -> String {
        format!("{}celeriac.called:{name}", self.prefix)
    }

    /// A coordinator's lease.
    pub(crate) fn lease(&self, name: &str) -> String {
        format!("{}celeriac.lease:{name}", self.prefix)
    }

    /// The last fence that was given for a lease.
    pub(crate) fn fence(&self, name: &str) -> String {
        format!("{}celeriac.fence:{name}", self.prefix)
    }

    /// The texts that a space remembers.
    pub(crate) fn remembered(&self, space: &str) -> String {
        format!("{}celeriac.remembered:{space}", self.prefix)
    }

    /// What a space holds.
    pub(crate) fn space(&self, name: &str) -> String {
        format!("{}celeriac.space:{name}", self.prefix)
    }
}

/// The text as a pattern of Redis that matches only itself.
pub(crate) fn literal(text: &str) -> String {
    let escaped = |c: char| {
        [r"\*?[]".contains(c).then_some('\\'), Some(c)]
            .into_iter()
            .flatten()
    };
    text.chars().flat_map(escaped).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn keys(options: serde_json::Value) -> Keys {
        Keys::new(
            &RedisOptions::parse("redis://localhost/2", options.as_object().unwrap()).unwrap(),
        )
    }

    #[test]
    fn lists_are_named_as_kombu_names_them() {
        let keys = keys(serde_json::json!({}));
        assert_eq!(
            keys.lists("q"),
            ["q", "q\u{6}\u{16}3", "q\u{6}\u{16}6", "q\u{6}\u{16}9"]
        );
        assert_eq!(keys.queue_of("q\u{6}\u{16}3"), "q");
        let steps: Vec<u8> = [-4, 0, 2, 3, 8, 9, 40]
            .map(|priority| keys.step(priority))
            .to_vec();
        assert_eq!(steps, [0, 0, 0, 3, 6, 9, 9]);
    }

    #[test]
    fn channels_carry_prefix_and_database() {
        let keys = keys(serde_json::json!({"global_keyprefix": "app:"}));
        assert_eq!(keys.channel("celery.pidbox", ""), "app:/2.celery.pidbox");
        assert_eq!(
            keys.channel("celeryev", "worker.heartbeat"),
            "app:/2.celeryev/worker.heartbeat"
        );
        assert_eq!(
            keys.channel_pattern("celeryev", "worker.#"),
            "app:/2.celeryev/worker.*"
        );
        assert_eq!(keys.binding("x"), "app:_kombu.binding.x");
        assert_eq!(literal(r"a[1]*?\"), r"a\[1\]\*\?\\");
    }
}
