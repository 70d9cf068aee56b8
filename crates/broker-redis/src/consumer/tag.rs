//! Tags: who holds a message, which step it came from, and in which order it was taken.

/// A tag in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TagParts<'a> {
    pub(super) incarnation: &'a str,
    /// Held in `celeriac.poison`.
    pub(super) poison: bool,
    pub(super) step: u8,
    pub(super) number: u64,
}

/// The consumer that a name belongs to: what is in front of the count of its leases.
pub(crate) fn consumer_of(incarnation: &str) -> &str {
    incarnation
        .rsplit_once('.')
        .map_or(incarnation, |(base, _)| base)
}

/// Writes a tag as the scripts do.
pub(super) fn write(incarnation: &str, poison: bool, step: u8, number: u64) -> String {
    let mark = if poison { "p" } else { "" };
    format!("{incarnation}:{mark}{step}:{number}")
}

/// Reads a tag of an incarnation; `None` for deferred ones and those of Python.
pub(super) fn read(tag: &str) -> Option<TagParts<'_>> {
    let mut parts = tag.split(':');
    let (incarnation, step, number) = (parts.next()?, parts.next()?, parts.next()?);
    let poison = step.starts_with('p');
    let step = step.trim_start_matches('p').parse().ok()?;
    Some(TagParts {
        incarnation,
        poison,
        step,
        number: number.parse().ok()?,
    })
}

/// Whether a payload could be held in kombu's hash without breaking it: at least the shape of a JSON object. The reserving script asks the same.
pub(super) fn is_poison(payload: &[u8]) -> bool {
    payload.first() != Some(&b'{') || payload.last() != Some(&b'}')
}

/// The newest first: put back in this order, the oldest ends up foremost.
pub(super) fn sort_newest_first<T: AsRef<str>>(tags: &mut [T]) {
    tags.sort_by_key(|tag| std::cmp::Reverse(read(tag.as_ref()).map_or(0, |parts| parts.number)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_back() {
        let parts = TagParts {
            incarnation: "ab.2",
            poison: true,
            step: 6,
            number: 71,
        };
        let text = write(parts.incarnation, parts.poison, parts.step, parts.number);
        assert_eq!(text, "ab.2:p6:71");
        assert_eq!(read(&text), Some(parts));
        assert_eq!(read("eta:3:ab.2-71"), None);
        assert_eq!(read("7051c0c0-823b-4c25-bb43-c3e90d35a432"), None);
    }

    #[test]
    fn newest_first_is_by_number_not_by_text() {
        let mut tags = ["a:0:9", "a:0:10", "a:3:8"];
        sort_newest_first(&mut tags);
        assert_eq!(tags, ["a:0:10", "a:0:9", "a:3:8"]);
    }

    #[test]
    fn poison_is_what_has_not_the_shape_of_an_object() {
        assert!(!is_poison(b"{}"));
        for payload in [&b""[..], b"null", b"[]", b"{", b" {}"] {
            assert!(is_poison(payload), "{payload:?}");
        }
    }
}
