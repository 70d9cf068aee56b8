//! Results as a Python worker stores them.

use protocol::{
    Codec, Compression, ExceptionInfo, ResultTuple, State, TaskMeta, Value, decode_group,
    encode_group, is_success,
};

use crate::vectors::{Counts, assert_same, bytes, cases, entries, json, limits, list, text};

#[test]
fn every_stored_meta_reads_and_writes_as_recorded() {
    let mut counts = Counts::default();
    for case in &cases("worker_redis") {
        for (task_id, writes) in entries(case, "result_writes") {
            for write in writes.as_list().unwrap() {
                replay(task_id, write, case);
                counts.add(case, 1);
            }
        }
    }
    counts.print("worker_redis", "metas");
}

fn codec(case: &Value) -> (Codec, Option<Compression>) {
    match text(case, "kind") {
        "enc_msgpack" => (Codec::Msgpack, None),
        "enc_yaml" => (Codec::Yaml, None),
        "enc_gzip" => (Codec::Json, Some(Compression::Zlib)),
        "enc_zstd" => (Codec::Json, Some(Compression::Zstd)),
        _ => (Codec::Json, None),
    }
}

fn replay(task_id: &str, write: &Value, case: &Value) {
    let (codec, compression) = codec(case);
    let raw = bytes(write.get("raw").unwrap());
    let meta = TaskMeta::decode(&raw, &codec, &limits()).unwrap();
    assert_eq!(meta.task_id, *task_id, "{}", text(case, "id"));
    if let Some(decoded) = write.get("decoded").filter(|decoded| !decoded.is_null()) {
        assert_same(&Value::Map(meta.to_map()), decoded, case);
    }
    let written = meta.encode(codec, compression).unwrap();
    assert_eq!(TaskMeta::decode(&written, &codec, &limits()).unwrap(), meta);
    if codec == Codec::Json && compression.is_none() {
        assert_same(&json(&written), &json(&raw), case);
        assert_eq!(is_success(&raw), Some(meta.status == State::Success));
        assert_eq!(is_success(&written), is_success(&raw));
    }
    if meta.status.is_exception() && !meta.result.is_null() {
        let exception = meta.exception().unwrap();
        assert_same(&Value::from(&exception), &meta.result, case);
    }
}

#[test]
fn saved_groups_read_and_write_as_recorded() {
    let mut groups = 0;
    for case in &cases("worker_redis") {
        for (key, dump) in dumps(case) {
            let id = key
                .rsplit_once("celery-taskset-meta-")
                .map(|(_, id)| id.to_owned());
            let (Some(id), Some(value)) = (id.filter(|id| !id.contains('.')), dump.get("value"))
            else {
                continue;
            };
            let raw = bytes(value);
            let group = decode_group(&raw, &Codec::Json, &limits()).unwrap();
            assert_eq!(group.id, id);
            assert!(group.children.is_some());
            assert_same(
                &json(&encode_group(&group, Codec::Json, None).unwrap()),
                &json(&raw),
                case,
            );
            groups += 1;
        }
    }
    println!("worker_redis: {groups} saved groups replayed");
    assert!(groups > 0);
}

#[test]
fn chord_members_read_and_write_as_recorded() {
    let mut counts = Counts::default();
    for case in &cases("worker_redis") {
        for (key, dump) in dumps(case) {
            if !key.ends_with(".j") {
                continue;
            }
            for member in list(&dump, "value") {
                let raw = member.as_list().map_or(member, |pair| &pair[0]);
                chord_member(&bytes(raw), case);
                counts.add(case, 1);
            }
        }
    }
    counts.print("worker_redis", "chord members");
}

fn chord_member(raw: &[u8], case: &Value) {
    let member = protocol::ChordMember::decode(raw, &codec(case).0, &limits()).unwrap();
    assert!(member.state.is_ready(), "{}", text(case, "id"));
    let written = member.encode(Codec::Json, None).unwrap();
    assert_same(&json(&written), &json(raw), case);
}

/// Every key dump of a case.
fn dumps(case: &Value) -> Vec<(protocol::Key, Value)> {
    let sections = case
        .as_map()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.contains("keys"));
    let dumps = sections.filter_map(|(_, section)| section.as_map());
    dumps.flat_map(|map| map.clone().into_iter()).collect()
}

#[test]
fn sql_rows_hold_values_of_the_result_serializer() {
    let mut counts = Counts::default();
    for case in &cases("database_results") {
        if text(case, "kind") != "sqlalchemy" {
            continue;
        }
        for row in list(case.get("rows").unwrap(), "celery_taskmeta") {
            let raw = bytes(row.get("result").unwrap());
            let codec = if matches!(raw.first(), Some(b'{' | b'[' | b'"' | b'n')) {
                Codec::Json
            } else {
                Codec::Msgpack
            };
            let value = codec.decode(&raw, &limits()).unwrap();
            if text(row, "status") == "FAILURE" {
                assert!(ExceptionInfo::from_value(&value).is_some());
            }
            assert_eq!(codec.encode(&value).unwrap(), raw, "{}", text(case, "id"));
            counts.add(case, 1);
        }
    }
    counts.print("database_results", "result blobs");
}

#[test]
fn a_meta_without_status_names_the_field() {
    let error = TaskMeta::decode(b"{\"result\": 1}", &Codec::Json, &limits()).unwrap_err();
    assert_eq!(error.path(), "status");
    let error = TaskMeta::decode(
        b"{\"status\": \"SUCCESS\", \"children\": [[1]]}",
        &Codec::Json,
        &limits(),
    );
    assert_eq!(error.unwrap_err().path(), "children[0]");
}

#[test]
fn a_result_tuple_nests() {
    let child = ResultTuple {
        parent: Some(Box::new(ResultTuple::task("p"))),
        ..ResultTuple::task("c")
    };
    let group = ResultTuple::group("g", vec![child]);
    let value = Value::from(&group);
    assert_eq!(
        Codec::Json.encode(&value).unwrap(),
        b"[[\"g\", null], [[[\"c\", [[\"p\", null], null]], null]]]"
    );
    assert_eq!(ResultTuple::from_value(value).unwrap(), group);
}
