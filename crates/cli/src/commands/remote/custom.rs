//! Commands that an application's workers know and this program does not: arguments by name, values as JSON.

use protocol::{Codec, Limits, Map, Value};

use crate::error::Error;

/// The method's name and its arguments.
pub(super) fn read(words: &[String]) -> Result<(String, Map), Error> {
    let usage = || Error::Usage("custom takes NAME [KEY=JSON…]".to_owned());
    let (name, arguments) = words.split_first().ok_or_else(usage)?;
    let pairs = arguments.iter().map(|word| {
        let (key, value) = word.split_once('=').ok_or_else(usage)?;
        Ok((key.to_owned(), json_or_text(value)))
    });
    let arguments = pairs.collect::<Result<Vec<_>, Error>>()?;
    Ok((name.clone(), Map::from_iter(arguments)))
}

/// What is no JSON is a text, so that plain words need no quotes within quotes.
fn json_or_text(text: &str) -> Value {
    Codec::Json
        .decode(text.as_bytes(), &Limits::default())
        .unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_or_texts() {
        let words = ["set", "n=2", "who=me", "all=[true]"].map(str::to_owned);
        let (name, arguments) = read(&words).unwrap();
        let arguments = serde_json::to_string(&arguments).unwrap();
        assert_eq!(name, "set");
        assert_eq!(arguments, r#"{"n":2,"who":"me","all":[true]}"#);
        assert!(read(&[]).is_err());
        assert!(read(&["set", "n"].map(str::to_owned)).is_err());
    }
}
