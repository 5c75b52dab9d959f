//! Exactly one next edit: the first rule of the table that holds. What holds after it is listed and decides nothing.

use contracts::ncu_digest::kernel::Kernel;
use contracts::ncu_digest::report::{Hit, NextEdit};

use crate::declared::Declared;
use crate::seen::{Seen, Symptom};
use crate::symptoms;

/// One rule.
struct Rule {
    id: &'static str,
    /// A stall rule: only where the scheduler finds no warp.
    is_gated: bool,
    holds: fn(&Seen<'_>) -> Option<Symptom>,
    edit: &'static str,
    /// Rules of Nsight Compute whose global estimate is evidence for it.
    estimates: &'static [&'static str],
    /// Metrics to look at, as a pattern.
    look: &'static str,
}

const fn rule(
    id: &'static str,
    is_gated: bool,
    holds: fn(&Seen<'_>) -> Option<Symptom>,
    edit: &'static str,
    estimates: &'static [&'static str],
    look: &'static str,
) -> Rule {
    Rule {
        id,
        is_gated,
        holds,
        edit,
        estimates,
        look,
    }
}

/// In the order of precedence. E13 stands before E11 and E12: at the roof of device memory more warps change nothing.
#[rustfmt::skip]
const RULES: [Rule; 16] = [
    rule("E01", false, symptoms::spills, "cut live registers: a smaller tile, __launch_bounds__, or a split of the kernel", &[], "*local*"),
    rule("E02", false, symptoms::small, "leave its body alone: fuse it with its neighbour, or launch it from a CUDA graph or with programmatic dependent launch", &[], "launch__*"),
    rule("E03", false, symptoms::few_blocks, "split the work until every multiprocessor has blocks: split-K, a smaller tile, a persistent kernel", &["LaunchConfiguration"], "launch__*"),
    rule("E04", false, symptoms::fp64, "replace FP64 divisions by products with a reciprocal, and FP64 literals by FP32 ones", &["FPInstructions"], "*fp64*"),
    rule("E05", false, symptoms::uncoalesced, "coalesce global loads: map neighbouring threads to neighbouring addresses", &["MemoryCacheAccessPattern", "UncoalescedGlobalAccess"], "*sector*global*"),
    rule("E06", false, symptoms::bank_conflicts, "pad or swizzle the layout of shared memory", &["SharedMemoryConflicts", "UncoalescedSharedAccess"], "*bank_conflicts*"),
    rule("E05b", false, symptoms::partly_coalesced, "vectorise or realign global loads, and keep what several threads load in shared memory", &["UncoalescedGlobalAccess", "MemoryCacheAccessPattern"], "*sector*global*"),
    rule("E07", true, symptoms::lg_throttle, "make fewer and wider global accesses: stage what is used again in shared memory", &["CPIStall"], "*issue_stalled*"),
    rule("E08", true, symptoms::mio, "do more work for each load from shared memory: block in registers, load 128 bits", &["CPIStall"], "*issue_stalled*"),
    rule("E09", true, symptoms::barrier, "wait less: fewer barriers, barriers of a warp, or warps that specialise", &["CPIStall"], "*issue_stalled*"),
    rule("E10", false, symptoms::tail, "remove the tail: another tile, or a persistent grid", &["WorkloadImbalance"], "launch__*"),
    rule("E13", false, symptoms::dram_roof, "cut the bytes (fuse, a narrower type), or stop: it is at the roof of device memory", &[], "dram__*"),
    rule("E11", true, symptoms::occupancy, "relieve what limits occupancy", &["TheoreticalOccupancy", "AchievedOccupancy"], "launch__occupancy*"),
    rule("E12", true, symptoms::long_scoreboard, "keep more loads in flight: unroll, or copy ahead with cp.async or TMA into two buffers", &["CPIStall"], "*issue_stalled*"),
    rule("E14", false, symptoms::no_tensor, "use matrix instructions of the tensor cores", &[], "*tensor*"),
    rule("E15", false, symptoms::compute_roof, "execute fewer instructions, or stop: it is at the roof of the multiprocessors", &[], "*inst_executed*"),
];

/// Nothing holds.
const STOP: &str = "E00";

/// The next edit of a kernel whose sections are complete.
pub(crate) fn next_edit(kernel: &Kernel, raw: &ncu_report::Kernel, declared: &Declared) -> NextEdit {
    let seen = Seen {
        kernel,
        raw,
        declared,
    };
    let gate = seen.gate_is_open();
    let open = RULES.iter().filter(|rule| gate || !rule.is_gated);
    let mut hits = open.filter_map(|rule| Some((rule, (rule.holds)(&seen)?)));
    let first = hits.next();
    let also = hits.map(|(rule, symptom)| Hit {
        id: rule.id.to_owned(),
        symptom: symptom.text.join("; "),
        edit: symptom.edit.unwrap_or(rule.edit).to_owned(),
    });
    let also = also.collect();
    let (id, edit, symptom) = match first {
        Some((rule, mut symptom)) => {
            let estimates = rule.estimates.iter().filter_map(|name| seen.estimate(name));
            symptom.evidence.extend(estimates);
            (rule.id, symptom.edit.unwrap_or(rule.edit), symptom)
        }
        None => (
            STOP,
            "stop: no single edit is supported by this report",
            Symptom {
                text: vec!["no rule holds".to_owned()],
                evidence: Vec::new(),
                edit: None,
            },
        ),
    };
    NextEdit {
        id: id.to_owned(),
        kernel_index: kernel.index,
        kernel: kernel.name.clone(),
        symptom: symptom.text,
        edit: edit.to_owned(),
        evidence: symptom.evidence,
        also,
    }
}

/// The pattern of the metrics behind a rule.
pub(crate) fn look(id: &str) -> Option<&'static str> {
    RULES.iter().find(|rule| rule.id == id).map(|rule| rule.look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roof_of_memory_stands_before_what_it_makes_useless() {
        let at = |id: &str| {
            RULES
                .iter()
                .position(|rule| rule.id == id)
                .expect("the rule is there")
        };
        assert!(at("E13") < at("E11") && at("E13") < at("E12"));
        let gated: Vec<&str> = RULES
            .iter()
            .filter(|rule| rule.is_gated)
            .map(|rule| rule.id)
            .collect();
        assert_eq!(gated, ["E07", "E08", "E09", "E11", "E12"]);
        assert_eq!(look(STOP), None);
    }
}
