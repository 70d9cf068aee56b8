//! Depth and size: what is within the bounds works on a small stack, what is beyond is refused.

use std::io::Write as _;
use std::thread;

use protocol::{
    Codec, Compression, DecodeErrorKind, Limits, MAX_DEPTH, Map, Message, SERDE_DEPTH, Value,
    from_value, saferepr, to_value,
};

use crate::vectors::limits;

/// The stack of an ordinary thread.
const STACK: usize = 2 << 20;

/// The deepest YAML that is read and written.
const YAML_DEPTH: usize = 255;

fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Int(1), |inner, level| match level % 2 {
        0 => Value::List(vec![inner]),
        _ => Value::Map(Map::from_iter([("k", inner)])),
    })
}

#[test]
fn the_deepest_value_works_everywhere_on_a_small_stack() {
    on_small_stack(|| {
        let value = nested(MAX_DEPTH);
        let shallower = nested(YAML_DEPTH);
        for (codec, value) in [
            (Codec::Json, &value),
            (Codec::Msgpack, &value),
            (Codec::Yaml, &shallower),
        ] {
            let bytes = codec.encode(value).unwrap();
            assert_eq!(&codec.decode(&bytes, &limits()).unwrap(), value);
        }
        assert!(saferepr(&value, 100_000, 0).contains("'k': [1]"));
        assert!(format!("{value:?}").contains("Int(1)"));
    });
}

#[test]
fn serde_follows_as_deep_as_it_says_on_a_small_stack() {
    on_small_stack(|| {
        let value = nested(SERDE_DEPTH);
        assert_eq!(to_value(&value).unwrap(), value);
        assert_eq!(from_value::<Value>(value.clone()).unwrap(), value);
        let deeper = nested(SERDE_DEPTH + 1);
        assert!(to_value(&deeper).is_err());
        assert_eq!(
            from_value::<Value>(deeper).unwrap_err().kind(),
            DecodeErrorKind::TooDeep
        );
    });
}

#[test]
fn a_deeper_value_is_refused_by_every_codec() {
    on_small_stack(|| {
        let deeper = nested(MAX_DEPTH + 1);
        for codec in [Codec::Json, Codec::Msgpack] {
            assert!(codec.encode(&deeper).is_err(), "{codec:?}");
        }
        assert!(Codec::Yaml.encode(&nested(YAML_DEPTH + 1)).is_err());
    });
}

#[test]
fn ten_thousand_levels_are_refused() {
    on_small_stack(|| {
        let json = "[".repeat(10_000) + &"]".repeat(10_000);
        let maps = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
        let pack = [vec![0x91; 10_000], vec![0xc0]].concat();
        let inputs: [(Codec, &[u8]); 5] = [
            (Codec::Json, json.as_bytes()),
            (Codec::Json, maps.as_bytes()),
            (Codec::Msgpack, &pack),
            (Codec::Yaml, json.as_bytes()),
            (Codec::Yaml, maps.as_bytes()),
        ];
        for (codec, bytes) in inputs {
            let error = codec.decode(bytes, &limits()).unwrap_err();
            assert_eq!(
                error.kind(),
                DecodeErrorKind::TooDeep,
                "{codec:?}: {}",
                error.detail()
            );
        }
        let envelope = format!("{{\"headers\": {{\"x\": {json}}}, \"body\": \"\"}}");
        let error = Message::from_envelope(envelope.as_bytes(), &limits()).unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::TooDeep);
        assert!(
            error.path().starts_with("headers.x[0]"),
            "{}",
            &error.path()[..40]
        );
    });
}

/// A zstd frame of a megabyte that holds more than ten gigabytes of zeros.
fn zstd_bomb() -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    while frame.len() < 1 << 20 {
        // A block that repeats one byte: type 1, its size, the byte.
        let header = (1 << 1) | (BLOCK << 3);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    let blocks = (frame.len() as u64 - 6) / 4;
    assert!(blocks * u64::from(BLOCK) > 10 << 30);
    frame
}

#[test]
fn a_bomb_stops_at_the_bound() {
    let error = Compression::Zstd
        .decompress(&zstd_bomb(), &limits())
        .unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::TooLarge);
    let mut message = Message {
        content_type: "application/json".to_owned(),
        ..Message::default()
    };
    message.headers.compression = Some("application/zstd".to_owned());
    message.body = zstd_bomb().into();
    let error = message
        .decode_body(&crate::vectors::accept_all(), &limits())
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.path()),
        (DecodeErrorKind::TooLarge, "body")
    );
}

#[test]
fn every_compression_keeps_its_bound_and_notices_a_cut() {
    let tight = Limits {
        decompressed: 1 << 20,
        ..Limits::default()
    };
    let zeros = vec![0; (1 << 20) + 1];
    for compression in [
        Compression::Zlib,
        Compression::Bzip2,
        Compression::Lzma,
        Compression::Brotli,
        Compression::Zstd,
    ] {
        let packed = compression.compress(&zeros).unwrap();
        let error = compression.decompress(&packed, &tight).unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::TooLarge, "{compression:?}");
        assert_eq!(compression.decompress(&packed, &limits()).unwrap(), zeros);
        let cut = compression
            .decompress(&packed[..packed.len() / 2], &limits())
            .unwrap_err();
        assert_eq!(cut.kind(), DecodeErrorKind::Compression, "{compression:?}");
    }
}

#[test]
fn gzip_is_a_zlib_stream_and_has_many_names() {
    let packed = Compression::from_name("gzip")
        .unwrap()
        .compress(b"x")
        .unwrap();
    assert_eq!(packed[..2], [0x78, 0x9c]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"x").unwrap();
    assert!(
        Compression::Zlib
            .decompress(&encoder.finish().unwrap(), &limits())
            .is_err()
    );
    let names = [
        ("zlib", Compression::Zlib),
        ("application/x-gzip", Compression::Zlib),
        ("bzip", Compression::Bzip2),
        ("xz", Compression::Lzma),
        ("brotli", Compression::Brotli),
        ("zstandard", Compression::Zstd),
    ];
    for (name, compression) in names {
        assert_eq!(Compression::from_name(name).unwrap(), compression);
        assert_eq!(
            Compression::from_name(compression.content_type()).unwrap(),
            compression
        );
    }
    assert!(
        Compression::from_name("rar")
            .unwrap_err()
            .detail()
            .contains("known are")
    );
}

#[test]
fn more_values_than_the_limit_are_refused() {
    let few = Limits {
        values: 1_000,
        ..Limits::default()
    };
    let json = format!("[{}1]", "1,".repeat(2_000));
    let pack = [vec![0xdc, 0x07, 0xd0], vec![0xc0; 2_000]].concat();
    let aliases =
        "- &a [1,1,1,1,1,1,1,1,1]\n".to_owned() + &"- [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n".repeat(20);
    for (codec, bytes) in [
        (Codec::Json, json.as_bytes()),
        (Codec::Msgpack, &pack),
        (Codec::Yaml, aliases.as_bytes()),
    ] {
        assert_eq!(
            codec.decode(bytes, &few).unwrap_err().kind(),
            DecodeErrorKind::TooLarge,
            "{codec:?}"
        );
    }
}

#[test]
fn a_declared_length_allocates_nothing() {
    for bytes in [
        &[0xdd, 0xff, 0xff, 0xff, 0xff][..],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0xc6, 0xff, 0xff, 0xff, 0xff],
        &[0xdb, 0xff, 0xff, 0xff, 0xff],
        &[0xc9, 0xff, 0xff, 0xff, 0xff, 0x01],
    ] {
        let error = Codec::Msgpack.decode(bytes, &limits()).unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::Syntax);
    }
}

#[test]
fn a_payload_beyond_the_limit_is_refused_before_it_is_read() {
    let small = Limits {
        payload: 10,
        decompressed: 10,
        ..Limits::default()
    };
    let error = Message::from_envelope(&[b' '; 11], &small).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::TooLarge);
    for codec in [Codec::Json, Codec::Msgpack, Codec::Yaml, Codec::Raw] {
        assert_eq!(
            codec.decode(&[b' '; 11], &small).unwrap_err().kind(),
            DecodeErrorKind::TooLarge
        );
    }
}

#[test]
fn a_window_larger_than_the_bound_is_refused() {
    // A zstd frame that asks for a window of 128 MiB; a brotli stream of the large-window extension.
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00];
    let brotli = [0x11, 0x1e, 0x00, 0x00, 0x00];
    for (compression, bytes) in [
        (Compression::Zstd, &zstd[..]),
        (Compression::Brotli, &brotli),
    ] {
        let error = compression.decompress(bytes, &limits()).unwrap_err();
        assert_eq!(
            error.kind(),
            DecodeErrorKind::Compression,
            "{compression:?}"
        );
    }
    let small_window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3, 0x01, 0x00, 0x00];
    assert_eq!(
        Compression::Zstd
            .decompress(&small_window, &limits())
            .unwrap(),
        b""
    );
}
