//! One kernel of a report to what a digest says of it.

use contracts::Finite;
use contracts::Warning;
use contracts::ncu_digest::Counter;
use contracts::ncu_digest::kernel::{
    Kernel, Launch, Memory, Occupancy, Rule, Scheduler, Scope, Sol, Speedup, Stall,
};
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use ncu_report::RuleKind;

use crate::bound::{self, Known};
use crate::fields::{self, Candidates};
use crate::thresholds::SHARE_PCT;
use crate::{names, roofline, sections, stalls};

/// Stalls that are listed.
const TOP_STALLS: usize = 3;
/// Rules that are listed: no version has as many.
const RULES: usize = 64;
/// Longest title of a rule, in bytes.
const TITLE_CAP: usize = 200;

pub(crate) fn kernel(raw: &ncu_report::Kernel) -> Kernel {
    let get = |field: Candidates| fields::pick(raw, field);
    let sol = Sol {
        sm_pct: get(fields::SM),
        mem_pct: get(fields::MEMORY),
        dram_pct: get(fields::DRAM),
        l2_pct: get(fields::L2),
        l1_pct: get(fields::L1),
    };
    let duration_ns = get(fields::DURATION);
    let waves = get(fields::WAVES);
    let key = names::key(raw);
    let (bound, sub_bound) = bound::class(&Known {
        is_collective: names::is_collective(&key),
        duration_ns: duration_ns.as_ref().map(|counter| counter.value.get()),
        waves: waves.as_ref().map(|counter| counter.value.get()),
        sol: &sol,
    });
    let all_stalls = stalls::shares(raw);
    Kernel {
        index: raw.index as u64,
        name: names::name(raw),
        key,
        grid: raw.grid,
        block: raw.block,
        stream: raw.stream,
        registers: get(fields::REGISTERS),
        shared_bytes: get(fields::SHARED).or_else(|| fields::sum(raw, &fields::SHARED_PARTS)),
        duration_ns,
        cycles: get(fields::CYCLES),
        sm_clock_hz: get(fields::SM_CLOCK),
        instructions: get(fields::INSTRUCTIONS),
        sol,
        tensor_pct: get(fields::TENSOR),
        fma_pct: get(fields::FMA),
        fp64_pct: get(fields::FP64),
        occupancy: Occupancy {
            theoretical_pct: get(fields::OCCUPANCY_THEORETICAL),
            achieved_pct: get(fields::OCCUPANCY_ACHIEVED),
            limiter: limiter(raw),
        },
        scheduler: Scheduler {
            eligible_warps: get(fields::ELIGIBLE),
            no_eligible_pct: get(fields::NO_ELIGIBLE),
            issue_active: get(fields::ISSUE_ACTIVE),
        },
        memory: memory(raw),
        launch: Launch {
            tail_pct: waves.as_ref().and_then(tail),
            waves,
        },
        roofline: roofline::roofline(raw),
        bound,
        sub_bound,
        rules: raw.rules.iter().take(RULES).map(rule).collect(),
        missing: sections::missing_for_edit(raw)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        warnings: warnings(&all_stalls, raw),
        top_stalls: all_stalls.into_iter().take(TOP_STALLS).collect(),
    }
}

/// What allows the fewest blocks; several that allow as few.
fn limiter(raw: &ncu_report::Kernel) -> Vec<String> {
    let limits = fields::OCCUPANCY_LIMITS
        .iter()
        .filter_map(|(name, field)| Some((*name, fields::number(raw, field)?)));
    let limits: Vec<(&str, f64)> = limits.collect();
    let Some(fewest) = limits.iter().map(|(_, blocks)| *blocks).min_by(f64::total_cmp) else {
        return Vec::new();
    };
    let ties = limits.into_iter().filter(|(_, blocks)| *blocks <= fewest);
    ties.map(|(name, _)| name.to_owned()).collect()
}

fn memory(raw: &ncu_report::Kernel) -> Memory {
    let get = |field: Candidates| fields::pick(raw, field);
    let positive = |counter: Counter| (counter.value.get() > 0.0).then_some(counter);
    let requests = get(fields::LOAD_REQUESTS).and_then(positive);
    let conflicts = fields::sum(raw, &[fields::LOAD_CONFLICTS, fields::STORE_CONFLICTS]);
    // Loads and stores together: a kernel that stores little to shared memory loses little to conflicts of its stores,
    // whatever part of them they are.
    let wavefronts =
        fields::sum(raw, &[fields::LOAD_WAVEFRONTS, fields::STORE_WAVEFRONTS]).and_then(positive);
    Memory {
        sectors_per_request: get(fields::LOAD_SECTORS)
            .zip(requests)
            .and_then(|(sectors, requests)| fields::quotient(&sectors, &requests, 1.0)),
        // A kernel without global loads has 0 here.
        bytes_per_sector: get(fields::BYTES_PER_SECTOR).and_then(positive),
        bank_conflict_pct: conflicts
            .zip(wavefronts)
            .and_then(|(conflicts, wavefronts)| fields::quotient(&conflicts, &wavefronts, 100.0)),
        l1_hit_pct: get(fields::L1_HITS),
        l2_hit_pct: get(fields::L2_HITS),
        spill_requests: get(fields::SPILLS)
            .or_else(|| fields::sum(raw, &[fields::LOCAL_LOADS, fields::LOCAL_STORES])),
    }
}

/// 1 − waves / ⌈waves⌉.
fn tail(waves: &Counter) -> Option<Counter> {
    let count = waves.value.get();
    let empty = 100.0 * (1.0 - count / count.ceil());
    let name = &waves.metric;
    fields::counter(empty, format!("100 × (1 − {name} / ⌈{name}⌉)"))
}

fn rule(rule: &ncu_report::Rule) -> Rule {
    let word = |text: &str| clean(text, TITLE_CAP);
    Rule {
        id: word(&rule.id),
        section: word(&rule.section),
        title: word(&rule.title),
        kind: match rule.kind {
            RuleKind::Info => "info",
            RuleKind::Warning => "warning",
            RuleKind::Error => "error",
            RuleKind::Optimization => "optimization",
        }
        .to_owned(),
        speedup: rule.speedup.and_then(|speedup| {
            Some(Speedup {
                scope: if speedup.is_global {
                    Scope::Global
                } else {
                    Scope::Local
                },
                pct: Finite::new(speedup.percent)?,
            })
        }),
        focus: rule.focus.iter().take(RULES).map(|name| word(name)).collect(),
    }
}

fn warnings(stalls: &[Stall], raw: &ncu_report::Kernel) -> Vec<Warning> {
    let over = stalls
        .iter()
        .filter(|stall| stall.share_pct.value.get() > SHARE_PCT);
    let mut warnings: Vec<Warning> = over
        .map(|stall| {
            let pct = stall.share_pct.value.get();
            Warning::new(
                "share-over-100",
                format!(
                    "{} has {pct:.1} % of a warp's cycles: two passes disagree, so shares are rough",
                    stall.reason
                ),
            )
        })
        .collect();
    for rule in raw
        .rules
        .iter()
        .filter(|rule| rule.kind == RuleKind::Error)
        .take(RULES)
    {
        warnings.push(Warning::new(
            "rule-failed",
            clean(&format!("{}: {}", rule.id, rule.text), FOREIGN_TEXT_CAP),
        ));
    }
    warnings
}
