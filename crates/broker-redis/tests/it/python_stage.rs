//! Real Python Celery beside ours, on one Redis server.

use testkit::{Process, Python, RedisServer, TempDir};

use crate::support::DEADLINE;

/// A server, and a Python application that uses it.
pub(crate) struct PythonStage {
    pub(crate) server: RedisServer,
    folder: TempDir,
    python: Python,
    module: &'static str,
}

impl PythonStage {
    /// `app` is the source of the application's module; it finds the server's address in `REDIS_URL`.
    pub(crate) fn new(module: &'static str, app: &str) -> Self {
        let server = RedisServer::start();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join(format!("{module}.py")), app).unwrap();
        let python = Python::find().env("REDIS_URL", server.url());
        Self {
            server,
            folder,
            python,
            module,
        }
    }

    /// What a script prints that knows everything in the module.
    pub(crate) fn run(&self, script: &str) -> String {
        let script = format!("from {} import *\n{script}", self.module);
        let printed = self.python.run(self.folder.path(), &script);
        printed.trim().to_owned()
    }

    /// A worker of the queue `celery`, ready.
    pub(crate) async fn start_worker(&self) -> Process {
        let arguments = ["-P", "solo", "-Q", "celery"];
        let folder = self.folder.path();
        let worker = self.python.spawn_worker(folder, self.module, &arguments);
        worker
            .wait_for_line(|line| line.contains(" ready."), DEADLINE * 2)
            .await;
        worker
    }
}
