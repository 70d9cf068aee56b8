//! Sending a chord: the header now, the body when the last member has ended.

use std::time::Duration;

use broker::NewChord;
use protocol::{Map, ResultTuple, Signature, Value};

use super::expand::{Expansion, Nulls, Sent, With, merge_options, merged_args};
use super::freeze::Place;
use super::lineage::Chords;
use super::links::link_body;
use super::node::{Chord, Node, Parts, given, take, take_text};
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
            .or_else(|| given(&head.options, "task_id")?.as_str().map(str::to_owned))
            .unwrap_or_else(new_id);
        let mut options = head.options;
        options.extend(with.options.clone());
        let delay = take_delay(&mut options);
        let body_id = take_text(&mut options, "task_id").unwrap_or_else(new_id);
        let links = (take(&mut options, "link"), take(&mut options, "link_error"));
        merge_options(&mut body.head.options, &for_body(with.options), Nulls::Kept);
        link_body(&mut body, links.0, links.1);
        body.head.options.extend(for_body(&options));
        unroll_chords(&mut body);
        let root_id = given(&body.head.options, "root_id")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let place = Place {
            id: Some(body_id),
            group_id: Some(&group_id),
            root_id: root_id.as_deref(),
            ..Place::default()
        };
        let mut path = self.freeze(&mut body, place)?;
        for name in ["chain", "chord", "task_id"] {
            options.remove(name);
        }
        header.head.options.insert("task_id", group_id.as_str());
        let body_value = body.clone().close_value();
        let place = Place {
            group_id: Some(&group_id),
            chord: Some(&body_value),
            root_id: root_id.as_deref(),
            ..Place::default()
        };
        let result = self.nested(|this| this.freeze_group(&mut header, &place))?;
        if header.is_empty_group() {
            let empty = [Value::List(Vec::new())];
            let args = &empty;
            self.send(
                body,
                With {
                    args,
                    ..With::options(&Map::new())
                },
            )?;
        } else {
            self.open(&result, header.chord_size(), &body)?;
            options.extend(delay);
            options.insert("task_id", group_id.as_str());
            let Node { head, parts } = header;
            if let Parts::Group(members) = parts {
                let (args, kwargs, options) = (&args, &kwargs, &options);
                self.send_group(
                    head,
                    members,
                    With {
                        args,
                        kwargs,
                        options,
                    },
                )?;
            }
        }
        path.insert(0, result.clone());
        let child = result;
        Ok(Sent { path, child })
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
    let text = |name: &str| given(&body.options, name)?.as_str().map(str::to_owned);
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
