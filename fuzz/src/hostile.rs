//! What is hostile, by the ranges of the documents and not by the code under test.

/// Ranges of code points that may not stand raw anywhere; noncharacters at the end of a plane are
/// told by their last digits.
const RANGES: [(u32, u32); 13] = [
    (0x00, 0x1f),
    (0x7f, 0x9f),
    (0x61c, 0x61c),
    (0x200b, 0x200b),
    (0x200e, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x2064),
    (0x2066, 0x206f),
    (0xfdd0, 0xfdef),
    (0xfeff, 0xfeff),
    (0xfff9, 0xfffb),
    (0xe_0000, 0xe_007f),
    (0xe_0100, 0xe_01ef),
];

/// Whether a code point may not stand raw anywhere.
pub(crate) fn is_hostile(c: char) -> bool {
    let code = u32::from(c);
    let listed = RANGES.iter().any(|&(first, last)| (first..=last).contains(&code));
    listed || code % 0x1_0000 >= 0xfffe
}
