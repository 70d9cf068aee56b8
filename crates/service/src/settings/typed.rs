//! What the settings mean: values as Rust types, and the options of backends.

use std::path::Path;
use std::time::Duration;

use broker::{QueueOrder, ResultPolicy};
use protocol::{Codec, Compression, Limits, Map, Value};

use super::Settings;
use crate::Error;

/// The database's name in the data folder when no broker is configured.
const DEFAULT_DATABASE: &str = "celeriac.db";
/// The finance database's name in the data folder when no URL is set.
const FINANCE_DATABASE: &str = "finance.db";

/// What Celery takes for a `result_chord_join_timeout` of zero or null.
const JOIN_TIMEOUT: Duration = Duration::from_secs(5);
/// The shortest time for which Celery claims a chord.
const LEAST_CLAIM: Duration = Duration::from_secs(5);

impl Settings {
    /// A text, `None` when not set.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).as_str()
    }

    /// A truth value, `None` when not set.
    pub fn bool(&self, name: &str) -> Option<bool> {
        self.get(name).as_bool()
    }

    /// A whole number, `None` when not set.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).as_i64()
    }

    /// A time in seconds, `None` when not set.
    pub fn seconds(&self, name: &str) -> Option<Duration> {
        let seconds = self.get(name).as_f64()?;
        // What does not fit is for ever, as good as not set.
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// A list of texts, `None` when not set.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let items = self.get(name).as_list()?;
        Some(
            items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
        )
    }

    /// A table; empty when not set.
    pub fn map(&self, name: &str) -> Map {
        self.get(name).as_map().cloned().unwrap_or_default()
    }

    /// The settings whose names begin with this, without it; those that are set to nothing are left out.
    pub fn section(&self, prefix: &str) -> Map {
        let mut section = Map::default();
        for entry in self.entries() {
            if let Some(name) = entry.setting.name.strip_prefix(prefix)
                && !entry.value.is_null()
            {
                section.insert(name, entry.value.clone());
            }
        }
        section
    }

    /// Whether a setting that has a default is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.bool(name).unwrap_or(false)
    }

    /// The folder for databases and state.
    pub fn data_folder(&self) -> &str {
        self.text("celeriac_data_folder").unwrap_or(".")
    }

    /// The zone of whatever names none.
    pub fn timezone(&self) -> &str {
        self.text("timezone").unwrap_or("UTC")
    }

    /// The finance database: a `postgresql://` or `sqlite:` URL, or the path of the file that is in the data folder by default.
    pub fn finance_url(&self) -> String {
        match self.text("celeriac_finance_url") {
            Some(url) => url.to_owned(),
            None => {
                let file = Path::new(self.data_folder()).join(FINANCE_DATABASE);
                file.display().to_string()
            }
        }
    }

    /// The brokers to try, in order.
    pub fn broker_urls(&self) -> Vec<String> {
        match self.get("broker_url") {
            Value::Str(urls) => urls.split(';').map(|url| url.trim().to_owned()).collect(),
            Value::List(_) => self.list("broker_url").unwrap_or_default(),
            _ => vec![format!("sqlite:{}/{DEFAULT_DATABASE}", self.data_folder())],
        }
    }

    /// Bounds for decoding.
    pub fn limits(&self) -> Limits {
        let limit = |name| self.int(name).and_then(|value| usize::try_from(value).ok());
        let default = Limits::default();
        Limits {
            payload: limit("celeriac_limits_payload_bytes").unwrap_or(default.payload),
            decompressed: limit("celeriac_limits_decompressed_bytes")
                .unwrap_or(default.decompressed),
            depth: limit("celeriac_limits_depth").unwrap_or(default.depth),
            values: limit("celeriac_limits_values").unwrap_or(default.values),
        }
    }

    /// How results are written.
    pub fn result_policy(&self) -> ResultPolicy {
        // Celery: 0 keeps results for ever, as null does.
        let lifetime = |name| self.seconds(name).filter(|time| !time.is_zero());
        ResultPolicy {
            codec: self.codec("result_serializer"),
            compression: self.compression("result_compression"),
            compression_threshold: self
                .size("celeriac_result_compression_threshold")
                .unwrap_or_default(),
            expires: lifetime("result_expires"),
            failure_expires: lifetime("result_failure_expires"),
            chord_expires: self.seconds("result_chord_expires"),
            chord_ordered: self
                .map("result_backend_transport_options")
                .get("result_chord_ordered")
                .and_then(Value::as_bool)
                .unwrap_or(true),
            chord_claim: self.chord_claim(),
        }
    }

    /// How long a worker counts as alive after its last renewal.
    pub(crate) fn lease(&self) -> Duration {
        let lease = self.seconds("celeriac_lease_seconds");
        lease.unwrap_or_else(|| worker::WorkerSettings::default().lease)
    }

    /// Celery's time for joining a chord before another worker may do so: twice `result_chord_join_timeout`, at least 5 s. But no
    /// longer than half a lease: a worker that dies while it joins leaves the last member to another, and a Python worker that
    /// finds the claim alive then gives the chord up.
    fn chord_claim(&self) -> Duration {
        let timeout = self
            .seconds("result_chord_join_timeout")
            .filter(|timeout| !timeout.is_zero())
            .unwrap_or(JOIN_TIMEOUT);
        let claim = Duration::from_secs((timeout * 2).as_secs()).max(LEAST_CLAIM);
        claim.min(self.lease() / 2)
    }

    /// How queues share a worker: `celeriac_queue_order`, else kombu's `queue_order_strategy`.
    pub fn queue_order(&self) -> QueueOrder {
        let transport = self.map("broker_transport_options");
        let strategy = transport
            .get("queue_order_strategy")
            .and_then(Value::as_str);
        match self.text("celeriac_queue_order").or(strategy) {
            Some("strict" | "priority") => QueueOrder::Strict,
            Some("sorted") => QueueOrder::Sorted,
            _ => QueueOrder::RoundRobin,
        }
    }

    pub(crate) fn codec(&self, name: &str) -> Codec {
        let codec = self
            .text(name)
            .and_then(|text| Codec::from_name_or_content_type(text).ok());
        codec.expect("the setting's choices are codecs")
    }

    pub(crate) fn compression(&self, name: &str) -> Option<Compression> {
        let text = self.text(name)?;
        Some(Compression::from_name(text).expect("the setting's choices are compressions"))
    }

    /// Checks what one value's kind cannot say.
    pub(super) fn check(&self) -> Result<(), Error> {
        let concurrency = self.entry("worker_concurrency");
        match &concurrency.value {
            Value::Null => {}
            Value::Int(slots) if *slots >= 1 => {}
            Value::Str(text) if text == "auto" => {}
            _ => return Err(concurrency.refuse("a whole number of at least 1, or auto")),
        }
        for name in ["celeriac_lease_seconds", "celeriac_beat_lease_seconds"] {
            if self
                .get(name)
                .as_f64()
                .is_some_and(|seconds| seconds <= 0.0)
            {
                return Err(self
                    .entry(name)
                    .refuse("a number of seconds greater than 0"));
            }
        }
        self.check_timezone()?;
        self.check_broker()
    }

    fn check_timezone(&self) -> Result<(), Error> {
        let timezone = self.entry("timezone");
        let known = |name: &str| jiff::tz::TimeZone::get(name).is_ok();
        if timezone.value.as_str().is_none_or(known) {
            return Ok(());
        }
        Err(timezone.refuse("the name of a time zone, like Europe/Rome"))
    }

    fn check_broker(&self) -> Result<(), Error> {
        let broker = self.entry("broker_url");
        let fits = match &broker.value {
            Value::Null | Value::Str(_) => true,
            Value::List(items) => {
                !items.is_empty() && items.iter().all(|item| item.as_str().is_some())
            }
            _ => false,
        };
        if fits && self.broker_urls().iter().all(|url| url.contains(':')) {
            return Ok(());
        }
        Err(broker.refuse("a URL, several between `;`, or a list of URLs"))
    }
}
