//! Bounds that every decoder keeps, whatever the bytes say.

/// The deepest nesting any decoder reads and any encoder writes.
///
/// Values are walked by recursion in places (dropping, comparing, serde), so this stays far from
/// what a two-megabyte thread stack can hold.
pub const MAX_DEPTH: usize = 1_000;

/// The deepest nesting that [`crate::to_value`] and [`crate::from_value`] follow. Serde works by
/// recursion with large stack frames, so this is less than [`MAX_DEPTH`].
pub const SERDE_DEPTH: usize = 256;

/// What a decoder may spend on one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest input, in bytes, that is looked at.
    pub payload: usize,
    /// Largest body after decompression, in bytes.
    pub decompressed: usize,
    /// Deepest nesting; anything above [`MAX_DEPTH`] counts as [`MAX_DEPTH`], for YAML above 255 as 255.
    pub depth: usize,
    /// Most values (scalars, lists and maps together) in one document. A two-byte list item takes
    /// about forty bytes of memory, so the byte limits alone would not bound memory.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload: 64 << 20,
            decompressed: 64 << 20,
            depth: MAX_DEPTH,
            values: 4 << 20,
        }
    }
}

impl Limits {
    /// The nesting that is really allowed.
    pub(crate) fn depth(&self) -> usize {
        self.depth.min(MAX_DEPTH)
    }
}
