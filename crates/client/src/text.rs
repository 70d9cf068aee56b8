//! Exceptions as Python prints them.

use protocol::{ExceptionInfo, Value, saferepr, saferepr_args};

/// `str(exception)`: nothing, the one argument, or the tuple of arguments.
pub(crate) fn exception_text(exception: &ExceptionInfo) -> String {
    match exception.exc_message.as_slice() {
        [] => String::new(),
        [Value::Str(text)] => text.clone(),
        [single] => saferepr(single, 1_024, 3),
        several => saferepr_args(several, 1_024, 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(args: Vec<Value>) -> String {
        exception_text(&ExceptionInfo {
            exc_type: "E".to_owned(),
            exc_message: args,
            exc_module: None,
        })
    }

    #[test]
    fn exceptions_read_as_in_python() {
        assert_eq!(text(vec![]), "");
        assert_eq!(text(vec!["bad".into()]), "bad");
        assert_eq!(text(vec![3_i64.into()]), "3");
        assert_eq!(text(vec!["bad".into(), 3_i64.into()]), "('bad', 3)");
    }
}
