//! All commands of Celery's `worker/control.py`: names, signatures, and what runs them.

use futures_util::future::BoxFuture;
use protocol::Map;

use Run::{Later, Now, Silent};

use super::signature::check;
use super::{
    Answer, Panel, lifecycle, limits, memory, ok, pool, queues, revoke, stamps, stats, tasks,
};

/// One command.
#[derive(Debug)]
pub(super) struct Command {
    name: &'static str,
    /// Its older name.
    alias: Option<&'static str>,
    /// What it takes, as `signature` reads it.
    signature: &'static str,
    run: Run,
}

#[derive(Debug)]
enum Run {
    /// Answers at once.
    Now(fn(&Panel, &Map) -> Answer),
    /// Asks a server first.
    Later(for<'a> fn(&'a Panel, &'a Map) -> BoxFuture<'a, Answer>),
    /// Never answers.
    Silent(fn(&Panel)),
}

/// [`Run::Later`] of an async function.
macro_rules! later {
    ($function:path) => {
        Later(|panel, arguments| Box::pin($function(panel, arguments)))
    };
}

const fn command(name: &'static str, signature: &'static str, run: Run) -> Command {
    Command {
        name,
        alias: None,
        signature,
        run,
    }
}

impl Command {
    const fn or(self, alias: &'static str) -> Self {
        Self {
            alias: Some(alias),
            ..self
        }
    }
}

#[rustfmt::skip] // a table: one line for each command
const COMMANDS: &[Command] = &[
    command("ping", "**", Now(|_, _| Ok(ok("pong")))),
    command("active", "safe=, **", Now(tasks::active)).or("dump_active"),
    command("reserved", "**", Now(tasks::reserved)).or("dump_reserved"),
    command("scheduled", "**", later!(tasks::scheduled)).or("dump_schedule"),
    command("query_task", "ids, **", later!(tasks::query_task)),
    command("registered", "taskinfoitems=, builtins=, **", Now(tasks::registered)).or("dump_tasks"),
    command("revoked", "**", Now(revoke::revoked)).or("dump_revoked"),
    command("stats", "**", Now(stats::stats)),
    command("conf", "with_defaults=, **", Now(stats::conf)).or("dump_conf"),
    command("report", "", Now(stats::report)),
    command("active_queues", "", Now(queues::active_queues)),
    command("clock", "**", Now(lifecycle::clock)),
    command("memsample", "**", Now(memory::memsample)),
    command("memdump", "samples=, **", Now(memory::memdump)),
    command("objgraph", "num=, max_depth=, type=", Now(memory::objgraph)),
    command("hello", "from_node, revoked=, **", Now(lifecycle::hello)),
    command("revoke", "task_id, terminate=, signal=, **", later!(revoke::revoke)),
    command("terminate", "signal, task_id, **", later!(revoke::terminate)),
    command("revoke_by_stamped_headers", "headers, terminate=, signal=, **", later!(stamps::revoke_by_stamped_headers)),
    command("rate_limit", "task_name, rate_limit, **", Now(limits::rate_limit)),
    command("time_limit", "task_name=, hard=, soft=, **", Now(limits::time_limit)),
    command("enable_events", "", Now(lifecycle::enable_events)),
    command("disable_events", "", Now(lifecycle::disable_events)),
    command("heartbeat", "", later!(lifecycle::heartbeat)),
    command("election", "id, topic, action=, **", later!(lifecycle::election)),
    command("pool_grow", "n=, **", Now(pool::grow)),
    command("pool_shrink", "n=, **", Now(pool::shrink)),
    command("pool_restart", "modules=, reload=, reloader=, **", Now(pool::restart)),
    command("autoscale", "max=, min=", Now(pool::autoscale)),
    command("add_consumer", "queue, exchange=, exchange_type=, routing_key=, **", later!(queues::add_consumer)),
    command("cancel_consumer", "queue, **", later!(queues::cancel_consumer)),
    command("shutdown", "msg=, **", Silent(lifecycle::shutdown)),
];

/// Whether a command of this name is one of Celery's.
pub(crate) fn is_builtin(name: &str) -> bool {
    Command::find(name).is_some()
}

impl Command {
    /// The command of this name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        let named = |command: &&Self| command.name == name || command.alias == Some(name);
        COMMANDS.iter().find(named)
    }

    pub(super) fn is_silent(&self) -> bool {
        matches!(self.run, Silent(_))
    }

    pub(super) async fn answer(&self, panel: &Panel, arguments: &Map) -> Answer {
        check(self.name, self.signature, arguments)?;
        match self.run {
            Now(run) => run(panel, arguments),
            Later(run) => run(panel, arguments).await,
            Silent(run) => {
                run(panel);
                Ok(protocol::Value::Null)
            }
        }
    }
}
