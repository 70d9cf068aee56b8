//! `celeriac schedule`.
use service::Exit;
use crate::context::Context;
use crate::error::Error;
/// The schedule
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// List
    List,
}
pub(crate) async fn run(_: Args, _: &Context) -> Result<Exit, Error> {
    Ok(Exit::Ok)
}
