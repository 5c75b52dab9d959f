//! The steps of a campaign and the states in which it may end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step of the loop. The order is the order in which a campaign meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// What others changed for this model: merged and open pull requests, before anything is measured.
    History,
    /// The fixed benchmark: every scenario against every comparison framework.
    Baseline,
    /// A gap verdict from repeats.
    Decide,
    /// Ours and every framework that is stably ahead, profiled at the slow scenario's lengths.
    Profile,
    /// Why ours is behind, citing rows of stored documents.
    RootCause,
    /// The layer pipeline of the current round.
    Pipeline,
    /// Kernel counters, for families with a share of the time.
    Kernel,
    /// A change of launch flags, environment or configuration.
    Tune,
    /// A change of code.
    Patch,
    /// The same contract again after an accepted change.
    Revalidate,
    /// The end, in a terminal state with its evidence.
    Done,
}

impl Phase {
    /// All, in order.
    pub const ALL: [Phase; 11] = [
        Phase::History,
        Phase::Baseline,
        Phase::Decide,
        Phase::Profile,
        Phase::RootCause,
        Phase::Pipeline,
        Phase::Kernel,
        Phase::Tune,
        Phase::Patch,
        Phase::Revalidate,
        Phase::Done,
    ];

    /// Whether a campaign can go on without its evidence once a blocker says why. Instruments that explain can be
    /// missing; benchmarks, verdicts and revalidation are what a campaign is made of.
    pub const fn can_be_downgraded(self) -> bool {
        matches!(
            self,
            Phase::History | Phase::Profile | Phase::RootCause | Phase::Pipeline | Phase::Kernel
        )
    }

    /// The name in documents and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::History => "history",
            Phase::Baseline => "baseline",
            Phase::Decide => "decide",
            Phase::Profile => "profile",
            Phase::RootCause => "root_cause",
            Phase::Pipeline => "pipeline",
            Phase::Kernel => "kernel",
            Phase::Tune => "tune",
            Phase::Patch => "patch",
            Phase::Revalidate => "revalidate",
            Phase::Done => "done",
        }
    }
}

/// How a campaign may end; never a bare "completed".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Terminal {
    /// Ours is ahead or tied in every scenario, ahead in one at least.
    TargetMet,
    /// Ours is tied in every scenario.
    Tied,
    /// Four rounds in a row brought less than the threshold.
    WeakProgress,
    /// Wall time, GPU time, attempts or money are spent.
    BudgetExhausted,
    /// An instrument or a resource is missing, and the campaign cannot go on without it.
    Blocked,
    /// A measured rate is near the physical limit of the declared hardware.
    NearLimit,
    /// The evidence cannot be trusted.
    EvidenceUntrusted,
    /// No change is left that evidence defends.
    NoDefensibleChange,
    /// A person said so (the file STOP).
    HumanStop,
}

impl Terminal {
    /// All.
    pub const ALL: [Terminal; 9] = [
        Terminal::TargetMet,
        Terminal::Tied,
        Terminal::WeakProgress,
        Terminal::BudgetExhausted,
        Terminal::Blocked,
        Terminal::NearLimit,
        Terminal::EvidenceUntrusted,
        Terminal::NoDefensibleChange,
        Terminal::HumanStop,
    ];

    /// The name in documents and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Terminal::TargetMet => "target_met",
            Terminal::Tied => "tied",
            Terminal::WeakProgress => "weak_progress",
            Terminal::BudgetExhausted => "budget_exhausted",
            Terminal::Blocked => "blocked",
            Terminal::NearLimit => "near_limit",
            Terminal::EvidenceUntrusted => "evidence_untrusted",
            Terminal::NoDefensibleChange => "no_defensible_change",
            Terminal::HumanStop => "human_stop",
        }
    }
}
