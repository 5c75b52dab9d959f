//! The acceptance criteria: what a reviewer can run, and how it has to end.

use contracts::loop_ledger::phase::Phase;

/// One criterion.
pub(super) struct Criterion {
    /// Name, for example `AC-3`.
    pub(super) name: &'static str,
    /// Phase that it guards; `None` when it always holds.
    pub(super) phase: Option<Phase>,
    /// The line.
    pub(super) text: &'static str,
}

/// All, in the order of the loop. One line each: Humanize's tracker drops what stands below its twenty-fifth line.
pub(super) const ALL: [Criterion; 11] = [
    Criterion {
        name: "AC-1",
        phase: None,
        text: "`loop-ledger verify` exits 0 after every round: chain, contract, workloads and evidence are as written",
    },
    Criterion {
        name: "AC-2",
        phase: Some(Phase::Baseline),
        text: "`loop-ledger may baseline` exits 0 before the fixed benchmark: history notes are stored",
    },
    Criterion {
        name: "AC-3",
        phase: Some(Phase::Decide),
        text: "`loop-ledger may decide` exits 0 before a verdict: every scenario, every framework, every one tuned",
    },
    Criterion {
        name: "AC-4",
        phase: Some(Phase::Profile),
        text: "`loop-ledger may profile` exits 0 before a profile: the gap comes from interleaved repeats",
    },
    Criterion {
        name: "AC-5",
        phase: Some(Phase::RootCause),
        text: "`loop-ledger may root_cause` exits 0 before a cause is named: ours and whoever is ahead are profiled",
    },
    Criterion {
        name: "AC-6",
        phase: Some(Phase::Pipeline),
        text: "`loop-ledger may pipeline` exits 0 before a layer is chosen: the pipeline is of the current round",
    },
    Criterion {
        name: "AC-7",
        phase: Some(Phase::Patch),
        text: "`loop-ledger may patch` exits 0 before engine source changes: cause and pipeline cite stored rows",
    },
    Criterion {
        name: "AC-8",
        phase: Some(Phase::Tune),
        text: "`loop-ledger may tune` exits 0 before a flag or variable changes: no other attempt is open, budget is left",
    },
    Criterion {
        name: "AC-9",
        phase: Some(Phase::Revalidate),
        text: "`loop-ledger may revalidate` exits 0 while the change is measured again on the locked workloads",
    },
    Criterion {
        name: "AC-10",
        phase: None,
        text: "`loop-ledger status --brief` exits 0 and names no open attempt when a round ends",
    },
    Criterion {
        name: "AC-11",
        phase: Some(Phase::Done),
        text: "`loop-ledger done` exits 0 at the end of the campaign, and before that nothing is called finished",
    },
];

/// Names of the criteria that a phase has to meet, two at most.
pub(super) fn of_phase(phase: Phase) -> String {
    let guards = match phase {
        Phase::History => Phase::Baseline,
        Phase::Kernel => Phase::Patch,
        phase => phase,
    };
    let names: Vec<&str> = ALL
        .iter()
        .filter(|criterion| criterion.phase == Some(guards))
        .chain(ALL.iter().filter(|criterion| criterion.name == "AC-1"))
        .map(|criterion| criterion.name)
        .take(2)
        .collect();
    names.join(", ")
}
