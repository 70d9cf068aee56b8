//! `task_annotations`: options of tasks overridden by the settings.

use protocol::{Value, from_value};
use serde::Deserialize;
use worker::{Registry, TaskOptions};

use super::Settings;
use crate::Error;

/// Stands for every task. As in Celery it is applied last and wins.
const EVERY_TASK: &str = "*";

/// The options that can be overridden, with Celery's names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Annotation {
    acks_late: Option<bool>,
    acks_on_failure: Option<bool>,
    acks_on_failure_or_timeout: Option<bool>,
    acks_on_timeout: Option<bool>,
    default_retry_delay: Option<u32>,
    expires: Option<f64>,
    ignore_result: Option<bool>,
    max_retries: Option<u32>,
    priority: Option<u8>,
    queue: Option<String>,
    rate_limit: Option<String>,
    reject_on_worker_lost: Option<bool>,
    retry_on_worker_lost: Option<bool>,
    retry_backoff: Option<u32>,
    retry_backoff_max: Option<u32>,
    retry_jitter: Option<bool>,
    send_events: Option<bool>,
    soft_time_limit: Option<f64>,
    store_errors_even_if_ignored: Option<bool>,
    time_limit: Option<f64>,
    track_started: Option<bool>,
}

impl Settings {
    /// Overrides the options of tasks as `task_annotations` says. Names of tasks that are not registered are let pass.
    ///
    /// # Errors
    /// When it is no table of tasks and options, or an option is not known or has the wrong type.
    pub fn annotate(&self, registry: &mut Registry) -> Result<(), Error> {
        let annotations = self.annotations()?;
        registry.annotate(|name, options| {
            for key in [name, EVERY_TASK] {
                let found = annotations.iter().filter(|(task, _)| task == key);
                found.for_each(|(_, annotation)| annotation.clone().apply(options));
            }
        });
        Ok(())
    }

    fn annotations(&self) -> Result<Vec<(String, Annotation)>, Error> {
        let entry = self.entry("task_annotations");
        let mut found = Vec::new();
        collect(&entry.value, &mut found)
            .map_err(|rule| entry.refuse(&format!("a table of tasks and their options: {rule}")))?;
        Ok(found)
    }
}

/// Celery's forms: a table, or a list of tables.
fn collect(value: &Value, found: &mut Vec<(String, Annotation)>) -> Result<(), String> {
    match value {
        Value::Null => Ok(()),
        Value::List(items) => items.iter().try_for_each(|item| collect(item, found)),
        Value::Map(map) => map.iter().try_for_each(|(task, options)| {
            let read = from_value(options.clone()).map_err(|error| format!("{task}: {error}"));
            found.push((task.to_owned(), read?));
            Ok(())
        }),
        other => Err(format!("{} is none", other.type_name())),
    }
}

impl Annotation {
    fn apply(self, options: &mut TaskOptions) {
        let both = self.acks_on_failure_or_timeout;
        replace(&mut options.acks_late, self.acks_late);
        replace(&mut options.acks_on_failure, self.acks_on_failure.or(both));
        replace(&mut options.acks_on_timeout, self.acks_on_timeout.or(both));
        replace(&mut options.expires, self.expires);
        replace(&mut options.ignore_result, self.ignore_result);
        replace(&mut options.priority, self.priority);
        replace(&mut options.queue, self.queue);
        replace(&mut options.rate_limit, self.rate_limit);
        replace(
            &mut options.reject_on_worker_lost,
            self.reject_on_worker_lost,
        );
        replace(&mut options.retry_on_worker_lost, self.retry_on_worker_lost);
        replace(&mut options.soft_time_limit, self.soft_time_limit);
        replace(
            &mut options.store_errors_even_if_ignored,
            self.store_errors_even_if_ignored,
        );
        replace(&mut options.time_limit, self.time_limit);
        replace(&mut options.track_started, self.track_started);
        replace(&mut options.retry.max_retries, self.max_retries);
        replace(&mut options.retry.retry_backoff, self.retry_backoff);
        let retry = &mut options.retry;
        retry.default_retry_delay = self
            .default_retry_delay
            .unwrap_or(retry.default_retry_delay);
        retry.retry_backoff_max = self.retry_backoff_max.unwrap_or(retry.retry_backoff_max);
        retry.retry_jitter = self.retry_jitter.unwrap_or(retry.retry_jitter);
        options.send_events = self.send_events.unwrap_or(options.send_events);
    }
}

fn replace<T>(option: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *option = value;
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use worker::{Context, Outcome, Task};

    use super::*;
    use crate::settings::Sources;

    #[derive(Serialize, Deserialize)]
    struct Add {}

    impl Task for Add {
        const NAME: &'static str = "Proj.Tasks.add";
        type Output = ();
        async fn run(self, _: &Context) -> Result<(), Outcome> {
            Ok(())
        }
    }

    fn annotated(text: &str) -> Result<Registry, String> {
        let overrides = vec![("task_annotations", "--x", text.to_owned())];
        let settings = Settings::load(&Sources {
            overrides,
            ..Sources::default()
        })
        .unwrap();
        let mut registry = Registry::new().task::<Add>();
        settings
            .annotate(&mut registry)
            .map_err(|error| error.to_string())?;
        Ok(registry)
    }

    #[test]
    fn options_are_overridden_by_name_and_then_for_every_task() {
        let text = r#"{"*": {"time_limit": 9}, "Proj.Tasks.add": {"time_limit": 5, "max_retries": 7}, "other": {"queue": "q"}}"#;
        let registry = annotated(text).unwrap();
        let options = registry.options(Add::NAME).unwrap();
        assert_eq!(options.time_limit, Some(9.0));
        assert_eq!(options.retry.max_retries, Some(7));
        assert_eq!(options.queue, None);
        assert_eq!(
            annotated(r#"[{"*": {"acks_late": false}}]"#)
                .unwrap()
                .options(Add::NAME)
                .unwrap()
                .acks_late,
            Some(false)
        );
    }

    #[test]
    fn what_is_no_option_is_refused() {
        let error = annotated(r#"{"Proj.Tasks.add": {"time_limits": 5}}"#).unwrap_err();
        assert!(
            error.contains("`task_annotations`") && error.contains("time_limits"),
            "{error}"
        );
        assert!(annotated("5").is_err());
    }
}
