//! Forming a step: which sequences work on how many tokens, and who has to give way.

use super::scheduler::{Scheduler, Step};
use super::sequence::Sequence;
use super::settings::Policy;

/// Waiting requests up to which they are sorted; SGLang falls back to the order of arrival beyond as well.
const SORTED: usize = 128;

impl Scheduler {
    /// SGLang: prompts have a step of their own as soon as there is one, decoding waits unless steps are mixed.
    pub(super) fn prompts_first(&mut self, step: &mut Step) -> Vec<u64> {
        let mut work = vec![0; self.running.len()];
        let decoding = self.running.iter().filter(|sequence| sequence.decodes()).count() as u64;
        let mut budget = self.settings.step_tokens;
        if self.settings.mixed {
            budget = budget.saturating_sub(decoding).max(1);
        }
        self.continue_prompts(&mut work, &mut budget, step);
        // Who was just preempted must not come back before those who keep the pages have moved on.
        if step.preempted == 0 {
            self.admit(&mut work, &mut budget, step);
        }
        if step.prefill_tokens == 0 {
            return self.decode(step);
        }
        if self.settings.mixed {
            self.decode_into(&mut work, u64::MAX, step);
        }
        work
    }

    /// vLLM: everything that runs first, in order, then prompts that wait, out of one budget.
    pub(super) fn running_first(&mut self, step: &mut Step) -> Vec<u64> {
        let mut work = vec![0; self.running.len()];
        let mut budget = self.settings.step_tokens;
        budget -= self.decode_into(&mut work, budget, step);
        self.continue_prompts(&mut work, &mut budget, step);
        if step.preempted == 0 {
            self.admit(&mut work, &mut budget, step);
        }
        work
    }

    pub(super) fn decode(&mut self, step: &mut Step) -> Vec<u64> {
        let mut work = vec![0; self.running.len()];
        self.decode_into(&mut work, u64::MAX, step);
        work
    }

    /// One token for everything that decodes. Who finds no page takes those of the sequence that came last.
    fn decode_into(&mut self, work: &mut Vec<u64>, budget: u64, step: &mut Step) -> u64 {
        let mut used = 0;
        let mut at = 0;
        while at < self.running.len() && used < budget {
            if work[at] == 0 && self.running[at].decodes() {
                if !self.make_room(at, 1, work, step) {
                    continue;
                }
                work[at] = 1;
                used += 1;
                step.decodes += 1;
            }
            at += 1;
        }
        used
    }

    /// Room for more tokens of the sequence at `at`, preempting from the end; false when it was preempted itself.
    fn make_room(&mut self, at: usize, tokens: u64, work: &mut Vec<u64>, step: &mut Step) -> bool {
        loop {
            let sequence = &mut self.running[at];
            let wanted = sequence.computed + tokens;
            if self.kv.grow(sequence, wanted) {
                return true;
            }
            let last = self.running.len() - 1;
            self.preempt(last, work, step);
            if last == at {
                return false;
            }
        }
    }

    fn preempt(&mut self, at: usize, work: &mut Vec<u64>, step: &mut Step) {
        let mut sequence = self.running.remove(at);
        // One that came back with all but its last token cached was counted as a prompt of one token.
        let admitted = step.admitted.iter().position(|&id| id == sequence.job.id);
        match work.remove(at) {
            0 => {}
            1 if sequence.decodes() && admitted.is_none() => step.decodes -= 1,
            tokens => step.prefill_tokens -= tokens,
        }
        if let Some(admitted) = admitted {
            step.admitted.remove(admitted);
        }
        // What it has computed stays in the tree until it is evicted, so that little may have to be done again.
        self.kv.release(&mut sequence);
        step.preempted += 1;
        self.waiting.push_front(sequence);
    }

    /// The next chunk of prompts that were begun.
    fn continue_prompts(&mut self, work: &mut Vec<u64>, budget: &mut u64, step: &mut Step) {
        let mut at = 0;
        while at < self.running.len() && *budget > 0 {
            let sequence = &self.running[at];
            let tokens = (sequence.target() - sequence.computed).min(*budget);
            if work[at] > 0 || sequence.decodes() {
                at += 1;
                continue;
            }
            if !self.make_room(at, tokens, work, step) {
                continue;
            }
            work[at] = tokens;
            *budget = budget.saturating_sub(tokens);
            step.prefill_tokens += tokens;
            at += 1;
        }
    }

    /// Waiting requests as far as budget, slots and cache allow.
    fn admit(&mut self, work: &mut Vec<u64>, budget: &mut u64, step: &mut Step) {
        if self.settings.policy == Policy::LongestPrefixMatch && self.waiting.len() <= SORTED {
            let kv = &self.kv;
            let mut keyed: Vec<(u64, Sequence)> = self
                .waiting
                .drain(..)
                .map(|sequence| (kv.cached(&sequence), sequence))
                .collect();
            keyed.sort_by_key(|(cached, _)| std::cmp::Reverse(*cached));
            self.waiting
                .extend(keyed.into_iter().map(|(_, sequence)| sequence));
        }
        while *budget > 0 && self.running.len() < self.settings.max_running {
            let Some(mut sequence) = self.waiting.pop_front() else {
                return;
            };
            let Some(tokens) = self.try_admit(&mut sequence, *budget) else {
                self.waiting.push_front(sequence);
                return;
            };
            step.admitted.push(sequence.job.id);
            if sequence.cached.is_none() {
                sequence.cached = Some(sequence.shared);
                step.cached_tokens += sequence.shared;
            }
            *budget = budget.saturating_sub(tokens);
            step.prefill_tokens += tokens;
            work.push(tokens);
            self.running.push(sequence);
        }
    }

    /// Tokens of its first chunk, or `None` when it has to wait.
    fn try_admit(&mut self, sequence: &mut Sequence, budget: u64) -> Option<u64> {
        let alone = self.running.is_empty();
        self.kv.attach(sequence);
        let missing = sequence.target() - sequence.computed;
        let mut tokens = missing.min(budget);
        if !self.settings.chunked && missing > budget {
            // Without chunking a long prompt takes a step of its own, however long that is.
            tokens = if budget == self.settings.step_tokens {
                missing
            } else {
                0
            };
        }
        let reserve =
            |sequence: &Sequence| (sequence.remaining() as f64 * self.settings.reserve_ratio) as u64;
        let reserved: u64 = self.running.iter().map(reserve).sum::<u64>() + reserve(sequence);
        // vLLM admits what fits now and preempts later, SGLang asks for the whole prompt and what is likely to follow.
        let wanted = if self.settings.running_first {
            tokens
        } else {
            missing + reserved
        };
        let fits = alone || self.kv.pages_for(wanted) <= self.kv.available();
        let computed = sequence.computed;
        if tokens > 0 && fits && self.kv.grow(sequence, computed + tokens) {
            return Some(tokens);
        }
        self.kv.discard(sequence);
        None
    }
}
