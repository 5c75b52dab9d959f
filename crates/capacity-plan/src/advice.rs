//! What to change, with the arithmetic. Failures first: what did not start needs the opposite of what died while serving.

use capacity::{GIB, KvDtype, Limits};
use contracts::capacity_plan::report::{Advice, BindingLimit, Capacity, Headroom, Kv};

use crate::bytes::{gib, grouped};
use crate::capacity_rows;
use crate::facts::{Facts, Failure, Phase, RankFacts};

/// Largest fraction that is offered: something is always needed beside weights and pools.
const MOST_FRACTION: f64 = 0.97;

/// A fraction below this leaves more of the device than it takes; engines begin near the other.
const LOW_FRACTION: f64 = 0.5;
const USUAL_FRACTION: f64 = 0.85;

/// Code of the advice to keep keys and values in fewer bits.
pub(crate) const SMALLER_KEYS: &str = "smaller-keys";

/// What advice is made from.
pub(crate) struct Known<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) kv: &'a Kv,
    pub(crate) capacity: &'a [Capacity],
    pub(crate) headroom: Option<&'a Headroom>,
    pub(crate) kv_dtype: Option<KvDtype>,
    /// What limits one scheduler, the number of requests among it.
    pub(crate) limits: &'a Limits,
    pub(crate) schedulers: u64,
}

/// All advice, the most urgent first.
pub(crate) fn advice(known: &Known<'_>) -> Vec<Advice> {
    let mut advice: Vec<Advice> = known
        .facts
        .failures
        .iter()
        .map(|failure| known.after(failure))
        .collect();
    // Ranks fail alike.
    advice.dedup();
    // Memory that a cap leaves free says nothing about the fraction, and a token's size nothing about the pool.
    let cap = known.cap();
    let is_capped = cap.is_some();
    if advice.is_empty() {
        advice.extend(
            cap.or_else(|| known.low_fraction())
                .or_else(|| known.free_memory()),
        );
    }
    advice.extend(known.requests());
    advice.extend(known.copies());
    advice.extend(known.smaller_tokens().filter(|_| !is_capped));
    advice
}

impl Known<'_> {
    fn is_vllm(&self) -> bool {
        self.facts.format.is_some_and(|format| format.is_vllm())
    }

    fn flag(&self) -> &'static str {
        if self.is_vllm() {
            "--gpu-memory-utilization"
        } else {
            "--mem-fraction-static"
        }
    }

    /// What the fraction is of, on the rank with least.
    fn fraction_of(&self) -> Option<f64> {
        let of = |rank: &RankFacts| {
            let size = if self.is_vllm() {
                rank.device_total
            } else {
                rank.fraction_of.or(rank.free_before_weights)
            };
            size.map(|size| size.bytes)
        };
        self.facts.ranks.values().filter_map(of).min_by(f64::total_cmp)
    }

    /// Tokens that bytes on each rank are; `None` for a pool that states or windows share.
    fn tokens(&self, bytes: f64) -> Option<i64> {
        let shares = self.kv.state_bytes_log.is_some() || self.kv.windows_kept_whole == Some(false);
        let per_token = self.kv.bytes_per_token_log?.get();
        (!shares && per_token > 0.0).then(|| (bytes / per_token) as i64)
    }

    /// The fraction by so much higher or lower; `why` goes on with the arithmetic.
    fn fraction(&self, code: &str, step: f64, why: String) -> Advice {
        let now = self.facts.fraction;
        let then = now.map(|now| (now + step).clamp(0.01, MOST_FRACTION));
        let bytes = self
            .fraction_of()
            .map(|of| of * then.zip(now).map_or(step, |(then, now)| then - now));
        let arithmetic = match (bytes, self.fraction_of()) {
            (Some(bytes), Some(of)) => format!("; {:+.2} of {} is {}", bytes / of, gib(of), gib(bytes)),
            _ => String::new(),
        };
        Advice {
            code: code.to_owned(),
            why: format!("{why}{arithmetic}"),
            flags: then.map_or_else(Vec::new, |then| {
                vec![self.flag().to_owned(), format!("{then:.2}")]
            }),
            pool_bytes: bytes.map(|bytes| bytes.round() as i64),
            pool_tokens: bytes.and_then(|bytes| self.tokens(bytes)),
        }
    }

    fn after(&self, failure: &Failure) -> Advice {
        let plain = |code: &str, why: &str| Advice {
            code: code.to_owned(),
            why: why.to_owned(),
            flags: Vec::new(),
            pool_bytes: None,
            pool_tokens: None,
        };
        match failure.phase {
            Phase::Pool => self.raise(failure),
            Phase::Capture | Phase::Runtime => self.lower(failure),
            Phase::Weights => plain(
                "weights-do-not-fit",
                "memory ran out while weights were loaded: no fraction helps; more tensor parallel ranks, or weights in fewer bits",
            ),
            Phase::Unknown => plain(
                "start-is-missing",
                "memory ran out, and the log lacks what came before: give it from the start of the server, which says what the memory went into",
            ),
            Phase::Foreign => plain(
                "memory-is-taken",
                "other processes had memory of the device before the start: end them, or give the engine less of it",
            ),
            Phase::Context => Advice {
                flags: failure.fits_context.map_or_else(Vec::new, |fits| {
                    vec!["--max-model-len".to_owned(), fits.to_string()]
                }),
                ..plain(
                    "context-does-not-fit",
                    "one request of the longest context is larger than the pool: a shorter context, a higher fraction, or more ranks",
                )
            },
        }
    }

    /// The pool would be empty: a higher fraction, with at least a twentieth of the memory for the pool.
    fn raise(&self, failure: &Failure) -> Advice {
        let why = "the pool would have been empty at the start: raise the fraction".to_owned();
        let least = |of: &RankFacts| {
            let lacks = of.for_pools.map(|size| -size.bytes)?;
            let of = if self.is_vllm() {
                of.device_total?
            } else {
                of.fraction_of?
            };
            Some(lacks / of.bytes)
        };
        let ranks = self
            .facts
            .ranks
            .get(&failure.rank)
            .into_iter()
            .chain(self.facts.ranks.values());
        let named = failure.least_fraction.zip(self.facts.fraction);
        let lacks = named.map(|(least, now)| least - now);
        let lacks = lacks.or_else(|| ranks.filter_map(least).max_by(f64::total_cmp));
        let step = lacks.map_or(0.05, |lacks| ((lacks + 0.05) * 100.0).ceil() / 100.0);
        if self.facts.fraction.is_some_and(|now| now + step > MOST_FRACTION) {
            return Advice {
                code: "weights-leave-no-pool".to_owned(),
                why: format!(
                    "the weights leave no room for a pool: the fraction would have to be {:.2}; more ranks, or weights in fewer bits",
                    self.facts.fraction.unwrap_or(0.0) + step
                ),
                flags: Vec::new(),
                pool_bytes: None,
                pool_tokens: None,
            };
        }
        self.fraction("raise-memory-fraction", step, why)
    }

    /// Memory ran out beside the pool: a lower fraction, by what was asked for, and two hundredths at least.
    fn lower(&self, failure: &Failure) -> Advice {
        let asked = failure.tried.zip(self.fraction_of());
        let step = asked.map_or(0.02, |(tried, of)| {
            ((tried.bytes / of * 100.0).ceil() / 100.0).max(0.02)
        });
        let when = if failure.phase == Phase::Runtime {
            "while requests were served"
        } else {
            "after the pools were sized"
        };
        let tried = failure
            .tried
            .map_or_else(String::new, |tried| format!(", asking for {}", gib(tried.bytes)));
        let why = format!("memory ran out {when}{tried}: the pools leave too little, lower the fraction");
        self.fraction("lower-memory-fraction", -step, why)
    }

    /// Most of the device was not offered to the engine: nothing else gives as much.
    fn low_fraction(&self) -> Option<Advice> {
        let now = self.facts.fraction.filter(|now| *now < LOW_FRACTION)?;
        let why = format!(
            "the engine may use {:.1} % of the device: raise the fraction before anything else, unless others need the rest",
            100.0 * now
        );
        Some(self.fraction("fraction-is-low", USUAL_FRACTION - now, why))
    }

    /// More than a step needs is free, or hardly anything. SGLang's guide to its settings names 5 to 8 GB of an 80 GB
    /// device as good, 10 to 20 as too much.
    fn free_memory(&self) -> Option<Advice> {
        let (headroom, of) = (self.headroom?, self.fraction_of()?);
        if !matches!(headroom.when.as_str(), "after_capture" | "startup") {
            return None;
        }
        let free = headroom.min_free_bytes as f64;
        let (keep, most, least) = (
            (of / 16.0).min(6.0 * GIB),
            (of / 8.0).min(10.0 * GIB),
            (of / 50.0).min(1.5 * GIB),
        );
        if free > most {
            let room = self.facts.fraction.map_or(1.0, |now| MOST_FRACTION - now);
            // A hair, so that 0.07 of a device is not taken for 0.06.
            let step = (((free - keep) / of).min(room) * 100.0 + 1e-9).floor() / 100.0;
            let why = format!("{} are free where {} do", gib(free), gib(keep));
            return (step >= 0.01).then(|| self.fraction("memory-is-unused", step, why));
        }
        (free < least).then(|| {
            let step = ((least - free) / of * 100.0).ceil() / 100.0;
            let why = format!("{} are free: a large prefill may end the server", gib(free));
            self.fraction("headroom-is-small", -step, why)
        })
    }

    /// A setting makes the pool smaller than memory would.
    fn cap(&self) -> Option<Advice> {
        let tokens = self.kv.tokens?;
        let page = self.facts.page.unwrap_or(1).max(1);
        let of_tokens = self.facts.cap_tokens.filter(|cap| tokens.abs_diff(*cap) < page);
        let of_blocks = self
            .facts
            .cap_blocks
            .filter(|cap| self.facts.blocks == Some(*cap));
        let setting = match (of_tokens, of_blocks) {
            (Some(cap), _) => format!("--max-total-tokens {cap}"),
            (None, Some(cap)) => format!("--num-gpu-blocks-override {cap}"),
            (None, None) => return None,
        };
        let free = self.headroom.map_or_else(String::new, |headroom| {
            format!(" while {} are free", gib(headroom.min_free_bytes as f64))
        });
        Some(Advice {
            code: "pool-is-capped".to_owned(),
            why: format!(
                "`{setting}` keeps the pool at {} tokens{free}: leave it out or raise it before memory or the type of keys is changed",
                grouped(tokens)
            ),
            flags: Vec::new(),
            pool_bytes: None,
            pool_tokens: None,
        })
    }

    /// The limit of requests or of states is below what the pools hold, for the longest requests of which it is: more of them
    /// than that would be preempted.
    fn requests(&self) -> Option<Advice> {
        let binds = |row: &&Capacity| {
            let of_settings = [BindingLimit::MaxRunningRequests, BindingLimit::StateSlots];
            row.requests.is_some_and(|requests| requests > 0)
                && row
                    .binding_limit
                    .is_some_and(|limit| of_settings.contains(&limit))
        };
        let row = self
            .capacity
            .iter()
            .filter(binds)
            .max_by_key(|row| row.length_tokens)?;
        let limit = row.binding_limit?;
        let (code, flag) = match limit {
            BindingLimit::MaxRunningRequests if self.is_vllm() => ("raise-request-limit", "--max-num-seqs"),
            BindingLimit::MaxRunningRequests => ("raise-request-limit", "--max-running-requests"),
            _ => ("raise-state-slots", "--max-mamba-cache-size"),
        };
        // More requests need as many states; more states are what the other flag gives.
        let without = match code {
            "raise-request-limit" => Limits {
                max_running_requests: None,
                ..*self.limits
            },
            _ => Limits {
                max_running_requests: None,
                state_slots: None,
                ..*self.limits
            },
        };
        let now = row.requests? / self.schedulers.max(1);
        let most = without.requests(row.length_tokens, 0)?.requests;
        let states = match self.limits.state_slots {
            Some(_) => ", and states take memory from the pool",
            None => "",
        };
        (most > now).then(|| Advice {
            code: code.to_owned(),
            why: format!(
                "requests of {} tokens, the longest of these that it limits: the pools of a scheduler hold {}, {} allows {}; more of them take latency for throughput{states}",
                grouped(row.length_tokens),
                grouped(most),
                limit.name(),
                grouped(now),
            ),
            flags: vec![flag.to_owned(), most.to_string()],
            pool_bytes: None,
            pool_tokens: None,
        })
    }

    /// Ranks keep the same keys and values.
    fn copies(&self) -> Option<Advice> {
        let copies = self.kv.copies.filter(|copies| *copies > 1)?;
        let flags = if self.is_vllm() {
            vec!["--data-parallel-size".to_owned(), copies.to_string()]
        } else {
            vec![
                "--enable-dp-attention".to_owned(),
                "--dp-size".to_owned(),
                copies.to_string(),
            ]
        };
        let tokens = self.kv.tokens.map(|tokens| tokens.saturating_mul(copies - 1));
        Some(Advice {
            code: "keys-are-replicated".to_owned(),
            why: format!(
                "each key and value is kept on {copies} ranks: as many replicas of attention hold up to {copies} times the tokens, at the price of weights of attention on each"
            ),
            flags,
            pool_bytes: None,
            pool_tokens: tokens.and_then(|tokens| i64::try_from(tokens).ok()),
        })
    }

    /// Tokens limit, and each could be half as large.
    fn smaller_tokens(&self) -> Option<Advice> {
        let binds = |row: &Capacity| {
            row.binding_limit == Some(BindingLimit::KvTokens)
                && !capacity_rows::is_upper_bound(row, self.limits, self.schedulers)
        };
        let is_wide = matches!(self.kv_dtype?, KvDtype::Bf16 | KvDtype::Fp32);
        let dtype = if self.is_vllm() { "fp8" } else { "fp8_e4m3" };
        (is_wide && self.capacity.iter().any(binds)).then(|| Advice {
            code: SMALLER_KEYS.to_owned(),
            why: "tokens of the pool limit: keys and values in fp8 take half of bf16; check the quality of answers with it".to_owned(),
            flags: vec!["--kv-cache-dtype".to_owned(), dtype.to_owned()],
            pool_bytes: None,
            pool_tokens: self.kv.tokens.and_then(|tokens| i64::try_from(tokens).ok()),
        })
    }
}
