#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use tempfile::TempDir;
use testkit::Postgres;

use super::super::batch::Engine;
use super::super::load::{self, Changed, LoadedLedger, Need, Shared};
use super::super::save::Figures;
use super::super::{RefreshRequest, refresh};
use super::Resume;
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
Main,2013-02-05,sell,AAA,10,51,,USD
Main,2013-02-06,dividend,AAA,,,5,USD
Main,2013-02-07,deposit,,,,1000,EUR
Main,2013-02-08,fee,,,,3,USD
Main,2013-02-08,fee,,,,3,USD
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

/// What is loaded of a ledger.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loaded {
    Rows,
    /// Its state, whose daily values are to be made anew.
    StateAlone,
    /// Its state with daily values.
    State,
}

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
                let (account, portfolio) = (
                    self.account("Other", false).await,
                    self.portfolio("fifo").await,
                );
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

    /// How the ledger of the only portfolio is loaded for a day.
    async fn loaded(&self, as_of: Date) -> Loaded {
        let (store, request) = (&self.store, request(as_of));
        let shorts = store.short_accounts().await.unwrap();
        let shorts: BTreeSet<AccountId> = shorts.into_iter().collect();
        let rates = store.rates().await.unwrap();
        let shared = Shared::read(store, &rates, &shorts, None).await.unwrap();
        let rows = load::scope(store, &request).await.unwrap();
        let needs = load::needs(store, &request, &rows, &shared, Resume::Right).await;
        let Some(Need::Compute(changed)) = needs.unwrap().pop() else {
            panic!("another day is to be computed");
        };
        let loaded = match changed.ledger {
            LoadedLedger::Rows(..) => Loaded::Rows,
            LoadedLedger::State(_, Some(_)) => Loaded::StateAlone,
            LoadedLedger::State(_, None) => Loaded::State,
        };
        assert!(self.does(changed).await, "what is loaded does: {loaded:?}");
        loaded
    }

    /// Whether figures are made of what was loaded.
    async fn does(&self, changed: Changed) -> bool {
        let assets = changed.assets.clone();
        let engine = Arc::new(Engine::default()).knowing(&self.store, assets);
        let engine = engine.await.unwrap();
        let job = changed.job(engine.asset_index(), &BTreeSet::new());
        let made = engine.make_all(&Figures, &[job]);
        matches!(made.as_slice(), [Some(Ok(_))])
    }
}

fn request(as_of: Date) -> RefreshRequest {
    RefreshRequest {
        as_of: Some(as_of),
        clock: now,
        ..RefreshRequest::new("task-1")
    }
}

/// Writes, and what is loaded for the second day after them where the first one was kept.
const WRITES: [(Write, Loaded); 13] = [
    (
        Prices("date,close\n2013-02-28,53\n2013-03-01,54\n"),
        Loaded::StateAlone,
    ),
    (Prices("date,close\n2013-03-04,54\n"), Loaded::State),
    (Prices("date,close\n2013-02-05,49\n"), Loaded::StateAlone),
    (Rates("date,USD\n2013-02-28,1.4\n"), Loaded::State),
    (Rates("date,USD\n2013-02-27,1.4\n"), Loaded::Rows),
    (Rates("date,USD\n2013-02-04,1.4\n"), Loaded::Rows),
    (
        Actions("symbol,ex_date,type,value\nAAA,2013-03-01,dividend,0.1\n"),
        Loaded::Rows,
    ),
    (
        Actions("symbol,ex_date,type,value\nAAA,2013-02-14,split,2\n"),
        Loaded::Rows,
    ),
    (
        Rows("account,date,type,amount,currency\nMain,2013-03-04,deposit,1,USD\n"),
        Loaded::Rows,
    ),
    (
        Rows("account,date,type,amount,currency\nMain,2013-02-05,deposit,1,USD\n"),
        Loaded::Rows,
    ),
    (LotMethod("hifo"), Loaded::Rows),
    (Shorts, Loaded::Rows),
    (AnotherAccount, Loaded::Rows),
];

async fn a_state_is_used_while_only_prices_come(world: &World) {
    for (write, loaded) in WRITES {
        world.refresh(FIRST, true).await;
        let before = world.loaded(SECOND).await;
        assert_eq!(before, Loaded::State, "before {write:?}");
        world.write(write).await;
        assert_eq!(world.loaded(SECOND).await, loaded, "after {write:?}");
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
        assert_eq!(world.loaded(day).await, Loaded::State, "{day}");
        world.refresh(day, false).await;
    }
    // Its daily values are those of two months: then all are made anew, and kept.
    let late = date(2013, 4, 29);
    assert_eq!(world.loaded(late).await, Loaded::StateAlone);
    world.refresh(late, false).await;
    assert_eq!(world.loaded(date(2013, 4, 30)).await, Loaded::State);
    let earlier = world.loaded(date(2013, 4, 26)).await;
    assert_eq!(earlier, Loaded::Rows, "an earlier day");
}

#[tokio::test]
async fn a_state_ends_with_the_next_known_event() {
    let world = World::on_sqlite().await;
    let later = "account,date,type,amount,currency\nMain,2013-03-05,deposit,1,USD\n";
    world.write(Rows(later)).await;
    world.refresh(FIRST, false).await;
    assert_eq!(world.loaded(date(2013, 3, 4)).await, Loaded::State);
    assert_eq!(world.loaded(date(2013, 3, 5)).await, Loaded::Rows);
    world.refresh(date(2013, 3, 5), false).await;
    assert_eq!(world.loaded(date(2013, 4, 1)).await, Loaded::State);

    // No row records it: from the 45th day on it is missed.
    let dividend = "symbol,ex_date,type,value\nAAA,2013-03-01,dividend,0.1\n";
    world.write(Actions(dividend)).await;
    world.refresh(date(2013, 3, 5), false).await;
    assert_eq!(world.loaded(date(2013, 4, 14)).await, Loaded::State);
    assert_eq!(world.loaded(date(2013, 4, 15)).await, Loaded::Rows);
}

#[tokio::test]
async fn a_ledger_that_is_booked_at_the_market_is_not_kept() {
    let world = World::on_sqlite().await;
    world.refresh(FIRST, false).await;
    assert_eq!(world.loaded(SECOND).await, Loaded::State);
    let transfer = "account,date,type,symbol,quantity,amount,currency\nMain,2013-02-06,transfer_in,AAA,1,40,USD\n";
    world.write(Rows(transfer)).await;
    world.refresh(FIRST, false).await;
    assert_eq!(world.loaded(SECOND).await, Loaded::Rows);
}
