//! What is due when, in the order in which it is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a deadline belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The connection in this slot, if it still is the one of this serial number.
    Connection { key: usize, serial: u64 },
    /// The step that the engine computes.
    Step,
}

/// A heap of absolute deadlines; equal ones keep their order of entry.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: BinaryHeap<Reverse<(u64, u64, Subject)>>,
    entries: u64,
}

impl Deadlines {
    pub(super) fn push(&mut self, due_ns: u64, subject: Subject) {
        self.entries += 1;
        self.heap.push(Reverse((due_ns, self.entries, subject)));
    }

    /// The earliest deadline.
    pub(super) fn next_ns(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((due_ns, _, _))| *due_ns)
    }

    /// Takes the earliest one that is due.
    pub(super) fn pop_due(&mut self, now_ns: u64) -> Option<Subject> {
        if self.next_ns()? > now_ns {
            return None;
        }
        self.heap.pop().map(|Reverse((_, _, subject))| subject)
    }
}
