//! `app.tasks.process_data`: the example whose result its seed shows.

use protocol::Value;
use serde::{Deserialize, Serialize};
use tasks::catalogue::{PROCESS_DATA, Spec};
use tasks::{Answer, FinanceTask, Run};
use worker::Outcome;

/// Counts what it is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessData {
    /// Anything.
    pub data: Vec<Value>,
}

/// The result, without an envelope.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Processed {
    status: String,
    processed: usize,
}

impl FinanceTask for ProcessData {
    const SPEC: Spec = PROCESS_DATA;
    type Data = Processed;

    async fn run(self, _: &mut Run<'_>) -> Result<Answer<Processed>, Outcome> {
        Ok(Answer::Literal(Processed {
            status: "success".to_owned(),
            processed: self.data.len(),
        }))
    }
}
