//! Closing prices: out of the file beside the database where that is right, else out of the database.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use tokio::task::spawn_blocking;

use super::Store;
use super::codec::{Reader, id_list};
use super::price_file::{NewFile, PriceFile, Stamp, Token};
use super::sql::Row;
use crate::by_id::ById;
use crate::carried::{Carried, JoinedDates};
use crate::cores::on_every_core;
use crate::dates::iso_date;
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::market::Market;

/// Under what the token of the price file is kept.
const TOKEN: &str = "price file";
/// A file is written again when at least one of so many of its assets has changed.
const CHANGED: usize = 16;
/// Blocks that one core reads together.
const PART: usize = 256;
/// Later prices of an asset that are read beside the file rather than written into it: those of a month of sessions.
const FEW: i64 = 20;

/// A market with what its prices were read at.
#[derive(Debug, Default)]
pub(crate) struct MarketRead {
    /// The market.
    pub(crate) market: Market,
    /// Why the price file could not be used, if it could not.
    pub(crate) complaint: Option<String>,
    pub(super) stamps: HashMap<i64, Stamp>,
    /// Assets that the price file has not, or not as they are now but for a few later days.
    pub(super) absent: usize,
}

/// Closing prices of assets with what they were read at.
#[derive(Default)]
pub(super) struct Closes {
    pub(super) by_asset: HashMap<i64, Carried<Decimal>>,
    pub(super) stamps: HashMap<i64, Stamp>,
    pub(super) absent: usize,
    pub(super) complaint: Option<String>,
}

/// Prices that the file has as they were earlier.
struct Behind {
    stamp: Stamp,
    closes: Carried<Decimal>,
}

/// The last day that is known of an asset.
#[derive(Serialize)]
struct KnownUntil {
    id: i64,
    last: Date,
}

impl Closes {
    fn add(&mut self, asset_id: i64, stamp: Stamp, closes: Carried<Decimal>) {
        self.stamps.insert(asset_id, stamp);
        self.by_asset.insert(asset_id, closes);
    }
}

impl Store {
    /// The closes of assets. How often each was written is read first: what is written meanwhile makes the stamp wrong, never
    /// the prices.
    pub(super) async fn closes(&self, asset_ids: &[i64]) -> Result<Closes> {
        let revisions = self.asset_counts().await?;
        let revision = |id: &i64| revisions.get(id).copied().unwrap_or_default();
        let (mut closes, behind) = self.closes_of_file(asset_ids, &revisions).await?;
        self.catch_up(&mut closes, behind, &revisions).await?;
        closes.absent += asset_ids.len() - closes.by_asset.len();
        let missing = asset_ids
            .iter()
            .filter(|id| !closes.by_asset.contains_key(id));
        let query = self.sql(
            "SELECT id, (SELECT string_agg(prices.date::text || ' ' || close::text, ',') FROM prices
               WHERE asset_id = assets.id AND NOT adjusted) AS closes,
               (SELECT max(prices.date)::text FROM prices WHERE asset_id = assets.id) AS last
             FROM assets WHERE id IN (SELECT value::bigint FROM json_each(?1::jsonb))",
        );
        let query = query.bind(id_list(missing.copied()));
        let take = |row: &Row| {
            let asset_id: i64 = row.get("id");
            let (stamp, read) = read(row, asset_id, revision(&asset_id))?;
            closes.add(asset_id, stamp, read);
            Ok(())
        };
        query.each(take).await?;
        Ok(closes)
    }

    /// What the file has as it is now, and what it has as it was earlier.
    async fn closes_of_file(&self, asset_ids: &[i64], revisions: &ById<i64>) -> Result<Found> {
        let Some((path, token)) = self.price_file().await? else {
            return Ok(Default::default());
        };
        let revision = |id: &i64| (*id, revisions.get(id).copied().unwrap_or_default());
        let wanted: Vec<(i64, i64)> = asset_ids.iter().map(revision).collect();
        let work = move || read_file(&path, token, &wanted);
        let found = spawn_blocking(work).await.map_err(Error::Computation)?;
        Ok(found.unwrap_or_else(|(path, error)| {
            let complaint = format!("price file {path} is not used: {error}");
            let complaint = Some(complaint);
            (
                Closes {
                    complaint,
                    ..Closes::default()
                },
                HashMap::new(),
            )
        }))
    }

    /// Adds the prices of later days to what the file has, where nothing else has been written since.
    async fn catch_up(
        &self,
        closes: &mut Closes,
        mut behind: HashMap<i64, Behind>,
        revisions: &ById<i64>,
    ) -> Result<()> {
        let known = behind.iter().filter_map(|(id, behind)| {
            let (id, last) = (*id, behind.stamp.last?);
            Some(KnownUntil { id, last })
        });
        let known: Vec<KnownUntil> = known.collect();
        if known.is_empty() {
            return Ok(());
        }
        let query = self.sql(
            "SELECT id, newer, closes, last FROM (SELECT (value ->> 'id')::bigint AS id,
               (SELECT count(*) FROM prices WHERE asset_id = (value ->> 'id')::bigint AND date > (value ->> 'last')::date) AS newer,
               (SELECT string_agg(prices.date::text || ' ' || close::text, ',') FROM prices
                 WHERE asset_id = (value ->> 'id')::bigint AND date > (value ->> 'last')::date AND NOT adjusted) AS closes,
               (SELECT max(prices.date)::text FROM prices WHERE asset_id = (value ->> 'id')::bigint) AS last
             FROM json_each(?1::jsonb)) AS later",
        );
        let query = query.bind(serde_json::to_string(&known)?);
        let mut joined = JoinedDates::default();
        let take = |row: &Row| {
            let asset_id: i64 = row.get("id");
            let revision = revisions.get(&asset_id).copied().unwrap_or_default();
            let Some(mut behind) = behind.remove(&asset_id) else {
                return Ok(());
            };
            let newer: i64 = row.get("newer");
            if revision - behind.stamp.revision == newer {
                closes.absent += usize::from(newer > FEW);
                let (stamp, later) = read(row, asset_id, revision)?;
                behind.closes.extend(later, &mut joined);
                closes.add(asset_id, stamp, behind.closes);
            }
            Ok(())
        };
        query.each(take).await
    }

    /// Writes a price file when enough has changed since the last one.
    ///
    /// # Errors
    /// When the database fails. Why a file could not be written is returned as text.
    pub(crate) async fn keep_prices(&self, read: Arc<MarketRead>) -> Result<Option<String>> {
        let Some((path, old)) = self.price_file().await? else {
            return Ok(None);
        };
        if read.absent == 0 {
            return Ok(None);
        }
        let token = new_token();
        let work = move || write_file(&path, old, token, &read);
        match spawn_blocking(work).await.map_err(Error::Computation)? {
            Ok(true) => {
                let (token, never) = (hex::encode(token), Timestamp::MAX);
                self.keep_refresh(TOKEN, &token, String::new(), never)
                    .await?;
                Ok(None)
            }
            Ok(false) => Ok(None),
            Err((path, error)) => Ok(Some(format!("price file {path} is not written: {error}"))),
        }
    }

    /// The place of the price file, and what the database knows it by; zeros where it knows none.
    async fn price_file(&self) -> Result<Option<(Arc<Path>, Token)>> {
        let Some(path) = &self.price_file else {
            return Ok(None);
        };
        let query = self.sql("SELECT stamp FROM refreshes WHERE scope = ?1");
        let row = query.bind(TOKEN).first().await?;
        let mut token = Token::default();
        if let Some(row) = row {
            // Anything else than a token stays zeros, which no file has.
            let _ = hex::decode_to_slice(row.get::<String>("stamp"), &mut token);
        }
        Ok(Some((Arc::clone(path), token)))
    }
}

/// The prices of a row, and what they were read at.
fn read(row: &Row, asset_id: i64, revision: i64) -> Result<(Stamp, Carried<Decimal>)> {
    let reader = Reader {
        table: "prices",
        id: format!("asset {asset_id}"),
        row,
    };
    let stamp = Stamp {
        revision,
        last: reader.optional("last")?,
    };
    let text: Option<String> = row.get("closes");
    let closes = text.map(|text| closes_of(asset_id, &text)).transpose()?;
    Ok((stamp, closes.unwrap_or_default()))
}

/// Dates and closes out of their text, in any order.
fn closes_of(asset_id: i64, text: &str) -> Result<Carried<Decimal>> {
    let close = |pair: &str| {
        let (date, close) = pair.split_once(' ')?;
        Some((iso_date(date)?, close.parse().ok()?))
    };
    let closes = text.split(',').map(|pair| {
        close(pair).ok_or_else(|| Error::StoredValue {
            table: "prices",
            row: format!("asset {asset_id}"),
            column: "close",
            value: pair.to_owned(),
        })
    });
    closes.collect()
}

type FileError = (String, io::Error);

/// What the file has as it is now, and what it has as it was earlier.
type Found = (Closes, HashMap<i64, Behind>);

/// Reads blocks on every core.
fn read_file(path: &Path, token: Token, wanted: &[(i64, i64)]) -> Result<Found, FileError> {
    let parts: Vec<&[(i64, i64)]> = wanted.chunks(PART).collect();
    let read = on_every_core(&parts, |part| read_part(path, token, part));
    let (mut closes, mut behind) = Found::default();
    for part in read {
        let (found, found_behind) = part?;
        closes.by_asset.extend(found.by_asset);
        closes.stamps.extend(found.stamps);
        behind.extend(found_behind);
    }
    Ok((closes, behind))
}

fn read_part(path: &Path, token: Token, wanted: &[(i64, i64)]) -> Result<Found, FileError> {
    let named = |error| (path.display().to_string(), error);
    let (mut closes, mut behind) = Found::default();
    let Some(mut file) = PriceFile::open(path, token).map_err(named)? else {
        return Ok((closes, behind));
    };
    for (id, revision) in wanted {
        let Some(stamp) = file.stamp(*id) else {
            continue;
        };
        let Some(found) = file.closes(*id).map_err(named)? else {
            continue;
        };
        if stamp.revision == *revision {
            closes.add(*id, stamp, found);
        } else {
            let found = Behind {
                stamp,
                closes: found,
            };
            behind.insert(*id, found);
        }
    }
    Ok((closes, behind))
}

/// True when it was written.
fn write_file(path: &Path, old: Token, new: Token, read: &MarketRead) -> Result<bool, FileError> {
    let named = |error| (path.display().to_string(), error);
    // A file that cannot be read is replaced.
    let older = PriceFile::open(path, old).unwrap_or_default();
    let known = older.as_ref().map_or(0, PriceFile::len);
    if read.absent * CHANGED < known {
        return Ok(false);
    }
    let mut file = NewFile::default();
    for asset in read.market.assets() {
        if let Some(stamp) = read.stamps.get(&asset.id) {
            file.add(asset.id, *stamp, &asset.closes);
        }
    }
    if let Some(older) = older {
        // Blocks that are damaged stay behind.
        let _ = file.add_others(older);
    }
    file.write(path, new).map_err(named)?;
    Ok(true)
}

/// One that no other file has.
fn new_token() -> Token {
    let random = |half: u8| RandomState::new().hash_one((half, Timestamp::now().as_nanosecond()));
    let mut token = Token::default();
    token[..8].copy_from_slice(&random(0).to_le_bytes());
    token[8..].copy_from_slice(&random(1).to_le_bytes());
    token
}
