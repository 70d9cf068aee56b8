//! A store in a temporary folder with what tests put into it.

use jiff::Timestamp;
use portfolio::decimal::Decimal;
use portfolio::import::{
    ImportReport, PriceImport, Source, TransactionImport, import_actions, import_prices,
    import_rates, import_transactions,
};
use portfolio::store::{NewAccount, NewAsset, NewPortfolio, NewUser, Store};
use tempfile::TempDir;
use testkit::Postgres;

use crate::fixtures;

/// The time of everything, unless a test says otherwise: after the close of 2013-03-01 in New York.
pub(crate) fn now() -> Timestamp {
    "2013-03-02T00:00:00Z".parse().unwrap()
}

/// Where a test keeps its rows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Server {
    Sqlite,
    Postgres,
}

/// Makes one test for each server of a function that takes the server.
macro_rules! on_both_servers {
    ($name:ident) => {
        mod $name {
            use crate::world::Server;

            #[tokio::test]
            async fn on_sqlite() {
                super::$name(Server::Sqlite).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                super::$name(Server::Postgres).await;
            }
        }
    };
}

pub(crate) use on_both_servers;

pub(crate) struct World {
    pub(crate) store: Store,
    database: Database,
}

/// What keeps the rows; they are gone when it is dropped.
enum Database {
    Folder(TempDir),
    Server(Postgres),
}

impl Database {
    fn url(&self) -> String {
        match self {
            Database::Folder(folder) => folder.path().join("portfolio.db").display().to_string(),
            Database::Server(server) => server.url(),
        }
    }
}

impl World {
    pub(crate) async fn empty(server: Server) -> World {
        let database = match server {
            Server::Sqlite => Database::Folder(tempfile::tempdir().unwrap()),
            Server::Postgres => Database::Server(Postgres::start()),
        };
        if let Database::Folder(_) = database {
            Store::create(database.url()).await.unwrap().close().await;
        }
        let store = Store::open_url(&database.url()).await.unwrap();
        World { store, database }
    }

    /// AAPL, GOOG and IBM with real prices, actions and rates.
    pub(crate) async fn with_market(server: Server) -> World {
        let world = World::empty(server).await;
        for symbol in ["AAPL", "GOOG", "IBM"] {
            let asset_id = world.asset(symbol).await;
            world
                .prices(asset_id, &fixtures::data(&format!("prices/{symbol}.csv")))
                .await;
        }
        let (rates, actions) = (
            fixtures::data("fx/ecb_eur.csv"),
            fixtures::data("corporate_actions.csv"),
        );
        let source = |name, text: &'static [u8]| Source {
            name,
            bytes: text,
            now: now(),
        };
        import_rates(
            &world.store,
            source("rates", rates.leak().as_bytes()),
            "test",
            &mut |_| {},
        )
        .await
        .unwrap();
        import_actions(
            &world.store,
            source("actions", actions.leak().as_bytes()),
            "test",
            &mut |_| {},
        )
        .await
        .unwrap();
        world
    }

    /// The same database through a store of its own.
    pub(crate) async fn open_again(&self) -> Store {
        Store::open_url(&self.database.url()).await.unwrap()
    }

    pub(crate) async fn asset(&self, symbol: &str) -> i64 {
        let asset = NewAsset::share(symbol, "USD".parse().unwrap());
        self.store.put_asset(&asset).await.unwrap()
    }

    pub(crate) async fn prices(&self, asset_id: i64, text: &str) -> ImportReport {
        self.prices_at(asset_id, text, now()).await
    }

    pub(crate) async fn prices_at(
        &self,
        asset_id: i64,
        text: &str,
        now: Timestamp,
    ) -> ImportReport {
        let source = Source {
            name: "prices",
            bytes: text.as_bytes(),
            now,
        };
        import_prices(
            &self.store,
            source,
            PriceImport {
                asset_id,
                source: "test",
            },
            &mut |_| {},
        )
        .await
        .unwrap()
    }

    pub(crate) async fn user(&self, email: &str) -> i64 {
        self.user_in(email, "USD").await
    }

    pub(crate) async fn user_in(&self, email: &str, currency: &str) -> i64 {
        let base_currency = currency.parse().unwrap();
        self.store
            .put_user(
                &NewUser {
                    email,
                    display_name: email,
                    base_currency,
                },
                now(),
            )
            .await
            .unwrap()
    }

    /// A portfolio with an account of the same name and the rows of `ledger` (`account` may be anything in them).
    pub(crate) async fn portfolio(
        &self,
        user_id: i64,
        name: &str,
        automatic_income: bool,
        ledger: &str,
    ) -> i64 {
        let currency = "USD".parse().unwrap();
        let account = NewAccount {
            user_id,
            name,
            currency,
            allow_short: false,
        };
        let account_id = self.store.put_account(&account, now()).await.unwrap();
        let portfolio = NewPortfolio {
            user_id,
            name,
            base_currency: currency,
            calendar: "XNYS",
            lot_method: "fifo",
            automatic_income,
            risk_free_rate: Decimal::ZERO,
            benchmark_asset_id: None,
        };
        let portfolio_id = self.store.put_portfolio(&portfolio, now()).await.unwrap();
        self.store
            .link_account(portfolio_id, account_id)
            .await
            .unwrap();
        let report = self.transactions(user_id, ledger).await;
        assert_eq!(report.bad_rows, []);
        portfolio_id
    }

    pub(crate) async fn transactions(&self, user_id: i64, text: &str) -> ImportReport {
        let source = Source {
            name: "transactions",
            bytes: text.as_bytes(),
            now: now(),
        };
        import_transactions(
            &self.store,
            source,
            TransactionImport {
                user_id,
                source: "test",
            },
            &mut |_| {},
        )
        .await
        .unwrap()
    }
}
