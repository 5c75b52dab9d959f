//! What was promised, held against the worst cell of each kind.

use gap_decide::campaign::Rates;

use crate::study::{Block, Cell, Study};

/// One promise.
pub(crate) struct Target {
    /// In words.
    pub(crate) promise: &'static str,
    /// The bound.
    pub(crate) required: &'static str,
    /// What the study found.
    pub(crate) measured: String,
    /// Whether it holds.
    pub(crate) reached: bool,
}

/// All promises; those that name no cv are checked on the measured noise, too.
pub(crate) fn all(study: &Study) -> Vec<Target> {
    let cells = || {
        let measured = study.measured.iter().map(|(block, _)| block);
        study
            .modelled
            .iter()
            .chain(measured)
            .flat_map(|block| block.cells.iter().map(move |cell| (block, cell)))
    };
    let share = |wanted: &dyn Fn(&Block, &Cell) -> bool, value: &dyn Fn(&Cell) -> f64| -> Vec<f64> {
        cells()
            .filter(|(block, cell)| wanted(block, cell))
            .map(|(_, cell)| 100.0 * value(cell))
            .collect()
    };
    let decided = |rates: &Rates| rates.share(rates.ahead + rates.behind);
    let cv_is = |block: &Block, limit: fn(f64) -> bool| block.cv.is_some_and(limit);
    let gap = |cell: &Cell| cell.effect.abs() > 0.02;
    let found = |wanted: &dyn Fn(&Block) -> bool, value: &dyn Fn(&Cell) -> f64| {
        share(&|block: &Block, cell: &Cell| gap(cell) && wanted(block), value)
    };
    let within_56 = |cell: &Cell| cell.rates.share(cell.right_by_56);
    let within_120 = |cell: &Cell| cell.rates.share(cell.right());
    let fresh: Vec<f64> = study
        .selections
        .iter()
        .map(|cell| 100.0 * decided(&cell.fresh))
        .collect();
    let covered = share(&|_, _| true, &|cell| {
        cell.rates.share(cell.rates.covered_at_all_looks)
    });
    vec![
        at_most(
            "behind + ahead at gap 0",
            "<= 5 %",
            5.0,
            &share(&|_, c| c.effect == 0.0, &|c| decided(&c.rates)),
        ),
        at_most(
            "behind + ahead at gap = threshold",
            "<= 5 %",
            5.0,
            &share(&|_, c| !gap(c) && c.effect != 0.0, &|c| decided(&c.rates)),
        ),
        at_most(
            "behind + ahead, best of 20 candidates at gap 0 and at gap = threshold",
            "<= 5 %",
            5.0,
            &fresh,
        ),
        at_most(
            "wrong `tied` at a true 3 %",
            "<= 2 %",
            2.0,
            &share(&|_, c| gap(c), &|c| c.rates.share(c.rates.tied)),
        ),
        at_least(
            "3 % found within 56 pairs, cv <= 1 %, outliers included",
            ">= 99 %",
            99.0,
            &found(&|b| cv_is(b, |cv| cv <= 0.01), &within_56),
        ),
        at_least(
            "3 % found within 56 pairs, cv 2.5 %, clean",
            ">= 90 %",
            90.0,
            &found(&|b| cv_is(b, |cv| cv == 0.025) && !b.outliers, &within_56),
        ),
        at_least(
            "3 % found within 120 pairs, cv 2.5 %, outliers",
            ">= 90 %",
            90.0,
            &found(&|b| cv_is(b, |cv| cv == 0.025) && b.outliers, &within_120),
        ),
        reported(
            "3 % found within 120 pairs, cv 4.4 %, clean",
            &found(&|b| cv_is(b, |cv| cv > 0.04) && !b.outliers, &within_120),
        ),
        reported(
            "3 % found within 120 pairs, cv 4.4 %, outliers",
            &found(&|b| cv_is(b, |cv| cv > 0.04) && b.outliers, &within_120),
        ),
        reported(
            "the interval at the end of a campaign holds the truth",
            &share(&|_, _| true, &|cell| cell.rates.share(cell.rates.covered_at_end)),
        ),
        Target {
            promise: "the interval holds the truth at every look",
            required: "94 to 97 %",
            measured: format!("{:.1} to {:.1} %", lowest(&covered), highest(&covered)),
            reached: lowest(&covered) >= 94.0 && highest(&covered) <= 97.0,
        },
    ]
}

fn at_most(promise: &'static str, required: &'static str, bound: f64, cells: &[f64]) -> Target {
    Target {
        promise,
        required,
        measured: format!("{:.2} %", highest(cells)),
        reached: highest(cells) <= bound,
    }
}

fn at_least(promise: &'static str, required: &'static str, bound: f64, cells: &[f64]) -> Target {
    Target {
        promise,
        required,
        measured: format!("{:.2} %", lowest(cells)),
        reached: lowest(cells) >= bound,
    }
}

fn reported(promise: &'static str, cells: &[f64]) -> Target {
    Target {
        promise,
        required: "reported",
        measured: format!("{:.1} to {:.1} %", lowest(cells), highest(cells)),
        reached: true,
    }
}

fn lowest(cells: &[f64]) -> f64 {
    cells.iter().copied().fold(f64::INFINITY, f64::min)
}

fn highest(cells: &[f64]) -> f64 {
    cells.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
