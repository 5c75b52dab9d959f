//! Verdicts with a known error rate: results of two engines to gap, decision and next action.
