//! Topic patterns as kombu stores them: regular expressions made from dotted words.

use regex::RegexBuilder;

/// Characters Python's `re.escape` puts a backslash before.
const ESCAPED: &str = "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}";

/// Largest compiled pattern, in bytes.
const COMPILED: usize = 1 << 20;

/// The regular expression of a binding key: `*` is one word, `#` any text, the rest is literal.
pub fn topic_pattern(binding_key: &str) -> String {
    let words: Vec<_> = binding_key.split('.').map(word).collect();
    format!("^{}$", words.join("\\."))
}

/// True when `routing_key` matches a pattern of [`topic_pattern`]; false too when the stored
/// pattern is no regular expression.
pub fn topic_matches(pattern: &str, routing_key: &str) -> bool {
    let compiled = RegexBuilder::new(pattern).size_limit(COMPILED).build();
    compiled.is_ok_and(|regex| regex.is_match(routing_key))
}

fn word(word: &str) -> String {
    match word {
        "*" => "[^\\.]+".to_owned(),
        "#" => ".*?".to_owned(),
        literal => literal.chars().fold(String::new(), |mut out, letter| {
            if ESCAPED.contains(letter) {
                out.push('\\');
            }
            out.push(letter);
            out
        }),
    }
}
