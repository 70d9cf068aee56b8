//! `celeriac finance users`: who owns accounts and portfolios, and how each is told of things.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::Timestamp;
use portfolio::money::Currency;
use portfolio::store::{Channel, NewUser, Store, UserRow};
use serde_json::{Map, Value, json};
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What is done with users.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac finance users set ada@example.org --name 'Ada Lovelace' --currency GBP
  celeriac finance users show
  celeriac finance users notify -u 1 --by in_app --by email
  celeriac finance users notify -u 1 --by webhook --webhook https://example.org/hook --secret hook.key
The address identifies a user: the same one again changes what is given of name and
currency.")]
pub(crate) enum UsersArgs {
    /// Add a user, or change one
    Set(SetArgs),
    /// Show all users
    Show,
    /// Say how a user is told of things, or show how
    Notify(NotifyArgs),
}

/// A user.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    /// The mail address
    #[arg(value_parser = address)]
    email: String,
    /// The name that reports print
    #[arg(long)]
    name: Option<String>,
    /// The currency in which the user reckons; USD unless given
    #[arg(long, value_name = "CODE")]
    currency: Option<Currency>,
}

/// How somebody is told. What is not given stays.
#[derive(Debug, clap::Args)]
pub(crate) struct NotifyArgs {
    /// Who
    #[arg(long, short, value_name = "ID")]
    user: i64,
    /// How, where a notification does not say; may be given several times
    #[arg(long = "by", value_name = "CHANNEL", value_parser = channel())]
    channels: Vec<Channel>,
    /// Where webhooks are sent
    #[arg(long, value_name = "URL", requires = "secret")]
    webhook: Option<String>,
    /// The file with the secret that signs them
    #[arg(long, value_name = "FILE", requires = "webhook")]
    secret: Option<PathBuf>,
    /// The token of the user's device at the push gateway
    #[arg(long, value_name = "TOKEN")]
    device: Option<String>,
}

fn address(text: &str) -> Result<String, String> {
    let parts = text.split_once('@');
    let good = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let good = good && !text.contains(char::is_whitespace);
    good.then(|| text.to_owned())
        .ok_or_else(|| "must be a mail address such as ada@example.org".to_owned())
}

fn channel() -> impl TypedValueParser<Value = Channel> {
    PossibleValuesParser::new(Channel::ALL.map(Channel::as_str))
        .map(|name| Channel::parse(&name).expect("only names of channels are possible"))
}

pub(super) async fn run(store: &Store, args: UsersArgs, context: &Context) -> Result<Exit, Error> {
    match args {
        UsersArgs::Set(args) => show(&[set(store, args).await?], context),
        UsersArgs::Show => show(&store.users().await?, context),
        UsersArgs::Notify(args) => notify(store, args, context).await?,
    }
    Ok(Exit::Ok)
}

async fn set(store: &Store, args: SetArgs) -> Result<UserRow, Error> {
    let mut users = store.users().await?.into_iter();
    let (name, currency) = match users.find(|user| user.email == args.email) {
        Some(user) => (user.display_name, user.base_currency),
        None => (String::new(), super::usd()),
    };
    let user = NewUser {
        email: &args.email,
        display_name: &args.name.unwrap_or(name),
        base_currency: args.currency.unwrap_or(currency),
    };
    let id = store.put_user(&user, Timestamp::now()).await?;
    Ok(store.user(id).await?)
}

fn show(users: &[UserRow], context: &Context) {
    if context.json {
        return output::json(&users);
    }
    let row = |user: &UserRow| {
        vec![
            user.id.to_string(),
            user.email.clone(),
            user.display_name.clone(),
            user.base_currency.to_string(),
        ]
    };
    output::table(
        &["id", "email", "name", "currency"],
        users.iter().map(row).collect(),
        "there are no users; celeriac finance users set ada@example.org adds one",
    );
}

async fn notify(store: &Store, args: NotifyArgs, context: &Context) -> Result<(), Error> {
    let user = args.user;
    let mut preferences = match store.recipient(user).await?.preferences {
        Value::Object(preferences) => preferences,
        _ => Map::new(),
    };
    let changes = args.changes()?;
    if !changes.is_empty() {
        preferences.extend(changes);
        let preferences = Value::Object(preferences.clone());
        store
            .set_notification_preferences(user, &preferences)
            .await?;
    }
    hide_secret(&mut preferences);
    if context.json {
        output::json(&preferences);
        return Ok(());
    }
    let rows = preferences.iter().map(|(key, value)| {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        vec![key.clone(), text]
    });
    let nothing = "nothing is set: the user is told in the application only";
    output::table(&["what", "value"], rows.collect(), nothing);
    Ok(())
}

impl NotifyArgs {
    fn changes(self) -> Result<Map<String, Value>, Error> {
        let mut changes = Map::new();
        if !self.channels.is_empty() {
            changes.insert("channels".to_owned(), json!(self.channels));
        }
        if let Some((url, file)) = self.webhook.zip(self.secret) {
            let secret = std::fs::read_to_string(&file).map_err(|source| Error::Io {
                what: format!("cannot read the secret in {}", file.display()),
                source,
            })?;
            let webhook = json!({"url": url, "secret": secret.trim_end()});
            changes.insert("webhook".to_owned(), webhook);
        }
        if let Some(token) = self.device {
            changes.insert("push".to_owned(), json!({"token": token}));
        }
        Ok(changes)
    }
}

fn hide_secret(preferences: &mut Map<String, Value>) {
    let secret = preferences
        .get_mut("webhook")
        .and_then(|webhook| webhook.get_mut("secret"));
    if let Some(secret) = secret {
        *secret = "********".into();
    }
}
