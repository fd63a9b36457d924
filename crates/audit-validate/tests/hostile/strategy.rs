//! Any hostile text, for laws that have to hold of all of them.

use proptest::prelude::*;

use crate::corpus::{hostile_code_points, texts};

/// Pieces of the corpus, code points of every kind, and plain letters, in a row.
pub(crate) fn hostile_text() -> impl Strategy<Value = String> {
    let short: Vec<String> = texts().into_iter().filter(|text| text.len() < 200).collect();
    let piece = prop_oneof![
        4 => prop::sample::select(hostile_code_points()).prop_map(String::from),
        4 => prop::sample::select(short),
        2 => any::<char>().prop_map(String::from),
        2 => "[ -~]{1,8}",
        1 => prop::sample::select(vec!["\u{27e6}", "\u{27e7}", "U+001B", "xFF", "\t", "\n"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}
