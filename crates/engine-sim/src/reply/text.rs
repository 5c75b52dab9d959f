//! The words that simulated engines say: one token each, short, and never in need of escaping.

use std::sync::LazyLock;

use crate::api::word_id;

pub(super) const WORDS: [&str; 16] = [
    "the", "batch", "of", "tokens", "moves", "through", "every", "layer", "and", "each", "head", "reads",
    "its", "cache", "once", "more",
];

/// Each holds characters that UTF-8 encodes in two or three bytes.
const WIDE_WORDS: [&str; 4] = ["été", "naïve", "東京", "größe"];

/// Token ids of the words in their order: what a prompt that contains an earlier answer has in the same place.
pub(crate) fn answer_ids() -> &'static [u32] {
    static IDS: LazyLock<Vec<u32>> = LazyLock::new(|| WORDS.iter().map(|word| word_id(word)).collect());
    &IDS
}

/// Text of the token of this index; the first has no space before it.
pub(super) fn push_token(out: &mut Vec<u8>, index: u32, wide: bool) {
    if index > 0 {
        out.push(b' ');
    }
    let words: &[&str] = if wide { &WIDE_WORDS } else { &WORDS };
    out.extend_from_slice(words[index as usize % words.len()].as_bytes());
}
