//! An operation on its way through the writer, with its type forgotten.

use tokio::sync::oneshot;

use crate::error::{Result, SqliteError};
use crate::operations::{Operation, Tx};

/// What the writer knows of an operation. It may be applied again after a rollback.
pub(super) trait Job: Send {
    /// Nobody waits any more for something that is only worth doing when somebody does.
    fn is_abandoned(&self) -> bool;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()>;

    /// Answers after the commit.
    fn succeed(self: Box<Self>);

    /// Answers after a rollback.
    fn fail(self: Box<Self>, error: SqliteError);
}

/// An operation and the one who waits for it.
pub(super) struct Pending<O: Operation> {
    operation: O,
    output: Option<O::Output>,
    reply: oneshot::Sender<Result<O::Output>>,
}

impl<O: Operation> Pending<O> {
    pub(super) fn new(operation: O, reply: oneshot::Sender<Result<O::Output>>) -> Self {
        Self {
            operation,
            output: None,
            reply,
        }
    }
}

impl<O: Operation> Job for Pending<O> {
    fn is_abandoned(&self) -> bool {
        self.operation.needs_caller() && self.reply.is_closed()
    }

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.output = Some(self.operation.apply(tx)?);
        Ok(())
    }

    fn succeed(self: Box<Self>) {
        let Self {
            mut operation,
            output,
            reply,
        } = *self;
        let mut output = output.expect("a job succeeds only after it was applied");
        operation.committed(&mut output);
        // A caller that has gone does not want to know.
        reply.send(Ok(output)).ok();
    }

    fn fail(self: Box<Self>, error: SqliteError) {
        self.reply.send(Err(error)).ok();
    }
}
