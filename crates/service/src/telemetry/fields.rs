//! The fields of a line. A run's span is made for every task, also when nothing is logged in it; so fields that are plain text and
//! numbers are written without the formatting machinery, and all others as the library writes them.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};

/// Room for the fields of a run, in bytes.
const USUAL: usize = 192;

/// Writes fields as [`DefaultFields`] does.
#[derive(Debug, Default)]
pub(super) struct Fields(DefaultFields);

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        if !writer.has_ansi_escapes() {
            let mut plain = Plain(Some(String::with_capacity(USUAL)));
            fields.record(&mut plain);
            if let Some(text) = plain.0 {
                return writer.write_str(&text);
            }
        }
        self.0.format_fields(writer, fields)
    }
}

/// The fields so far; `None` when one of them is not plain.
struct Plain(Option<String>);

impl Plain {
    fn add(&mut self, field: &Field, value: &str, quote: &str) {
        let name = field.name();
        if name == "message" || name.starts_with("log.") || name.starts_with("r#") {
            self.0 = None;
        }
        let Some(text) = &mut self.0 else { return };
        let space = if text.is_empty() { "" } else { " " };
        for part in [space, name, "=", quote, value, quote] {
            text.push_str(part);
        }
    }
}

impl Visit for Plain {
    fn record_str(&mut self, field: &Field, value: &str) {
        // What is the same when it is written as a literal.
        let is_plain = |byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
        if value.bytes().all(is_plain) {
            self.add(field, value, "\"");
        } else {
            self.0 = None;
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match value {
            0 => self.add(field, "0", ""),
            value => self.add(field, &value.to_string(), ""),
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Lines {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// What is logged of a run with these fields.
    fn logged<F>(fields: F, id: &str) -> String
    where
        F: for<'w> FormatFields<'w> + Send + Sync + 'static,
    {
        let lines = Lines::default();
        let layer = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_writer(lines.clone())
            .fmt_fields(fields);
        tracing::subscriber::with_default(layer.finish(), || {
            let span = tracing::info_span!("run", task_id = id, attempt = 3_u32, first = 0_u32);
            let _in = span.enter();
            tracing::info!(path = ?["a"], size = -1, text = "b", "a message {id}");
        });
        let written = lines.0.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn lines_are_the_library_s_whatever_is_in_them() {
        for id in [
            "plain-id",
            "",
            "with \"quotes\"",
            "\u{e9}\n",
            "\u{1b}[31mred",
        ] {
            let ours = logged(Fields::default(), id);
            assert_eq!(ours, logged(DefaultFields::new(), id));
            assert!(ours.contains("attempt=3 first=0"), "{ours}");
        }
    }
}
