//! Finds the bytes of a string that are not plain, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Position of the first byte that ends a run of plain text when reading: a quote, a backslash or a control character.
pub(super) fn first_read(bytes: &[u8]) -> Option<usize> {
    first(bytes, special_when_read, |byte| {
        byte == b'"' || byte == b'\\' || byte < 0x20
    })
}

/// Position of the first byte that is written as an escape: those, and everything that is not ASCII.
pub(super) fn first_written(bytes: &[u8]) -> Option<usize> {
    let any = |word| special_when_read(word) | word & HIGHS | has(word, 0x7f);
    first(bytes, any, |byte| {
        !(0x20..0x7f).contains(&byte) || byte == b'"' || byte == b'\\'
    })
}

/// Looks at whole words first; the lowest bit that `any` sets in one lies in the byte that is looked for.
fn first(bytes: &[u8], any: impl Fn(u64) -> u64, is: impl Fn(u8) -> bool) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let found = any(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(place * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let found = rest.iter().position(|&byte| is(byte))?;
    Some(words.len() * 8 + found)
}

/// The highest bit of the first byte that is a quote, a backslash or below 0x20; later ones may be set without reason.
fn special_when_read(word: u64) -> u64 {
    has(word, b'"') | has(word, b'\\') | (word.wrapping_sub(ONES * 0x20) & !word & HIGHS)
}

/// The highest bit of the first byte that is this one; later ones may be set without reason.
fn has(word: u64, byte: u8) -> u64 {
    let zeroed = word ^ (ONES * u64::from(byte));
    zeroed.wrapping_sub(ONES) & !zeroed & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_at_every_place_and_plain_ones_are_passed_over() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut text = [b'a'; 20];
                text[place] = byte;
                let read = byte == b'"' || byte == b'\\' || byte < 0x20;
                assert_eq!(
                    first_read(&text),
                    read.then_some(place),
                    "{byte} at {place}"
                );
                let written = read || byte >= 0x7f;
                assert_eq!(
                    first_written(&text),
                    written.then_some(place),
                    "{byte} at {place}"
                );
            }
        }
        assert_eq!(first_read(b""), None);
    }
}
