//! JSON that keeps numbers as the text they came as. What the fields mean is the shapes' affair.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::number;
use portfolio::decimal::Decimal;

/// A value within a document, read when it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'d>(&'d RawValue);

/// What is not as expected, in words.
pub(crate) type Problem = String;

impl<'d> Json<'d> {
    /// A whole document.
    pub(crate) fn document(text: &'d str) -> Result<Json<'d>, Problem> {
        let start: String = text.trim_start().chars().take(40).collect();
        if start.starts_with('<') {
            return Err(format!("HTML where JSON is due: {start}"));
        }
        serde_json::from_str(text)
            .map(Json)
            .map_err(|error| format!("not JSON: {error}"))
    }

    /// The value at a path of keys and list positions with `/` between them; the empty path is this value itself.
    pub(crate) fn at(self, path: &str) -> Option<Json<'d>> {
        let steps = path.split('/').filter(|step| !step.is_empty());
        steps
            .into_iter()
            .try_fold(self, |value, step| match step.parse::<usize>() {
                Ok(place) if value.is_list() => value.items()?.into_iter().nth(place),
                _ => value.entries()?.remove(step),
            })
            .filter(|value| !value.is_null())
    }

    /// The members of an object; the last of equal keys counts.
    pub(crate) fn entries(self) -> Option<BTreeMap<String, Json<'d>>> {
        let members: BTreeMap<String, &'d RawValue> = serde_json::from_str(self.0.get()).ok()?;
        Some(
            members
                .into_iter()
                .map(|(key, raw)| (key, Json(raw)))
                .collect(),
        )
    }

    /// The items of a list.
    pub(crate) fn items(self) -> Option<Vec<Json<'d>>> {
        let items: Vec<&'d RawValue> = serde_json::from_str(self.0.get()).ok()?;
        Some(items.into_iter().map(Json).collect())
    }

    /// A text, or a number's own text.
    pub(crate) fn text(self) -> Option<String> {
        match self.0.get().as_bytes().first()? {
            b'"' => serde_json::from_str(self.0.get()).ok(),
            b'-' | b'0'..=b'9' => Some(self.0.get().to_owned()),
            _ => None,
        }
    }

    /// A number, or a text that holds one; none for null and for words that mean it.
    pub(crate) fn decimal(self) -> Result<Option<Decimal>, Problem> {
        if self.is_null() {
            return Ok(None);
        }
        let text = self.text().unwrap_or_else(|| self.0.get().to_owned());
        number::decimal(&text).map_err(|_| {
            let start: String = text.chars().take(40).collect();
            format!("{start:?} is not a number")
        })
    }

    /// The decimal at a path; none when there is nothing there, or the path is empty.
    pub(crate) fn decimal_at(self, path: &str) -> Result<Option<Decimal>, Problem> {
        self.within(path).map_or(Ok(None), Json::decimal)
    }

    /// The text at a path; none when there is nothing there, or the path is empty.
    pub(crate) fn text_at(self, path: &str) -> Option<String> {
        self.within(path)?.text()
    }

    fn within(self, path: &str) -> Option<Json<'d>> {
        if path.is_empty() { None } else { self.at(path) }
    }

    fn is_list(self) -> bool {
        self.0.get().starts_with('[')
    }

    fn is_null(self) -> bool {
        self.0.get() == "null"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text() {
        let text = r#"{"a b": [{"c": 0.30000000000000004, "d": null, "e": "1.50"}]}"#;
        let document = Json::document(text).unwrap();
        let first = document.at("a b/0").unwrap();
        assert_eq!(first.text_at("c").unwrap(), "0.30000000000000004");
        assert_eq!(first.decimal_at("d"), Ok(None));
        assert_eq!(first.decimal_at("e").unwrap().unwrap().to_string(), "1.5");
        assert!(document.at("a b/1").is_none());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert!(Json::document("<html>").unwrap_err().contains("HTML"));
        assert!(Json::document("[1, 2").unwrap_err().contains("not JSON"));
        let deep = "[".repeat(100_000);
        assert!(Json::document(&deep).is_err());
    }
}
