//! The scheduler: what waits, what runs, and what the next step computes.

use std::collections::VecDeque;

use super::cost::{Cost, Part};
use super::kv::Kv;
use super::noise::Noise;
use super::sequence::{Job, Sequence};
use super::settings::{Policy, Settings};

/// Waiting requests up to which they are sorted; SGLang falls back to the order of arrival beyond as well.
const SORTED: usize = 128;

/// One token of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Emission {
    /// The job.
    pub(crate) id: u64,
    /// It is the first token.
    pub(crate) first: bool,
    /// It is the last token.
    pub(crate) last: bool,
    /// Prompt tokens that were found in the prefix cache.
    pub(crate) cached: u64,
}

/// One step: how long it takes, and what comes out at its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// Length in nanoseconds.
    pub(crate) duration_ns: u64,
    /// Tokens that leave at the end.
    pub(crate) emissions: Vec<Emission>,
    /// Requests that were admitted.
    pub(crate) admitted: Vec<u64>,
    /// Prompt tokens computed.
    pub(crate) prefill_tokens: u64,
    /// Prompt tokens of admitted requests found in the prefix cache.
    pub(crate) cached_tokens: u64,
    /// Sequences that decoded.
    pub(crate) decodes: u64,
    /// Sequences that lost their cache and wait again.
    pub(crate) preempted: u64,
}

/// The state between steps.
#[derive(Debug)]
pub(crate) struct Scheduler {
    settings: Settings,
    cost: Cost,
    /// Every step is this many times as long: a planted gap.
    stretch: f64,
    noise: Noise,
    kv: Kv,
    waiting: VecDeque<Sequence>,
    running: Vec<Sequence>,
    /// Decode steps left in this round.
    round: u32,
}

impl Scheduler {
    pub(crate) fn new(settings: Settings, cost: Cost, stretch: f64, noise: Noise) -> Scheduler {
        let kv = Kv::new(&settings);
        Scheduler {
            settings,
            cost,
            stretch,
            noise,
            kv,
            waiting: VecDeque::new(),
            running: Vec::new(),
            round: 0,
        }
    }

    /// Adds a job. It has to fit into the cache alone; see [`Scheduler::fits`].
    pub(crate) fn submit(&mut self, job: Job) {
        self.waiting.push_back(Sequence::new(job));
    }

    /// Whether a request of this many tokens, prompt and answer, can ever be served.
    pub(crate) fn fits(&self, tokens: u64) -> bool {
        self.kv.pages_for(tokens) <= self.kv.capacity()
    }

    /// Drops a job wherever it is; true when it was there.
    pub(crate) fn abort(&mut self, id: u64) -> bool {
        if let Some(at) = self.waiting.iter().position(|sequence| sequence.job.id == id) {
            self.waiting.remove(at);
            return true;
        }
        let Some(at) = self.running.iter().position(|sequence| sequence.job.id == id) else {
            return false;
        };
        self.kv.release(&mut self.running.remove(at));
        true
    }

    /// Forgets cached prefixes that nobody uses.
    pub(crate) fn flush_cache(&mut self) {
        self.kv.flush();
    }

    /// Jobs that run and jobs that wait.
    pub(crate) fn load(&self) -> (u64, u64) {
        (self.running.len() as u64, self.waiting.len() as u64)
    }

    /// Tokens of cache that running jobs need, and all there are.
    pub(crate) fn kv_tokens(&self) -> (u64, u64) {
        (
            self.kv.needed() * self.settings.page,
            self.kv.capacity() * self.settings.page,
        )
    }

    /// Forms and carries out the next step; `None` without work.
    pub(crate) fn step(&mut self) -> Option<Step> {
        if self.running.is_empty() && self.waiting.is_empty() {
            self.round = 0;
            return None;
        }
        let mut step = Step::default();
        // Work of each running sequence in this step, in their order; zero is a pause.
        let begins_round = self.round == 0;
        let mut work = if begins_round {
            if self.settings.running_first {
                self.running_first(&mut step)
            } else {
                self.prompts_first(&mut step)
            }
        } else {
            self.decode(&mut step)
        };
        if work.iter().all(|&tokens| tokens == 0) {
            // The round ended because everything that decoded has finished.
            work = self.decode(&mut step);
        }
        let only_decodes = step.prefill_tokens == 0 && step.decodes > 0;
        self.round = match (begins_round, only_decodes) {
            (true, true) => self.settings.decode_steps - 1,
            (true, false) => 0,
            (false, _) => self.round - 1,
        };
        self.carry_out(&work, begins_round, &mut step);
        if !self.running.iter().any(Sequence::decodes) {
            self.round = 0;
        }
        Some(step)
    }

    /// SGLang: prompts have a step of their own as soon as there is one, decoding waits unless steps are mixed.
    fn prompts_first(&mut self, step: &mut Step) -> Vec<u64> {
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
    fn running_first(&mut self, step: &mut Step) -> Vec<u64> {
        let mut work = vec![0; self.running.len()];
        let mut budget = self.settings.step_tokens;
        budget -= self.decode_into(&mut work, budget, step);
        self.continue_prompts(&mut work, &mut budget, step);
        if step.preempted == 0 {
            self.admit(&mut work, &mut budget, step);
        }
        work
    }

    fn decode(&mut self, step: &mut Step) -> Vec<u64> {
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

    /// Computes what was decided, and takes out what has finished.
    fn carry_out(&mut self, work: &[u64], begins_round: bool, step: &mut Step) {
        let mut parts = Vec::with_capacity(work.len());
        for (sequence, &tokens) in self.running.iter_mut().zip(work) {
            if tokens > 0 {
                sequence.computed += tokens;
                parts.push(Part {
                    tokens,
                    context: sequence.computed,
                });
            }
        }
        let nanos = self.cost.step_ns(&parts, begins_round) * self.stretch * self.noise.next();
        step.duration_ns = nanos.round().max(1.0) as u64;
        for (sequence, &tokens) in self.running.iter_mut().zip(work) {
            if tokens == 0 || sequence.computed < sequence.target() {
                continue;
            }
            let first = sequence.generated == 0;
            if first {
                self.kv.publish(sequence);
            }
            sequence.generated += 1;
            step.emissions.push(Emission {
                id: sequence.job.id,
                first,
                last: sequence.generated >= sequence.job.tokens,
                cached: sequence.cached.unwrap_or(0),
            });
        }
        let kv = &mut self.kv;
        self.running.retain_mut(|sequence| {
            let ended = sequence.generated >= sequence.job.tokens;
            if ended {
                kv.release(sequence);
            }
            !ended
        });
    }

    #[cfg(test)]
    pub(super) fn pages(&self) -> (u64, u64) {
        (self.kv.used(), self.kv.capacity())
    }
}
