//! Stamping: headers of one's own on every task of a tree. Celery's `sig.stamp` and its `StampingVisitor`.
//!
//! A stamp is an option under its own name, listed in `stamped_headers`. Options travel with their signature, so stamps
//! reach whatever is sent later without further ado.

use protocol::{Map, Signature, Value};

use super::node::{Node, Parts, items};
use crate::ClientError;

const NAMES: &str = "stamped_headers";

/// Says for each part of a tree which stamps it gets. `headers` are those that come from above; what a method returns
/// is added to them for the part and all within it. Without `stamped_headers` in it, every key is a stamp.
#[expect(unused_variables, reason = "the defaults add nothing")]
pub trait StampingVisitor {
    /// A task.
    fn on_signature(&mut self, signature: &Signature, headers: &Map) -> Map;
    /// Before the members of a group.
    fn on_group_start(&mut self, group: &Signature, headers: &Map) -> Map {
        Map::new()
    }
    /// After the members of a group.
    fn on_group_end(&mut self, group: &Signature, headers: &Map) {}
    /// Before the steps of a chain.
    fn on_chain_start(&mut self, chain: &Signature, headers: &Map) -> Map {
        Map::new()
    }
    /// After the steps of a chain.
    fn on_chain_end(&mut self, chain: &Signature, headers: &Map) {}
    /// Before the header of a chord; as for a group unless said otherwise.
    fn on_chord_header_start(&mut self, chord: &Signature, headers: &Map) -> Map {
        self.on_group_start(chord, headers)
    }
    /// After the header of a chord.
    fn on_chord_header_end(&mut self, chord: &Signature, headers: &Map) {
        self.on_group_end(chord, headers);
    }
    /// The body of a chord.
    fn on_chord_body(&mut self, chord: &Signature, headers: &Map) -> Map {
        Map::new()
    }
    /// A callback.
    fn on_callback(&mut self, callback: &Signature, headers: &Map) -> Map {
        Map::new()
    }
    /// An errback.
    fn on_errback(&mut self, errback: &Signature, headers: &Map) -> Map {
        Map::new()
    }
}

/// Stamps a tree with these headers and what the visitor adds. A stamp that is there already stays; with `append_stamps` it becomes
/// a list to which the new value is added. As in Celery, the body of a chord is only stamped by a visitor.
///
/// # Errors
/// When a signature, or a callback in it, is malformed.
pub fn stamp(
    signature: Signature,
    headers: &Map,
    visitor: Option<&mut dyn StampingVisitor>,
    append_stamps: bool,
) -> Result<Signature, ClientError> {
    let mut node = Node::open(signature)?;
    let mut stamping = Stamping {
        visitor,
        append_stamps,
    };
    stamping.stamp(&mut node, headers)?;
    Ok(node.close())
}

pub(super) struct Stamping<'a> {
    pub(super) visitor: Option<&'a mut dyn StampingVisitor>,
    pub(super) append_stamps: bool,
}

/// Which kind of link is being stamped: the option and the visitor's method.
type Link = (
    &'static str,
    fn(&mut dyn StampingVisitor, &Signature, &Map) -> Map,
);

const LINKS: [Link; 2] = [
    ("link", |visitor, link, headers| {
        visitor.on_callback(link, headers)
    }),
    ("link_error", |visitor, link, headers| {
        visitor.on_errback(link, headers)
    }),
];

impl Stamping<'_> {
    pub(super) fn stamp(&mut self, node: &mut Node, headers: &Map) -> Result<(), ClientError> {
        let Node { head, parts } = node;
        match parts {
            Parts::Task => self.stamp_task(head, headers),
            Parts::Chain(tasks) => {
                let headers = self.enter(head, headers, |visitor, chain, headers| {
                    visitor.on_chain_start(chain, headers)
                });
                self.stamp_links(head, &headers, false)?;
                self.stamp_all(tasks, &headers)?;
                if let Some(visitor) = &mut self.visitor {
                    visitor.on_chain_end(head, &headers);
                }
                Ok(())
            }
            Parts::Group(members) => {
                let headers = self.enter(head, headers, |visitor, group, headers| {
                    visitor.on_group_start(group, headers)
                });
                self.stamp_links(head, &headers, self.append_stamps)?;
                self.stamp_all(members, &headers)?;
                if let Some(visitor) = &mut self.visitor {
                    visitor.on_group_end(head, &headers);
                }
                Ok(())
            }
            Parts::Chord(chord) => {
                let headers = self.enter(head, headers, |visitor, chord, headers| {
                    visitor.on_chord_header_start(chord, headers)
                });
                self.stamp_links(head, &headers, self.append_stamps)?;
                if let Parts::Group(members) = &mut chord.header.parts {
                    self.stamp_all(members, &headers)?;
                }
                let Some(visitor) = &mut self.visitor else {
                    return Ok(());
                };
                visitor.on_chord_header_end(head, &headers);
                let added = visitor.on_chord_body(head, &headers);
                let headers = self.collected(Some(added), Some(head), &headers);
                self.stamp(&mut chord.body, &headers)
            }
        }
    }

    fn stamp_all(&mut self, nodes: &mut [Node], headers: &Map) -> Result<(), ClientError> {
        nodes
            .iter_mut()
            .try_for_each(|node| self.stamp(node, headers))
    }

    fn stamp_task(&mut self, head: &mut Signature, headers: &Map) -> Result<(), ClientError> {
        self.stamp_links(head, headers, self.append_stamps)?;
        let stamps = self.enter(head, headers, |visitor, task, headers| {
            visitor.on_signature(task, headers)
        });
        head.options.extend(stamps);
        Ok(())
    }

    /// The stamps for a part: those from above, the visitor's and the part's own.
    fn enter(
        &mut self,
        head: &Signature,
        headers: &Map,
        ask: impl FnOnce(&mut dyn StampingVisitor, &Signature, &Map) -> Map,
    ) -> Map {
        let visitor = self.visitor.as_deref_mut();
        let added = visitor.map(|visitor| ask(visitor, head, headers));
        self.collected(added, Some(head), headers)
    }

    /// Callbacks and errbacks get the stamps of the task that they are linked to, but not its own.
    fn stamp_links(
        &mut self,
        head: &mut Signature,
        headers: &Map,
        append_stamps: bool,
    ) -> Result<(), ClientError> {
        let outer = std::mem::replace(&mut self.append_stamps, append_stamps);
        for (option, ask) in LINKS {
            let Some(links) = head.options.remove(option) else {
                continue;
            };
            let mut headers = headers.clone();
            let mut stamped = Vec::new();
            for link in items(Some(links)) {
                let mut link = Node::open_value(link)?;
                let visitor = self.visitor.as_deref_mut();
                let added = visitor.map(|visitor| ask(visitor, &link.head, &headers));
                headers = self.collected(added, None, &headers);
                self.stamp(&mut link, &headers)?;
                stamped.push(link.close_value());
            }
            head.options.insert(option, stamped);
        }
        self.append_stamps = outer;
        Ok(())
    }

    fn collected(&self, added: Option<Map>, own: Option<&Signature>, headers: &Map) -> Map {
        let mut all = headers.clone();
        name_all(&mut all);
        if let Some(mut added) = added {
            name_all(&mut added);
            merge(&mut all, &added, self.append_stamps);
        }
        if let Some(own) = own {
            let mut names = items(all.get(NAMES).cloned());
            names.extend(items(own.options.get(NAMES).cloned()));
            let mut stamps = own.options.clone();
            stamps.retain(|name, _| names.iter().any(|stamp| stamp.as_str() == Some(name)));
            all.insert(NAMES, names);
            merge(&mut all, &stamps, self.append_stamps);
        }
        let mut names: Vec<Value> = Vec::new();
        for name in items(all.get(NAMES).cloned()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        all.insert(NAMES, names);
        all
    }
}

/// Without a list of stamps, everything is one.
fn name_all(headers: &mut Map) {
    if !headers.contains_key(NAMES) {
        let names: Vec<_> = headers.keys().map(str::to_owned).collect();
        headers.insert(NAMES, names);
    }
}

/// Adds entries that are new. Lists are joined, maps merged; of other doubles the first stays, or both go into a list.
fn merge(all: &mut Map, more: &Map, append: bool) {
    for (name, value) in more {
        match (all.get_mut(name), value) {
            (None, value) => {
                all.insert(name, value.clone());
            }
            (Some(Value::Map(inner)), Value::Map(more)) => merge(inner, more, append),
            (Some(Value::List(own)), Value::List(more)) => own.extend(more.iter().cloned()),
            (Some(Value::List(own)), value) if append => own.push(value.clone()),
            (Some(own), value) if append => {
                let mut both = items(Some(std::mem::take(own)));
                both.extend(items(Some(value.clone())));
                *own = Value::List(both);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::{chain, chord, group, linked};

    struct Monitor;

    impl StampingVisitor for Monitor {
        fn on_signature(&mut self, signature: &Signature, _: &Map) -> Map {
            Map::from_iter([("monitor", signature.task.as_str())])
        }
        fn on_callback(&mut self, _: &Signature, _: &Map) -> Map {
            Map::from_iter([("linked", true)])
        }
    }

    fn text(signature: &Signature) -> String {
        format!("{:?}", signature.clone().into_value())
    }

    #[test]
    fn a_visitor_reaches_every_task_and_callback() {
        let tree = chord(
            [chain([Signature::new("a"), Signature::new("b")]).unwrap()],
            linked(Signature::new("body"), Signature::new("done")).unwrap(),
        );
        let stamped = stamp(tree.unwrap(), &Map::new(), Some(&mut Monitor), false).unwrap();
        let text = text(&stamped);
        for task in ["a", "b", "body", "done"] {
            assert!(
                text.contains(&format!("\"monitor\": Str({task:?})")),
                "{task}: {text}"
            );
        }
        assert!(text.contains("\"linked\": Bool(true)"));
    }

    #[test]
    fn a_stamp_that_is_there_stays_or_is_added_to() {
        let team = |name: &str| Map::from_iter([("team", name)]);
        let first = stamp(Signature::new("a"), &team("x"), None, false).unwrap();
        assert_eq!(first.options.get(NAMES), Some(&Value::from(vec!["team"])));
        let kept = stamp(first.clone(), &team("y"), None, false).unwrap();
        assert_eq!(kept.options.get("team"), Some(&Value::from("y")));
        let both = stamp(first, &team("y"), None, true).unwrap();
        assert_eq!(both.options.get("team"), Some(&Value::from(vec!["y", "x"])));
    }

    #[test]
    fn members_of_a_group_get_the_groups_stamps() {
        let tree = group([Signature::new("a"), Signature::new("b")]).unwrap();
        let stamped = stamp(tree, &Map::from_iter([("team", "x")]), None, false).unwrap();
        let members = stamped
            .kwargs
            .get("tasks")
            .and_then(Value::as_list)
            .unwrap();
        for member in members {
            let team = member
                .get("options")
                .and_then(|options| options.get("team"));
            assert_eq!(team, Some(&Value::from("x")));
        }
    }
}
