//! `loop-ledger.status/1`: where the campaign stands, what is allowed next, and what is missing, as commands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{AttemptBegin, Blocker};
use super::facts::DecisionFacts;
use super::lock::Budget;
use super::{Phase, Terminal};
use crate::{Finite, NextAction};

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.status/1";

/// `data` of `loop-ledger.status/1`; also what `may` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StatusData {
    /// Artifact root.
    pub root: String,
    /// Entries in the ledger.
    pub entries: u64,
    /// Hash of the last one.
    pub head: String,
    /// The phase that comes next.
    pub phase: Phase,
    /// The phase that `may` was asked for; null for `status`.
    pub asked: Option<Phase>,
    /// Whether the asked phase is open; null for `status`.
    pub allowed: Option<bool>,
    /// Every phase, in order.
    pub phases: Vec<PhaseState>,
    /// The open attempt; null when none is.
    pub attempt: Option<OpenAttempt>,
    /// Rounds that have ended.
    pub rounds: u32,
    /// Ended rounds in a row that brought less than the threshold.
    pub weak_rounds: u32,
    /// The latest decision that counts; null before the first.
    pub decision: Option<DecisionFacts>,
    /// Effect of the best state so far, percent; null before the first decision.
    pub best_effect_pct: Option<Finite>,
    /// Measured configurations a framework.
    pub candidates: Vec<CandidateCount>,
    /// What is missing and was accepted as missing.
    pub blockers: Vec<Blocker>,
    /// The budget.
    pub budget: BudgetState,
    /// How the campaign ended; null while it goes on.
    pub terminal: Option<Terminal>,
}

/// One phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PhaseState {
    /// The phase.
    pub phase: Phase,
    /// Whether it is open now.
    pub open: bool,
    /// Whether its evidence is there, for the current round.
    pub satisfied: bool,
    /// Whether a blocker stands in for its evidence.
    pub downgraded: bool,
    /// What has to come first.
    pub missing: Vec<Need>,
}

/// Something that has to come first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Need {
    /// Stable kebab-case name; the error code of a command that is refused for it.
    pub code: String,
    /// In words.
    pub what: String,
    /// The command that brings it; null where there is none.
    pub command: Option<NextAction>,
}

/// The attempt under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OpenAttempt {
    /// For example `a-0007`.
    pub attempt: String,
    /// What was said when it began.
    pub begin: AttemptBegin,
    /// Seconds since.
    pub wall_s: Finite,
    /// Its latest decision, which counts for the campaign once the change is kept; null before the first.
    pub decision: Option<DecisionFacts>,
}

/// Search effort of a framework.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CandidateCount {
    /// The framework.
    pub framework: String,
    /// Distinct configurations measured on the locked scenarios.
    pub configurations: u32,
    /// Needed before a gap counts.
    pub needed: u32,
}

/// The budget and what is left of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BudgetState {
    /// The limits, as locked.
    pub limit: Budget,
    /// What is charged, in the same units.
    pub spent: Budget,
    /// Names of what is used up.
    pub exhausted: Vec<String>,
}
