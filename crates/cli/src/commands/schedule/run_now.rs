//! `celeriac schedule run-now`: an entry's task, sent once at once, whatever its schedule says.

use serde_json::json;
use service::Exit;
use uuid::Uuid;

use super::entries::Schedule;
use crate::context::Context;
use crate::error::Error;
use crate::output;

pub(super) async fn run(name: &str, context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    let call = schedule.entry(name)?.call(Uuid::new_v4().to_string());
    let client = context.client_on(schedule.backends.clone())?;
    let sent = client.send_all(vec![call]).await?;
    for sent in sent {
        if context.json {
            output::json(&json!({ "task_id": sent.id() }));
        } else {
            output::line(sent.id());
        }
    }
    Ok(Exit::Ok)
}
