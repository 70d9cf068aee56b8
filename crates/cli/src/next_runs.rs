//! What the schedule runs next.

use broker::Backends;

use crate::context::Context;
use crate::error::Error;

/// Prints the next runs.
pub(crate) async fn show(_: &Context, _: &Backends, _: usize) -> Result<(), Error> {
    Ok(())
}
