//! The settings: every value with where it came from. Read from a file, then `.env` and the environment, then the
//! command line; the later wins. A name that is not known and a value that breaks its rule stop the start.
//!
//! What the values mean for a worker, a client or a backend is said by the methods of [`Settings`].

mod annotations;
mod broker_info;
mod dotenv;
mod engine;
mod environment;
mod file;
mod kind;
mod mask;
mod producer;
mod suggest;
pub mod table;
#[cfg(test)]
mod tests;
mod typed;

use std::fmt;
use std::path::{Path, PathBuf};

use protocol::{Map, Value};

pub use environment::Environment;
pub use file::read as read_file;
pub use kind::Kind;
pub use mask::mask_urls;
pub use table::{Setting, Support};

use crate::Error;

/// The setting that says where databases and state are, and where a settings file may be.
const DATA_FOLDER: &str = "celeriac_data_folder";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The settings file.
    File(PathBuf),
    /// A variable in `.env`.
    DotEnv(String),
    /// A variable of the process.
    Environment(String),
    /// An option on the command line.
    CommandLine(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::DotEnv(name) => write!(f, "{name} in .env"),
            Self::Environment(name) => write!(f, "variable {name}"),
            Self::CommandLine(option) => write!(f, "option {option}"),
        }
    }
}

/// One setting's value in force. Its `Debug` form hides secrets.
#[derive(Clone)]
pub struct Entry {
    /// Which setting.
    pub setting: &'static Setting,
    /// Its value.
    pub value: Value,
    /// Who set it.
    pub origin: Origin,
}

impl Entry {
    /// The value as it may be shown: passwords and keys hidden.
    pub fn shown(&self) -> Value {
        mask::masked(self.setting.kind, &self.value)
    }

    fn refuse(&self, rule: &str) -> Error {
        Error::invalid_rule(self.setting, &self.value, &self.origin, rule)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} = {:?} ({})",
            self.setting.name,
            self.shown(),
            self.origin
        )
    }
}

/// Where settings are read from. Its `Debug` form leaves out values, which may be secrets.
#[derive(Clone, Default)]
pub struct Sources {
    /// The working directory.
    pub folder: PathBuf,
    /// The file named with `--config`; `None` looks at `CELERIAC_CONFIG` and the usual places.
    pub config: Option<PathBuf>,
    /// The variables.
    pub environment: Environment,
    /// The command line's: setting, option as typed, value as typed.
    pub overrides: Vec<(&'static str, &'static str, String)>,
}

impl Sources {
    /// The data folder before any file is read: a settings file may lie in it.
    fn data_folder(&self) -> &str {
        let mut options = self.overrides.iter().rev();
        let option = options.find(|(name, ..)| *name == DATA_FOLDER);
        option
            .map(|(.., value)| value.as_str())
            .or_else(|| self.environment.get("CELERIAC_DATA_FOLDER"))
            .unwrap_or_else(|| known(DATA_FOLDER).default)
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Sources");
        shown
            .field("folder", &self.folder)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// All settings in force, in the order of [`table::SETTINGS`].
#[derive(Debug, Clone)]
pub struct Settings {
    entries: Vec<Entry>,
    file: Option<PathBuf>,
    sources: Sources,
}

impl Settings {
    /// Reads all sources.
    ///
    /// # Errors
    /// When a source cannot be read, names an unknown setting, or gives a value that breaks its setting's rule.
    pub fn load(sources: &Sources) -> Result<Self, Error> {
        let variable = sources.environment.get("CELERIAC_CONFIG").map(Path::new);
        let named = sources.config.as_deref().or(variable);
        let file = file::locate(named, &sources.folder, sources.data_folder());
        let mut settings = Self {
            entries: defaults(),
            file,
            sources: sources.clone(),
        };
        if let Some(path) = settings.file.clone() {
            settings.apply_all(file_entries(file::read(&path)?, &path)?);
        }
        settings.apply_all(sources.environment.entries()?);
        for (name, option, text) in &sources.overrides {
            let origin = Origin::CommandLine((*option).to_owned());
            settings.apply(Entry::parse(known(name), text, origin)?);
        }
        settings.check()?;
        Ok(settings)
    }

    /// Reads the same sources again, a settings file that has changed among them.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn reload(&self) -> Result<Self, Error> {
        Self::load(&self.sources)
    }

    /// All settings in force.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The file that was read, if there was one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Settings that somebody set although they do nothing here, with the reason.
    pub fn ignored(&self) -> impl Iterator<Item = (&Entry, &'static str)> {
        self.entries
            .iter()
            .filter_map(|entry| match entry.setting.support {
                Support::Ignored(why) if entry.origin != Origin::Default => Some((entry, why)),
                _ => None,
            })
    }

    /// The value of a setting.
    ///
    /// # Panics
    /// When there is no setting of this name.
    pub fn get(&self, name: &str) -> &Value {
        &self.entry(name).value
    }

    /// The error that this setting's value breaks a rule.
    pub(crate) fn refuse(&self, name: &str, rule: &str) -> Error {
        self.entry(name).refuse(rule)
    }

    fn entry(&self, name: &str) -> &Entry {
        let found = self.entries.iter().find(|entry| entry.setting.name == name);
        found.expect("callers name settings of the table")
    }

    fn apply_all(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.apply(entry);
        }
    }

    fn apply(&mut self, entry: Entry) {
        let mut slots = self.entries.iter_mut();
        let slot = slots.find(|known| known.setting.name == entry.setting.name);
        *slot.expect("an entry is made from a setting of the table") = entry;
    }
}

fn defaults() -> Vec<Entry> {
    let entry = |setting| Entry {
        setting,
        value: environment::default_value(setting),
        origin: Origin::Default,
    };
    table::SETTINGS.iter().map(entry).collect()
}

fn known(name: &str) -> &'static Setting {
    table::find(name).expect("options set settings of the table")
}

fn file_entries(map: Map, path: &Path) -> Result<Vec<Entry>, Error> {
    let origin = Origin::File(path.to_owned());
    let mut entries = Vec::new();
    for (key, value) in map.iter() {
        let Some(setting) = table::find(key) else {
            let nearest = nearest_name(key).map(str::to_owned);
            return Err(Error::UnknownSetting {
                name: key.to_owned(),
                origin,
                nearest,
            });
        };
        let allowed = setting.kind.accepts(value) || (value.is_null() && setting.is_nullable());
        if !allowed {
            return Err(Error::invalid(setting, value, &origin));
        }
        entries.push(Entry {
            setting,
            value: value.clone(),
            origin: origin.clone(),
        });
    }
    Ok(entries)
}

/// The setting that was probably meant; `CELERY_TASK_ROUTES` in a file means `task_routes`.
fn nearest_name(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let bare = lower.strip_prefix("celery_").unwrap_or(&lower);
    suggest::nearest(bare, table::SETTINGS.iter().map(|setting| setting.name))
}
