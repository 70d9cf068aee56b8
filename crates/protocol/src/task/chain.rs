//! The later steps of a chain, as every task of it carries them: the next step is the last.

use bytes::Bytes;

use crate::codec::{Codec, Sink as _};
use crate::error::{DecodeError, EncodeError};
use crate::json::{Places, Writer};
use crate::limits::Limits;
use crate::signature::Signature;
use crate::value::Value;

/// Later steps. Those of a long JSON body stay as they came until they are next: each task carries all steps after it, so
/// reading and writing every one of them in each task would cost a chain of n steps n × n of both.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The furthest steps.
    unread: Unread,
    /// The nearer ones, the next step last.
    read: Vec<Signature>,
}

/// Steps as they stand in a JSON body.
#[derive(Debug, Clone, Default)]
struct Unread {
    body: Bytes,
    /// Where each one stands, the next step last.
    places: Places,
    limits: Limits,
}

impl Chain {
    /// Steps of which it is known where they stand in a JSON body.
    pub(super) fn unread(body: Bytes, places: Places, limits: Limits) -> Self {
        let unread = Unread {
            body,
            places,
            limits,
        };
        Self {
            unread,
            read: Vec::new(),
        }
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.unread.places.len() + self.read.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next step and those after it; `None` when there are no more.
    ///
    /// # Errors
    /// When the step is no signature.
    pub fn split_next(&self) -> Result<Option<(Signature, Self)>, DecodeError> {
        let mut rest = self.clone();
        let next = match rest.read.pop() {
            Some(step) => Some(step),
            None => rest.unread.pop()?,
        };
        Ok(next.map(|step| (step, rest)))
    }

    /// All of them, the next step last.
    ///
    /// # Errors
    /// When one is no signature.
    pub fn steps(&self) -> Result<Vec<Signature>, DecodeError> {
        let places = self.unread.places.iter();
        let unread = places.map(|place| self.unread.step(*place));
        unread.chain(self.read.iter().cloned().map(Ok)).collect()
    }

    /// Writes the list; unread steps as they came.
    pub(super) fn write(self, out: &mut Writer) -> Result<(), EncodeError> {
        let Self { unread, read } = self;
        out.begin_list(0)?;
        let mut more = unread.write(out);
        for step in read {
            if std::mem::replace(&mut more, true) {
                out.next_item();
            }
            out.value(&step.into_value())?;
        }
        out.end_list();
        Ok(())
    }
}

impl Unread {
    fn pop(&mut self) -> Result<Option<Signature>, DecodeError> {
        let place = self.places.pop();
        place.map(|place| self.step(place)).transpose()
    }

    fn step(&self, (begin, end): (usize, usize)) -> Result<Signature, DecodeError> {
        let step = Codec::Json.decode(&self.body[begin..end], &self.limits)?;
        Signature::from_value(step).map_err(|error| error.at("chain"))
    }

    /// Whether anything was written.
    fn write(&self, out: &mut Writer) -> bool {
        let (Some((begin, _)), Some((_, end))) = (self.places.first(), self.places.last()) else {
            return false;
        };
        out.json(&self.body[*begin..*end]);
        true
    }
}

impl From<Vec<Signature>> for Chain {
    fn from(steps: Vec<Signature>) -> Self {
        Self {
            unread: Unread::default(),
            read: steps,
        }
    }
}

impl TryFrom<Chain> for Value {
    type Error = DecodeError;

    fn try_from(chain: Chain) -> Result<Self, DecodeError> {
        Ok(chain.steps()?.into())
    }
}

/// The same steps, read or not.
impl PartialEq for Chain {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.steps().ok() == other.steps().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::Accept;
    use crate::message::Message;
    use crate::task::{TaskMessage, TaskRequest};

    fn step(number: usize) -> Signature {
        Signature::new(format!("step-{number}"))
            .args(vec!["käse".into(), Value::Int(7)])
            .option("task_id", format!("id-{number}"))
    }

    /// The next step last.
    fn steps(count: usize) -> Vec<Signature> {
        (1..=count).rev().map(step).collect()
    }

    fn message(chain: impl Into<Chain>, codec: Codec) -> Message {
        let mut task = TaskMessage::new("first", "id-0");
        task.embed.chain = Some(chain.into());
        task.encode(codec, None).unwrap()
    }

    fn read(message: &Message) -> Chain {
        let accept = Accept::new([Codec::Json, Codec::Msgpack]);
        let request = TaskRequest::from_message(message, &accept, &Limits::default());
        request.unwrap().embed.chain.unwrap()
    }

    #[test]
    fn unread_steps_are_the_same_as_read_ones() {
        let message = message(steps(50), Codec::Json);
        let chain = read(&message);
        assert_eq!(chain.unread.places.len(), 50);
        assert_eq!(chain, Chain::from(steps(50)));
        let (next, rest) = chain.split_next().unwrap().unwrap();
        assert_eq!((next, rest.len()), (step(1), 49));
    }

    #[test]
    fn what_goes_on_is_what_would_be_written_anew() {
        for codec in [Codec::Json, Codec::Msgpack] {
            let (_, rest) = read(&message(steps(50), Codec::Json))
                .split_next()
                .unwrap()
                .unwrap();
            let anew: Vec<Signature> = (2..=50).rev().map(step).collect();
            assert_eq!(message(rest, codec).body, message(anew, codec).body);
        }
    }

    #[test]
    fn a_step_that_is_no_signature_is_told_when_it_is_next() {
        let mut broken = message(steps(50), Codec::Json);
        let text = String::from_utf8(broken.body.to_vec()).unwrap();
        let text = text.replace(r#"{"task": "step-2","#, r#"{"tusk": "step-2","#);
        broken.body = text.into();
        let (next, rest) = read(&broken).split_next().unwrap().unwrap();
        assert_eq!(next, step(1));
        assert!(rest.split_next().is_err());
    }
}
