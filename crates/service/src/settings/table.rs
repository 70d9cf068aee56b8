//! Every setting by name: Celery 5.7's, Django's for mail, and ours, which begin with `celeriac_`. Data only.
//!
//! Defaults are Celery's except for `task_acks_late`, `broker_url`, `result_backend` and
//! `worker_prefetch_multiplier`: by default a message is acknowledged when its task has ended, a worker holds
//! nothing that another could run (see `celeriac_reserve_ahead`), and with no server configured everything is in one SQLite file.

use super::kind::Kind::{self, Any, Bool, Choice, Int, List, Map, Number, Secret, Text, Url};

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name, in lower case.
    pub name: &'static str,
    /// What values it may have.
    pub kind: Kind,
    /// The default, written as in a variable; `null` for none.
    pub default: &'static str,
    /// Whether setting it changes anything.
    pub support: Support,
}

impl Setting {
    /// Whether it may be set to nothing, with a meaning of its own.
    pub fn is_nullable(&self) -> bool {
        self.default == "null"
            || matches!(
                self.name,
                "result_expires" | "broker_connection_max_retries"
            )
    }
}

/// Whether a setting does something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It does what Celery's documentation says.
    Used,
    /// It is accepted, so that a Celery configuration can be used as it is, and does nothing.
    Ignored(&'static str),
}

const fn used(name: &'static str, kind: Kind, default: &'static str) -> Setting {
    Setting {
        name,
        kind,
        default,
        support: Support::Used,
    }
}

const fn ignored(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    why: &'static str,
) -> Setting {
    Setting {
        name,
        kind,
        default,
        support: Support::Ignored(why),
    }
}

/// Tasks are registered in the worker's program.
const NO_IMPORTS: &str = "tasks are compiled into the worker's program";
/// Python's classes cannot be loaded.
const NO_CLASSES: &str = "parts of the program cannot be replaced by Python classes";
/// Names of pools.
const POOLS: Kind = Choice(&[
    "async",
    "threads",
    "prefork",
    "solo",
    "processes",
    "gevent",
    "eventlet",
]);
/// The feature follows.
const NOT_YET: &str = "not built yet";
/// Only for AMQP.
const AMQP_ONLY: &str = "for RabbitMQ, which is not supported yet";
/// The parts of a URL given one by one.
const USE_URL: &str = "put it into broker_url or result_backend";
/// Fixed by how control queues are made.
const FIXED: &str = "fixed to Celery's default";
/// A result backend that is not here.
const NO_BACKEND: &str = "this result backend is not supported";
/// Results are never given up.
const RESULTS_WAIT: &str = "storing a result is tried until it is done, with pauses of 50 ms to 5 s: its task is not acknowledged before";
/// Connections rebuild themselves.
const ALWAYS: &str = "connections are always rebuilt, with increasing pauses";
/// Log lines have one format.
const LOG_FORMAT: &str = "see celeriac_log_format";
/// Names of codecs for one body.
const SERIALIZERS: Kind = Choice(&["json", "msgpack", "yaml"]);
/// Names of compressions, and their aliases in kombu.
const COMPRESSIONS: Kind = Choice(&[
    "zlib",
    "gzip",
    "bzip2",
    "bzip",
    "lzma",
    "xz",
    "brotli",
    "zstd",
    "zstandard",
]);

/// All settings, by topic.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    used("accept_content", List, "json"),
    ignored("result_accept_content", List, "null", "results are read in result_serializer"),
    ignored("enable_utc", Bool, "true", "times are always in UTC inside; see timezone"),
    ignored("imports", List, "", NO_IMPORTS),
    ignored("include", List, "", NO_IMPORTS),
    used("timezone", Text, "null"),

    ignored("beat_enable_remote_control", Bool, "false", NOT_YET),
    ignored("beat_remote_control_max_tick_age", Number, "null", NOT_YET),
    ignored("beat_max_loop_interval", Number, "0", "beat sleeps until the next entry is due"),
    used("beat_schedule", Map, "{}"),
    ignored("beat_scheduler", Text, "celery.beat:PersistentScheduler", "beat has one scheduler; celeriac_beat_database_url names tables of django-celery-beat"),
    ignored("beat_schedule_filename", Text, "celerybeat-schedule", "the schedule's state is kept on the broker"),
    ignored("beat_sync_every", Int(0), "0", "the schedule's state is written with every task sent"),
    used("beat_cron_starting_deadline", Int(0), "null"),

    used("broker_url", Any, "null"),
    ignored("broker_read_url", Url, "null", "one broker_url serves both ways"),
    ignored("broker_write_url", Url, "null", "one broker_url serves both ways"),
    ignored("broker_transport", Text, "null", USE_URL),
    used("broker_transport_options", Map, "{}"),
    used("broker_connection_timeout", Number, "4"),
    used("broker_connection_retry", Bool, "true"),
    used("broker_connection_retry_on_startup", Bool, "null"),
    used("broker_connection_max_retries", Int(0), "100"),
    ignored("broker_channel_error_retry", Bool, "false", AMQP_ONLY),
    ignored("broker_failover_strategy", Text, "null", "URLs are tried in their order"),
    ignored("broker_heartbeat", Number, "120", AMQP_ONLY),
    ignored("broker_heartbeat_checkrate", Number, "3.0", AMQP_ONLY),
    ignored("broker_login_method", Text, "null", AMQP_ONLY),
    ignored("broker_native_delayed_delivery_queue_type", Choice(&["quorum", "classic"]), "quorum", AMQP_ONLY),
    ignored("broker_pool_limit", Int(0), "10", "one connection carries many calls at once"),
    ignored("broker_pool_acquire_timeout", Number, "null", "one connection carries many calls at once"),
    ignored("broker_use_ssl", Any, "false", "use a rediss:// URL with its ssl_ parameters"),
    ignored("broker_host", Text, "null", USE_URL),
    ignored("broker_port", Int(0), "null", USE_URL),
    ignored("broker_user", Text, "null", USE_URL),
    ignored("broker_password", Secret, "null", USE_URL),
    ignored("broker_vhost", Text, "null", USE_URL),

    ignored("cache_backend", Url, "null", NO_BACKEND),
    ignored("cache_backend_options", Map, "{}", NO_BACKEND),
    ignored("control_queue_ttl", Number, "300.0", AMQP_ONLY),
    ignored("control_queue_expires", Number, "10.0", FIXED),
    ignored("control_queue_exclusive", Bool, "true", AMQP_ONLY),
    ignored("control_queue_durable", Bool, "false", AMQP_ONLY),
    ignored("control_exchange", Text, "celery", FIXED),
    ignored("event_queue_expires", Number, "60.0", AMQP_ONLY),
    ignored("event_queue_ttl", Number, "5.0", AMQP_ONLY),
    ignored("event_queue_prefix", Text, "celeryev", AMQP_ONLY),
    ignored("event_queue_exclusive", Bool, "true", AMQP_ONLY),
    ignored("event_queue_durable", Bool, "false", AMQP_ONLY),
    ignored("event_serializer", SERIALIZERS, "json", FIXED),
    ignored("event_exchange", Text, "celeryev", FIXED),

    ignored("redis_backend_use_ssl", Any, "null", "use a rediss:// URL with its ssl_ parameters"),
    ignored("redis_backend_health_check_interval", Number, "null", ALWAYS),
    ignored("redis_backend_credential_provider", Any, "null", NO_CLASSES),
    ignored("redis_client_name", Text, "null", NOT_YET),
    ignored("redis_db", Int(0), "null", USE_URL),
    ignored("redis_host", Text, "null", USE_URL),
    ignored("redis_max_connections", Int(1), "null", "one connection carries many calls at once"),
    ignored("redis_username", Text, "null", USE_URL),
    ignored("redis_password", Secret, "null", USE_URL),
    ignored("redis_port", Int(0), "null", USE_URL),
    ignored("redis_socket_timeout", Number, "120.0", ALWAYS),
    ignored("redis_socket_connect_timeout", Number, "null", "see broker_connection_timeout"),
    ignored("redis_retry_on_timeout", Bool, "false", ALWAYS),
    ignored("redis_socket_keepalive", Bool, "false", "idle connections are always probed"),

    used("result_backend", Text, "null"),
    ignored("result_backend_thread_safe", Bool, "false", "backends are always shared between threads"),
    ignored("result_cache_max", Int(i64::MIN), "-1", "the client keeps no results"),
    used("result_compression", COMPRESSIONS, "null"),
    ignored("result_exchange", Text, "celeryresults", "unused in Celery too"),
    ignored("result_exchange_type", Text, "direct", "unused in Celery too"),
    used("result_expires", Number, "86400"),
    used("result_chord_expires", Number, "null"),
    used("result_failure_expires", Number, "null"),
    ignored("result_persistent", Bool, "null", AMQP_ONLY),
    used("result_extended", Bool, "false"),
    used("result_serializer", SERIALIZERS, "json"),
    used("result_backend_transport_options", Map, "{}"),
    ignored("result_chord_retry_interval", Number, "1.0", NOT_YET),
    used("result_chord_join_timeout", Number, "3.0"),
    ignored("result_backend_max_sleep_between_retries_ms", Int(0), "10000", RESULTS_WAIT),
    ignored("result_backend_max_retries", Any, "null", RESULTS_WAIT),
    ignored("result_backend_base_sleep_between_retries_ms", Int(0), "10", RESULTS_WAIT),
    ignored("result_backend_always_retry", Bool, "false", RESULTS_WAIT),

    ignored("security_certificate", Text, "null", NOT_YET),
    ignored("security_cert_store", Text, "null", NOT_YET),
    ignored("security_key", Secret, "null", NOT_YET),
    ignored("security_key_password", Secret, "null", NOT_YET),
    ignored("security_digest", Text, "sha256", NOT_YET),

    ignored("database_url", Url, "null", NO_BACKEND),
    ignored("database_engine_options", Map, "{}", NO_BACKEND),
    ignored("database_engine_callback", Any, "null", NO_CLASSES),
    ignored("database_short_lived_sessions", Bool, "false", NO_BACKEND),
    ignored("database_table_schemas", Map, "null", NO_BACKEND),
    ignored("database_table_names", Map, "null", NO_BACKEND),
    ignored("database_create_tables_at_setup", Bool, "true", NO_BACKEND),

    used("task_acks_late", Bool, "true"),
    used("task_acks_on_failure_or_timeout", Bool, "true"),
    used("task_acks_on_failure", Bool, "null"),
    used("task_acks_on_timeout", Bool, "null"),
    ignored("task_always_eager", Bool, "false", "tasks always run in a worker"),
    used("task_annotations", Any, "null"),
    used("task_compression", COMPRESSIONS, "null"),
    ignored("task_create_missing_queues", Bool, "true", "queues need no declaration"),
    ignored("task_create_missing_queue_type", Choice(&["classic", "quorum"]), "classic", AMQP_ONLY),
    ignored("task_create_missing_queue_exchange_type", Text, "null", AMQP_ONLY),
    used("task_inherit_parent_priority", Bool, "false"),
    ignored("task_default_delivery_mode", Any, "2", AMQP_ONLY),
    used("task_default_queue", Text, "celery"),
    ignored("task_default_queue_type", Choice(&["classic", "quorum"]), "classic", AMQP_ONLY),
    used("task_default_exchange", Text, "null"),
    ignored("task_default_exchange_type", Choice(&["direct", "topic", "fanout"]), "direct", "tasks go straight to their queue"),
    used("task_default_routing_key", Text, "null"),
    used("task_default_rate_limit", Text, "null"),
    used("task_default_priority", Int(0), "null"),
    ignored("task_eager_propagates", Bool, "false", "tasks always run in a worker"),
    used("task_ignore_result", Bool, "false"),
    ignored("task_store_eager_result", Bool, "false", "tasks always run in a worker"),
    ignored("task_protocol", Int(1), "2", "messages are sent in protocol 2; 1 is read too"),
    used("task_publish_retry", Bool, "true"),
    used("task_publish_retry_policy", Map, r#"{"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 1}"#),
    ignored("task_queues", Any, "null", "queues need no declaration; a worker's are chosen with -Q"),
    ignored("task_queue_max_priority", Int(0), "null", AMQP_ONLY),
    used("task_reject_on_worker_lost", Bool, "null"),
    used("task_retry_on_worker_lost", Bool, "false"),
    ignored("task_remote_tracebacks", Bool, "false", "for Python callers only"),
    ignored("task_repr_maxlevels", Int(0), "3", FIXED),
    used("task_routes", Any, "null"),
    used("task_send_sent_event", Bool, "false"),
    used("task_serializer", SERIALIZERS, "json"),
    used("task_soft_time_limit", Number, "null"),
    used("task_time_limit", Number, "null"),
    used("task_store_errors_even_if_ignored", Bool, "false"),
    used("task_track_started", Bool, "false"),
    used("task_allow_error_cb_on_chord_header", Bool, "false"),

    ignored("worker_agent", Text, "null", NO_CLASSES),
    ignored("worker_autoscaler", Text, "celery.worker.autoscale:Autoscaler", NO_CLASSES),
    used("worker_cancel_long_running_tasks_on_connection_loss", Bool, "false"),
    used("worker_soft_shutdown_timeout", Number, "0.0"),
    used("worker_enable_soft_shutdown_on_idle", Bool, "false"),
    used("worker_concurrency", Any, "null"),
    ignored("worker_consumer", Text, "celery.worker.consumer:Consumer", NO_CLASSES),
    used("worker_direct", Bool, "false"),
    used("worker_disable_rate_limits", Bool, "false"),
    used("worker_deduplicate_successful_tasks", Bool, "false"),
    used("worker_enable_remote_control", Bool, "true"),
    ignored("worker_hijack_root_logger", Bool, "true", "for Python's logging only"),
    used("worker_log_color", Bool, "null"),
    ignored("worker_log_datefmt", Text, "null", LOG_FORMAT),
    ignored("worker_log_format", Text, "null", LOG_FORMAT),
    ignored("worker_lost_wait", Number, "10.0", "the end of a child process is noticed at once"),
    used("worker_max_memory_per_child", Int(1), "null"),
    used("worker_max_tasks_per_child", Int(1), "null"),
    used("worker_pool", POOLS, "async"),
    ignored("worker_pool_putlocks", Bool, "true", "a worker never takes more than it has slots for"),
    used("worker_pool_restarts", Bool, "false"),
    ignored("worker_pool_start_method", Choice(&["fork", "spawn"]), "fork", "child processes are always spawned"),
    used("worker_proc_alive_timeout", Number, "60.0"),
    used("worker_prefetch_multiplier", Int(1), "null"),
    ignored("worker_eta_task_limit", Int(0), "null", "tasks with an ETA wait on the broker"),
    ignored("worker_enable_prefetch_count_reduction", Bool, "true", "a worker never holds more than it can run, before and after a lost connection"),
    used("worker_disable_prefetch", Bool, "false"),
    ignored("worker_redirect_stdouts", Bool, "true", "a task's output is left alone"),
    ignored("worker_redirect_stdouts_level", Text, "WARNING", "a task's output is left alone"),
    used("worker_send_task_events", Bool, "false"),
    used("worker_state_db", Text, "null"),
    ignored("worker_task_log_datefmt", Text, "null", LOG_FORMAT),
    ignored("worker_task_log_format", Text, "null", LOG_FORMAT),
    ignored("worker_timer", Text, "null", NO_CLASSES),
    ignored("worker_timer_precision", Number, "1.0", "timers wake at their time"),
    ignored("worker_detect_quorum_queues", Bool, "true", AMQP_ONLY),

    used("celeriac_data_folder", Text, "data"),
    used("celeriac_finance_url", Url, "null"),
    used("celeriac_finance_record_timeout", Number, "2"),
    used("celeriac_market_data_providers", List, "folder"),
    used("celeriac_market_data_folder", Text, "null"),
    used("celeriac_market_data_http", Map, "{}"),
    used("celeriac_market_data_simulator", Map, "{}"),
    used("email_host", Text, "null"),
    used("email_port", Int(1), "587"),
    used("email_host_user", Text, "null"),
    used("email_host_password", Secret, "null"),
    used("email_use_tls", Bool, "true"),
    used("email_use_ssl", Bool, "false"),
    used("email_timeout", Number, "20"),
    used("server_email", Text, "celeriac@localhost"),
    used("admin_email", Text, "null"),
    used("celeriac_email_ca_file", Text, "null"),
    used("celeriac_webhook_url", Secret, "null"),
    used("celeriac_webhook_secret", Secret, "null"),
    used("celeriac_webhook_allow_internal", Bool, "false"),
    used("celeriac_push_url", Url, "null"),
    used("celeriac_push_token", Secret, "null"),
    used("celeriac_lease_seconds", Number, "30"),
    used("celeriac_stall_seconds", Number, "30"),
    used("celeriac_reserve_bytes", Int(1), "268435456"),
    used("celeriac_reserve_ahead", Number, "0.001"),
    used("celeriac_http_address", Text, "null"),
    used("celeriac_http_token", Secret, "null"),
    used("celeriac_max_worker_deaths", Int(1), "3"),
    used("celeriac_max_memory_per_task", Int(1), "null"),
    used("celeriac_queue_order", Choice(&["round_robin", "strict", "sorted"]), "null"),
    used("celeriac_log_format", Choice(&["human", "json"]), "human"),
    used("celeriac_log_level", Choice(&["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL"]), "INFO"),
    used("celeriac_log_file", Text, "null"),
    used("celeriac_otlp_endpoint", Url, "null"),
    used("celeriac_limits_payload_bytes", Int(1024), "67108864"),
    used("celeriac_limits_decompressed_bytes", Int(1024), "67108864"),
    used("celeriac_limits_depth", Int(1), "1000"),
    used("celeriac_limits_values", Int(1), "4194304"),
    used("celeriac_beat_database_url", Url, "null"),
    used("celeriac_beat_lease_seconds", Number, "1.5"),
    used("celeriac_revokes_on_broker", Bool, "true"),
    used("celeriac_outbox_path", Text, "null"),
    used("celeriac_outbox_max_messages", Int(1), "100000"),
    used("celeriac_outbox_max_bytes", Int(1), "268435456"),
    used("celeriac_outbox_timeout", Number, "2"),
    used("celeriac_claim_check_threshold", Int(1), "null"),
    used("celeriac_publish_limit", Int(1), "10000"),
    used("celeriac_publish_patience", Number, "30"),
    used("celeriac_task_compression_threshold", Int(0), "0"),
    used("celeriac_result_compression_threshold", Int(0), "0"),
    used("celeriac_services", Map, "{}"),

    ignored("cassandra_entry_ttl", Any, "null", NO_BACKEND),
    ignored("cassandra_keyspace", Any, "null", NO_BACKEND),
    ignored("cassandra_port", Any, "null", NO_BACKEND),
    ignored("cassandra_read_consistency", Any, "null", NO_BACKEND),
    ignored("cassandra_servers", Any, "null", NO_BACKEND),
    ignored("cassandra_bundle_path", Any, "null", NO_BACKEND),
    ignored("cassandra_table", Any, "null", NO_BACKEND),
    ignored("cassandra_write_consistency", Any, "null", NO_BACKEND),
    ignored("cassandra_auth_provider", Any, "null", NO_BACKEND),
    ignored("cassandra_auth_kwargs", Secret, "null", NO_BACKEND),
    ignored("cassandra_options", Any, "{}", NO_BACKEND),
    ignored("s3_access_key_id", Secret, "null", NO_BACKEND),
    ignored("s3_secret_access_key", Secret, "null", NO_BACKEND),
    ignored("s3_bucket", Any, "null", NO_BACKEND),
    ignored("s3_base_path", Any, "null", NO_BACKEND),
    ignored("s3_endpoint_url", Any, "null", NO_BACKEND),
    ignored("s3_region", Any, "null", NO_BACKEND),
    ignored("azureblockblob_container_name", Any, "celery", NO_BACKEND),
    ignored("azureblockblob_retry_initial_backoff_sec", Any, "2", NO_BACKEND),
    ignored("azureblockblob_retry_increment_base", Any, "2", NO_BACKEND),
    ignored("azureblockblob_retry_max_attempts", Any, "3", NO_BACKEND),
    ignored("azureblockblob_base_path", Any, "", NO_BACKEND),
    ignored("azureblockblob_connection_timeout", Any, "20", NO_BACKEND),
    ignored("azureblockblob_read_timeout", Any, "120", NO_BACKEND),
    ignored("gcs_bucket", Any, "null", NO_BACKEND),
    ignored("gcs_project", Any, "null", NO_BACKEND),
    ignored("gcs_base_path", Any, "", NO_BACKEND),
    ignored("gcs_ttl", Any, "0", NO_BACKEND),
    ignored("couchbase_backend_settings", Any, "null", NO_BACKEND),
    ignored("arangodb_backend_settings", Any, "null", NO_BACKEND),
    ignored("mongodb_backend_settings", Any, "null", NO_BACKEND),
    ignored("cosmosdbsql_database_name", Any, "celerydb", NO_BACKEND),
    ignored("cosmosdbsql_collection_name", Any, "celerycol", NO_BACKEND),
    ignored("cosmosdbsql_consistency_level", Any, "Session", NO_BACKEND),
    ignored("cosmosdbsql_max_retry_attempts", Any, "9", NO_BACKEND),
    ignored("cosmosdbsql_max_retry_wait_time", Any, "30", NO_BACKEND),
    ignored("elasticsearch_retry_on_timeout", Any, "null", NO_BACKEND),
    ignored("elasticsearch_max_retries", Any, "null", NO_BACKEND),
    ignored("elasticsearch_timeout", Any, "null", NO_BACKEND),
    ignored("elasticsearch_save_meta_as_text", Any, "true", NO_BACKEND),
];

/// Variables that begin with `CELERY_` and are not settings: Celery's own, and options of commands.
pub const OTHER_VARIABLES: &[&str] = &[
    "CELERY_APP",
    "CELERY_BIN",
    "CELERY_CONFIG_MODULE",
    "CELERY_LOADER",
    "CELERY_RDBSIG",
    "CELERY_CUSTOM_WORKER_POOL",
    "CELERY_SKIP_CHECKS",
    "CELERY_WORKER_REVOKES_MAX",
    "CELERY_WORKER_REVOKE_EXPIRES",
    "CELERY_WORKER_SUCCESSFUL_MAX",
    "CELERY_WORKER_SUCCESSFUL_EXPIRES",
    "CELERY_WORKER_QUEUES",
    "CELERY_WORKER_EXCLUDE_QUEUES",
    "CELERY_WORKER_HOSTNAME",
    "CELERY_WORKER_LOGLEVEL",
    "CELERY_WORKER_LOGFILE",
    "CELERY_WORKER_TIME_LIMIT",
    "CELERY_WORKER_SOFT_TIME_LIMIT",
    "CELERY_WORKER_PIDFILE",
    "CELERY_WORKER_MAX_TASKS",
    "CELERY_BEAT_LOGLEVEL",
    "CELERY_BEAT_LOGFILE",
];

/// Variables that are settings without a prefix, as Django applications have them.
pub const PLAIN_VARIABLES: &[&str] = &[
    "EMAIL_HOST",
    "EMAIL_PORT",
    "EMAIL_HOST_USER",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_USE_TLS",
    "EMAIL_USE_SSL",
    "EMAIL_TIMEOUT",
    "SERVER_EMAIL",
    "ADMIN_EMAIL",
];

/// The setting of this name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_in_lower_case() {
        let names: HashSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
        for name in names {
            assert_eq!(name, name.to_lowercase());
            assert!(!OTHER_VARIABLES.contains(&format!("CELERY_{}", name.to_uppercase()).as_str()));
        }
    }

    #[test]
    fn plain_variables_are_settings() {
        for name in PLAIN_VARIABLES {
            assert!(find(&name.to_lowercase()).is_some(), "{name}");
        }
    }

    #[test]
    fn every_default_keeps_its_own_rule() {
        for setting in SETTINGS.iter().filter(|setting| setting.default != "null") {
            assert!(
                setting.kind.parse(setting.default).is_some(),
                "{}",
                setting.name
            );
        }
    }
}
