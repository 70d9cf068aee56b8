//! Tasks that leave a trace outside: in Redis, in a file, on the screen.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use protocol::Value;

use crate::python;
use crate::store::Store;
use crate::task::task;

task! {
    /// Appends the message to a list in Redis.
    fn redis_echo(ctx, message: Value, #[serde(default = "echo_key")] redis_key: String) -> () {
        Store::of(ctx).push(&redis_key, &message).await
    }
}

task! {
    /// Counts its runs in Redis.
    fn redis_count(ctx, #[serde(default = "count_key")] redis_key: String) -> () {
        Store::of(ctx).increment(&redis_key).await
    }
}

task! {
    /// Notes the id of the group that it belongs to.
    fn redis_echo_group_id(ctx, _value: Value, #[serde(default = "group_key")] redis_key: String) -> () {
        let group = Value::from(ctx.request().group.clone());
        Store::of(ctx).push(&redis_key, &group).await
    }
}

task! {
    /// Sums up the values and notes its own id.
    fn sum_and_record(ctx, values: Value, redis_key: String) -> Value {
        let sum = python::sum(values)?;
        Store::of(ctx).push(&redis_key, &ctx.id().into()).await?;
        Ok(sum)
    }
}

task! {
    /// Appends a line to a file.
    fn write_to_file_and_return_int(_, file_name: PathBuf, i: i64) -> i64 {
        let mut file = File::options().create(true).append(true).open(file_name)?;
        file.write_all(format!("{i}\n").as_bytes())?;
        Ok(i)
    }
}

task! {
    /// Logs one text and prints another.
    fn print_unicode(
        _,
        #[serde(default = "logged")] log_message: Value,
        #[serde(default = "printed")] print_message: Value
    ) -> () {
        tracing::warn!(message = log_message.as_str(), "print_unicode");
        Ok(writeln!(std::io::stdout(), "{}", print_message.as_str().unwrap_or_default())?)
    }
}

fn echo_key() -> String {
    "redis-echo".to_owned()
}

fn count_key() -> String {
    "redis-count".to_owned()
}

fn group_key() -> String {
    "redis-group-ids".to_owned()
}

fn logged() -> Value {
    Value::from("größer ≥ 1 ®")
}

fn printed() -> Value {
    Value::from("žluťoučký kůň")
}
