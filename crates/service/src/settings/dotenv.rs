//! The `.env` file of the working directory: `NAME=value` lines. It knows no setting.

/// The pairs in order; a line that is not `NAME=value` is an error with its number and the rule.
///
/// Blank lines, `#` comments and a leading `export` are allowed. A value in single quotes is taken as it is, in
/// double quotes with `\n`, `\t`, `\"` and `\\`; without quotes it ends at ` #`. Nothing is expanded.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, (usize, &'static str)> {
    let mut pairs = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            pairs.push(pair(line).map_err(|rule| (number + 1, rule))?);
        }
    }
    Ok(pairs)
}

fn pair(line: &str) -> Result<(String, String), &'static str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').ok_or("must be NAME=value")?;
    let name = name.trim_end();
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err("the name must consist of letters, digits and _");
    }
    Ok((name.to_owned(), unquote(value.trim())?))
}

fn unquote(value: &str) -> Result<String, &'static str> {
    const UNCLOSED: &str = "the closing quote is missing, or something follows it";
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.strip_suffix('\'').map(str::to_owned).ok_or(UNCLOSED);
    }
    if let Some(rest) = value.strip_prefix('"') {
        return rest.strip_suffix('"').map(unescape).ok_or(UNCLOSED);
    }
    let end = value.find(" #").unwrap_or(value.len());
    Ok(value[..end].trim_end().to_owned())
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => out.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            }),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_pairs() {
        let text =
            "# head\n\nA=1\nexport B = two words # note\nC='a # b'\nD=\"x\\ny \\\"q\\\"\"\nE=\n";
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "a # b"),
            ("D", "x\ny \"q\""),
            ("E", ""),
        ];
        let pairs = parse(text).unwrap();
        assert_eq!(
            pairs
                .iter()
                .map(|(a, b)| (a.as_str(), b.as_str()))
                .collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn a_url_keeps_its_fragment_and_equals_signs() {
        let pairs = parse("URL=redis://:p#a=b@host/0").unwrap();
        assert_eq!(pairs[0].1, "redis://:p#a=b@host/0");
    }

    #[test]
    fn other_lines_are_errors_with_their_number() {
        assert_eq!(parse("A=1\nnonsense").unwrap_err().0, 2);
        assert_eq!(parse("A-B=1").unwrap_err().0, 1);
        assert!(parse("A='open").is_err());
        assert!(parse("A=\"open\" x").is_err());
    }
}
