//! What an entry of the ledger says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::lock::Budget;
use super::{Phase, Terminal};
use crate::Finite;
use crate::subject::Subject;

/// What happened. `type` names it, `data` holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The campaign began.
    Init(Init),
    /// The runtime was checked.
    Preflight(Preflight),
    /// An attempt began, and its budget was charged.
    AttemptBegin(AttemptBegin),
    /// An attempt ended.
    AttemptEnd(AttemptEnd),
    /// A document was accepted as evidence.
    Evidence(Facts),
    /// An idea, with where it comes from.
    Idea(Idea),
    /// The diff of an attempt.
    Patch(Patch),
    /// Something is missing; the phase is open, downgraded.
    Blocker(Blocker),
    /// A session file was written.
    Session(Session),
    /// A torn last line was set aside.
    Recovered(Recovered),
    /// The campaign ended.
    Stop(Stop),
}

/// The campaign began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Init {
    /// `sha256:<hex>` of `target.lock.json`.
    pub lock_sha256: String,
    /// The budget, as locked.
    pub budget: Budget,
    /// The campaign that this one replaces; null for the first.
    pub supersedes: Option<Supersedes>,
}

/// A campaign that was left for another target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Supersedes {
    /// `sha256:<hex>` of its `target.lock.json`.
    pub lock_sha256: String,
    /// Hash of its last entry.
    pub head: String,
    /// Why.
    pub why: String,
}

/// The runtime was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Preflight {
    /// `redeploy`, `humanize`, `codex-goal` or `claude-goal`.
    pub runtime: String,
    /// True when the loop of the runtime was shown to be active.
    pub after_start: bool,
    /// Whether nothing that is needed is missing.
    pub passed: bool,
    /// Names of the checks that failed.
    pub failed: Vec<String>,
}

/// What an attempt changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Launch flags.
    Flags,
    /// Environment variables.
    Env,
    /// Deployment: image, GPU count, container settings.
    Config,
    /// Source of the engine.
    Patch,
    /// A kernel.
    Kernel,
}

impl ChangeKind {
    /// The phase that has to be open for it.
    pub const fn phase(self) -> Phase {
        match self {
            ChangeKind::Flags | ChangeKind::Env | ChangeKind::Config => Phase::Tune,
            ChangeKind::Patch | ChangeKind::Kernel => Phase::Patch,
        }
    }

    /// The name in documents and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            ChangeKind::Flags => "flags",
            ChangeKind::Env => "env",
            ChangeKind::Config => "config",
            ChangeKind::Patch => "patch",
            ChangeKind::Kernel => "kernel",
        }
    }
}

/// An attempt began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AttemptBegin {
    /// Number of the round, from 1: one attempt, one round.
    pub round: u32,
    /// Why the change should help, and what would show that it does not.
    pub hypothesis: String,
    /// The one change, in words.
    pub change: String,
    /// Its kind.
    pub kind: ChangeKind,
    /// Effect it predicts, percent; null when none was stated.
    pub predicted_pct: Option<Finite>,
    /// How ours will be launched; null when the change leaves the launch as it was.
    pub subject: Option<Subject>,
    /// Fingerprint of the launch the attempt starts from; null before anything was kept.
    pub parent_subject: Option<String>,
    /// Charged now, whatever happens later.
    pub charge: Charge,
}

/// What an attempt costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Charge {
    /// GPU time reserved, seconds times GPUs.
    pub gpu_s: Option<Finite>,
    /// Money reserved, US dollars.
    pub spend_usd: Option<Finite>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The change stays.
    Kept,
    /// The change was measured and taken back.
    Reverted,
    /// It did not run: a launch, a build or a check failed.
    Failed,
    /// The session ended in the middle; neither a success nor a weak round.
    Interrupted,
}

impl Outcome {
    /// The name in documents and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Kept => "kept",
            Outcome::Reverted => "reverted",
            Outcome::Failed => "failed",
            Outcome::Interrupted => "interrupted",
        }
    }
}

/// An attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AttemptEnd {
    /// How.
    pub outcome: Outcome,
    /// What was learned.
    pub learned: String,
    /// Improvement of the geometric mean over the best before, percent; null when it was not measured.
    pub improvement_pct: Option<Finite>,
    /// What the attempt left behind.
    pub cleanup: Cleanup,
    /// Seconds from its begin.
    pub wall_s: Finite,
}

/// Proof that an attempt left nothing running.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cleanup {
    /// Processes that the attempt had started, and whether each is gone.
    pub pids: Vec<PidGone>,
    /// Ports that it had used, and whether each is free.
    pub ports: Vec<PortFree>,
    /// Memory still in use per GPU, bytes; null where it cannot be read, with the reason in `gpu_note`.
    pub gpu_memory_used_bytes: Option<Vec<u64>>,
    /// Why GPU memory was not read; null when it was.
    pub gpu_note: Option<String>,
    /// Processes on the GPUs that the attempt did not start.
    pub foreign_processes: Vec<String>,
}

impl Cleanup {
    /// Whether everything that can be seen is clean.
    pub fn is_clean(&self) -> bool {
        self.pids.iter().all(|pid| pid.gone) && self.ports.iter().all(|port| port.free)
    }
}

/// A process that should be gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PidGone {
    /// Its id.
    pub pid: u32,
    /// Whether it is gone.
    pub gone: bool,
}

/// A port that should be free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PortFree {
    /// Its number.
    pub port: u16,
    /// Whether nothing listens there.
    pub free: bool,
}

/// An idea.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Idea {
    /// The idea.
    pub idea: String,
    /// Repository, pull request, file or paper it comes from; null for one's own.
    pub source: Option<String>,
    /// Licence of the source; null for one's own.
    pub license: Option<String>,
    /// Rows of stored documents that make it worth trying: `NAME=VALUE`.
    pub rows: Vec<String>,
}

/// The diff of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Patch {
    /// `sha256:<hex>` of the diff.
    pub diff_sha256: String,
    /// Commit that it applies to.
    pub base_commit: Option<String>,
    /// Files it changes.
    pub changed_files: Vec<String>,
    /// Lines added.
    pub lines_added: u64,
    /// Lines removed.
    pub lines_removed: u64,
    /// Where borrowed parts come from: source and licence.
    pub provenance: Vec<Provenance>,
    /// Tests that were run on it, in words.
    pub tests: Vec<String>,
}

/// Where a borrowed part comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Provenance {
    /// Repository and commit, pull request, or paper.
    pub source: String,
    /// Its licence.
    pub license: String,
}

/// Something is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Blocker {
    /// The phase that cannot be done as it should.
    pub phase: Phase,
    /// What is missing.
    pub what: String,
    /// The command that failed for it.
    pub command: Vec<String>,
    /// How it ended; null when nobody said.
    pub exit_code: Option<i32>,
}

/// A session file was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Session {
    /// Name of the file below `sessions/`.
    pub file: String,
    /// The deployed configuration beside it; null without one.
    pub deployment: Option<String>,
}

/// A torn last line was set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Recovered {
    /// File that holds the torn bytes.
    pub file: String,
    /// How many.
    pub bytes: u64,
}

/// The campaign ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Stop {
    /// How.
    pub terminal: Terminal,
    /// Why.
    pub why: String,
}
