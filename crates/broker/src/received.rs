//! A message as it came: read from its envelope by whoever looks at it first, so that asking for the next messages need not wait
//! for that.

use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use memchr::memmem;
use protocol::{DecodeError, Limits, Message};

/// A message, or why it cannot be understood.
#[derive(Debug)]
pub struct Received {
    /// What it is read from.
    envelope: Option<(Vec<u8>, Limits)>,
    message: OnceLock<Result<Message, DecodeError>>,
}

impl Received {
    /// A message that is read when it is looked at, within these limits.
    pub fn in_envelope(envelope: Vec<u8>, limits: &Limits) -> Self {
        Self {
            envelope: Some((envelope, *limits)),
            message: OnceLock::new(),
        }
    }

    /// About how many bytes it holds: those of the envelope that it came in, else of the body.
    pub fn size(&self) -> usize {
        match &self.envelope {
            Some((envelope, _)) => envelope.len(),
            None => self.as_ref().map_or(0, |message| message.body.len()),
        }
    }

    /// Whether this text may be somewhere in the message. Only texts that no JSON writer escapes can be asked for: of letters, digits, `_` and `-`.
    pub fn may_have(&self, text: &str) -> bool {
        self.envelope
            .as_ref()
            .is_none_or(|(envelope, _)| memmem::find(envelope, text.as_bytes()).is_some())
    }

    /// The message by itself.
    ///
    /// # Errors
    /// Why it cannot be understood.
    pub fn into_message(self) -> Result<Message, DecodeError> {
        let Self { envelope, message } = self;
        message
            .into_inner()
            .unwrap_or_else(|| read(envelope.as_ref()))
    }
}

fn read(envelope: Option<&(Vec<u8>, Limits)>) -> Result<Message, DecodeError> {
    let (envelope, limits) = envelope.expect("what was not read has an envelope");
    Message::from_envelope(envelope, limits)
}

impl From<Result<Message, DecodeError>> for Received {
    fn from(message: Result<Message, DecodeError>) -> Self {
        Self {
            envelope: None,
            message: message.into(),
        }
    }
}

impl Deref for Received {
    type Target = Result<Message, DecodeError>;

    fn deref(&self) -> &Self::Target {
        self.message.get_or_init(|| read(self.envelope.as_ref()))
    }
}

impl DerefMut for Received {
    fn deref_mut(&mut self) -> &mut Self::Target {
        let _: &Self::Target = self;
        self.message.get_mut().expect("it was read just now")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Vec<u8> {
        Message::default()
            .to_envelope()
            .expect("a message without anything can be written")
    }

    #[test]
    fn a_message_is_the_same_whenever_it_is_read() {
        let limits = Limits::default();
        let read = Message::from_envelope(&envelope(), &limits).expect("it was just written");
        let received = Received::in_envelope(envelope(), &limits);
        assert!(received.as_ref().is_ok_and(|message| *message == read));
        assert_eq!(received.into_message().ok(), Some(read.clone()));
        let unread = Received::in_envelope(envelope(), &limits);
        assert_eq!(unread.into_message().ok(), Some(read));
    }

    #[test]
    fn what_is_changed_stays_changed() {
        let mut received = Received::in_envelope(envelope(), &Limits::default());
        if let Ok(message) = &mut *received {
            message.body = "[]".into();
        }
        let message = received.into_message().expect("it can be read");
        assert_eq!(message.body, "[]");
    }

    #[test]
    fn what_is_no_envelope_says_so_when_it_is_looked_at() {
        let received = Received::in_envelope(b"{".to_vec(), &Limits::default());
        assert_eq!(received.size(), 1);
        assert!(received.is_err() && received.into_message().is_err());
    }

    #[test]
    fn text_is_looked_for_without_reading() {
        let received =
            Received::in_envelope(br#"{"redelivered": true}"#.to_vec(), &Limits::default());
        assert!(received.may_have("redelivered") && !received.may_have("claim"));
        assert!(Received::from(Ok(Message::default())).may_have("claim"));
    }
}
