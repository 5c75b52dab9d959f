//! The paged KV cache: pages of running sequences and pages of the prefix tree out of one pool.

use super::radix::Radix;
use super::sequence::Sequence;
use super::settings::Settings;

/// The pool.
#[derive(Debug)]
pub(super) struct Kv {
    tree: Radix,
    page: u64,
    capacity: u64,
    /// Pages that sequences hold on their own.
    own: u64,
    prefix_cache: bool,
}

impl Kv {
    pub(super) fn new(settings: &Settings) -> Kv {
        Kv {
            tree: Radix::new(settings.page),
            page: settings.page,
            capacity: settings.pages,
            own: 0,
            prefix_cache: settings.prefix_cache,
        }
    }

    /// Pages in use, by sequences and by the tree.
    pub(super) fn used(&self) -> u64 {
        self.own + self.tree.tokens() / self.page
    }

    /// Pages that running sequences need: what an engine reports as its usage.
    pub(super) fn needed(&self) -> u64 {
        self.used() - self.tree.evictable() / self.page
    }

    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Pages that are free or can be made so.
    pub(super) fn available(&self) -> u64 {
        self.capacity - self.needed()
    }

    /// Pages that `tokens` tokens take.
    pub(super) fn pages_for(&self, tokens: u64) -> u64 {
        tokens.div_ceil(self.page)
    }

    /// Tokens of the sequence that are cached, at most all but one: the last one has to be computed to go on.
    pub(super) fn cached(&self, sequence: &Sequence) -> u64 {
        if !self.prefix_cache {
            return 0;
        }
        self.tree.peek(&sequence.tokens(sequence.target() - 1))
    }

    /// Attaches the cached prefix to a sequence that has nothing yet.
    pub(super) fn attach(&mut self, sequence: &mut Sequence) {
        if self.prefix_cache {
            let (node, length) = self.tree.find(&sequence.tokens(sequence.target() - 1));
            self.tree.lock(node);
            (sequence.node, sequence.shared, sequence.computed) = (node, length, length);
        }
    }

    /// Makes room for the cache of a sequence to hold this many tokens; false when there is none.
    pub(super) fn grow(&mut self, sequence: &mut Sequence, tokens: u64) -> bool {
        let wanted = self.pages_for(tokens.saturating_sub(sequence.shared));
        let more = wanted.saturating_sub(sequence.pages);
        let free = self.capacity - self.used();
        if more > free {
            let missing = more - free;
            if self.tree.evictable() / self.page < missing
                || self.tree.evict(missing * self.page) < missing * self.page
            {
                return false;
            }
        }
        sequence.pages += more;
        self.own += more;
        true
    }

    /// Gives what a running sequence has computed to the tree, so that others can share it already.
    pub(super) fn publish(&mut self, sequence: &mut Sequence) {
        if !self.prefix_cache || sequence.computed <= sequence.shared {
            return;
        }
        let (node, length, _) = self.tree.insert(&sequence.tokens(sequence.computed));
        self.tree.lock(node);
        self.tree.unlock(sequence.node);
        // The tree has taken the pages over, or has held the same tokens already.
        let keep = self.pages_for(sequence.computed - length);
        let freed = sequence.pages.saturating_sub(keep);
        self.own -= freed;
        sequence.pages -= freed;
        (sequence.node, sequence.shared) = (node, length);
    }

    /// Takes everything from a sequence; the tree keeps what is whole pages.
    pub(super) fn release(&mut self, sequence: &mut Sequence) {
        self.publish(sequence);
        self.discard(sequence);
    }

    /// Takes everything from a sequence and keeps nothing of what was not published.
    pub(super) fn discard(&mut self, sequence: &mut Sequence) {
        if self.prefix_cache {
            self.tree.unlock(sequence.node);
        }
        self.own -= sequence.pages;
        (sequence.pages, sequence.shared, sequence.computed, sequence.node) = (0, 0, 0, 0);
    }

    /// Forgets all prefixes that nobody uses.
    pub(super) fn flush(&mut self) {
        self.tree.evict(u64::MAX);
    }
}
