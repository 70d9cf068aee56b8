//! What the screen shows. It draws nothing and reads no key.

use std::collections::{BTreeMap, VecDeque};

use client::reply_error;
use protocol::control::Reply;
use protocol::{Map, Value};

use super::super::state::Cluster;
use super::theme::Theme;
use super::view::View;

/// Over how many frames rates are measured.
const PULSE: usize = 12;

/// A queue as it was counted last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) ready: u64,
}

/// A request to workers, and what its answers are shown under.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) title: String,
    pub(super) method: &'static str,
    pub(super) arguments: Map,
}

/// What a key asks of the loop.
#[derive(Debug)]
pub(super) enum Action {
    Quit,
    Send(Request),
}

/// What lies over the screen or takes its keys.
#[derive(Debug, Default)]
pub(super) enum Dialog {
    #[default]
    None,
    Help,
    /// One task, everything or one part of it.
    Details {
        id: String,
        part: Part,
        scroll: u16,
    },
    /// The filter is being typed.
    Filter,
    /// A rate limit for this task is being typed.
    RateLimit {
        task: String,
        text: String,
    },
    /// Whether this task is to be revoked.
    Revoke {
        id: String,
        name: String,
    },
    /// What workers answered.
    Replies {
        title: String,
        lines: Vec<String>,
    },
}

/// What of a task is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Everything,
    Result,
    Traceback,
}

/// Everything on the screen.
pub(super) struct App {
    pub(super) broker: String,
    pub(super) theme: Theme,
    pub(super) cluster: Cluster,
    pub(super) queues: Vec<Queue>,
    /// How each queue's length has changed since it was counted before.
    pub(super) changes: BTreeMap<String, i64>,
    pub(super) view: View,
    pub(super) dialog: Dialog,
    /// What went wrong last.
    pub(super) notice: Option<String>,
    /// Epoch seconds.
    pub(super) now: f64,
    pulse: VecDeque<(f64, u64)>,
}

impl App {
    pub(super) fn new(broker: String, color: bool) -> Self {
        Self {
            broker,
            theme: Theme { color },
            cluster: Cluster::new(),
            queues: Vec::new(),
            changes: BTreeMap::new(),
            view: View::default(),
            dialog: Dialog::None,
            notice: None,
            now: 0.0,
            pulse: VecDeque::with_capacity(PULSE + 1),
        }
    }

    /// Notes how many events there were, for the rate.
    pub(super) fn tick(&mut self) {
        self.pulse.push_back((self.now, self.cluster.events));
        if self.pulse.len() > PULSE {
            self.pulse.pop_front();
        }
    }

    /// Events a second, of late.
    pub(super) fn rate(&self) -> f64 {
        let (Some((since, few)), Some((until, many))) = (self.pulse.front(), self.pulse.back())
        else {
            return 0.0;
        };
        (many - few) as f64 / (until - since).max(1.0)
    }

    pub(super) fn set_queues(&mut self, queues: Vec<Queue>) {
        let before: BTreeMap<_, _> = self.queues.iter().map(|q| (&q.name, q.ready)).collect();
        let change = |queue: &Queue| {
            let before = before.get(&queue.name).copied().unwrap_or(queue.ready);
            (queue.name.clone(), queue.ready as i64 - before as i64)
        };
        self.changes = queues.iter().map(change).collect();
        self.queues = queues;
        self.notice = None;
    }

    pub(super) fn show_replies(&mut self, title: String, replies: Result<Vec<Reply>, String>) {
        let lines = match replies {
            Ok(replies) if replies.is_empty() => vec!["no worker answered within 1 s".to_owned()],
            Ok(replies) => replies.iter().map(reply_line).collect(),
            Err(error) => vec![error],
        };
        self.dialog = Dialog::Replies { title, lines };
    }
}

fn reply_line(reply: &Reply) -> String {
    let text = match reply_error(&reply.value) {
        Some(error) => format!("error: {error}"),
        None => reply.value.get("ok").map(text).unwrap_or_default(),
    };
    format!("{}: {text}", reply.node)
}

/// A value on a line.
pub(super) fn text(value: &Value) -> String {
    crate::output::text(value)
}
