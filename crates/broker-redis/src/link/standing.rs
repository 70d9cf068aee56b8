//! Calls that leave at once, over the connection that stands, and whose answers are for whoever waits for them later.

use std::pin::Pin;

use futures_util::future::{BoxFuture, MaybeDone, maybe_done};
use futures_util::poll;
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::task::unconstrained;

use super::{Current, Link, only};

/// One connection of a link. It may be lost by now.
pub(crate) struct Standing {
    link: Link,
    current: Current,
}

/// The answer to a call that has left. Whoever stops waiting for it leaves it to the next.
pub(crate) struct Answer(MaybeDone<BoxFuture<'static, RedisResult<Value>>>);

impl Link {
    /// The connection that stands, made if there is none.
    pub(crate) async fn standing(&self) -> RedisResult<Standing> {
        Ok(Standing {
            link: self.clone(),
            current: self.connect().await?,
        })
    }
}

impl Standing {
    /// The number of the connection, as [`super::Health`] counts them.
    pub(crate) fn generation(&self) -> u64 {
        self.current.generation
    }

    /// Sends a command once. What is asked after this has returned reaches the server later. A script that the server has forgotten is
    /// an error like any other: to send it again would put it behind what was asked since.
    pub(crate) async fn ask(&self, command: Cmd) -> Answer {
        let (link, current) = (self.link.clone(), self.current.clone());
        let mut pipeline = Pipeline::new();
        pipeline.add_command(command);
        let call: BoxFuture<'static, _> = Box::pin(async move {
            let sent = current.exchange(&pipeline).await;
            link.mark(&current, sent.as_ref().err());
            only(sent?).extract_error()
        });
        let mut answer = maybe_done(call);
        // The first poll hands it to the connection, whose buffer has room for far more calls than a link has under way. A task that has
        // used its budget up would be sent away before that.
        let _answered = poll!(unconstrained(&mut answer));
        Answer(answer)
    }
}

impl Answer {
    /// Waits for the answer, and leaves it here. Cancel-safe.
    pub(crate) async fn wait(&mut self) -> &RedisResult<Value> {
        (&mut self.0).await;
        let output = Pin::new(&mut self.0).output_mut();
        output.expect("it stays until it is taken away for good")
    }

    /// The answer, which was waited for.
    pub(crate) fn waited_for(mut self) -> RedisResult<Value> {
        let output = Pin::new(&mut self.0).take_output();
        output.expect("it was waited for")
    }
}
