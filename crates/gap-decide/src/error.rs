//! What can go wrong before there is a verdict.

use cli_kit::ToolError;
use contracts::Exit;
use contracts::metric::UnknownMetric;

/// The arguments make no sense together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// Nothing to judge.
    #[error("no document is given to decide from")]
    NoEvidence,
    /// `--compare` beside `--ours` or `--theirs`.
    #[error("interleaved comparisons and single results do not mix in one decision")]
    TwoKindsOfEvidence,
    /// `--ours` without `--theirs` or the other way round.
    #[error("a side is missing: `--ours` and `--theirs` go together")]
    OneSideOnly,
    /// A decision and something else in one call.
    #[error("a decision is one call, and a calibration or a ranking another")]
    TwoTasks,
    /// The first of `--theirs` has no name.
    #[error("cannot read `{0}` as NAME=RESULT")]
    NoName(String),
    /// Not a metric.
    #[error(transparent)]
    Metric(#[from] UnknownMetric),
    /// Confidence out of range.
    #[error("{0} does not lie between 0.5 and 0.999999")]
    Confidence(f64),
    /// Threshold or margin out of range.
    #[error("{flag} {value} is not between 0 and 1 (0.01 is 1 %)")]
    Ratio {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: f64,
    },
    /// Three times the threshold of a calibration is everything.
    #[error("--threshold {0} cannot be calibrated: effects up to three times of it are drawn")]
    CalibratedThreshold(f64),
}

impl ToolError for PlanError {
    fn code(&self) -> &'static str {
        match self {
            PlanError::NoEvidence => "no-evidence",
            PlanError::TwoKindsOfEvidence => "two-kinds-of-evidence",
            PlanError::OneSideOnly => "one-side-only",
            PlanError::TwoTasks => "two-tasks",
            PlanError::NoName(_) => "no-name",
            PlanError::Metric(_) => "unknown-metric",
            PlanError::Confidence(_) => "confidence-out-of-range",
            PlanError::Ratio { .. } | PlanError::CalibratedThreshold(_) => "ratio-out-of-range",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                PlanError::NoEvidence => {
                    "give `--compare DOC` (from `serve-bench compare`), or `--ours RESULT --theirs NAME=RESULT`"
                }
                PlanError::TwoKindsOfEvidence => "decide them in two calls; prefer the interleaved comparison",
                PlanError::OneSideOnly => "add the other side, or use `--compare DOC`, which holds both",
                PlanError::TwoTasks => "leave out `--compare`, `--ours` and `--theirs` when calibrating or ranking",
                PlanError::NoName(_) => "name the engine: `--theirs vllm=RESULT`",
                PlanError::Metric(_) => "see `gap-decide --help`",
                PlanError::Confidence(_) => "0.95 is the default",
                PlanError::Ratio { .. } => "write 1 % as 0.01",
                PlanError::CalibratedThreshold(_) => "0.33 at most; write 1 % as 0.01",
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            PlanError::NoEvidence
            | PlanError::TwoKindsOfEvidence
            | PlanError::OneSideOnly
            | PlanError::TwoTasks
            | PlanError::NoName(_)
            | PlanError::Metric(_)
            | PlanError::Confidence(_)
            | PlanError::Ratio { .. }
            | PlanError::CalibratedThreshold(_) => Exit::Usage,
        }
    }
}

/// The documents cannot be judged together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvidenceError {
    /// Contract fields that differ.
    #[error("{left} and {right} do not compare: their contracts differ in {}", fields.join("; "))]
    ContractDiffers {
        /// One document or side.
        left: String,
        /// The other.
        right: String,
        /// `field: value against value`.
        fields: Vec<String>,
    },
    /// Documents of one side that measured different things.
    #[error("{left} and {right} are not one side: their subjects differ in {}", fields.join("; "))]
    SubjectDiffers {
        /// One document.
        left: String,
        /// The other.
        right: String,
        /// `field: value against value`.
        fields: Vec<String>,
    },
    /// A stored fingerprint is not the one of the stored fields.
    #[error("{document} was changed: its {set} does not match its fingerprint")]
    Tampered {
        /// The document.
        document: String,
        /// `contract` or `subject`.
        set: &'static str,
    },
    /// Workload hash in the data and in the contract differ.
    #[error("{document} was changed: its workload hash {in_data} is not the {in_contract} of its contract")]
    WorkloadHash {
        /// The document.
        document: String,
        /// Hash in `data.workload`.
        in_data: String,
        /// Hash in the contract.
        in_contract: String,
    },
    /// A simulated engine on one side only.
    #[error("{simulated} comes from a simulated engine and {real} from a real one")]
    SimulatedAndReal {
        /// The simulated one.
        simulated: String,
        /// The real one.
        real: String,
    },
    /// A preset that explains gaps but never decides them.
    #[error("scenario `{scenario}` of {document} is no evidence: its purpose is diagnostic")]
    Diagnostic {
        /// The scenario.
        scenario: String,
        /// The document.
        document: String,
    },
    /// The same measurement twice.
    #[error("{document} repeats runs that were already given")]
    Duplicate {
        /// The document with the second copy.
        document: String,
    },
    /// A scenario that one side lacks.
    #[error("scenario `{scenario}` has one side: {missing} has no result for it")]
    ScenarioMissing {
        /// The scenario.
        scenario: String,
        /// The side without it.
        missing: String,
    },
    /// A flag against the target.
    #[error("{flag} {given} is given, and the target declares {declared}")]
    FlagContradictsTarget {
        /// The flag.
        flag: &'static str,
        /// Its value.
        given: f64,
        /// What was declared before the gap was seen.
        declared: f64,
    },
    /// A document without blocks or runs.
    #[error("nothing was measured in {document}")]
    NoRuns {
        /// The document.
        document: String,
    },
    /// Nothing left to calibrate from.
    #[error("{pairs} pairs of `{metric}` do not calibrate: at least 4 are needed")]
    TooFewPairs {
        /// Usable pairs.
        pairs: usize,
        /// The metric.
        metric: String,
    },
}

impl ToolError for EvidenceError {
    fn code(&self) -> &'static str {
        match self {
            EvidenceError::ContractDiffers { .. } => "contract-differs",
            EvidenceError::SubjectDiffers { .. } => "subject-differs",
            EvidenceError::Tampered { .. } => "fingerprint-mismatch",
            EvidenceError::WorkloadHash { .. } => "workload-hash-mismatch",
            EvidenceError::SimulatedAndReal { .. } => "simulated-and-real",
            EvidenceError::Diagnostic { .. } => "diagnostic-workload",
            EvidenceError::Duplicate { .. } => "duplicate-evidence",
            EvidenceError::ScenarioMissing { .. } => "scenario-missing",
            EvidenceError::FlagContradictsTarget { .. } => "flag-contradicts-target",
            EvidenceError::NoRuns { .. } => "no-runs",
            EvidenceError::TooFewPairs { .. } => "too-few-pairs",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                EvidenceError::ContractDiffers { .. } => {
                    "measure both sides again with the same `--workload` and `--target`, best with `serve-bench compare`"
                }
                EvidenceError::SubjectDiffers { .. } => "decide each subject in its own call",
                EvidenceError::Tampered { .. } | EvidenceError::WorkloadHash { .. } => {
                    "the document was changed after it was written; take the original or measure again with `serve-bench compare`"
                }
                EvidenceError::SimulatedAndReal { .. } => "measure both sides on the same kind of engine with `serve-bench compare`",
                EvidenceError::Diagnostic { .. } => {
                    "use it to explain the gap; decide with an evidence workload, for example `serve-bench freeze --preset chat`"
                }
                EvidenceError::Duplicate { .. } => "give every document once; add pairs with `serve-bench compare`",
                EvidenceError::ScenarioMissing { .. } => "measure the scenario on both sides with `serve-bench compare`",
                EvidenceError::FlagContradictsTarget { .. } => {
                    "leave the flag out: threshold and margin stand before the gap is seen"
                }
                EvidenceError::NoRuns { .. } => "the measurement ended before its first run; repeat it with `serve-bench compare`",
                EvidenceError::TooFewPairs { .. } => "measure more A/A blocks with `serve-bench compare`, both sides the same",
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            EvidenceError::Tampered { .. } | EvidenceError::WorkloadHash { .. } => Exit::Drift,
            EvidenceError::ContractDiffers { .. }
            | EvidenceError::SubjectDiffers { .. }
            | EvidenceError::SimulatedAndReal { .. }
            | EvidenceError::Diagnostic { .. }
            | EvidenceError::Duplicate { .. }
            | EvidenceError::ScenarioMissing { .. }
            | EvidenceError::FlagContradictsTarget { .. }
            | EvidenceError::NoRuns { .. }
            | EvidenceError::TooFewPairs { .. } => Exit::BadInput,
        }
    }
}

/// Candidates that cannot be ordered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RankError {
    /// A line that does not read.
    #[error("line {line} of the candidates does not read: {what}")]
    Line {
        /// From 1.
        line: u32,
        /// What is wrong with it.
        what: String,
    },
    /// An empty file.
    #[error("the candidates hold no row")]
    NoRows,
    /// More rows than a search has.
    #[error("the candidates hold more than 200,000 rows")]
    TooManyRows,
    /// Two rows of one scenario that measured different things.
    #[error(
        "lines {} and {} of scenario `{scenario}` do not rank together: {field} is {} against {}",
        lines[0], lines[1], values[0], values[1]
    )]
    OtherMeasurement {
        /// The scenario.
        scenario: String,
        /// The two lines.
        lines: [u32; 2],
        /// The field that differs.
        field: &'static str,
        /// Its values.
        values: [String; 2],
    },
}

impl ToolError for RankError {
    fn code(&self) -> &'static str {
        match self {
            RankError::Line { .. } => "candidate-line",
            RankError::NoRows => "no-candidates",
            RankError::TooManyRows => "too-many-candidates",
            RankError::OtherMeasurement { .. } => "candidates-differ",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                RankError::Line { .. } => "one JSON object a line; a cut last line is left over from a crash: remove it",
                RankError::NoRows => "give the file that the search appended to, one JSON object a line",
                RankError::TooManyRows => "rank one search at a time",
                RankError::OtherMeasurement { .. } => {
                    "give rows of other workloads or limits another `workload.scenario`, or measure them again alike"
                }
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            RankError::Line { .. }
            | RankError::NoRows
            | RankError::TooManyRows
            | RankError::OtherMeasurement { .. } => Exit::BadInput,
        }
    }
}
