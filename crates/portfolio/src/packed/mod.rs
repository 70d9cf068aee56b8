//! Short binary forms of what serde would write at length, for `with`.

pub(crate) mod day;
pub(crate) mod floats;
pub(crate) mod maybe_day;
