//! A store with a folder of files beside it.

use std::fs;

use market_data::{FetchReport, FetchRequest, Providers, Updater, Window};
use portfolio::store::{NewAsset, Store};
use serde_json::json;
use tempfile::TempDir;
use testkit::Postgres;

use crate::server::Server;

/// A day after the window of most tests; the market is closed.
pub(crate) const NOW: &str = "2005-03-05T12:00:00Z";

/// A store, and the folder of the provider `folder`.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
    _server: Option<Postgres>,
}

impl Place {
    pub(crate) async fn new() -> Place {
        let folder = TempDir::new().unwrap();
        let store = Store::create(folder.path().join("finance.db"))
            .await
            .unwrap();
        Place {
            folder,
            store,
            _server: None,
        }
    }

    pub(crate) async fn on_postgres() -> Place {
        let server = Postgres::start();
        let store = Store::open_url(&server.url()).await.unwrap();
        Place {
            folder: TempDir::new().unwrap(),
            store,
            _server: Some(server),
        }
    }

    pub(crate) async fn asset(&self, symbol: &str) -> i64 {
        let asset = NewAsset::share(symbol, "USD".parse().unwrap());
        self.store.put_asset(&asset).await.unwrap()
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        let path = self.folder.path().join("market").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// These providers in this order; `test` is what the server plays.
    pub(crate) fn providers(&self, order: &[&str], server: Option<&Server>) -> Providers {
        let own = json!({"tries": 1, "timeout": 5.0});
        let http = server.map_or(
            json!({}),
            |server| json!({"test": server.settings("tiingo", &own)}),
        );
        let settings = json!({"providers": order, "http": http});
        Providers::from_settings(settings, self.folder.path()).unwrap()
    }

    pub(crate) fn updater<'a>(&'a self, providers: &'a Providers, now: &str) -> Updater<'a> {
        Updater::new(&self.store, providers, now.parse().unwrap())
    }

    pub(crate) async fn fetch(&self, providers: &Providers, symbols: &[&str]) -> FetchReport {
        let updater = self.updater(providers, NOW);
        updater
            .fetch(&request(symbols), &mut |_| {}, &|| false)
            .await
            .unwrap()
    }
}

pub(crate) fn request(symbols: &[&str]) -> FetchRequest {
    FetchRequest {
        symbols: symbols.iter().map(|symbol| (*symbol).to_owned()).collect(),
        window: Window {
            from: "2005-02-23".parse().unwrap(),
            to: "2005-03-04".parse().unwrap(),
        },
        provider: None,
        force: false,
    }
}
