//! `celeriac finance backup` and `restore`: at once, without a worker.

use std::path::{Path, PathBuf};

use portfolio::backup::{BackupRequest, Scope, inspect, prune, restore_url, write};
use portfolio::store::Store;

use super::bar;
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What to back up.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Others may go on writing meanwhile: the backup is of one moment. Beside it lies a manifest with its SHA-256 and
the number of rows by table. The file is the same for SQLite and PostgreSQL, and can be restored into either."
)]
pub(crate) struct BackupArgs {
    /// Which tables
    #[arg(long, value_name = "SCOPE", default_value = "full", value_parser = ["full", "ledger", "market_data", "config"])]
    scope: String,
    /// Where it goes; the folder backups in the data folder unless given
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Remove backups of this scope that are older than this many verified ones
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=365))]
    keep: Option<u16>,
    /// Do not compress
    #[arg(long)]
    plain: bool,
    /// Do not restore it into a scratch database to see that it is whole
    #[arg(long)]
    no_verify: bool,
}

/// What to bring back.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Rows are brought back in one transaction: when the file is damaged or the disk full, nothing has changed. A backup
of a part (ledger, market_data, config) can only be restored into a new database.

Examples:
  celeriac finance restore data/backups/finance-full-20261120T033000.000000Z.jsonl.zst --check
  celeriac finance restore BACKUP --to data/restored.db
  celeriac finance restore BACKUP --to postgresql://user@host:5432/finance
  celeriac finance restore BACKUP --force"
)]
pub(crate) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// The database to restore into: a SQLite file, or a postgresql:// URL; the finance database unless given
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Replace all rows of a database that is not empty
    #[arg(long)]
    force: bool,
    /// Only read the backup and say what it holds
    #[arg(long, conflicts_with_all = ["to", "force"])]
    check: bool,
}

/// Writes the backup and prints where it is.
pub(super) async fn backup(
    store: &Store,
    args: BackupArgs,
    context: &Context,
) -> Result<(), Error> {
    let default = || Path::new(context.settings.data_folder()).join("backups");
    let request = BackupRequest {
        scope: Scope::parse(&args.scope).unwrap_or(Scope::Full),
        folder: args.output.unwrap_or_else(default),
        compress: !args.plain,
        verify: !args.no_verify,
        task_id: None,
    };
    let manifest = write(store, &request, &mut bar(), &|| false).await?;
    store.add_backup(&manifest).await?;
    let pruned = match args.keep {
        Some(keep) => prune(store, request.scope, &request.folder, keep.into()).await?,
        None => Vec::new(),
    };
    if context.json {
        output::json(&serde_json::json!({
            "path": manifest.path, "bytes": manifest.bytes, "sha256": manifest.sha256,
            "row_counts": manifest.row_counts, "verified": manifest.verified, "pruned": pruned,
        }));
        return Ok(());
    }
    let rows: u64 = manifest.row_counts.values().sum();
    let verified = if manifest.verified {
        "verified"
    } else {
        "not verified"
    };
    output::line(&manifest.path.display().to_string());
    output::line(&format!(
        "{rows} rows, {} bytes, {verified}",
        manifest.bytes
    ));
    pruned
        .iter()
        .for_each(|path| output::line(&format!("removed {}", path.display())));
    Ok(())
}

/// Restores, or only looks, and prints what came back.
pub(super) async fn restore(args: RestoreArgs, context: &Context) -> Result<(), Error> {
    let RestoreArgs {
        file,
        to,
        force,
        check,
    } = args;
    if check {
        let contents = inspect(&file)?;
        let rows = contents.rows();
        if context.json {
            output::json(&contents);
        } else {
            output::line(&format!("whole: {rows} rows of {}", contents.created_at));
        }
        return Ok(());
    }
    let url = to.unwrap_or_else(|| context.finance_url());
    let restored = restore_url(&url, &file, force, &mut bar()).await;
    let restored = restored.map_err(|error| match error {
        portfolio::Error::NotEmpty { partial: false, .. } => {
            Error::Usage(format!("{error}: use --force"))
        }
        other => other.into(),
    })?;
    if context.json {
        output::json(&restored);
        return Ok(());
    }
    let rows: u64 = restored.row_counts.values().sum();
    let how = if restored.replaced {
        "replaced what was there"
    } else {
        "restored"
    };
    output::line(&format!("{how}: {rows} rows of {}", restored.created_at));
    Ok(())
}
