//! Finding a part of a JSON document without reading it.

use super::Reader;
use crate::error::DecodeError;
use crate::limits::Limits;

/// Where the items of a list stand, each from its first byte to the one after its last.
pub(crate) type Places = Vec<(usize, usize)>;

/// A list within a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListPlace {
    /// From its opening bracket to the byte after the closing one.
    pub(crate) list: (usize, usize),
    pub(crate) items: Places,
}

/// The list under `key` of the map that is the third item of the document, a list. `None` when there is no such list, or anything is wrong
/// with the document; whoever reads it will say what.
pub(crate) fn list_in_third(document: &[u8], key: &str, limits: &Limits) -> Option<ListPlace> {
    let mut reader = Reader::new(document, limits).ok()?;
    find(&mut reader, key).ok().flatten()
}

fn find(reader: &mut Reader<'_>, key: &str) -> Result<Option<ListPlace>, DecodeError> {
    let mut found = None;
    if !reader.begin_list()? {
        return Ok(None);
    }
    for _ in 0..2 {
        reader.skip()?;
        if !reader.next_item()? {
            return Ok(None);
        }
    }
    let mut more = reader.begin_map()?;
    while more {
        if reader.key()? == key && reader.at_list() {
            found = Some(list(reader)?);
        } else {
            reader.skip()?;
        }
        more = reader.next_entry()?;
    }
    if reader.next_item()? {
        return Ok(None);
    }
    reader.end()?;
    Ok(found)
}

fn list(reader: &mut Reader<'_>) -> Result<ListPlace, DecodeError> {
    let begin = reader.position();
    let mut items = Vec::new();
    let mut more = reader.begin_list()?;
    while more {
        items.push(reader.skip()?);
        more = reader.next_item()?;
    }
    let list = (begin, reader.position());
    Ok(ListPlace { list, items })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(document: &'a str, found: &ListPlace) -> Vec<&'a str> {
        let items = found.items.iter();
        items.map(|(begin, end)| &document[*begin..*end]).collect()
    }

    #[test]
    fn items_are_found_whatever_is_in_them() {
        let document = r#"[["]", {"chain": [1]}], {}, {"a": "[", "chain": [ {"t": "\"]"} ,[[]], -1.5e3, "x" ], "b": null}]"#;
        let found = list_in_third(document.as_bytes(), "chain", &Limits::default()).unwrap();
        assert_eq!(
            texts(document, &found),
            [r#"{"t": "\"]"}"#, "[[]]", "-1.5e3", r#""x""#]
        );
        let (begin, end) = found.list;
        assert!(document[begin..end].starts_with("[ {") && document[begin..end].ends_with(" ]"));
    }

    #[test]
    fn a_document_of_another_form_has_none() {
        for document in [
            "[]",
            "{}",
            r#"[[], {}, {"chain": null}]"#,
            r#"[[], {}, {"chain": [1]}, 4]"#,
            r#"[[], {}, {"chain": [1}]"#,
            r#"[[], {}, {"chain": [1]}"#,
            r#"[[], {}, {"chain": [01]}]"#,
            r#"[[], {}, {"chain": [{"a" 1}]}]"#,
        ] {
            let found = list_in_third(document.as_bytes(), "chain", &Limits::default());
            assert_eq!(found, None, "{document}");
        }
    }

    #[test]
    fn limits_hold_for_what_is_not_read() {
        let deep = format!(
            "[[], {{}}, {{\"chain\": [{}1{}]}}]",
            "[".repeat(50),
            "]".repeat(50)
        );
        let limits = Limits {
            depth: 20,
            ..Limits::default()
        };
        assert_eq!(list_in_third(deep.as_bytes(), "chain", &limits), None);
        let limits = Limits {
            values: 20,
            ..Limits::default()
        };
        assert_eq!(list_in_third(deep.as_bytes(), "chain", &limits), None);
    }
}
