//! How a tool ends. One enum, one exhaustive match; every `--help` prints the table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The documented exit codes of every sota-loop binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Document written; no gate that was asked for failed.
    Ok,
    /// Document written; a gate is not met.
    GateNotMet,
    /// Usage error.
    Usage,
    /// Input unreadable, of an unknown version, or not comparable.
    BadInput,
    /// A target or resource is not there.
    Unavailable,
    /// Measurement invalid, undecided or inconclusive.
    Undecided,
    /// Budget or time limit spent.
    BudgetSpent,
    /// Contract drift, tampering, a hash that does not match.
    Drift,
    /// Our own bug.
    Internal,
    /// Interrupted; a partial document was written.
    Interrupted,
}

impl Exit {
    /// All codes, in the order of the table.
    pub const ALL: [Exit; 10] = [
        Exit::Ok,
        Exit::GateNotMet,
        Exit::Usage,
        Exit::BadInput,
        Exit::Unavailable,
        Exit::Undecided,
        Exit::BudgetSpent,
        Exit::Drift,
        Exit::Internal,
        Exit::Interrupted,
    ];

    /// The process exit status.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::GateNotMet => 1,
            Exit::Usage => 2,
            Exit::BadInput => 3,
            Exit::Unavailable => 4,
            Exit::Undecided => 5,
            Exit::BudgetSpent => 6,
            Exit::Drift => 7,
            Exit::Internal => 70,
            Exit::Interrupted => 130,
        }
    }

    /// One line for `--help`.
    pub const fn meaning(self) -> &'static str {
        match self {
            Exit::Ok => "document written; no gate that was asked for failed",
            Exit::GateNotMet => "document written; a gate is not met (an SLO, --fail-on)",
            Exit::Usage => "usage error",
            Exit::BadInput => "input unreadable, of an unknown version, or not comparable",
            Exit::Unavailable => {
                "a target or resource is not there (endpoint, model, permission, disk, network)"
            }
            Exit::Undecided => "measurement invalid, undecided or inconclusive: repeat as next_actions says",
            Exit::BudgetSpent => "budget or time limit spent",
            Exit::Drift => "contract drift, tampering, a hash that does not match",
            Exit::Internal => "a bug in this tool",
            Exit::Interrupted => "interrupted; a partial document was written with \"complete\": false",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_stable() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 70, 130]);
    }
}
