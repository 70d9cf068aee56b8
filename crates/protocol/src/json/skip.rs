//! Passing over a value without building it.

use super::{Reader, number, syntax, text};
use crate::error::{DecodeError, DecodeErrorKind};

impl Reader<'_> {
    /// Passes over one value; returns where it stands. Brackets, texts and numbers are checked, and the limits kept; what only
    /// shows when a value is built (a key that occurs twice) is not.
    pub(crate) fn skip(&mut self) -> Result<(usize, usize), DecodeError> {
        self.peek();
        let begin = self.position();
        let mut open = Vec::new();
        loop {
            if self.skip_start(&mut open)? {
                continue;
            }
            loop {
                let Some(close) = open.last() else {
                    return Ok((begin, self.position()));
                };
                if self.separator(*close)? {
                    break;
                }
                open.pop();
            }
            if open.last() == Some(&b'}') {
                self.key()?;
            }
        }
    }

    /// Passes over a scalar, an empty list or map, or what opens another; true in the last case, with its first key.
    fn skip_start(&mut self, open: &mut Vec<u8>) -> Result<bool, DecodeError> {
        self.count_value()?;
        let close = match self.peek() {
            Some(b'{') => b'}',
            Some(b'[') => b']',
            Some(b'"') => return text::read(self.text, &mut self.pos).map(|_| false),
            Some(_) => return number::read_scalar(self.text, &mut self.pos).map(|_| false),
            None => return Err(syntax("unexpected end", self.pos)),
        };
        self.pos += 1;
        if self.closes(close) {
            return Ok(false);
        }
        if open.len() >= self.depth {
            let detail = format!("nested deeper than {} levels", self.depth);
            return Err(DecodeError::new(DecodeErrorKind::TooDeep, detail));
        }
        open.push(close);
        if close == b'}' {
            self.key()?;
        }
        Ok(true)
    }
}
