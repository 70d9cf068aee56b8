//! `celeriac schedule backfill`: slots of the past that were not sent, sent after all.

use beat::Backfill;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::json;
use service::Exit;

use super::entries::Schedule;
use crate::context::Context;
use crate::error::Error;
use crate::next_runs::local;
use crate::output;

/// Which slots, and whether to send them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The entry's name
    name: String,
    /// The first slot's time or earlier (2026-11-20T00:00:00Z)
    #[arg(long, value_name = "TIME")]
    from: Timestamp,
    /// The last slot's time or later [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// Only show what would be sent
    #[arg(long)]
    dry_run: bool,
    /// Send no more than this many slots
    #[arg(long, value_name = "N", default_value = "1000")]
    most: usize,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    let entry = schedule.entry(&args.name)?;
    let client = context.client_on(schedule.backends.clone())?;
    let to = args.to.unwrap_or_else(Timestamp::now);
    let plan = Backfill::plan(&client, entry, args.from, to, args.most).await?;
    show(&plan, args, context);
    if args.dry_run || plan.missing.is_empty() {
        return Ok(Exit::Ok);
    }
    let bar = bar(plan.missing.len(), context);
    plan.send(&client, entry, |sent| bar.set_position(sent as u64))
        .await?;
    bar.finish_and_clear();
    if !context.json {
        output::line(&format!("{} slots sent", plan.missing.len()));
    }
    Ok(Exit::Ok)
}

fn show(plan: &Backfill, args: &Args, context: &Context) {
    if context.json {
        let missing = &plan.missing;
        output::json(&json!({ "missing": missing, "sent": plan.sent, "dry_run": args.dry_run }));
        return;
    }
    let rows = plan.missing.iter().map(|slot| vec![local(*slot)]).collect();
    output::table(&["slots that were not sent"], rows, "no slot is missing");
}

fn bar(slots: usize, context: &Context) -> ProgressBar {
    if context.json || context.quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} slots");
    let bar = ProgressBar::new(slots as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
