//! A sample to look at: real prices of AAPL, GOOG and IBM, and a made-up ledger of two people with three portfolios.
//!
//! With `CELERIAC_DATA` set, prices, rates and corporate actions come from that folder instead.

mod files;

use jiff::Timestamp;

pub use files::DemoFiles;

use crate::decimal::Decimal;
use crate::error::Result;
use crate::import::{
    ImportReport, PriceImport, Source, TransactionImport, import_actions, import_prices,
    import_rates, import_transactions,
};
use crate::progress::Progress;
use crate::store::{NewAccount, NewAsset, NewPortfolio, NewUser, Store};

/// Recorded as the source of everything the demo writes.
const SOURCE: &str = "demo";

const ADA: &str = include_str!("../../demo/ada.csv");
const BRUNO: &str = include_str!("../../demo/bruno.csv");

/// One person of the sample.
struct Person {
    email: &'static str,
    name: &'static str,
    currency: &'static str,
    ledger: &'static str,
    portfolios: &'static [Sample],
}

/// A portfolio with the account of its own.
struct Sample {
    name: &'static str,
    account: &'static str,
    calendar: &'static str,
    automatic_income: bool,
}

const PEOPLE: [Person; 2] = [
    Person {
        email: "ada@example.org",
        name: "Ada",
        currency: "USD",
        ledger: ADA,
        portfolios: &[
            Sample {
                name: "Growth",
                account: "Brokerage",
                calendar: "XNYS",
                automatic_income: true,
            },
            Sample {
                name: "Retirement",
                account: "Retirement",
                calendar: "XNYS",
                automatic_income: true,
            },
        ],
    },
    Person {
        email: "bruno@example.org",
        name: "Bruno",
        currency: "EUR",
        ledger: BRUNO,
        portfolios: &[Sample {
            name: "Depot",
            account: "Depot",
            calendar: "XETR",
            automatic_income: false,
        }],
    },
];

/// Symbol, name and sector.
type Listing = (&'static str, &'static str, &'static str);

/// What the imports did, by file.
type Reports = Vec<(String, ImportReport)>;

const ASSETS: [Listing; 3] = [
    ("AAPL", "Apple Inc.", "Technology"),
    ("GOOG", "Google Inc.", "Communication"),
    ("IBM", "International Business Machines", "Technology"),
];

/// Writes the sample; again and again changes nothing. Returns what the imports did, by file.
pub async fn install(
    store: &Store,
    files: &DemoFiles,
    now: Timestamp,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<(String, ImportReport)>> {
    let mut reports = market(store, files, now, progress).await?;
    for person in &PEOPLE {
        let user_id = people(store, person, now).await?;
        let source = Source {
            name: person.email,
            bytes: person.ledger.as_bytes(),
            now,
        };
        let import = TransactionImport {
            user_id,
            source: SOURCE,
        };
        reports.push((
            person.name.to_owned(),
            import_transactions(store, source, import, progress).await?,
        ));
    }
    Ok(reports)
}

async fn market(
    store: &Store,
    files: &DemoFiles,
    now: Timestamp,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Reports> {
    let mut reports = Reports::new();
    for listing in ASSETS {
        reports.push(prices(store, files, listing, now, progress).await?);
    }
    let (rates, actions) = ("fx/ecb_eur.csv", "corporate_actions.csv");
    let bytes = files.read(rates)?;
    let source = Source {
        name: rates,
        bytes: &bytes,
        now,
    };
    reports.push((
        rates.to_owned(),
        import_rates(store, source, SOURCE, progress).await?,
    ));
    let bytes = files.read(actions)?;
    let source = Source {
        name: actions,
        bytes: &bytes,
        now,
    };
    reports.push((
        actions.to_owned(),
        import_actions(store, source, SOURCE, progress).await?,
    ));
    Ok(reports)
}

async fn prices(
    store: &Store,
    files: &DemoFiles,
    (symbol, name, sector): Listing,
    now: Timestamp,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(String, ImportReport)> {
    let currency = "USD".parse().expect("three letters");
    let (sector, country) = (Some(sector), Some("US"));
    let asset = NewAsset {
        name,
        sector,
        country,
        ..NewAsset::share(symbol, currency)
    };
    let asset_id = store.put_asset(&asset).await?;
    let file = format!("prices/{symbol}.csv");
    let bytes = files.read(&file)?;
    let source = Source {
        name: &file,
        bytes: &bytes,
        now,
    };
    let import = PriceImport {
        asset_id,
        source: SOURCE,
    };
    let report = import_prices(store, source, import, progress).await?;
    Ok((file, report))
}

async fn people(store: &Store, person: &Person, now: Timestamp) -> Result<i64> {
    let base_currency = person.currency.parse().expect("three letters");
    let user_id = store
        .put_user(
            &NewUser {
                email: person.email,
                display_name: person.name,
                base_currency,
            },
            now,
        )
        .await?;
    for sample in person.portfolios {
        let account = NewAccount {
            user_id,
            name: sample.account,
            currency: base_currency,
            allow_short: false,
        };
        let account_id = store.put_account(&account, now).await?;
        let portfolio = NewPortfolio {
            user_id,
            name: sample.name,
            base_currency,
            calendar: sample.calendar,
            lot_method: "fifo",
            automatic_income: sample.automatic_income,
            risk_free_rate: Decimal::ZERO,
            benchmark_asset_id: None,
        };
        let portfolio_id = store.put_portfolio(&portfolio, now).await?;
        store.link_account(portfolio_id, account_id).await?;
    }
    Ok(user_id)
}
