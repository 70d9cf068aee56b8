//! `celeriac finance assets`: what can be held.

use clap::builder::PossibleValuesParser;
use portfolio::market::CLASSES;
use portfolio::money::Currency;
use portfolio::store::{Listing, NewAsset, Retirable, Store};
use serde_json::json;
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What is done with assets.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac finance assets set AAPL --name 'Apple Inc.' --sector Technology --country US
  celeriac finance assets set BUND --class bond --currency EUR --calendar XETR
  celeriac finance assets show
  celeriac finance assets retire TWTR
The symbol identifies an asset: the same one again changes what is given, and brings back one that was
retired. Symbols that a provider knows are added by fetch-market-data.")]
pub(crate) enum AssetsArgs {
    /// Add an asset, or change one
    Set(SetArgs),
    /// Show all assets, and for which days there are prices
    Show,
    /// Fetch no more prices of an asset, such as one that is not traded any more
    Retire {
        /// Its symbol
        #[arg(value_parser = super::symbol)]
        symbol: String,
    },
}

/// An asset.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    /// Its symbol in ledgers
    #[arg(value_parser = super::symbol)]
    symbol: String,
    /// Its name; the symbol unless given
    #[arg(long)]
    name: Option<String>,
    /// What it is; equity unless given
    #[arg(long, value_parser = PossibleValuesParser::new(CLASSES))]
    class: Option<String>,
    /// Such as Technology
    #[arg(long)]
    sector: Option<String>,
    /// Such as US
    #[arg(long)]
    country: Option<String>,
    /// The currency of its prices; USD unless given
    #[arg(long, value_name = "CODE")]
    currency: Option<Currency>,
    /// The calendar of its exchange; XNYS unless given
    #[arg(long, value_name = "MIC")]
    calendar: Option<String>,
}

pub(super) async fn run(store: &Store, args: AssetsArgs, context: &Context) -> Result<Exit, Error> {
    let assets = match args {
        AssetsArgs::Set(args) => vec![set(store, &args).await?],
        AssetsArgs::Show => store.listings().await?,
        AssetsArgs::Retire { symbol } => {
            let id = super::asset(store, &symbol).await?;
            store.retire(Retirable::Asset, id).await?;
            store.listings().await?
        }
    };
    show(&assets, context);
    Ok(Exit::Ok)
}

async fn set(store: &Store, args: &SetArgs) -> Result<Listing, Error> {
    let kept = store.asset_row(&args.symbol, "").await?;
    let plain = NewAsset::share(&args.symbol, super::usd());
    let kept = kept.as_ref().map_or(plain, NewAsset::of);
    let asset = NewAsset {
        name: args.name.as_deref().unwrap_or(kept.name),
        class: args.class.as_deref().unwrap_or(kept.class),
        sector: args.sector.as_deref().or(kept.sector),
        country: args.country.as_deref().or(kept.country),
        currency: args.currency.unwrap_or(kept.currency),
        calendar: args.calendar.as_deref().unwrap_or(kept.calendar),
        ..kept
    };
    let id = store.put_asset(&asset).await?;
    let mut listings = store.listings().await?.into_iter();
    let stored = listings.find(|listing| listing.id == id);
    stored.ok_or_else(|| Error::NotFound(format!("asset {} was retired meanwhile", args.symbol)))
}

fn show(assets: &[Listing], context: &Context) {
    if context.json {
        let assets = assets.iter().map(|asset| {
            json!({
                "id": asset.id, "symbol": asset.symbol, "currency": asset.currency, "calendar": asset.calendar,
                "provider": asset.provider, "first_price": asset.first_price, "last_price": asset.last_price,
            })
        });
        return output::json(&assets.collect::<Vec<_>>());
    }
    let row = |asset: &Listing| {
        let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
        vec![
            asset.id.to_string(),
            asset.symbol.clone(),
            asset.currency.to_string(),
            asset.calendar.clone(),
            asset.provider.clone().unwrap_or_default(),
            day(asset.first_price).unwrap_or_default(),
            day(asset.last_price).unwrap_or_default(),
        ]
    };
    let headers = [
        "id",
        "symbol",
        "currency",
        "calendar",
        "provider",
        "first price",
        "last price",
    ];
    output::table(
        &headers,
        assets.iter().map(row).collect(),
        "there are no assets; celeriac finance assets set AAPL adds one",
    );
}
