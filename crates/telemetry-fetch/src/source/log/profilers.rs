//! Profilers that run when the window begins: everything in it is slower by them.
//!
//! Words are those of SGLang 0.5.9 (`Profiling starts. …`, `Profiling done. …`, by each rank) and of vLLM at 005a810
//! (`Starting profiler...`, `Profiler stopped.`, by the front end; a worker ends by itself after `max_iterations`), and the
//! access lines of both. `Stop profiling...` ends nothing: the engine waits while the traces are written.

use std::collections::BTreeSet;

use super::meaning::repeats_a_request;

/// Most ranks that are told apart.
const MOST: usize = 64;
/// Longest name of a rank that is kept.
const RANK_CAP: usize = 40;

/// What a line says of a profiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Starts,
    Ends,
    /// Another process: nothing of the one before goes on.
    Restart,
}

fn word(text: &str) -> Option<Word> {
    if text.trim_start().starts_with("Started server process") {
        return Some(Word::Restart);
    }
    // Every other word has this in it, and few lines do.
    if !text.contains("rofil") || repeats_a_request(text) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let answered = |path: &str| lower.contains(path) && lower.contains(" 200");
    if has(&["profiling starts", "starting profiler"]) || answered("/start_profile") {
        Some(Word::Starts)
    } else if has(&[
        "profiling done",
        "profiler stopped",
        "max profiling iterations reached",
    ]) || answered("/stop_profile")
    {
        Some(Word::Ends)
    } else {
        None
    }
}

/// Whether a line tells of a profiler that runs, or did until now.
pub(super) fn is_told(text: &str) -> bool {
    matches!(word(text), Some(Word::Starts | Word::Ends)) || text.contains("Stop profiling")
}

/// Who profiles, after the lines so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Profilers {
    running: BTreeSet<Option<String>>,
    /// When the first of them began, and in which words.
    began: Option<(i64, String)>,
}

impl Profilers {
    /// Takes in a line, which is later than those before.
    pub(super) fn hear(&mut self, rank: Option<&str>, at_ms: i64, text: &str) {
        let Some(word) = word(text) else {
            return;
        };
        let rank = rank.map(|rank| contracts::text::clean(rank, RANK_CAP));
        match word {
            Word::Starts => {
                if self.running.len() < MOST {
                    self.running.insert(rank);
                }
                self.began.get_or_insert_with(|| (at_ms, text.to_owned()));
            }
            Word::Ends => {
                let is_for_all = rank.is_none() || !self.running.remove(&rank);
                if is_for_all || self.running.iter().all(Option::is_none) {
                    self.running.clear();
                }
            }
            Word::Restart => self.running.clear(),
        }
        if self.running.is_empty() {
            self.began = None;
        }
    }

    /// When those that run began, and in which words; none when none does.
    pub(super) fn began(self) -> Option<(i64, String)> {
        self.began
    }
}
