#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use tempfile::TempDir;
use testkit::Postgres;

use super::super::load::{self, LoadedLedger, Need, Shared};
use super::super::{RefreshRequest, refresh};
use crate::decimal::Decimal;
use crate::import::{
    PriceImport, Source, TransactionImport, import_actions, import_prices, import_rates,
    import_transactions,
};
use crate::ledger::AccountId;
use crate::store::{NewAccount, NewAsset, NewPortfolio, NewUser, Store};

const FIRST: Date = date(2013, 2, 27);
const SECOND: Date = date(2013, 2, 28);
const USER: i64 = 1;

const ROWS: &str = "\
account,date,type,symbol,quantity,price,amount,currency
Main,2013-02-01,deposit,,,,100000,USD
Main,2013-02-04,buy,AAA,200,50,,USD
";
const PRICES: &str = "\
date,close
2013-02-04,50
2013-02-27,51
2013-02-28,52
2013-04-12,53
";

fn now() -> Timestamp {
    "2013-05-01T00:00:00Z".parse().unwrap()
}

/// What is written between two refreshes.
#[derive(Clone, Copy, Debug)]
enum Write {
    Rows(&'static str),
    Prices(&'static str),
    Actions(&'static str),
    Rates(&'static str),
    LotMethod(&'static str),
    Shorts,
    AnotherAccount,
}

use Write::{Actions, AnotherAccount, LotMethod, Prices, Rates, Rows, Shorts};

struct World {
    store: Store,
    _place: (Option<TempDir>, Option<Postgres>),
}

impl World {
    async fn on_sqlite() -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().join("p.db")).await.unwrap();
        World::filled(store, (Some(folder), None)).await
    }

    async fn on_postgres() -> World {
        let server = Postgres::start();
        let store = Store::open_url(&server.url()).await.unwrap();
        World::filled(store, (None, Some(server))).await
    }

    async fn filled(store: Store, place: (Option<TempDir>, Option<Postgres>)) -> World {
        let world = World {
            store,
            _place: place,
        };
        let user = NewUser {
            email: "ada@example.org",
            display_name: "Ada",
            base_currency: "USD".parse().unwrap(),
        };
        assert_eq!(world.store.put_user(&user, now()).await.unwrap(), USER);
        let asset = NewAsset::share("AAA", "USD".parse().unwrap());
        world.store.put_asset(&asset).await.unwrap();
        let account = world.account("Main", false).await;
        let portfolio = world.portfolio("fifo").await;
        world.store.link_account(portfolio, account).await.unwrap();
        for write in [
            Prices(PRICES),
            Rates("date,USD\n2013-02-04,1.3\n"),
            Rows(ROWS),
        ] {
            world.write(write).await;
        }
        world
    }

    async fn account(&self, name: &str, allow_short: bool) -> i64 {
        let account = NewAccount {
            user_id: USER,
            name,
            currency: "USD".parse().unwrap(),
            allow_short,
        };
        self.store.put_account(&account, now()).await.unwrap()
    }

    async fn portfolio(&self, lot_method: &str) -> i64 {
        let portfolio = NewPortfolio {
            user_id: USER,
            name: "Main",
            base_currency: "USD".parse().unwrap(),
            calendar: "XNYS",
            lot_method,
            automatic_income: false,
            risk_free_rate: Decimal::ZERO,
            benchmark_asset_id: None,
        };
        self.store.put_portfolio(&portfolio, now()).await.unwrap()
    }

    async fn write(&self, write: Write) {
        let source = |text: &'static str| Source {
            name: "test",
            bytes: text.as_bytes(),
            now: now(),
        };
        let store = &self.store;
        let (asset_id, source_name) = (1, "test");
        let report = match write {
            Rows(text) => {
                let import = TransactionImport {
                    user_id: USER,
                    source: source_name,
                };
                import_transactions(store, source(text), import, &mut |_| {}).await
            }
            Prices(text) => {
                let import = PriceImport {
                    asset_id,
                    source: source_name,
                };
                import_prices(store, source(text), import, &mut |_| {}).await
            }
            Actions(text) => import_actions(store, source(text), source_name, &mut |_| {}).await,
            Rates(text) => import_rates(store, source(text), source_name, &mut |_| {}).await,
            LotMethod(method) => {
                self.portfolio(method).await;
                return;
            }
            Shorts => {
                self.account("Main", true).await;
                return;
            }
            AnotherAccount => {
                let (account, portfolio) =
                    (self.account("Other", false).await, self.portfolio("fifo").await);
                return store.link_account(portfolio, account).await.unwrap();
            }
        };
        assert_eq!(report.unwrap().bad_rows, []);
    }

    async fn refresh(&self, as_of: Date, full: bool) {
        let request = RefreshRequest {
            full,
            ..request(as_of)
        };
        refresh(&self.store, &request, &mut |_| {}, &|| false)
            .await
            .unwrap();
    }

    /// Whether the ledger of the only portfolio is not read for a day.
    async fn resumes(&self, as_of: Date) -> bool {
        let (store, request) = (&self.store, request(as_of));
        let shorts = store.short_accounts().await.unwrap();
        let shorts: BTreeSet<AccountId> = shorts.into_iter().collect();
        let rates = store.rates().await.unwrap();
        let shared = Shared::read(store, &rates, &shorts).await.unwrap();
        let rows = load::scope(store, &request).await.unwrap();
        let needs = load::needs(store, &request, &rows, &shared, true).await;
        match needs.unwrap().pop() {
            Some(Need::Compute(changed)) => matches!(changed.ledger, LoadedLedger::State(..)),
            other => panic!("a later day is to be computed: {other:?}"),
        }
    }
}

fn request(as_of: Date) -> RefreshRequest {
    RefreshRequest {
        as_of: Some(as_of),
        clock: now,
        ..RefreshRequest::new("task-1")
    }
}

/// Writes, and whether the state of the first day is right for the second one after them.
const WRITES: [(Write, bool); 12] = [
    (Prices("date,close\n2013-02-28,53\n"), true),
    (Prices("date,close\n2013-02-05,49\n"), true),
    (Rates("date,USD\n2013-02-28,1.4\n"), true),
    (Rates("date,USD\n2013-02-27,1.4\n"), false),
    (Rates("date,USD\n2013-02-04,1.4\n"), false),
    (
        Actions("symbol,ex_date,type,value\nAAA,2013-03-01,dividend,0.1\n"),
        false,
    ),
    (
        Actions("symbol,ex_date,type,value\nAAA,2013-02-14,split,2\n"),
        false,
    ),
    (
        Rows("account,date,type,amount,currency\nMain,2013-03-04,deposit,1,USD\n"),
        false,
    ),
    (
        Rows("account,date,type,amount,currency\nMain,2013-02-05,deposit,1,USD\n"),
        false,
    ),
    (LotMethod("hifo"), false),
    (Shorts, false),
    (AnotherAccount, false),
];

async fn a_state_is_used_while_only_prices_come(world: &World) {
    for (write, right) in WRITES {
        world.refresh(FIRST, true).await;
        assert!(world.resumes(SECOND).await, "before {write:?}");
        world.write(write).await;
        assert_eq!(world.resumes(SECOND).await, right, "after {write:?}");
    }
}

#[tokio::test]
async fn a_state_is_used_while_only_prices_come_on_sqlite() {
    a_state_is_used_while_only_prices_come(&World::on_sqlite().await).await;
}

#[tokio::test]
async fn a_state_is_used_while_only_prices_come_on_postgres() {
    a_state_is_used_while_only_prices_come(&World::on_postgres().await).await;
}

#[tokio::test]
async fn a_state_outlives_the_days_that_it_brings() {
    let world = World::on_sqlite().await;
    world.refresh(FIRST, false).await;
    for day in [date(2013, 2, 28), date(2013, 3, 1), date(2013, 3, 29)] {
        assert!(world.resumes(day).await, "{day}");
        world.refresh(day, false).await;
    }
    assert!(!world.resumes(date(2013, 2, 26)).await, "an earlier day");
}

#[tokio::test]
async fn a_state_ends_with_the_next_known_event() {
    let world = World::on_sqlite().await;
    let later = "account,date,type,amount,currency\nMain,2013-03-05,deposit,1,USD\n";
    world.write(Rows(later)).await;
    world.refresh(FIRST, false).await;
    assert!(world.resumes(date(2013, 3, 4)).await);
    assert!(!world.resumes(date(2013, 3, 5)).await);
    world.refresh(date(2013, 3, 5), false).await;
    assert!(world.resumes(date(2013, 4, 1)).await);

    // No row records it: from the 45th day on it is missed.
    let dividend = "symbol,ex_date,type,value\nAAA,2013-03-01,dividend,0.1\n";
    world.write(Actions(dividend)).await;
    world.refresh(date(2013, 3, 5), false).await;
    assert!(world.resumes(date(2013, 4, 14)).await);
    assert!(!world.resumes(date(2013, 4, 15)).await);
}

#[tokio::test]
async fn a_ledger_that_is_booked_at_the_market_is_not_kept() {
    let world = World::on_sqlite().await;
    world.refresh(FIRST, false).await;
    assert!(world.resumes(SECOND).await);
    let transfer = "account,date,type,symbol,quantity,amount,currency\nMain,2013-02-06,transfer_in,AAA,1,40,USD\n";
    world.write(Rows(transfer)).await;
    world.refresh(FIRST, false).await;
    assert!(!world.resumes(SECOND).await);
}
