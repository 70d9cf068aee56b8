//! MessagePack, with text and bytes kept apart.

mod reader;
mod writer;

pub(super) use reader::decode;
pub(super) use writer::encode;

const NAME: &str = "msgpack";
