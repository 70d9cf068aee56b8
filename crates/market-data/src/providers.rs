//! The providers of an installation, made from its settings, and in which order they are asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::folder::{self, Folder};
use crate::http::HttpSettings;
use crate::provider::Provider;
use crate::simulator::{self, Simulator, SimulatorSettings};

/// The settings that begin with `celeriac_market_data_`, without it. They may hold keys and have no `Debug` form.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    providers: Option<Vec<String>>,
    folder: Option<PathBuf>,
    http: BTreeMap<String, HttpSettings>,
    simulator: SimulatorSettings,
}

/// All providers by name.
#[derive(Clone, Debug)]
pub struct Providers {
    all: BTreeMap<String, Arc<dyn Provider>>,
    order: Vec<String>,
}

impl Providers {
    /// Those of an installation without settings: the folder `market` in the data folder.
    pub fn of_folder(data_folder: &Path) -> Providers {
        Providers::from_settings(serde_json::json!({}), data_folder)
            .expect("the defaults of all settings can be used")
    }

    /// From the settings `celeriac_market_data_*` as one object, without that beginning. Paths are relative to the
    /// working folder; the provider `folder` reads `market` in the data folder unless set.
    ///
    /// # Errors
    /// When a setting cannot be used; the text names it.
    pub fn from_settings(settings: serde_json::Value, data_folder: &Path) -> Result<Providers> {
        let settings: Settings = serde_json::from_value(settings)
            .map_err(|error| Error::settings("*", error.to_string()))?;
        let root = settings
            .folder
            .unwrap_or_else(|| data_folder.join("market"));
        let mut all: BTreeMap<String, Arc<dyn Provider>> = BTreeMap::new();
        all.insert(folder::NAME.to_owned(), Arc::new(Folder::new(root)));
        let simulator = Simulator::new(&settings.simulator)?;
        all.insert(simulator::NAME.to_owned(), Arc::new(simulator));
        let order = settings
            .providers
            .unwrap_or_else(|| vec![folder::NAME.to_owned()]);
        let mut http = settings.http;
        for name in &order {
            if !all.contains_key(name) {
                http.entry(name.clone()).or_default();
            }
        }
        for (name, settings) in http {
            let provider = settings.provider(&name, data_folder)?;
            all.insert(name, Arc::new(provider));
        }
        Ok(Providers { all, order })
    }

    /// The provider of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.all.get(name)
    }

    /// Every name.
    pub fn names(&self) -> Vec<&str> {
        self.all.keys().map(String::as_str).collect()
    }

    /// Who is asked for an asset that prefers this provider, in order.
    pub fn for_asset(&self, preferred: Option<&str>) -> Vec<&Arc<dyn Provider>> {
        let mut names: Vec<&str> = preferred.into_iter().collect();
        let others = self.order.iter().map(String::as_str);
        names.extend(others.filter(|name| Some(*name) != preferred));
        names
            .into_iter()
            .filter_map(|name| self.named(name))
            .collect()
    }
}
