//! Pure numbers: percentiles, intervals, noise floor, A/B comparison, sequential decisions.
