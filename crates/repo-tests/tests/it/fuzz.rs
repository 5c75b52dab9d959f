//! What the fuzzer begins with holds the words that the parsers look for.

use crate::repository::{files_below, read};

/// All seeds of a target as one text.
fn seeds(folder: &str) -> String {
    let files = files_below(folder);
    assert!(!files.is_empty(), "{folder} has no seeds");
    files.iter().map(|path| read(path)).collect()
}

#[test]
fn the_fuzzer_knows_every_word_of_a_startup_log() {
    let words = read("fuzz/dictionaries/startup-log.txt");
    let seeds = seeds("fuzz/seeds/startup-log");
    for word in capacity_plan::startup_log::words() {
        assert!(words.contains(&format!("\"{word}\"")), "{word} in the dictionary");
        assert!(seeds.contains(word), "{word} in the seeds");
    }
}
