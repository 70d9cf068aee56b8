//! A store in a temporary folder with what tests put into it.

use jiff::Timestamp;
use portfolio::decimal::Decimal;
use portfolio::import::{
    ImportReport, PriceImport, Source, TransactionImport, import_actions, import_prices,
    import_rates, import_transactions,
};
use portfolio::store::{NewAccount, NewAsset, NewPortfolio, NewUser, Store};
use tempfile::TempDir;

use crate::fixtures;

/// The time of everything, unless a test says otherwise: after the close of 2013-03-01 in New York.
pub(crate) fn now() -> Timestamp {
    "2013-03-02T00:00:00Z".parse().unwrap()
}

pub(crate) struct World {
    pub(crate) store: Store,
    folder: TempDir,
}

impl World {
    pub(crate) async fn empty() -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().join("portfolio.db"))
            .await
            .unwrap();
        World { store, folder }
    }

    /// AAPL, GOOG and IBM with real prices, actions and rates.
    pub(crate) async fn with_market() -> World {
        let world = World::empty().await;
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

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("portfolio.db")
    }

    pub(crate) async fn asset(&self, symbol: &str) -> i64 {
        let currency = "USD".parse().unwrap();
        let asset = NewAsset {
            symbol,
            name: symbol,
            class: "equity",
            sector: None,
            country: None,
            currency,
            calendar: "XNYS",
        };
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
        let base_currency = "USD".parse().unwrap();
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
