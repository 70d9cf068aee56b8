//! The remote commands that workers know: what they are called, what they take, and what they do. How requests travel
//! is in [`super`]; what a command does is the worker's.

use protocol::{Map, Value};

use crate::error::Error;

/// Whether a command asks or changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It asks: `celeriac inspect`.
    Inspect,
    /// It changes something: `celeriac control`.
    Control,
}

/// What an argument is on the wire.
#[derive(Debug, Clone, Copy)]
enum Type {
    Text,
    Int,
    Float,
    Bool,
}

/// One remote command.
#[derive(Debug)]
pub(crate) struct Command {
    kind: Kind,
    /// Its name on the wire.
    pub(crate) name: &'static str,
    /// Celery's older name.
    pub(crate) alias: Option<&'static str>,
    /// What it takes, as help shows it.
    pub(crate) signature: &'static str,
    /// What it does.
    pub(crate) help: &'static str,
    /// How many values it needs at least.
    required: usize,
    arguments: &'static [(&'static str, Type)],
    /// The argument that all further values go to, as a list.
    variadic: Option<&'static str>,
    /// Whether workers answer it.
    pub(crate) replies: bool,
}

const fn command(kind: Kind, name: &'static str, help: &'static str) -> Command {
    Command {
        kind,
        name,
        alias: None,
        signature: "",
        help,
        required: 0,
        arguments: &[],
        variadic: None,
        replies: true,
    }
}

const fn inspect(name: &'static str, help: &'static str) -> Command {
    command(Kind::Inspect, name, help)
}

const fn control(name: &'static str, help: &'static str) -> Command {
    command(Kind::Control, name, help)
}

impl Command {
    const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    const fn takes(
        mut self,
        required: usize,
        signature: &'static str,
        arguments: &'static [(&'static str, Type)],
    ) -> Self {
        self.required = required;
        self.signature = signature;
        self.arguments = arguments;
        self
    }

    const fn variadic(mut self, name: &'static str) -> Self {
        self.variadic = Some(name);
        self
    }

    const fn no_reply(mut self) -> Self {
        self.replies = false;
        self
    }
}

/// Every command, in the order of help.
static COMMANDS: &[Command] = &[
    inspect("active", "Tasks that run now").alias("dump_active"),
    inspect("active_queues", "Queues that are consumed"),
    inspect("clock", "The Lamport clock"),
    inspect("conf", "The settings; secrets masked")
        .alias("dump_conf")
        .takes(0, "[WITH_DEFAULTS]", &[("with_defaults", Type::Bool)]),
    inspect("memdump", "What memsample found so far").takes(
        0,
        "[SAMPLES]",
        &[("samples", Type::Int)],
    ),
    inspect("memsample", "Memory in use"),
    inspect("objgraph", "Uncollected objects (Python workers)").takes(
        0,
        "[TYPE [NUM [MAX_DEPTH]]]",
        &[
            ("type", Type::Text),
            ("num", Type::Int),
            ("max_depth", Type::Int),
        ],
    ),
    inspect("ping", "Whether workers answer"),
    inspect("query_task", "Where these tasks are")
        .takes(1, "ID…", &[])
        .variadic("ids"),
    inspect(
        "registered",
        "Tasks that are known, with these attributes of theirs",
    )
    .alias("dump_tasks")
    .takes(0, "[ATTRIBUTE…]", &[])
    .variadic("taskinfoitems"),
    inspect("report", "Software and settings, for bug reports"),
    inspect("reserved", "Tasks that are held and have not started").alias("dump_reserved"),
    inspect("revoked", "Ids of tasks that will not run").alias("dump_revoked"),
    inspect("scheduled", "Tasks that are held until their time").alias("dump_schedule"),
    inspect("stats", "Pool, broker, totals, resources"),
    control("add_consumer", "Consume a further queue").takes(
        1,
        "QUEUE [EXCHANGE [TYPE [ROUTING_KEY]]]",
        &[
            ("queue", Type::Text),
            ("exchange", Type::Text),
            ("exchange_type", Type::Text),
            ("routing_key", Type::Text),
        ],
    ),
    control("autoscale", "Change the range of autoscaling").takes(
        2,
        "MAX MIN",
        &[("max", Type::Int), ("min", Type::Int)],
    ),
    control("cancel_consumer", "Consume a queue no longer").takes(
        1,
        "QUEUE",
        &[("queue", Type::Text)],
    ),
    control("disable_events", "Send no task events"),
    control("election", "Elect a worker that acts").takes(
        2,
        "ID TOPIC [ACTION]",
        &[
            ("id", Type::Text),
            ("topic", Type::Text),
            ("action", Type::Text),
        ],
    ),
    control("enable_events", "Send task events"),
    control("heartbeat", "Send a heartbeat at once"),
    control("pool_grow", "Add processes or threads").takes(0, "[N]", &[("n", Type::Int)]),
    control("pool_restart", "Restart the pool"),
    control("pool_shrink", "Take away processes or threads").takes(0, "[N]", &[("n", Type::Int)]),
    control(
        "rate_limit",
        "Limit how often a task starts (10/m; 0: no limit)",
    )
    .takes(
        2,
        "TASK RATE",
        &[("task_name", Type::Text), ("rate_limit", Type::Text)],
    ),
    control("revoke", "Do not run these tasks")
        .takes(1, "ID…", &[])
        .variadic("task_id"),
    control(
        "revoke_by_stamped_headers",
        "Do not run tasks with these stamps",
    )
    .takes(1, "KEY=VALUE…", &[])
    .variadic("headers"),
    control("shutdown", "Finish what runs, then end").no_reply(),
    control("terminate", "Revoke, and kill what runs")
        .takes(2, "SIGNAL ID…", &[("signal", Type::Text)])
        .variadic("task_id"),
    control("time_limit", "Change a task's time limits, in seconds").takes(
        2,
        "TASK SOFT [HARD]",
        &[
            ("task_name", Type::Text),
            ("soft", Type::Float),
            ("hard", Type::Float),
        ],
    ),
];

/// The commands of a kind.
pub(crate) fn commands(kind: Kind) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |command| command.kind == kind)
}

/// The command of this name or alias.
pub(crate) fn find(kind: Kind, name: &str) -> Option<&'static Command> {
    commands(kind).find(|command| command.name == name || command.alias == Some(name))
}

impl Command {
    /// The values as the request carries them.
    ///
    /// # Errors
    /// When there are too few or too many, or one is not of its type.
    pub(crate) fn compile(&self, values: &[String]) -> Result<Map, Error> {
        let too_many = self.variadic.is_none() && values.len() > self.arguments.len();
        if values.len() < self.required || too_many {
            return Err(self.wrong_number());
        }
        let mut map = Map::new();
        for ((name, kind), text) in self.arguments.iter().zip(values) {
            let value = kind.read(text).ok_or_else(|| {
                let (rule, command) = (kind.rule(), self.name);
                Error::Usage(format!("{command}: {name} must be {rule}, not {text}"))
            })?;
            map.insert(*name, value);
        }
        if let (Some(name), Some(rest)) = (self.variadic, values.get(self.arguments.len()..))
            && !rest.is_empty()
        {
            map.insert(name, rest.to_vec());
        }
        Ok(map)
    }

    fn wrong_number(&self) -> Error {
        let (name, signature) = (self.name, self.signature);
        Error::Usage(if signature.is_empty() {
            format!("{name} takes no arguments")
        } else {
            format!("{name} takes {signature}")
        })
    }
}

impl Type {
    fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => Some(Value::from(text)),
            Self::Int => text.parse::<i64>().ok().map(Value::from),
            Self::Float => text.parse::<f64>().ok().map(Value::from),
            Self::Bool => match text.to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(Value::from(true)),
                "false" | "no" | "off" | "0" => Some(Value::from(false)),
                _ => None,
            },
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Int => "a whole number",
            Self::Float => "a number",
            Self::Bool => "true or false",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(kind: Kind, line: &str) -> Result<Map, String> {
        let mut words = line.split(' ').map(str::to_owned);
        let name = words.next().unwrap();
        let values: Vec<_> = words.collect();
        let command = find(kind, &name).unwrap();
        command.compile(&values).map_err(|error| error.to_string())
    }

    fn request(kind: Kind, line: &str) -> String {
        serde_json::to_string(&compile(kind, line).unwrap()).unwrap()
    }

    #[test]
    fn arguments_get_celery_s_names_and_types() {
        let cases = [
            ("revoke a b", r#"{"task_id":["a","b"]}"#),
            ("terminate KILL a", r#"{"signal":"KILL","task_id":["a"]}"#),
            (
                "rate_limit t 10/m",
                r#"{"task_name":"t","rate_limit":"10/m"}"#,
            ),
            (
                "time_limit t 1 2.5",
                r#"{"task_name":"t","soft":1.0,"hard":2.5}"#,
            ),
            ("pool_grow 2", r#"{"n":2}"#),
            ("pool_grow", "{}"),
            ("revoke_by_stamped_headers k=v", r#"{"headers":["k=v"]}"#),
        ];
        for (line, expected) in cases {
            assert_eq!(request(Kind::Control, line), expected, "{line}");
        }
        assert_eq!(
            request(Kind::Inspect, "dump_conf yes"),
            r#"{"with_defaults":true}"#
        );
        assert_eq!(request(Kind::Inspect, "registered"), "{}");
    }

    #[test]
    fn wrong_arguments_are_told_with_what_is_right() {
        let cases = [
            ("revoke", "revoke takes ID…"),
            ("shutdown now", "shutdown takes no arguments"),
            ("rate_limit t", "rate_limit takes TASK RATE"),
            ("autoscale 3 many", "min must be a whole number, not many"),
            ("cancel_consumer a b", "cancel_consumer takes QUEUE"),
        ];
        for (line, expected) in cases {
            let error = compile(Kind::Control, line).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
