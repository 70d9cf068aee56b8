//! The `task-sent` event, with `task_send_sent_event`.

use broker::Route;
use protocol::event::{Event, TaskReceived, TaskSent};
use protocol::{DateTime, Headers};
use tracing::debug;

use crate::Client;
use crate::prepare::new_id;

/// What is told about a message that was sent here.
pub(crate) fn described(headers: &Headers, route: &Route) -> TaskSent {
    let time = |at: &Option<DateTime>| at.as_ref().map(|at| at.as_str().to_owned());
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let task = TaskReceived {
        uuid: text(&headers.id),
        name: text(&headers.task),
        args: text(&headers.argsrepr),
        kwargs: text(&headers.kwargsrepr),
        root_id: headers.root_id.clone(),
        parent_id: headers.parent_id.clone(),
        retries: headers.retries.unwrap_or_default(),
        eta: time(&headers.eta),
        expires: time(&headers.expires),
    };
    let routing_key = route.routing_key().to_owned();
    TaskSent {
        task,
        queue: Some(routing_key.clone()),
        exchange: route.exchange().to_owned(),
        routing_key,
    }
}

/// Tells it. A failure to tell is no failure of the call.
pub(crate) async fn tell(client: &Client, sent: TaskSent) {
    let options = client.options();
    let event = Event::task_sent(client.clock().stamp(&options.origin), sent);
    let message = match event.to_message(options.event_serializer, &new_id()) {
        Ok(message) => message,
        Err(error) => return debug!(%error, "the task-sent event cannot be encoded"),
    };
    let broker = &client.backends().broker;
    if let Err(error) = broker
        .broadcast(&options.event_exchange, &event.routing_key(), message)
        .await
    {
        debug!(%error, "the task-sent event was not sent");
    }
}
