//! One request inside the scheduler.

/// What is asked of the engine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    /// Unique, and never reused.
    pub(crate) id: u64,
    /// Token ids.
    pub(crate) prompt: Vec<u32>,
    /// Ids of the tokens that will be generated, repeating; what a later prompt may contain again.
    pub(crate) answer: &'static [u32],
    /// Tokens to generate, at least one.
    pub(crate) tokens: u32,
}

/// A job with its state.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    pub(super) job: Job,
    /// Tokens generated.
    pub(super) generated: u32,
    /// Tokens whose keys and values are in the cache, those of the prefix included.
    pub(super) computed: u64,
    /// Tokens of the prefix that the radix tree holds for this sequence.
    pub(super) shared: u64,
    /// The locked node at the end of that prefix.
    pub(super) node: usize,
    /// Pages of its own.
    pub(super) pages: u64,
    /// Tokens of the prompt found in the cache when it was admitted first.
    pub(super) cached: Option<u64>,
}

impl Sequence {
    pub(super) fn new(job: Job) -> Sequence {
        Sequence {
            job,
            generated: 0,
            computed: 0,
            shared: 0,
            node: 0,
            pages: 0,
            cached: None,
        }
    }

    /// Tokens that have to be in the cache before the next one can be generated.
    pub(super) fn target(&self) -> u64 {
        self.job.prompt.len() as u64 + u64::from(self.generated)
    }

    /// True when the next step generates a token with one token of work.
    pub(super) fn decodes(&self) -> bool {
        self.generated > 0 && self.computed + 1 == self.target()
    }

    /// Token ids up to a length.
    pub(super) fn tokens(&self, length: u64) -> Vec<u32> {
        let generated = self.job.answer.iter().cycle().take(self.generated as usize);
        self.job
            .prompt
            .iter()
            .chain(generated)
            .take(length as usize)
            .copied()
            .collect()
    }

    /// Tokens still to be generated.
    pub(super) fn remaining(&self) -> u64 {
        u64::from(self.job.tokens.saturating_sub(self.generated))
    }
}
