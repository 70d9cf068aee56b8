//! Remote commands: `celeriac inspect` and `celeriac control` are two views of one table. It owns addressing workers
//! and showing their answers.

mod custom;
mod show;
pub(crate) mod table;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser};
use client::{Broadcast, Client};
use protocol::control::Reply;
use protocol::{Map, Value};
use service::Exit;

use self::table::{Kind, commands, find};
use crate::context::{Context, seconds};
use crate::error::Error;
use crate::output;

pub(crate) use show::show_status;

/// The name that stands for an application's own commands.
const CUSTOM: &str = "custom";

/// Which workers are addressed, and how long they are waited for.
#[derive(Debug, clap::Args)]
pub(crate) struct Addressees {
    /// How long to wait for each further reply
    #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    timeout: Duration,
    /// Only these nodes
    #[arg(short, long, value_name = "A,B", value_delimiter = ',')]
    destination: Vec<String>,
    /// Only nodes whose name matches (w*@web1)
    #[arg(short, long, value_name = "PATTERN", conflicts_with = "destination")]
    pattern: Option<String>,
    /// How --pattern is meant: glob, or pcre (a regular expression)
    #[arg(long, value_name = "HOW", default_value = "glob", value_parser = ["glob", "pcre"])]
    matcher: String,
}

/// What follows the name of `inspect` or `control`.
#[derive(Debug, clap::Args)]
pub(crate) struct Words {
    /// What the command takes
    #[arg(value_name = "ARGUMENT")]
    arguments: Vec<String>,
    #[command(flatten)]
    addressees: Addressees,
    /// List the commands with what they take
    #[arg(long)]
    list: bool,
}

/// The names of the commands of this kind, for help and completions.
pub(crate) fn names(kind: Kind) -> PossibleValuesParser {
    let value = |command: &'static table::Command| {
        let value = PossibleValue::new(command.name).help(command.help);
        command.alias.into_iter().fold(value, PossibleValue::alias)
    };
    let custom = PossibleValue::new(CUSTOM).help("A command of your application: NAME [KEY=JSON…]");
    PossibleValuesParser::new(commands(kind).map(value).chain([custom]))
}

/// Runs `celeriac inspect` or `celeriac control`.
pub(crate) async fn run(
    kind: Kind,
    name: Option<&str>,
    words: Words,
    context: &Context,
) -> Result<Exit, Error> {
    let Some(name) = name.filter(|_| !words.list) else {
        list(kind);
        return Ok(Exit::Ok);
    };
    let (method, arguments, replies) = request(kind, name, &words.arguments)?;
    let client = context.client().await?;
    let answers = if replies {
        words.addressees.ask(&client, method, arguments).await?
    } else {
        words.addressees.tell(&client, method, arguments).await?
    };
    if context.json {
        show::print_json(kind, &answers);
    } else {
        show::print(kind, &answers, context.quiet);
        words.addressees.tell_missing(&answers);
    }
    Ok(Exit::Ok)
}

fn request(kind: Kind, name: &str, values: &[String]) -> Result<(String, Map, bool), Error> {
    if name == CUSTOM {
        let (method, arguments) = custom::read(values)?;
        return Ok((method, arguments, true));
    }
    let command = find(kind, name).expect("the parser accepts only names of the table");
    let arguments = command.compile(values)?;
    Ok((command.name.to_owned(), arguments, command.replies))
}

fn list(kind: Kind) {
    let rows = commands(kind).map(|command| {
        let [name, signature, help] = [command.name, command.signature, command.help];
        vec![format!("{name} {signature}"), help.to_owned()]
    });
    output::table(&["command", "what it does"], rows.collect(), "");
}

impl Addressees {
    /// Sends a request and collects the answers.
    ///
    /// # Errors
    /// When nobody answers.
    pub(crate) async fn ask(
        &self,
        client: &Client,
        method: impl Into<String>,
        arguments: Map,
    ) -> Result<Vec<Reply>, Error> {
        let request = self.address(client.control().request(method, arguments));
        let mut answers = request.collect().await?;
        if answers.is_empty() {
            return Err(Error::NoReply(self.timeout.as_secs_f64()));
        }
        answers.sort_by(|one, other| one.node.cmp(&other.node));
        Ok(answers)
    }

    /// Sends a request that nobody answers, to those who answer a ping: that it was sent stands for their answer.
    async fn tell(
        &self,
        client: &Client,
        method: String,
        arguments: Map,
    ) -> Result<Vec<Reply>, Error> {
        let mut there = self.ask(client, "ping", Map::new()).await?;
        let text = format!("{method} requested");
        let request = self.address(client.control().request(method, arguments));
        request.send().await?;
        for reply in &mut there {
            reply.value = Value::Map(Map::from_iter([("ok", text.clone())]));
        }
        Ok(there)
    }

    fn address(&self, request: Broadcast) -> Broadcast {
        let request = request
            .destination(self.destination.clone())
            .timeout(self.timeout);
        match &self.pattern {
            Some(pattern) => request.pattern(pattern, &self.matcher),
            None => request,
        }
    }

    fn tell_missing(&self, answers: &[Reply]) {
        let there: BTreeSet<_> = answers.iter().map(|reply| &reply.node).collect();
        let missing = self.destination.iter().filter(|node| !there.contains(node));
        for node in missing {
            eprintln!("note: {node} did not reply");
        }
    }
}
