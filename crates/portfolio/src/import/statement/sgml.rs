//! The tree of an OFX document, whether SGML (version 1, where values have no closing tag) or XML (version 2).

/// Deepest nesting.
const DEEPEST: usize = 64;

/// An element with a value, or with elements.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) children: Vec<Element>,
    /// The line of its tag, from one.
    pub(super) line: i64,
}

impl Element {
    /// The first element of this name below, at any depth.
    pub(super) fn find(&self, name: &str) -> Option<&Element> {
        let mut children = self.children.iter();
        children.find_map(|child| {
            if child.name == name {
                Some(child)
            } else {
                child.find(name)
            }
        })
    }

    /// All elements of this name below, at any depth, in order.
    pub(super) fn find_all<'e>(&'e self, name: &str, found: &mut Vec<&'e Element>) {
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            child.find_all(name, found);
        }
    }

    /// The value of the first element of this name below; none when it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.find(name).map(|found| found.value.as_str());
        value.filter(|value| !value.is_empty())
    }
}

/// Reads a document.
///
/// # Errors
/// A sentence about what is wrong.
pub(super) fn parse(text: &str) -> Result<Element, String> {
    let mut open = vec![Element::default()];
    let mut line = 1;
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        line += breaks(&rest[..start]);
        let end = rest[start..]
            .find('>')
            .ok_or_else(|| format!("line {line}: a tag does not end: is the file cut off?"))?
            + start;
        let tag = rest[start + 1..end].trim();
        let value_end = rest[end..].find('<').map_or(rest.len(), |next| end + next);
        let value = rest[end + 1..value_end].trim();
        take(&mut open, tag, value, line)?;
        line += breaks(&rest[start..=end]);
        rest = &rest[end + 1..];
    }
    if open.len() > 1 {
        let name = &open[open.len() - 1].name;
        return Err(format!("<{name}> is not closed: is the file cut off?"));
    }
    Ok(open.swap_remove(0))
}

fn breaks(text: &str) -> i64 {
    i64::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(i64::MAX)
}

fn take(open: &mut Vec<Element>, tag: &str, value: &str, line: i64) -> Result<(), String> {
    if tag.starts_with(['?', '!']) {
        return Ok(());
    }
    if let Some(name) = tag.strip_prefix('/') {
        close(open, &name.to_uppercase());
        return Ok(());
    }
    let name = tag.split_whitespace().next().unwrap_or_default();
    let element = Element {
        name: name.trim_end_matches('/').to_uppercase(),
        value: unescape(value),
        children: Vec::new(),
        line,
    };
    if value.is_empty() && !tag.ends_with('/') {
        if open.len() >= DEEPEST {
            return Err(format!(
                "line {line}: elements are nested deeper than {DEEPEST}"
            ));
        }
        open.push(element);
    } else {
        add(open, element);
    }
    Ok(())
}

/// Closes the element of this name and what is open within it; the closing tag of a value has nothing to close. An
/// empty value of version 1 looks like an element that nothing closes: it becomes a value again, with its elements after it.
fn close(open: &mut Vec<Element>, name: &str) {
    let Some(place) = open.iter().rposition(|element| element.name == name) else {
        return;
    };
    while open.len() > place.max(1) {
        let Some(mut element) = open.pop() else {
            return;
        };
        let unclosed = open.len() > place;
        let children = if unclosed {
            std::mem::take(&mut element.children)
        } else {
            Vec::new()
        };
        add(open, element);
        children.into_iter().for_each(|child| add(open, child));
    }
}

fn add(open: &mut [Element], element: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(element);
    }
}

fn unescape(value: &str) -> String {
    value
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", " ")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}
