//! The cells of the study: every noise with every true effect, every look taken.

use contracts::gap_decide::decision::Verdict;
use gap_decide::campaign::{Rates, Rules, Selection, oracle_pairs, rates, rates_of_winner};
use gap_decide::noise::{Launches, Noise};
use stats::group_sequential::Design;

use crate::real::RealPairs;

/// Rules of the study: the defaults of the tool.
pub(crate) const RULES: Rules = Rules {
    threshold_ratio: 0.01,
    margin_ratio: 0.01,
    max_pairs: 120,
    alpha: 0.05,
};

/// Campaigns per cell.
pub(crate) const CAMPAIGNS: u32 = 16_000;

/// Campaigns of the selection cells.
pub(crate) const SELECTIONS: u32 = 4_000;

/// Candidates of a selection.
pub(crate) const CANDIDATES: usize = 20;

const CVS: [f64; 4] = [0.005, 0.01, 0.025, 0.044];
const EFFECTS: [f64; 5] = [0.0, 0.01, -0.01, 0.03, -0.03];

/// One noise with one true effect.
pub(crate) struct Cell {
    /// True effect, as a ratio.
    pub(crate) effect: f64,
    /// What happened when campaigns may go on to the last look.
    pub(crate) rates: Rates,
    /// Campaigns with the right verdict within 56 pairs.
    pub(crate) right_by_56: usize,
    /// Pairs of the oracle; `None` at the threshold.
    pub(crate) oracle: Option<f64>,
}

impl Cell {
    /// Campaigns with the right verdict; 0 on the threshold, where none is.
    pub(crate) fn right(&self) -> usize {
        right(self.effect, &self.rates, RULES.max_pairs)
    }
}

fn right(effect: f64, rates: &Rates, pairs: usize) -> usize {
    if effect == 0.0 {
        rates.within(pairs, Verdict::Tied)
    } else if effect > RULES.threshold_ratio {
        rates.within(pairs, Verdict::Ahead)
    } else if effect < -RULES.threshold_ratio {
        rates.within(pairs, Verdict::Behind)
    } else {
        0
    }
}

/// One noise.
pub(crate) struct Block {
    /// In words.
    pub(crate) name: String,
    /// Coefficient of variation, as a ratio; `None` for measured noise.
    pub(crate) cv: Option<f64>,
    /// Whether outliers are drawn.
    pub(crate) outliers: bool,
    /// One per effect.
    pub(crate) cells: Vec<Cell>,
}

/// Best of several candidates without any gain.
pub(crate) struct SelectionCell {
    /// Noise in words.
    pub(crate) name: String,
    /// True effect of every candidate, as a ratio.
    pub(crate) effect: f64,
    /// Fresh pairs judge the winner.
    pub(crate) fresh: Rates,
    /// The pairs that chose the winner count.
    pub(crate) reused: Rates,
    /// Share of campaigns in which the best of single runs looks more than the threshold better than a single run.
    pub(crate) naive_best: f64,
}

/// Everything.
pub(crate) struct Study {
    /// The looks.
    pub(crate) design: Design,
    /// Modelled noise.
    pub(crate) modelled: Vec<Block>,
    /// Measured noise.
    pub(crate) measured: Vec<(Block, RealSummary)>,
    /// Two servers that stay up for the whole campaign, at effect 0.
    pub(crate) standing: Vec<(f64, Rates)>,
    /// Selections.
    pub(crate) selections: Vec<SelectionCell>,
}

/// What a comparison of the real engine shows by itself.
pub(crate) struct RealSummary {
    /// Pairs.
    pub(crate) pairs: usize,
    /// Coefficient of variation of its runs, percent.
    pub(crate) cv_pct: Option<f64>,
    /// Share of single pairs that differ by more than the threshold.
    pub(crate) naive_share: f64,
}

/// Runs all cells.
pub(crate) fn run(real: &[RealPairs]) -> Study {
    let design = Design::new(RULES.alpha);
    let mut seed = 0;
    let mut modelled = Vec::new();
    for cv_ratio in CVS {
        for outliers in [false, true] {
            let noise = Noise::Modelled {
                cv_ratio,
                outliers,
                launches: Launches::EveryPair,
            };
            let name = format!(
                "cv {:.1} %{}",
                100.0 * cv_ratio,
                if outliers { ", outliers" } else { "" }
            );
            modelled.push(block(name, Some(cv_ratio), outliers, &noise, &design, &mut seed));
        }
    }
    let measured = real
        .iter()
        .map(|pairs| {
            let noise = Noise::measured(&pairs.logs);
            let beyond = pairs
                .logs
                .iter()
                .filter(|log| log.exp_m1().abs() > RULES.threshold_ratio)
                .count();
            let summary = RealSummary {
                pairs: pairs.logs.len(),
                cv_pct: pairs.cv_pct,
                naive_share: beyond as f64 / pairs.logs.len() as f64,
            };
            (
                block(pairs.name.clone(), None, false, &noise, &design, &mut seed),
                summary,
            )
        })
        .collect();
    let selections = CVS
        .iter()
        .flat_map(|&cv_ratio| [0.0, RULES.threshold_ratio].map(|effect| (cv_ratio, effect)))
        .map(|(cv_ratio, effect)| {
            seed += 1;
            selection(cv_ratio, effect, &design, seed)
        })
        .collect();
    let standing = CVS
        .iter()
        .map(|&cv_ratio| {
            seed += 1;
            let noise = Noise::Modelled {
                cv_ratio,
                outliers: false,
                launches: Launches::Once,
            };
            (cv_ratio, rates(&noise, 0.0, &RULES, &design, CAMPAIGNS, seed))
        })
        .collect();
    Study {
        design,
        modelled,
        measured,
        standing,
        selections,
    }
}

fn block(
    name: String,
    cv: Option<f64>,
    outliers: bool,
    noise: &Noise,
    design: &Design,
    seed: &mut u64,
) -> Block {
    let cells = EFFECTS
        .iter()
        .map(|&effect| {
            *seed += 1;
            let to_the_end = rates(noise, effect, &RULES, design, CAMPAIGNS, *seed);
            Cell {
                effect,
                right_by_56: right(effect, &to_the_end, 56),
                rates: to_the_end,
                oracle: oracle_pairs(noise.pair_stddev(), effect, &RULES),
            }
        })
        .collect();
    Block {
        name,
        cv,
        outliers,
        cells,
    }
}

fn selection(cv_ratio: f64, effect: f64, design: &Design, seed: u64) -> SelectionCell {
    let noise = Noise::Modelled {
        cv_ratio,
        outliers: true,
        launches: Launches::EveryPair,
    };
    let select = |reuse| {
        let selection = Selection {
            candidates: CANDIDATES,
            screen_pairs: 8,
            reuse,
        };
        rates_of_winner(&noise, effect, selection, &RULES, design, SELECTIONS, seed)
    };
    SelectionCell {
        name: format!("cv {:.1} %", 100.0 * cv_ratio),
        effect,
        fresh: select(false),
        reused: select(true),
        naive_best: best_of_single_runs(&noise, effect, seed),
    }
}

/// How often "one run each" calls the best of the candidates ahead.
fn best_of_single_runs(noise: &Noise, effect: f64, seed: u64) -> f64 {
    let selection = Selection {
        candidates: CANDIDATES,
        screen_pairs: 1,
        reuse: true,
    };
    let rates = rates_of_winner(
        noise,
        effect,
        selection,
        &RULES,
        &Design::new(RULES.alpha),
        SELECTIONS,
        seed,
    );
    rates.share(rates.naive_ahead)
}
