//! celery-redbeat's keys, read and never written: a hash for each entry with its `definition` and its runs (`meta`) as JSON.

use std::collections::BTreeSet;

use broker::Result;
use redis::{Value, cmd, from_redis_value};
use tokio_util::sync::CancellationToken;

use crate::link::{Connector, Link};
use crate::options::RedisOptions;

/// How many keys one look goes through.
const STEP: usize = 1_000;
const ACTION: &str = "read redbeat's keys";

/// An entry as redbeat wrote it.
#[derive(Clone, Debug)]
pub struct RedBeatEntry {
    /// Its key without the prefix.
    pub name: String,
    /// What it is, as JSON.
    pub definition: String,
    /// Its runs, as JSON.
    pub meta: Option<String>,
}

/// All entries under a prefix (`redbeat_key_prefix`), by name.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn read_redbeat(options: &RedisOptions, prefix: &str) -> Result<Vec<RedBeatEntry>> {
    let link = Link::new(Connector::new(options)?, CancellationToken::new());
    let mut entries = Vec::new();
    for key in keys(&link, prefix).await? {
        let mut fields = cmd("HMGET");
        fields.arg(&key).arg("definition").arg("meta");
        let fields = link.call(ACTION, fields).await?;
        let fields: (Option<String>, Option<String>) =
            from_redis_value(fields).map_err(|error| link.explain(ACTION, error.into()))?;
        if let (Some(definition), meta) = fields {
            let name = key.strip_prefix(prefix).unwrap_or(&key).to_owned();
            entries.push(RedBeatEntry {
                name,
                definition,
                meta,
            });
        }
    }
    Ok(entries)
}

/// The hashes under the prefix; the schedule, the lock and the like are of other types.
async fn keys(link: &Link, prefix: &str) -> Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    let mut cursor = 0_u64;
    let pattern = format!("{}*", escaped(prefix));
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(&pattern);
        scan.arg("COUNT").arg(STEP).arg("TYPE").arg("hash");
        let answer: Value = link.call(ACTION, scan).await?;
        let found: (u64, Vec<String>) =
            from_redis_value(answer).map_err(|error| link.explain(ACTION, error.into()))?;
        keys.extend(found.1);
        cursor = found.0;
        if cursor == 0 {
            return Ok(keys);
        }
    }
}

/// As a glob that matches it and nothing else.
fn escaped(prefix: &str) -> String {
    let special = |c: char| "*?[]\\^".contains(c);
    prefix
        .chars()
        .flat_map(|c| special(c).then_some('\\').into_iter().chain([c]))
        .collect()
}
