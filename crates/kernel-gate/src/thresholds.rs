//! Every number that decides, in one place. The skill shows the same table; a test holds the two together.

/// A threshold as people read it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// What it is about, with its unit.
    pub what: &'static str,
    /// The number.
    pub value: f64,
}

macro_rules! thresholds {
    ($($name:ident: $type:ty = $value:literal => $what:literal;)*) => {
        $(
            #[doc = $what]
            pub(crate) const $name: $type = $value;
        )*
        /// All of them, in the order of the rules that they belong to.
        pub const TABLE: &[Threshold] = &[$(Threshold { what: $what, value: $value as f64 }),*];
    };
}

thresholds! {
    FEWEST_TRIALS: usize = 5 => "fewest samples of a side";
    FEWEST_INPUT_SETS: u64 = 2 => "fewest inputs that the calls of a sample rotate through";
    RATIO: f64 = 0.001 => "a printed ratio, mean or median is off the recounted one by at most this part";
    PRINTED_US: f64 = 0.002 => "or by this, us";
    SAME: f64 = 0.0000001 => "samples that lie this close, as part, were copied";
    LEAST_US: f64 = 0.000001 => "shortest time that is believed, us";
    MOST_US: f64 = 86400000000.0 => "longest time that is believed, us";
    MOST_CV_PCT: f64 = 1000000.0 => "largest spread that is believed, %";
    MOST_UTILIZATION_PCT: f64 = 5.0 => "busiest device that counts as idle, %";
    MOST_MEMORY_MIB: f64 = 4096.0 => "most memory that an idle device holds, MiB";
    AA_MEAN_PCT: f64 = 1.0 => "farthest from 1 that the mean of an A/A may be, %";
    AA_ROW_PCT: f64 = 3.0 => "farthest from 1 that a row of it may be, %";
    AA_FEWEST_ROWS: u64 = 3 => "production rows that an A/A needs, where there are so many";
    HIDDEN_PART: f64 = 0.1 => "work outside the device's events: this part of the wall time";
    HIDDEN_US: f64 = 2.0 => "and this, us, and what the spread of the times can be";
    MOST_WALL_CV_PCT: f64 = 10.0 => "spread of wall times in which no work can hide, %";
    LEAST_NOISE_PCT: f64 = 2.0 => "smallest noise of a row, %";
    SPREADS: f64 = 2.0 => "noise of a row in spreads of its samples";
    LEAST_MEAN_NOISE_PCT: f64 = 1.0 => "smallest noise of the mean, %";
    MATERIAL: f64 = 0.97 => "a speed-up below this is a material loss";
    UNSTABLE_PCT: f64 = 5.0 => "a row within a noise beyond this shows nothing, %";
    MARGINAL: f64 = 0.98 => "a speed-up below this is measured again even within noise";
    TIMES_AS_MANY: usize = 2 => "a second measurement has this many times the trials";
    ENOUGH: usize = 15 => "or so many, where the first does not say its own";
    TRIALS_AGAIN: u64 = 21 => "trials that the next step proposes for it";
    ROUTED_PCT: f64 = 3.0 => "farthest from 1 that a routed row may be behind a dispatch, %";
    CLAIM_PART: f64 = 0.0005 => "a claim beyond Amdahl's law by more than this part and the noise is contradicted";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skill_shows_this_table() {
        let skill = include_str!("../../../skills/kernel-gate/SKILL.md");
        let (_, after) = skill
            .split_once("| what | number |\n|---|---|\n")
            .expect("the table is there");
        let (table, _) = after.split_once("\n\n").expect("something follows");
        let rows = TABLE
            .iter()
            .map(|row| format!("| {} | {} |", row.what, row.value));
        assert_eq!(table, rows.collect::<Vec<_>>().join("\n"));
    }
}
