//! Hiding secrets wherever a person or a file could see them.

use protocol::{Map, Value};

use super::kind::Kind;

/// What stands for a secret.
const MASK: &str = "********";

/// Words in a key that make its value a secret.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "api_key",
    "private_key",
];

/// The value as it may be shown.
pub(super) fn masked(kind: Kind, value: &Value) -> Value {
    match (kind, value) {
        (_, Value::Null) => Value::Null,
        (Kind::Secret, _) => Value::from(MASK),
        (_, Value::Str(text)) => Value::from(mask_urls(text)),
        (_, Value::List(items)) => {
            Value::List(items.iter().map(|item| masked(Kind::Any, item)).collect())
        }
        (_, Value::Map(map)) => Value::Map(masked_map(map)),
        (_, other) => other.clone(),
    }
}

fn masked_map(map: &Map) -> Map {
    let mut out = Map::default();
    for (key, value) in map.iter() {
        let lower = key.to_lowercase();
        let secret = SECRET_WORDS.iter().any(|word| lower.contains(word));
        out.insert(
            key,
            masked(if secret { Kind::Secret } else { Kind::Any }, value),
        );
    }
    out
}

/// The text with the password of every URL in it hidden (`broker_url` may hold several between `;`).
pub fn mask_urls(text: &str) -> String {
    text.split(';').map(mask_url).collect::<Vec<_>>().join(";")
}

fn mask_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", mask_user(user)),
        None => rest.to_owned(),
    };
    let query = query
        .map(|query| format!("?{}", mask_query(query)))
        .unwrap_or_default();
    format!("{scheme}://{rest}{query}")
}

fn mask_user(user: &str) -> String {
    match user.split_once(':') {
        Some((name, _)) => format!("{name}:{MASK}"),
        None => user.to_owned(),
    }
}

fn mask_query(query: &str) -> String {
    let mask = |pair: &str| match pair.split_once('=') {
        Some((key, _))
            if SECRET_WORDS
                .iter()
                .any(|word| key.to_lowercase().contains(word)) =>
        {
            format!("{key}={MASK}")
        }
        _ => pair.to_owned(),
    };
    query.split('&').map(mask).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_hidden() {
        assert_eq!(
            mask_urls("redis://:pa@ss@host:1/0"),
            "redis://:********@host:1/0"
        );
        assert_eq!(
            mask_urls("redis://u:p@a/0;redis://b/1"),
            "redis://u:********@a/0;redis://b/1"
        );
        assert_eq!(
            mask_urls("redis://h/0?password=x&db=1"),
            "redis://h/0?password=********&db=1"
        );
        assert_eq!(mask_urls("sqlite:data/x.db"), "sqlite:data/x.db");
    }

    #[test]
    fn secrets_inside_tables_are_hidden() {
        let mut sentinel = Map::default();
        sentinel.insert("password", "x");
        sentinel.insert("name", "y");
        let mut options = Map::default();
        options.insert("sentinel_kwargs", sentinel);
        let shown = masked(Kind::Map, &Value::Map(options));
        let inner = shown.get("sentinel_kwargs").unwrap();
        assert_eq!(inner.get("password"), Some(&Value::from(MASK)));
        assert_eq!(inner.get("name"), Some(&Value::from("y")));
    }

    #[test]
    fn secrets_and_nothing() {
        assert_eq!(masked(Kind::Secret, &Value::from("x")), Value::from(MASK));
        assert_eq!(masked(Kind::Secret, &Value::Null), Value::Null);
    }
}
