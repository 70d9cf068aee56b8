//! Building canvas: Celery's `chain`, `group`, `chord` and `chunks`, and its `|`.

use protocol::{Canvas, Signature, Value};

use super::links::{link, link_error};
use super::node::{Node, Parts};
use super::steps::unchain;
use crate::ClientError;

/// Steps one after the other, each with the result of the one before in front of its arguments. A group followed by a step is
/// a chord; what follows a chord follows its body.
///
/// # Errors
/// When a signature is malformed or nested too deep; so for all functions here.
pub fn chain(steps: impl IntoIterator<Item = Signature>) -> Result<Signature, ClientError> {
    let steps = open_all(steps)?;
    Ok(fold(steps).close())
}

/// Calls side by side.
///
/// # Errors
/// As [`chain`].
pub fn group(members: impl IntoIterator<Item = Signature>) -> Result<Signature, ClientError> {
    Ok(Node::group(open_all(members)?).close())
}

/// A header of calls side by side, and a body that gets the list of their results.
///
/// # Errors
/// As [`chain`].
pub fn chord(
    header: impl IntoIterator<Item = Signature>,
    body: Signature,
) -> Result<Signature, ClientError> {
    let header = Node::group(open_all(header)?);
    Ok(Node::chord(header, Node::open(body)?).close())
}

/// A call for each `n` lists of arguments, side by side.
///
/// # Panics
/// When `n` is 0.
pub fn chunks(task: Signature, it: Vec<Value>, n: u32) -> Signature {
    assert!(n > 0, "chunks have at least one item each");
    composite(Canvas::Chunks {
        task: Box::new(task),
        it,
        n,
    })
}

/// One task that calls `task` with each item.
pub fn map(task: Signature, it: Vec<Value>) -> Signature {
    let task = Box::new(task);
    composite(Canvas::Map { task, it })
}

/// One task that calls `task` with each list of arguments.
pub fn starmap(task: Signature, it: Vec<Value>) -> Signature {
    let task = Box::new(task);
    composite(Canvas::Starmap { task, it })
}

/// The signature with a callback: called with the result; of a chain after its last step, of a chord after its body.
///
/// # Errors
/// As [`chain`].
pub fn linked(signature: Signature, callback: Signature) -> Result<Signature, ClientError> {
    let mut node = Node::open(signature)?;
    link(&mut node, &callback.into_value());
    Ok(node.close())
}

/// The signature with an errback: called with the failed task's id, of whichever task fails.
///
/// # Errors
/// As [`chain`].
pub fn linked_error(signature: Signature, errback: Signature) -> Result<Signature, ClientError> {
    let mut node = Node::open(signature)?;
    link_error(&mut node, &errback.into_value(), &super::Rules::default());
    Ok(node.close())
}

fn composite(canvas: Canvas) -> Signature {
    let mut signature = canvas
        .into_signature()
        .expect("chunks and maps are composite signatures");
    signature.immutable = true;
    signature
}

fn open_all(signatures: impl IntoIterator<Item = Signature>) -> Result<Vec<Node>, ClientError> {
    signatures.into_iter().map(Node::open).collect()
}

/// The tasks joined with `|`, in one pass.
pub(super) fn fold(tasks: Vec<Node>) -> Node {
    let mut steps = Vec::with_capacity(tasks.len());
    let mut tasks = tasks.into_iter();
    while let Some(task) = tasks.next() {
        if let Some(other) = add_step(&mut steps, task) {
            return tasks.fold(other, Node::then);
        }
    }
    Node::chain(steps)
}

/// Adds a step by the rules of `|`; gives back what takes the place of the chain when it is none any more.
fn add_step(steps: &mut Vec<Node>, step: Node) -> Option<Node> {
    let step = step.unroll_single();
    if step.is_empty_group() {
        return None;
    }
    match step.parts {
        Parts::Group(_) if steps.is_empty() => return Some(step),
        Parts::Chain(_) => {
            let mut tasks = unchain(step).into_iter();
            while let Some(task) = tasks.next() {
                if let Some(other) = add_step(steps, task) {
                    return Some(tasks.fold(other, Node::then));
                }
            }
        }
        _ => push_step(steps, step),
    }
    None
}

/// After a group comes a chord's body; what comes after a chord comes after its body, but for another chord.
fn push_step(steps: &mut Vec<Node>, step: Node) {
    match steps.pop() {
        Some(last) if last.is_group() && !step.is_group() => steps.push(Node::chord(last, step)),
        Some(last) if last.is_chord() && !step.is_chord() => steps.push(last.after_body(step)),
        last => {
            steps.extend(last);
            steps.push(step);
        }
    }
}

impl Node {
    /// Celery's `|`.
    pub(super) fn then(self, next: Self) -> Self {
        match self.parts {
            Parts::Task => self.task_then(next),
            Parts::Chain(_) => self.chain_then(next),
            Parts::Group(_) if next.is_empty_group() => self,
            Parts::Group(_) => Self::chord(self, next),
            Parts::Chord(_) => {
                let next = next.unroll_single();
                match next.parts {
                    Parts::Task | Parts::Chord(_) => self.after_body(next),
                    Parts::Chain(_) | Parts::Group(_) => self.task_then(next),
                }
            }
        }
    }

    fn task_then(self, next: Self) -> Self {
        let mut steps = vec![self];
        match next.parts {
            Parts::Chain(_) => steps.extend(unchain(next)),
            _ => steps.push(next.unroll_single()),
        }
        Self::chain(steps)
    }

    fn chain_then(self, next: Self) -> Self {
        let next = next.unroll_single();
        if next.is_empty_group() {
            return self;
        }
        if matches!(next.parts, Parts::Chain(_)) {
            return unchain(next).into_iter().fold(self, Self::then);
        }
        let mut steps = unchain(self);
        if steps.is_empty() && next.is_group() {
            return next;
        }
        let upgraded = steps.last().is_some_and(Self::is_group) && !next.is_group();
        push_step(&mut steps, next);
        if upgraded {
            join_chords(&mut steps);
        }
        Self::chain(steps)
    }

    /// The chord with a step after its body.
    fn after_body(mut self, next: Self) -> Self {
        if let Parts::Chord(chord) = &mut self.parts {
            let body = std::mem::replace(&mut chord.body, Self::group(Vec::new()));
            chord.body = body.then(next);
        }
        self
    }

    /// Puts an argument in front of those of what comes first.
    pub(super) fn give(&mut self, argument: Value) {
        match &mut self.parts {
            Parts::Task => self.head.prepend([argument]),
            Parts::Group(members) => members
                .iter_mut()
                .for_each(|member| member.give(argument.clone())),
            Parts::Chord(chord) => chord.header.give(argument),
            Parts::Chain(tasks) => {
                if let Some(first) = tasks.iter_mut().find(|task| !task.is_empty_group()) {
                    first.give(argument);
                }
            }
        }
    }

    /// Takes no result of what comes before.
    pub(super) fn set_immutable(&mut self) {
        match &mut self.parts {
            Parts::Task => self.head.immutable = true,
            Parts::Group(members) => members.iter_mut().for_each(Self::set_immutable),
            Parts::Chord(chord) => chord.header.set_immutable(),
            Parts::Chain(tasks) => {
                if let Some(first) = tasks.iter_mut().find(|task| !task.is_empty_group()) {
                    first.set_immutable();
                }
            }
        }
    }
}

/// A chord that has become the one after another chord follows that one's body.
fn join_chords(steps: &mut Vec<Node>) {
    if let [.., before, last] = steps.as_slice()
        && before.is_chord()
        && last.is_chord()
        && let (Some(last), Some(before)) = (steps.pop(), steps.pop())
    {
        steps.push(before.after_body(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str) -> Signature {
        Signature::new(name)
    }

    fn pair() -> Signature {
        group([task("g1"), task("g2")]).unwrap()
    }

    /// The shape of a signature: `c(..)` a chain, `g(..)` a group, `[..]%body` a chord.
    fn shape(signature: Signature) -> String {
        drawn(&Node::open(signature).unwrap())
    }

    fn drawn(node: &Node) -> String {
        let all = |nodes: &[Node]| nodes.iter().map(drawn).collect::<Vec<_>>().join(" ");
        match &node.parts {
            Parts::Task => node.head.task.clone(),
            Parts::Chain(tasks) => format!("c({})", all(tasks)),
            Parts::Group(members) => format!("g({})", all(members)),
            Parts::Chord(chord) => match &chord.header.parts {
                Parts::Group(members) => format!("[{}]%{}", all(members), drawn(&chord.body)),
                _ => panic!("the header is a group"),
            },
        }
    }

    fn chained(steps: Vec<Signature>) -> String {
        shape(chain(steps).unwrap())
    }

    #[test]
    fn a_group_that_something_follows_becomes_a_chord() {
        assert_eq!(chained(vec![task("a"), pair()]), "c(a g(g1 g2))");
        assert_eq!(
            chained(vec![task("a"), pair(), task("b")]),
            "c(a [g1 g2]%b)"
        );
        assert_eq!(
            chained(vec![task("a"), pair(), task("b"), task("d")]),
            "c(a [g1 g2]%c(b d))"
        );
        assert_eq!(
            chained(vec![pair(), task("a"), task("b")]),
            "[g1 g2]%c(a b)"
        );
        assert_eq!(
            chained(vec![task("a"), pair(), pair(), task("b")]),
            "c(a g(g1 g2) [g1 g2]%b)"
        );
    }

    #[test]
    fn nested_chains_are_spliced_and_small_groups_unrolled() {
        let inner = chain([task("b"), task("c")]).unwrap();
        assert_eq!(chained(vec![task("a"), inner, task("d")]), "c(a b c d)");
        let single = group([task("b")]).unwrap();
        let empty = group([]).unwrap();
        assert_eq!(chained(vec![task("a"), single, empty]), "c(a b)");
    }

    #[test]
    fn callbacks_of_a_spliced_chain_move_to_its_tasks() {
        let inner = chain([task("b"), task("c")]).unwrap();
        let inner = linked(inner, task("done")).unwrap();
        let inner = linked_error(inner, task("failed")).unwrap();
        let Parts::Chain(tasks) = Node::open(chain([task("a"), inner]).unwrap())
            .unwrap()
            .parts
        else {
            panic!("a chain")
        };
        let has = |name: &str| {
            tasks
                .iter()
                .map(|task| task.head.options.contains_key(name))
                .collect::<Vec<_>>()
        };
        assert_eq!(has("link"), [false, false, true]);
        assert_eq!(has("link_error"), [false, true, true]);
    }

    #[test]
    fn a_chain_of_many_steps_is_built_in_one_pass() {
        let steps = (0..20_000).map(|_| task("a"));
        let signature = chain(steps).unwrap();
        let tasks = signature.kwargs.get("tasks").and_then(Value::as_list);
        assert_eq!(tasks.map(<[_]>::len), Some(20_000));
    }
}
