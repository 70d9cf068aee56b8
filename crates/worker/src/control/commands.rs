//! All commands of Celery's `worker/control.py`: names, signatures, and what runs them.

use futures_util::future::BoxFuture;
use protocol::Map;

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

const fn now(
    name: &'static str,
    signature: &'static str,
    run: fn(&Panel, &Map) -> Answer,
) -> Command {
    Command {
        name,
        alias: None,
        signature,
        run: Run::Now(run),
    }
}

const fn later(
    name: &'static str,
    signature: &'static str,
    run: for<'a> fn(&'a Panel, &'a Map) -> BoxFuture<'a, Answer>,
) -> Command {
    Command {
        name,
        alias: None,
        signature,
        run: Run::Later(run),
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

const COMMANDS: &[Command] = &[
    now("ping", "**", |_, _| Ok(ok("pong"))),
    now("active", "safe=, **", tasks::active).or("dump_active"),
    now("reserved", "**", tasks::reserved).or("dump_reserved"),
    later("scheduled", "**", |panel, _| {
        Box::pin(tasks::scheduled(panel))
    })
    .or("dump_schedule"),
    later("query_task", "ids, **", |panel, arguments| {
        Box::pin(tasks::query_task(panel, arguments))
    }),
    now(
        "registered",
        "taskinfoitems=, builtins=, **",
        tasks::registered,
    )
    .or("dump_tasks"),
    now("revoked", "**", revoke::revoked).or("dump_revoked"),
    now("stats", "**", stats::stats),
    now("conf", "with_defaults=, **", stats::conf).or("dump_conf"),
    now("report", "", stats::report),
    now("active_queues", "", queues::active_queues),
    now("clock", "**", lifecycle::clock),
    now("memsample", "**", memory::memsample),
    now("memdump", "samples=, **", memory::memdump),
    now("objgraph", "num=, max_depth=, type=", memory::objgraph),
    now("hello", "from_node, revoked=, **", lifecycle::hello),
    later(
        "revoke",
        "task_id, terminate=, signal=, **",
        |panel, arguments| Box::pin(revoke::revoke(panel, arguments)),
    ),
    later("terminate", "signal, task_id, **", |panel, arguments| {
        Box::pin(revoke::terminate(panel, arguments))
    }),
    later(
        "revoke_by_stamped_headers",
        "headers, terminate=, signal=, **",
        |panel, arguments| Box::pin(stamps::revoke_by_stamped_headers(panel, arguments)),
    ),
    now(
        "rate_limit",
        "task_name, rate_limit, **",
        limits::rate_limit,
    ),
    now(
        "time_limit",
        "task_name=, hard=, soft=, **",
        limits::time_limit,
    ),
    now("enable_events", "", lifecycle::enable_events),
    now("disable_events", "", lifecycle::disable_events),
    later("heartbeat", "", |panel, _| {
        Box::pin(lifecycle::heartbeat(panel))
    }),
    later("election", "id, topic, action=, **", |panel, arguments| {
        Box::pin(lifecycle::election(panel, arguments))
    }),
    now("pool_grow", "n=, **", pool::grow),
    now("pool_shrink", "n=, **", pool::shrink),
    now(
        "pool_restart",
        "modules=, reload=, reloader=, **",
        pool::restart,
    ),
    now("autoscale", "max=, min=", pool::autoscale),
    later(
        "add_consumer",
        "queue, exchange=, exchange_type=, routing_key=, **",
        |panel, arguments| Box::pin(queues::add_consumer(panel, arguments)),
    ),
    later("cancel_consumer", "queue, **", |panel, arguments| {
        Box::pin(queues::cancel_consumer(panel, arguments))
    }),
    Command {
        name: "shutdown",
        alias: None,
        signature: "msg=, **",
        run: Run::Silent(lifecycle::shutdown),
    },
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
        matches!(self.run, Run::Silent(_))
    }

    pub(super) async fn answer(&self, panel: &Panel, arguments: &Map) -> Answer {
        check(self.name, self.signature, arguments)?;
        match self.run {
            Run::Now(run) => run(panel, arguments),
            Run::Later(run) => run(panel, arguments).await,
            Run::Silent(run) => {
                run(panel);
                Ok(protocol::Value::Null)
            }
        }
    }
}
