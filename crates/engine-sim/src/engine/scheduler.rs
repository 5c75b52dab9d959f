//! The scheduler: what waits, what runs, and what the next step computes.

use std::collections::VecDeque;

use super::cost::{Cost, Part};
use super::kv::Kv;
use super::noise::Noise;
use super::sequence::{Job, Sequence};
use super::settings::Settings;
use super::timing::Timing;

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
    /// Sequences whose prompts were computed, or a chunk of them.
    pub(crate) prefills: u64,
    /// Where the time went.
    pub(crate) timing: Timing,
    /// The kernels were launched as a graph.
    pub(crate) graph: bool,
}

/// The state between steps.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(super) settings: Settings,
    cost: Cost,
    /// Every step is this many times as long: a planted gap.
    stretch: f64,
    noise: Noise,
    pub(super) kv: Kv,
    pub(super) waiting: VecDeque<Sequence>,
    pub(super) running: Vec<Sequence>,
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
        let time = self.cost.step_time(&parts, begins_round);
        let noise = self.noise.next();
        let nanos = time.total_ns() * self.stretch * noise;
        step.duration_ns = nanos.round().max(1.0) as u64;
        step.timing = Timing::of(&time, self.stretch * noise, step.duration_ns);
        step.graph = self.cost.is_graph(&parts);
        step.prefills = (parts.len() as u64).saturating_sub(step.decodes);
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
