//! The log of a start-up, line by line, to facts.
//!
//! A line may hold several records (an engine writes behind a progress bar), a record several statements (vLLM 0.33 prints
//! two in one). Lines are bytes from anywhere: what is not understood is passed over, and no line is kept.

mod failure;
mod record;
mod settings;
mod sglang;
mod signs;
mod statement;
mod value;
mod vllm;

use std::io::{self, BufRead};

use crate::facts::{Facts, Format, Rank, RankFacts};
use record::{Record, plain, records};
use signs::Signs;
use statement::{Kind, Sglang, Vllm, statements};

/// Most bytes of a line that are read: the settings of a server are the longest line, some ten thousand.
const LINE_CAP: usize = 64 << 10;

/// What a log says, and how much of it was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartupLog {
    /// The last start in it.
    pub facts: Facts,
    /// Lines.
    pub lines: u64,
    /// Statements about memory.
    pub statements: u64,
    /// Lines of which only the beginning was read.
    pub cut_lines: u64,
    /// Starts of a server.
    pub starts: u64,
    /// Line at which the last of them begins, from 1.
    pub last_start_line: u64,
    /// Why the last of them may be two, though no line begins another.
    pub doubt: Option<Doubt>,
    /// What the records of the last of them have shown.
    signs: Signs,
}

/// A sign of a start that no line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The line, from 1.
    pub line: u64,
    /// What it shows, going on from "at line N".
    pub sign: &'static str,
}

/// Memory that a rank has more of than before belonged to a process that is gone; less than this is noise, bytes.
const FREED: f64 = capacity::GIB;

/// The words that make a record a statement. For the fuzzer's dictionary.
#[doc(hidden)]
pub fn words() -> impl Iterator<Item = &'static str> {
    statement::words()
}

/// Reads a log to its end. Never more than a line is in memory.
///
/// # Errors
/// Those of the reader.
pub fn read(mut log: impl BufRead) -> io::Result<StartupLog> {
    let mut seen = StartupLog::default();
    let mut line = Vec::new();
    while next_line(&mut log, &mut line, &mut seen.cut_lines)? {
        seen.lines += 1;
        // Rank and header of a record hold for the rest of its line only.
        for record in records(&plain(&line)) {
            for (kind, at) in statements(record.text) {
                seen.state(kind, &record, at);
            }
        }
    }
    seen.starts = seen.starts.max(u64::from(seen.statements > 0));
    Ok(seen)
}

impl StartupLog {
    fn state(&mut self, kind: Kind, record: &Record<'_>, at: usize) {
        let rank = record.rank;
        if kind == Kind::Serving {
            self.facts.serves = true;
            return;
        }
        let text = &*String::from_utf8_lossy(&record.text[at..]);
        if self.begins_anew(kind, rank, text) {
            self.facts = Facts::default();
            self.starts += 1;
            self.last_start_line = self.lines;
            self.signs = Signs::default();
            self.doubt = None;
        }
        self.starts = self.starts.max(1);
        self.note_doubt(kind, record.text);
        let facts = &mut self.facts;
        let understood = match kind {
            Kind::Settings => settings::sglang(facts, text),
            Kind::Arguments | Kind::EngineConfig => settings::vllm(facts, text),
            Kind::Ready => {
                facts.is_ready = true;
                true
            }
            Kind::Simulated => {
                facts.is_simulated = true;
                true
            }
            Kind::Sglang(what) => sglang::state(facts, rank, what, text),
            Kind::Vllm(what) => vllm::state(facts, rank, what, text),
            Kind::Serving => false,
            Kind::Failure(what) => failure::state(facts, rank, what, text, self.lines),
        };
        self.statements += u64::from(understood);
    }

    /// What an engine prints first, after memory was spoken of, is of another start. Each of several engines of one start
    /// prints its own line, and the first may be loading by then: such a line is of another start after the first was ready.
    /// A log may begin below these lines: then weights that a rank loads when it was through with its start are of another.
    fn begins_anew(&self, kind: Kind, rank: Rank, text: &str) -> bool {
        let was_running = self.facts.is_ready || !self.facts.failures.is_empty();
        // No engine speaks as another one.
        let spoke = self.facts.format;
        let is_another = match kind {
            Kind::Sglang(_) => spoke.is_some_and(Format::is_vllm),
            Kind::Vllm(_) => spoke.is_some_and(|format| !format.is_vllm()),
            _ => false,
        };
        if is_another {
            return true;
        }
        match kind {
            Kind::Settings | Kind::Arguments | Kind::Simulated | Kind::Vllm(Vllm::Version) => {
                was_running || !self.facts.is_empty()
            }
            Kind::EngineConfig => was_running,
            // A draft is loaded after the pools of the model, and before the line that ends a start.
            Kind::Sglang(Sglang::WeightsBegin | Sglang::WeightsEnd) => self
                .facts
                .ranks
                .get(&rank)
                .is_some_and(|of| of.is_through || was_freed(of, text)),
            Kind::Sglang(Sglang::Profiling | Sglang::States | Sglang::Pool) => {
                self.facts.ranks.get(&rank).is_some_and(|of| of.is_through)
            }
            // vLLM counts its cache when all has been loaded, drafts too.
            Kind::Vllm(Vllm::DeviceShare | Vllm::Weights) => {
                let counted = self.facts.tokens.is_some() || self.facts.blocks.is_some();
                counted
                    && self
                        .facts
                        .ranks
                        .get(&rank)
                        .is_some_and(|of| !of.weights.is_empty())
            }
            _ => false,
        }
    }

    /// Keeps the first sign of a start that no line begins. Before memory was spoken of, there is nothing to be mixed.
    fn note_doubt(&mut self, kind: Kind, record: &[u8]) {
        let by_record = self.signs.see(record);
        // Each API server of vLLM says that it is ready; SGLang says so once.
        let is_sglang = self.facts.format == Some(Format::Sglang);
        let ready_twice = kind == Kind::Ready && is_sglang && self.facts.is_ready;
        let sign = by_record.or(ready_twice.then_some("it is ready for the second time"));
        if let Some(sign) = sign.filter(|_| self.doubt.is_none() && !self.facts.is_empty()) {
            self.doubt = Some(Doubt {
                line: self.lines,
                sign,
            });
        }
    }
}

/// Whether more is free than there was once: a start takes memory and gives none back.
fn was_freed(of: &RankFacts, text: &str) -> bool {
    let least = [
        of.free_after_weights,
        of.free_after_pools,
        of.free_before_capture,
        of.free_after_capture,
    ]
    .into_iter()
    .flatten()
    .map(|size| size.bytes)
    .min_by(f64::total_cmp);
    let free = value::size(text, "avail mem=");
    least
        .zip(free)
        .is_some_and(|(least, free)| free.bytes > least + FREED)
}

/// Reads one line without its end, the first [`LINE_CAP`] bytes of it; false at the end of the log.
fn next_line(log: &mut impl BufRead, line: &mut Vec<u8>, cut: &mut u64) -> io::Result<bool> {
    line.clear();
    let mut read_any = false;
    let mut is_cut = false;
    loop {
        let chunk = match log.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            break;
        }
        read_any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(chunk.len());
        let room = LINE_CAP - line.len();
        line.extend_from_slice(&chunk[..taken.min(room)]);
        is_cut |= taken > room;
        let used = taken + usize::from(end.is_some());
        log.consume(used);
        if end.is_some() {
            break;
        }
    }
    *cut += u64::from(is_cut);
    Ok(read_any)
}
