//! Variables: the process's and those of `.env`, where the process's win. It owns which variable sets what.

use std::fmt;
use std::path::{Path, PathBuf};

use protocol::Value;

use super::{Entry, Origin, dotenv, kind, table};
use crate::Error;

/// All variables with where they come from. Its `Debug` form leaves out values, which may be secrets.
#[derive(Clone, Default)]
pub struct Environment {
    variables: Vec<(String, String, Origin)>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.variables.iter().map(|(name, ..)| name))
            .finish()
    }
}

impl Environment {
    /// The process's variables and those of `.env` in `folder`.
    ///
    /// # Errors
    /// When `.env` is there and cannot be read or understood.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let process = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::new(process, folder)
    }

    /// These variables and those of `.env` in `folder`.
    ///
    /// # Errors
    /// When `.env` is there and cannot be read or understood.
    pub fn new(
        process: impl Iterator<Item = (String, String)>,
        folder: &Path,
    ) -> Result<Self, Error> {
        let mut all = Self::default();
        for (name, value) in process {
            let origin = Origin::Environment(name.clone());
            all.variables.push((name, value, origin));
        }
        for (name, value) in read_dotenv(folder.join(".env"))? {
            if all.get(&name).is_none() {
                let origin = Origin::DotEnv(name.clone());
                all.variables.push((name, value, origin));
            }
        }
        Ok(all)
    }

    /// The variable's value; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.variables.iter().filter(|(known, ..)| known == name);
        found
            .next()
            .map(|(_, value, _)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// What the variables set: `CELERY_` and the setting's name in upper case, `CELERIAC_…` for ours, or `EMAIL_HOST` and its like.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        for (name, value, origin) in &self.variables {
            let Some(setting) = setting_name(name) else {
                continue;
            };
            let Some(setting) = table::find(&setting) else {
                reject_unknown(name, &setting, origin)?;
                continue;
            };
            if !value.is_empty() {
                entries.push(Entry::parse(setting, value, origin.clone())?);
            }
        }
        Ok(entries)
    }
}

/// The setting's name that a variable's name stands for, whether there is such a setting or not.
fn setting_name(variable: &str) -> Option<String> {
    if let Some(rest) = variable.strip_prefix("CELERY_") {
        return Some(rest.to_ascii_lowercase());
    }
    let plain = variable.starts_with("CELERIAC_") || table::PLAIN_VARIABLES.contains(&variable);
    plain.then(|| variable.to_ascii_lowercase())
}

/// `CELERY_` names must be known; `CELERIAC_` ones need not, because programs around this one use them too.
fn reject_unknown(variable: &str, setting: &str, origin: &Origin) -> Result<(), Error> {
    if variable.starts_with("CELERIAC_") || table::OTHER_VARIABLES.contains(&variable) {
        return Ok(());
    }
    let nearest =
        super::nearest_name(setting).map(|name| format!("CELERY_{}", name.to_uppercase()));
    Err(Error::UnknownSetting {
        name: variable.to_owned(),
        origin: origin.clone(),
        nearest,
    })
}

fn read_dotenv(path: PathBuf) -> Result<Vec<(String, String)>, Error> {
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::ReadFile { path, source }),
    };
    dotenv::parse(&text).map_err(|(line, rule)| Error::DotEnv { path, line, rule })
}

impl Entry {
    /// Reads a text as the setting's value; `null` and `none` stand for nothing where that is allowed.
    pub(super) fn parse(
        setting: &'static table::Setting,
        text: &str,
        origin: Origin,
    ) -> Result<Self, Error> {
        let nothing = matches!(text.to_ascii_lowercase().as_str(), "null" | "none");
        let value = match setting.kind.parse(text) {
            _ if nothing && setting.is_nullable() => Value::Null,
            Some(value) => value,
            None => return Err(Error::invalid(setting, &Value::from(text), &origin)),
        };
        Ok(Self {
            setting,
            value,
            origin,
        })
    }
}

/// The default of a setting as a value.
pub(super) fn default_value(setting: &table::Setting) -> Value {
    match setting.default {
        "null" => Value::Null,
        text => {
            kind::Kind::parse(setting.kind, text).expect("every default keeps its setting's rule")
        }
    }
}
