//! Which nodes a request is for, by pattern.

use regex::RegexBuilder;

/// Largest compiled pattern, in bytes.
const COMPILED: usize = 1 << 20;

/// True when `node` matches. `glob` is shell-like over the whole name; `pcre` is a regular
/// expression that must match from the start. Any other matcher, and a broken pattern, match nothing.
pub fn pattern_matches(matcher: &str, pattern: &str, node: &str) -> bool {
    match matcher {
        "glob" => glob_matches(pattern, node),
        "pcre" => regex_matches(pattern, node),
        _ => false,
    }
}

fn regex_matches(pattern: &str, node: &str) -> bool {
    let anchored = format!("\\A(?:{pattern})");
    let compiled = RegexBuilder::new(&anchored).size_limit(COMPILED).build();
    compiled.is_ok_and(|regex| regex.is_match(node))
}

/// Shell-like matching of a whole text, as Python's `fnmatch`: `*`, `?`, `[abc]`, `[a-z]`, `[!x]`.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    loop {
        if pattern.get(p) == Some(&'*') {
            p += 1;
            retry = Some((p, t));
            continue;
        }
        let width = match text.get(t) {
            Some(&letter) => one(&pattern[p..], letter),
            None if p == pattern.len() => return true,
            None => return false,
        };
        match (width, retry) {
            (Some(width), _) => (p, t) = (p + width, t + 1),
            (None, Some((after, from))) => {
                retry = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
            (None, None) => return false,
        }
    }
}

/// How many pattern characters match `letter`; `None` when they do not.
fn one(pattern: &[char], letter: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => match set(pattern, letter) {
            Some((true, width)) => Some(width),
            Some((false, _)) => None,
            None => (letter == '[').then_some(1),
        },
        literal => (*literal == letter).then_some(1),
    }
}

/// Reads the set at the start of `pattern`: whether it holds `letter`, and its width.
/// `None` when the bracket is never closed, and so stands for itself.
fn set(pattern: &[char], letter: char) -> Option<(bool, usize)> {
    let negated = pattern.get(1) == Some(&'!');
    let start = 1 + usize::from(negated);
    let close = start + 1 + pattern.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let mut members = &pattern[start..close];
    let mut found = false;
    while let [first, rest @ ..] = members {
        members = match rest {
            ['-', last, after @ ..] => {
                found |= (*first..=*last).contains(&letter);
                after
            }
            _ => {
                found |= *first == letter;
                rest
            }
        };
    }
    Some((found != negated, close + 1))
}
