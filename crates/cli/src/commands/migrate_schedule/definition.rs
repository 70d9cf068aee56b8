//! The objects by which Celery's and redbeat's encoders write schedules (`__type__`), in the forms of the setting `beat_schedule`.

use protocol::{Map, Value};

const TYPE: &str = "__type__";

/// An entry without what only its scheduler needs; what has no form here is named.
pub(super) fn convert(entry: &Map) -> Result<Map, String> {
    let mut converted = Map::new();
    for (field, value) in entry.iter() {
        match field {
            "name" => {}
            "schedule" => {
                converted.insert(field, schedule(value)?);
            }
            _ if value.is_null() => {}
            _ => {
                refuse_objects(field, value)?;
                converted.insert(field, value.clone());
            }
        }
    }
    Ok(converted)
}

fn schedule(value: &Value) -> Result<Value, String> {
    let Value::Map(fields) = value else {
        return Ok(value.clone());
    };
    let mut fields = fields.clone();
    let Some(kind) = fields.remove(TYPE) else {
        return Ok(value.clone());
    };
    match kind.as_str() {
        Some("crontab") => Ok(Value::Map(Map::from_iter([(
            "crontab".to_owned(),
            Value::Map(fields),
        )]))),
        Some("interval") => Ok(Value::Map(fields)),
        _ => Err(format!(
            "a schedule of type {} cannot be expressed",
            kind.as_str().unwrap_or("?")
        )),
    }
}

/// Python objects among the arguments would arrive at the task as something else.
fn refuse_objects(field: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::List(items) => items
            .iter()
            .try_for_each(|item| refuse_objects(field, item)),
        Value::Map(map) => match map.get(TYPE) {
            Some(kind) => Err(format!(
                "field {field}: an object of type {} cannot be expressed",
                kind.as_str().unwrap_or("?")
            )),
            None => map
                .iter()
                .try_for_each(|(_, item)| refuse_objects(field, item)),
        },
        _ => Ok(()),
    }
}
