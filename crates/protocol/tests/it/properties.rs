//! What holds for all values: decode(encode(x)) = x, unknown fields survive, no bytes panic.

use proptest::prelude::*;
use protocol::{
    Accept, Codec, Compression, DeliveryInfo, Embed, Event, ExceptionInfo, Extended, Headers,
    Limits, Map, Message, Properties, ResultTuple, Signature, State, TaskMessage, TaskMeta,
    TaskRequest, TimeLimit, Value, from_value, to_value,
};

use crate::strategies::{json_map, json_value, msgpack_value, yaml_value};
use crate::vectors::{accept_all, limits};

const COMPRESSIONS: [Compression; 5] = [
    Compression::Zlib,
    Compression::Bzip2,
    Compression::Lzma,
    Compression::Brotli,
    Compression::Zstd,
];

fn round(codec: Codec, value: &Value) -> Value {
    codec
        .decode(&codec.encode(value).unwrap(), &limits())
        .unwrap()
}

fn name() -> impl Strategy<Value = String> {
    "[a-z.]{1,12}"
}

prop_compose! {
    fn signature()(task in name(), args in prop::collection::vec(json_value(), 0..3), kwargs in json_map(),
        options in json_map(), immutable in any::<bool>(), extra in json_map()) -> Signature {
        Signature { task, args, kwargs, options, subtask_type: None, immutable, extra }
    }
}

prop_compose! {
    fn embed()(callbacks in prop::option::of(prop::collection::vec(signature(), 0..2)),
        chain in prop::option::of(prop::collection::vec(signature(), 0..2)),
        chord in prop::option::of(signature()), extra in json_map()) -> Embed {
        Embed { callbacks, errbacks: None, chain: chain.map(Into::into), chord, extra }
    }
}

prop_compose! {
    fn task_message()(task in name(), id in "[a-f0-9-]{1,36}", args in prop::collection::vec(json_value(), 0..3),
        kwargs in json_map(), embed in embed(), shadow in prop::option::of(name()), group in prop::option::of(name()),
        group_index in prop::option::of(0..1_000_i64), retries in any::<u32>(), hard in prop::option::of(0.0..1e6_f64),
        headers in json_map(), priority in 0..10_i64, stamps in json_map(),
        ignore_result in prop::option::of(any::<bool>())) -> TaskMessage {
        TaskMessage {
            args, kwargs, embed, shadow, group, group_index, retries, headers, priority, stamps, ignore_result,
            timelimit: TimeLimit { hard, soft: None },
            ..TaskMessage::new(task, id)
        }
    }
}

prop_compose! {
    fn meta()(task_id in "[a-f0-9-]{36}", status in "[A-Z]{3,9}", result in json_value(),
        traceback in prop::option::of(".{0,30}"), child in prop::option::of("[a-f0-9-]{36}"),
        group_id in prop::option::of(name()), args in json_value(), extended in any::<bool>(),
        extra in json_map()) -> TaskMeta {
        TaskMeta {
            traceback,
            children: child.map(|id| vec![ResultTuple::task(id)]),
            group_id,
            extended: extended.then(|| Extended { name: Some("t".to_owned()), args, ..Extended::default() }),
            extra,
            ..TaskMeta::new(task_id, State::from(status.as_str()), result)
        }
    }
}

proptest! {
    #[test]
    fn json_carries_every_value(value in json_value()) {
        prop_assert_eq!(round(Codec::Json, &value), value);
    }

    #[test]
    fn json_is_ascii_and_another_parser_agrees(value in msgpack_value()) {
        // The other parser is not exact with floats.
        let value = without_floats(value);
        let bytes = Codec::Json.encode(&value).unwrap();
        prop_assert!(bytes.is_ascii());
        if let Ok(other) = serde_json::from_slice::<serde_json::Value>(&bytes) {
            let again = Codec::Json.decode(other.to_string().as_bytes(), &limits()).unwrap();
            prop_assert_eq!(again, value);
        }
    }

    #[test]
    fn floats_survive_as_text(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        let bytes = Codec::Json.encode(&Value::Float(value)).unwrap();
        let Value::Float(read) = Codec::Json.decode(&bytes, &limits()).unwrap() else {
            panic!("{value} came back as something else");
        };
        prop_assert!(read.to_bits() == bits || value.is_nan() && read.is_nan());
    }

    #[test]
    fn msgpack_carries_every_value(value in msgpack_value()) {
        prop_assert_eq!(round(Codec::Msgpack, &value), value);
    }

    #[test]
    fn yaml_carries_every_value(value in yaml_value()) {
        prop_assert_eq!(round(Codec::Yaml, &value), value);
    }

    #[test]
    fn values_pass_through_serde(value in json_value()) {
        prop_assert_eq!(to_value(&value).unwrap(), value.clone());
        prop_assert_eq!(from_value::<Value>(value.clone()).unwrap(), value);
    }

    #[test]
    fn compression_gives_back_what_went_in(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        for compression in COMPRESSIONS {
            let packed = compression.compress(&bytes).unwrap();
            prop_assert_eq!(&compression.decompress(&packed, &limits()).unwrap(), &bytes);
        }
    }

    #[test]
    fn envelopes_keep_everything(body in prop::collection::vec(any::<u8>(), 0..50), headers in json_map(),
        properties in json_map(), extra in json_map(), info in json_map(), priority in prop::option::of(any::<i64>())) {
        let message = Message {
            headers: Headers { extra: headers, ..Headers::default() },
            properties: Properties {
                priority,
                body_encoding: Some(protocol::BodyEncoding::Base64),
                delivery_info: Some(DeliveryInfo { extra: info, ..DeliveryInfo::default() }),
                extra: properties,
                ..Properties::default()
            },
            content_type: "application/json".to_owned(),
            content_encoding: "utf-8".to_owned(),
            body: body.into(),
            extra,
        };
        prop_assert_eq!(Message::from_envelope(&message.to_envelope().unwrap(), &limits()).unwrap(), message);
    }

    #[test]
    fn tasks_keep_everything(task in task_message(), compress in any::<bool>()) {
        let compression = compress.then_some(Compression::Zlib);
        let message = task.clone().encode(Codec::Json, compression).unwrap();
        let message = Message::from_envelope(&message.to_envelope().unwrap(), &limits()).unwrap();
        let request = TaskRequest::from_message(&message, &Accept::default(), &limits()).unwrap();
        prop_assert_eq!(&request.task, &task.task);
        prop_assert_eq!(&request.id, &task.id);
        prop_assert_eq!(&request.args, &task.args);
        prop_assert_eq!(&request.kwargs, &task.kwargs);
        prop_assert_eq!(&request.embed, &task.embed);
        prop_assert_eq!(&request.extra, &task.headers);
        prop_assert_eq!(&request.stamps, &task.stamps);
        prop_assert_eq!(&request.group, &task.group);
        prop_assert_eq!(request.group_index, task.group_index);
        prop_assert_eq!(request.retries, task.retries);
        prop_assert_eq!(request.timelimit, task.timelimit);
        prop_assert_eq!(request.ignore_result, task.ignore_result);
        prop_assert_eq!(request.priority, Some(task.priority));
    }

    #[test]
    fn bodies_are_read_alike_as_text_and_as_values(mut task in task_message(), is_last in any::<bool>()) {
        if is_last {
            task.embed = Embed::default();
        }
        let message = task.encode(Codec::Json, None).unwrap();
        let body = Codec::Json.decode(&message.body, &limits()).unwrap();
        let from_text = TaskRequest::from_message(&message, &Accept::default(), &limits()).unwrap();
        prop_assert_eq!(from_text, TaskRequest::from_body(&message, body).unwrap());
    }

    #[test]
    fn metas_keep_everything(meta in meta(), compress in any::<bool>()) {
        let compression = compress.then_some(Compression::Zstd);
        let bytes = meta.encode(Codec::Json, compression).unwrap();
        prop_assert_eq!(TaskMeta::decode(&bytes, &Codec::Json, &limits()).unwrap(), meta);
    }

    #[test]
    fn events_keep_everything(fields in json_map(), timestamp in 0.0..1e10_f64, clock in 0..1_000_000_i64) {
        let event = Event {
            kind: "task-x".into(), timestamp, hostname: "w@h".into(), pid: Some(1),
            utcoffset: Some(-5.5), clock: Some(clock), fields,
        };
        let message = event.to_message(Codec::Json, "tag").unwrap();
        let read = Event::from_message(&message, &Accept::default(), &limits()).unwrap();
        prop_assert_eq!(read, vec![event]);
    }

    #[test]
    fn exceptions_keep_everything(args in prop::collection::vec(json_value(), 0..3), module in prop::option::of(name())) {
        let info = ExceptionInfo { exc_type: "ValueError".to_owned(), exc_message: args, exc_module: module };
        prop_assert_eq!(ExceptionInfo::from_value(&Value::from(&info)), Some(info));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_everything(&bytes);
    }

    #[test]
    fn no_text_makes_a_decoder_panic(text in "[\\[\\]{}\",:0-9a-z!&*|>%@`'?~ \\n\\\\#.+-]{0,60}") {
        decode_everything(text.as_bytes());
    }

    #[test]
    fn no_change_of_a_message_makes_a_decoder_panic(task in task_message(), at in any::<prop::sample::Index>(),
        byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let message = task.encode(Codec::Json, Some(Compression::Zstd)).unwrap();
        let mut envelope = message.to_envelope().unwrap();
        let place = at.index(envelope.len());
        envelope[place] = byte;
        decode_everything(&envelope);
        envelope.truncate(cut.index(envelope.len()));
        decode_everything(&envelope);
        let mut body = message.body.to_vec();
        let place = at.index(body.len());
        body[place] = byte;
        decode_everything(&body);
    }

    #[test]
    fn no_change_of_packed_bytes_makes_a_decoder_panic(value in msgpack_value(), at in any::<prop::sample::Index>(),
        byte in any::<u8>()) {
        for codec in [Codec::Msgpack, Codec::Yaml, Codec::Json] {
            let mut bytes = codec.encode(&value).unwrap();
            let place = at.index(bytes.len());
            bytes[place] = byte;
            decode_everything(&bytes);
            for compression in COMPRESSIONS {
                let mut packed = compression.compress(&bytes).unwrap();
                let place = at.index(packed.len());
                packed[place] = byte;
                decode_everything(&packed);
            }
        }
    }
}

fn without_floats(value: Value) -> Value {
    match value {
        Value::Float(_) => Value::Null,
        Value::List(items) => Value::List(items.into_iter().map(without_floats).collect()),
        Value::Map(map) => Value::Map(
            map.into_iter()
                .map(|(key, value)| (key, without_floats(value)))
                .collect(),
        ),
        other => other,
    }
}

/// Small bounds, so that a decoder that ignores them is found out.
fn tight() -> Limits {
    Limits {
        payload: 1 << 16,
        decompressed: 1 << 16,
        depth: 50,
        values: 1 << 14,
    }
}

/// Feeds bytes to every decoder; whatever comes out must lie within the bounds.
fn decode_everything(bytes: &[u8]) {
    let limits = tight();
    for codec in [
        Codec::Json,
        Codec::Msgpack,
        Codec::Yaml,
        Codec::Text,
        Codec::Raw,
    ] {
        if let Ok(value) = codec.decode(bytes, &limits) {
            assert!(depth(&value) <= limits.depth + 1);
            assert!(count(&value) <= limits.values);
        }
        let _ = TaskMeta::decode(bytes, &codec, &limits);
        let _ = protocol::ChordMember::decode(bytes, &codec, &limits);
        let _ = protocol::decode_group(bytes, &codec, &limits);
    }
    for compression in COMPRESSIONS {
        if let Ok(plain) = compression.decompress(bytes, &limits) {
            assert!(plain.len() <= limits.decompressed);
        }
    }
    if let Ok(message) = Message::from_envelope(bytes, &limits) {
        let accept = accept_all();
        let _ = TaskRequest::from_message(&message, &accept, &limits);
        let _ = Event::from_message(&message, &accept, &limits);
        let _ = protocol::control::Request::from_message(&message, &accept, &limits);
        let _ = protocol::control::Reply::from_message(&message, &accept, &limits);
        assert!(message.to_envelope().is_ok());
    }
    let _ = protocol::is_success(bytes);
    let _ = protocol::compact::decode::<1_024, (String, Vec<u64>)>(1, bytes);
    let store = protocol::auth::CertStore::default();
    let _ = store.verify(bytes, jiff::Timestamp::UNIX_EPOCH, &limits);
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => 1 + map.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 1,
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Map(map) => 1 + map.iter().map(|(_, value)| count(value)).sum::<usize>(),
        _ => 1,
    }
}

#[test]
fn a_map_equals_itself_in_another_order() {
    let one = Map::from_iter([("a", 1_i64), ("b", 2)]);
    let two = Map::from_iter([("b", 2_i64), ("a", 1)]);
    assert_eq!(one, two);
    assert_ne!(
        one.keys().collect::<Vec<_>>(),
        two.keys().collect::<Vec<_>>()
    );
}
