//! The memory broker against the conformance suite, and the decorators on it.

mod conformance;
