//! The tasks, by what they need.

pub(crate) mod delivery;
pub(crate) mod errbacks;
pub(crate) mod failing;
pub(crate) mod growing;
pub(crate) mod plain;
pub(crate) mod replacing;
pub(crate) mod request;
pub(crate) mod retrying;
pub(crate) mod signatures;
pub(crate) mod traces;
pub(crate) mod trees;
