//! The hash of a file that is read once and not held in memory.

use std::io::{self, BufRead, Read};
use std::path::Path;

use contracts::Input;
use contracts::fields::RunningSha256;

/// A reader that hashes what is consumed.
pub(crate) struct Hashing<R> {
    source: R,
    sha256: RunningSha256,
    bytes: u64,
}

impl<R: BufRead> Hashing<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            sha256: RunningSha256::default(),
            bytes: 0,
        }
    }

    /// What was consumed, as documents name it.
    pub(crate) fn input(self, path: &Path) -> Input {
        Input {
            path: path.display().to_string(),
            sha256: self.sha256.hex(),
            bytes: self.bytes,
        }
    }
}

impl<R: BufRead> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Hashing<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Ok(chunk) = self.source.fill_buf() {
            let count = count.min(chunk.len());
            self.sha256.add(&chunk[..count]);
            self.bytes += count as u64;
            self.source.consume(count);
        }
    }
}
