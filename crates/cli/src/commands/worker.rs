//! `celeriac worker`.

use std::os::unix::process::CommandExt;
use std::process::Command;

use service::Exit;

use super::up;
use crate::context::Context;
use crate::error::Error;
use crate::services::{Service, Services, locate};

/// Run the worker that owns these queues; without -Q, all workers
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac worker -Q analytics -c 4 -l INFO -E
  celeriac worker -Q analytics -- --help    all options of that worker
  celeriac worker                           every worker, each its own process

With -Q this process becomes the worker. Which worker owns which queue is the
setting celeriac_services.")]
pub(crate) struct Args {
    /// Queues to consume
    #[arg(short = 'Q', long, value_name = "A,B")]
    queues: Option<String>,
    /// Further options, passed to the worker
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "OPTION"
    )]
    options: Vec<String>,
}

/// Becomes the worker of the queues; without queues runs all workers until they have ended.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let services = Services::read(&context.settings)?;
    let queues = args
        .queues
        .clone()
        .or_else(|| value(&args.options, "-Q", "--queues"));
    if let Some(queues) = queues {
        return Err(become_worker(&args, &queues, &services, context)?);
    }
    let mut workers = services.0;
    workers.retain(Service::is_worker);
    for worker in &mut workers {
        worker.options.extend(args.options.iter().cloned());
    }
    up::keep_running(&Services(workers), context).await
}

/// Returns only when the worker's program cannot be run.
fn become_worker(
    args: &Args,
    queues: &str,
    services: &Services,
    context: &Context,
) -> Result<Error, Error> {
    let names: Vec<_> = queues
        .split(',')
        .map(|queue| queue.trim().to_owned())
        .collect();
    let program = locate(&services.owner(&names)?.command)?;
    let mut command = Command::new(&program);
    command.args(["-Q", queues]);
    if value(&args.options, "-n", "--hostname").is_none() {
        // A node for each queue, so that several workers on one machine can be told apart.
        command.args(["-n", &format!("{}@%h", names[0])]);
    }
    command.args(without(&args.options, "-Q", "--queues"));
    command.envs(context.environment());
    let source = command.exec();
    Ok(Error::Io {
        what: format!("cannot run {}", program.display()),
        source,
    })
}

/// The value of an option among options that are passed on: `-Q a`, `-Qa`, `--queues a` or `--queues=a`.
fn value(options: &[String], short: &str, long: &str) -> Option<String> {
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if option == short || option == long {
            return options.next().cloned();
        }
        let joined = option
            .strip_prefix(long)
            .and_then(|rest| rest.strip_prefix('='));
        if let Some(value) = joined.or_else(|| option.strip_prefix(short)) {
            return Some(value.to_owned());
        }
    }
    None
}

/// The options without this one and its value.
fn without(options: &[String], short: &str, long: &str) -> Vec<String> {
    let mut kept = Vec::new();
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if option == short || option == long {
            options.next();
        } else if !option.starts_with(short) && !option.starts_with(&format!("{long}=")) {
            kept.push(option.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_found_wherever_they_stand() {
        for options in [
            &["-c", "2", "-Q", "a,b"][..],
            &["-Qa,b", "-c", "2"],
            &["--queues", "a,b", "-c", "2"],
            &["-c", "2", "--queues=a,b"],
        ] {
            let options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
            assert_eq!(
                value(&options, "-Q", "--queues").as_deref(),
                Some("a,b"),
                "{options:?}"
            );
            assert_eq!(
                without(&options, "-Q", "--queues"),
                ["-c", "2"],
                "{options:?}"
            );
        }
        assert_eq!(value(&["-c".to_owned()], "-Q", "--queues"), None);
    }
}
