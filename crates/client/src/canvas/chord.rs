//! Sending a chord: the header now, the body when the last member has ended.

use std::time::Duration;

use broker::NewChord;
use protocol::{Map, ResultTuple, Signature, Value};

use super::expand::{Expansion, Nulls, Sent, With, merge_options, merged_args};
use super::freeze::{Path, Place};
use super::lineage::Chords;
use super::links::link_body;
use super::node::{Chord, Node, given, take, take_text};
use super::steps::unroll_chords;
use crate::prepare::new_id;
use crate::{CallOptions, ClientError, TaskCall};

/// How long the first look of `celery.chord_unlock` waits.
const FIRST_LOOK: Duration = Duration::from_secs(1);

impl Expansion<'_> {
    /// The options are the header's and the body's; `countdown` and `eta` delay the header, callbacks are the body's, and
    /// what follows the chord in a chain follows its body.
    pub(super) fn send_chord(
        &mut self,
        head: Signature,
        chord: Chord,
        with: With<'_>,
    ) -> Result<Sent, ClientError> {
        let Chord {
            mut header,
            mut body,
            mut kwargs,
        } = chord;
        let args = merged_args(&head, with.args);
        kwargs.extend(with.kwargs.clone());
        let group_id = take_text(&mut header.head.options, "task_id")
            .or_else(|| text_option(&head.options, "task_id"))
            .unwrap_or_else(new_id);
        let mut options = head.options;
        options.extend(with.options.clone());
        let delay = take_delay(&mut options);
        let body_id = take_text(&mut options, "task_id");
        merge_options(&mut body.head.options, &for_body(with.options), Nulls::Kept);
        give_options(&mut body, &mut options);
        let mut path = self.freeze_body(&mut body, body_id, &group_id)?;
        let result = self.freeze_header(&mut header, &body, &group_id)?;
        if header.is_empty_group() {
            self.send_at_once(body)?;
        } else {
            self.open(&result, header.chord_size(), &body)?;
            for name in ["chain", "chord"] {
                options.remove(name);
            }
            options.extend(delay);
            options.insert("task_id", group_id.as_str());
            let (args, kwargs, options) = (&args, &kwargs, &options);
            let with = With {
                args,
                kwargs,
                options,
            };
            self.send(header, with)?;
        }
        path.insert(0, result.clone());
        let child = result;
        Ok(Sent { path, child })
    }

    fn freeze_body(
        &mut self,
        body: &mut Node,
        id: Option<String>,
        group_id: &str,
    ) -> Result<Path, ClientError> {
        let root_id = text_option(&body.head.options, "root_id");
        let place = Place {
            id,
            group_id: Some(group_id),
            root_id: root_id.as_deref(),
            ..Place::default()
        };
        self.freeze(body, place)
    }

    /// Every member gets the frozen body.
    fn freeze_header(
        &mut self,
        header: &mut Node,
        body: &Node,
        group_id: &str,
    ) -> Result<ResultTuple, ClientError> {
        header.head.options.insert("task_id", group_id);
        let root_id = text_option(&body.head.options, "root_id");
        let body = body.clone().close_value();
        let place = Place {
            group_id: Some(group_id),
            chord: Some(&body),
            root_id: root_id.as_deref(),
            ..Place::default()
        };
        self.nested(|this| this.freeze_group(header, &place))
    }

    /// The body of an empty header: there is nothing to wait for.
    fn send_at_once(&mut self, body: Node) -> Result<Sent, ClientError> {
        let args = &[Value::List(Vec::new())];
        let options = &Map::new();
        let with = With {
            args,
            ..With::options(options)
        };
        self.send(body, with)
    }

    /// Announces the chord: to the result backend, which counts its members, or to a task that looks at them.
    fn open(&mut self, header: &ResultTuple, size: u64, body: &Node) -> Result<(), ClientError> {
        let children = header.children.as_deref().unwrap_or_default();
        match self.lineage.rules.chords {
            Chords::Refused => return Err(ClientError::ChordsNeedResults),
            Chords::Polled => self
                .calls
                .push(unlock(&header.id, children, &body.clone().close())),
            Chords::Joined => {
                let nested = children.iter().any(|child| child.children.is_some());
                self.chords.push(NewChord {
                    group_id: header.id.clone(),
                    size,
                    header: nested.then(|| Value::from(header)),
                });
            }
        }
        Ok(())
    }
}

/// `celery.chord_unlock`, which goes where the body goes.
fn unlock(group_id: &str, children: &[ResultTuple], body: &Signature) -> TaskCall {
    let text = |name| text_option(&body.options, name);
    let mut kwargs = Map::from_iter([("interval", Value::Null), ("max_retries", Value::Null)]);
    kwargs.insert(
        "result",
        Value::List(children.iter().map(Value::from).collect()),
    );
    let kind = text("exchange_type").unwrap_or_else(|| "direct".to_owned());
    kwargs.insert("_chord_unlock_exchange_type", kind);
    let headers = match body.options.get("headers") {
        Some(Value::Map(headers)) => headers.clone(),
        _ => Map::new(),
    };
    let priority = given(&body.options, "priority").and_then(Value::as_i64);
    TaskCall {
        task: "celery.chord_unlock".to_owned(),
        args: vec![group_id.into(), body.clone().into()],
        kwargs,
        options: CallOptions {
            countdown: Some(FIRST_LOOK),
            queue: text("queue"),
            exchange: text("exchange"),
            routing_key: text("routing_key"),
            priority: Some(
                priority
                    .and_then(|value| u8::try_from(value).ok())
                    .unwrap_or(0),
            ),
            route_name: Some(body.task.clone()),
            ignore_result: Some(true),
            headers,
            ..CallOptions::default()
        },
    }
}

/// Gives the body the chord's callbacks, which leave the options, and what else of them is the body's.
fn give_options(body: &mut Node, options: &mut Map) {
    let callbacks = take(options, "link");
    let errbacks = take(options, "link_error");
    link_body(body, callbacks, errbacks);
    body.head.options.extend(for_body(options));
    unroll_chords(body);
}

fn text_option(options: &Map, name: &str) -> Option<String> {
    given(options, name)?.as_str().map(str::to_owned)
}

/// What of the options of a chord goes to its body.
fn for_body(options: &Map) -> Map {
    const OTHERS: [&str; 6] = [
        "parent_id",
        "countdown",
        "eta",
        "link",
        "link_error",
        "task_id",
    ];
    let mut options = options.clone();
    options.retain(|name, _| !OTHERS.contains(&name));
    options
}

fn take_delay(options: &mut Map) -> Map {
    let names = ["countdown", "eta"].into_iter();
    names
        .filter_map(|name| take(options, name).map(|value| (name, value)))
        .collect()
}
