//! Mingle: at its start a worker says hello, takes over what the others have revoked, and sets its clock by theirs.

use std::sync::Arc;

use protocol::Value;
use tracing::{debug, info, warn};

use crate::control::merge;
use crate::engine::Engine;

/// Asks the other workers and waits for them a second, as Celery does; but meanwhile this worker works.
pub(crate) async fn mingle(engine: Arc<Engine>) {
    let (name, revoked) = (&engine.settings.hostname, engine.revocations.fresh_ids());
    let answers = match engine.client.control().inspect().hello(name, revoked).await {
        Ok(answers) => answers,
        Err(error) => return warn!(%error, "cannot ask other workers what is revoked"),
    };
    let others = answers.iter().filter(|(node, _)| *node != name);
    let mut met = 0;
    for (node, answer) in others {
        let Value::Map(said) = answer else { continue };
        debug!(node, "mingled");
        engine
            .client
            .clock()
            .adjust(said.get("clock").and_then(Value::as_i64));
        merge(&engine, said);
        met += 1;
    }
    if met > 0 {
        info!(workers = met, "mingled with other workers");
    }
}
