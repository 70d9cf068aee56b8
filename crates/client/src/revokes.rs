//! Revokes that the broker remembers, so that they hold for workers that are not there yet.

use std::time::Duration;

use protocol::control::Request;
use protocol::{Codec, Map, Value};
use tracing::warn;

use crate::Client;

/// The space of revoked task ids on the broker.
pub const REVOKED: &str = "revoked";
/// The space of revoked stamps, each the JSON text of a map of one header to its values.
pub const REVOKED_STAMPS: &str = "revoked_stamps";
/// How long the broker remembers: longer than most tasks wait for their time. The number is bounded too.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3_600);

impl Client {
    /// Has the broker remember that these tasks are revoked, unless `celeriac_revokes_on_broker` is off. What goes wrong is logged: the
    /// workers that are there are told in any case.
    pub async fn remember_revoked(&self, task_ids: &[String]) {
        self.remember(REVOKED, task_ids.to_vec()).await;
    }

    /// The same for stamps: values by header.
    pub async fn remember_revoked_stamps(&self, headers: &Map) {
        let text = |(header, values): (&str, &Value)| {
            let stamp = Value::Map(Map::from_iter([(header, values.clone())]));
            let encoded = Codec::Json.encode(&stamp).ok()?;
            String::from_utf8(encoded).ok()
        };
        let texts = headers.iter().filter_map(text).collect();
        self.remember(REVOKED_STAMPS, texts).await;
    }

    /// What a request to all workers revokes is to hold for later ones too.
    pub(crate) async fn remember_request(&self, request: &Request) {
        let for_all = request.destination.as_ref().is_none_or(Vec::is_empty)
            && request.pattern.as_ref().is_none_or(String::is_empty);
        if !for_all {
            return;
        }
        let argument = |name| request.arguments.get(name);
        match request.method.as_str() {
            "revoke" | "terminate" => match argument("task_id") {
                Some(Value::Str(id)) => self.remember_revoked(std::slice::from_ref(id)).await,
                Some(Value::List(ids)) => {
                    let ids = ids.iter().filter_map(Value::as_str).map(str::to_owned);
                    self.remember_revoked(&ids.collect::<Vec<_>>()).await;
                }
                _ => {}
            },
            "revoke_by_stamped_headers" => {
                if let Some(Value::Map(headers)) = argument("headers") {
                    self.remember_revoked_stamps(headers).await;
                }
            }
            _ => {}
        }
    }

    async fn remember(&self, space: &str, texts: Vec<String>) {
        if !self.options().revokes_on_broker || texts.is_empty() {
            return;
        }
        let coordinator = &self.backends().coordinator;
        if let Err(error) = coordinator.remember(space, texts, KEEP).await {
            warn!(%error, "the broker does not remember what was revoked");
        }
    }
}
