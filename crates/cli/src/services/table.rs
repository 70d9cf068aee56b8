//! Which services there are: `celeriac_services` of the settings, or the built-in ones.

use std::path::{Path, PathBuf};

use protocol::{Value, from_value};
use serde::Deserialize;
use service::Settings;

use crate::error::Error;

/// One program that runs as a process of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    /// What the log calls it.
    #[serde(skip)]
    pub(crate) name: String,
    /// The program: a path, or a name that is looked for beside this program and in `PATH`.
    pub(crate) command: String,
    /// The queues that it consumes; none for a program that is no worker.
    #[serde(default)]
    pub(crate) queues: Vec<String>,
    /// How many tasks it runs at once; not set, the settings' `worker_concurrency`.
    #[serde(default)]
    pub(crate) concurrency: Option<u16>,
    /// Further options.
    #[serde(default)]
    pub(crate) options: Vec<String>,
}

impl Service {
    fn built_in(name: &str, queues: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            command: format!("celeriac-{name}"),
            queues: queues.iter().map(|&queue| queue.to_owned()).collect(),
            concurrency: None,
            options: Vec::new(),
        }
    }

    /// Whether it is a worker.
    pub(crate) fn is_worker(&self) -> bool {
        !self.queues.is_empty()
    }

    /// Its command line. A worker's node is named after the service, so that several run on one machine.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if self.is_worker() {
            let node = format!("{}@%h", self.name);
            arguments.extend([
                "-Q".to_owned(),
                self.queues.join(","),
                "-n".to_owned(),
                node,
            ]);
        }
        if let Some(concurrency) = self.concurrency {
            arguments.extend(["-c".to_owned(), concurrency.to_string()]);
        }
        arguments.extend(self.options.iter().cloned());
        arguments
    }
}

/// All services, in the order they are started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Services(pub(crate) Vec<Service>);

impl Services {
    /// Those of the settings; without any the built-in ones.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Error> {
        let configured = settings.map("celeriac_services");
        if configured.is_empty() {
            return Ok(Self::built_in());
        }
        let services = configured.iter().map(|(name, value)| read(name, value));
        Ok(Self(services.collect::<Result<_, _>>()?))
    }

    fn built_in() -> Self {
        let analytics = ["analytics", "market_data", "reconciliation"];
        let maintenance = [
            "high_priority",
            "monitoring",
            "default",
            "celery",
            "maintenance",
            "cache_operations",
            "low_priority",
        ];
        Self(vec![
            Service::built_in("worker-analytics", &analytics),
            Service::built_in("worker-maintenance", &maintenance),
            Service::built_in("beat", &[]),
        ])
    }

    /// The worker that owns all of these queues.
    pub(crate) fn owner(&self, queues: &[String]) -> Result<&Service, Error> {
        let owns_all =
            |service: &&Service| queues.iter().all(|queue| service.queues.contains(queue));
        self.0.iter().find(owns_all).ok_or_else(|| {
            let owned: Vec<_> = self
                .0
                .iter()
                .filter(|service| service.is_worker())
                .map(describe)
                .collect();
            let queues = queues.join(",");
            Error::Usage(format!(
                "no worker owns {queues} alone; {}",
                owned.join("; ")
            ))
        })
    }
}

fn describe(service: &Service) -> String {
    format!("{} owns {}", service.name, service.queues.join(","))
}

fn read(name: &str, value: &Value) -> Result<Service, Error> {
    let service: Service = from_value(value.clone())
        .map_err(|error| Error::Usage(format!("setting `celeriac_services`, {name}: {error}")))?;
    Ok(Service {
        name: name.to_owned(),
        ..service
    })
}

/// The path of a service's program: as given when it has a slash, else beside this program, else in `PATH`.
pub(crate) fn locate(command: &str) -> Result<PathBuf, Error> {
    if command.contains('/') {
        return Ok(PathBuf::from(command));
    }
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = beside.into_iter().chain(std::env::split_paths(&path));
    let found = folders.find_map(|folder| Some(folder.join(command)).filter(|path| path.is_file()));
    found.ok_or_else(|| {
        Error::NotFound(format!(
            "{command} is neither beside this program nor in PATH; is it installed?"
        ))
    })
}

#[cfg(test)]
mod tests {
    use service::settings::Sources;

    use super::*;

    fn settings(services: &str) -> Settings {
        let overrides = vec![("celeriac_services", "--x", services.to_owned())];
        Settings::load(&Sources {
            overrides,
            ..Sources::default()
        })
        .unwrap()
    }

    #[test]
    fn the_built_in_workers_own_every_queue_once() {
        let services = Services::read(&settings("{}")).unwrap();
        let mut queues: Vec<_> = services
            .0
            .iter()
            .flat_map(|service| service.queues.clone())
            .collect();
        let all = queues.len();
        queues.sort();
        queues.dedup();
        assert_eq!(queues.len(), all);
        let owner = |queue: &str| services.owner(&[queue.to_owned()]).unwrap().name.clone();
        assert_eq!(owner("analytics"), "worker-analytics");
        assert_eq!(owner("celery"), "worker-maintenance");
    }

    #[test]
    fn the_shipped_settings_have_the_built_in_services() {
        let shipped = crate::demo::shipped_settings();
        assert_eq!(Services::read(&shipped).unwrap(), Services::built_in());
    }

    #[test]
    fn queues_of_two_workers_have_no_owner() {
        let services = Services::read(&settings("{}")).unwrap();
        let error = services
            .owner(&["analytics".to_owned(), "celery".to_owned()])
            .unwrap_err();
        assert!(
            error.to_string().contains("worker-maintenance owns"),
            "{error}"
        );
    }

    #[test]
    fn the_settings_replace_the_built_in_services() {
        let text = r#"{"w": {"command": "/bin/w", "queues": ["a", "b"], "concurrency": 2, "options": ["-E"]}}"#;
        let services = Services::read(&settings(text)).unwrap();
        assert_eq!(services.0.len(), 1);
        assert_eq!(
            services.0[0].arguments(),
            ["-Q", "a,b", "-n", "w@%h", "-c", "2", "-E"]
        );
    }

    #[test]
    fn a_wrong_service_is_named() {
        let error = Services::read(&settings(r#"{"w": {"comand": "x"}}"#))
            .unwrap_err()
            .to_string();
        assert!(error.contains("`celeriac_services`, w: "), "{error}");
    }
}
