//! What reading may cost: bytes of a file, and memory of what is kept of it. A small file can ask for much memory (a name is
//! stored once and used by every kernel), so what is kept is counted, too.

use crate::error::ReadError;
use crate::model::{Kernel, Rule};

/// Most kernels: in the longest file that is read, each would take 8 KB. 48 real reports have 103.
const MAX_KERNELS: usize = 1 << 17;

/// Most messages of rules. 48 real reports have 730.
const MAX_RULES: usize = 1 << 17;

/// Bounds of one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest file, and longest content of a compressed one, in bytes.
    pub file_bytes: u64,
    /// Most memory that the report may take, in bytes, roughly.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 1 << 30,
            memory_bytes: 4 << 30,
        }
    }
}

/// Memory that is left.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u64,
    limit: u64,
    kernels: usize,
    rules: usize,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            left: limits.memory_bytes,
            limit: limits.memory_bytes,
            kernels: 0,
            rules: 0,
        }
    }

    /// Counts a kernel with its names. Kernels and messages of rules are many times what they take of a file, so their number is
    /// bounded, too.
    pub(crate) fn keep_kernel(&mut self, kernel: &Kernel) -> Result<(), ReadError> {
        one_more(&mut self.kernels, MAX_KERNELS, "kernels")?;
        self.keep::<Kernel>(kernel.function.len() + kernel.demangled.len())
    }

    /// Counts a message of a rule with its texts.
    pub(crate) fn keep_rule(&mut self, rule: &Rule) -> Result<(), ReadError> {
        one_more(&mut self.rules, MAX_RULES, "messages of rules")?;
        self.keep::<Rule>(rule.id.len() + rule.section.len() + rule.title.len() + rule.text.len())
    }

    /// Counts one thing of type `T` with `text` bytes of text.
    pub(crate) fn keep<T>(&mut self, text: usize) -> Result<(), ReadError> {
        let bytes = (size_of::<T>() + text) as u64;
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(ReadError::TooMuchMemory { limit: self.limit }),
        }
    }
}

fn one_more(count: &mut usize, limit: usize, what: &'static str) -> Result<(), ReadError> {
    *count += 1;
    if *count > limit {
        return Err(ReadError::TooMany { what, limit });
    }
    Ok(())
}
