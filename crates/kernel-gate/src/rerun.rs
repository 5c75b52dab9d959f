//! Rows that were measured again: with twice the trials they take the place of the first measurement, unless they make a win
//! larger.

use std::collections::{BTreeMap, BTreeSet};

use contracts::kernel_gate::verdict::{Aa, Class, Effect, TimeKind};

use crate::beside::Beside;
use crate::classify::{class, noise_pct};
use crate::correctness;
use crate::ledger::Ledger;
use crate::measured::{self, Measured};
use crate::proofs::Given;
use crate::reasons::Reasons;
use crate::thresholds::{ENOUGH, TIMES_AS_MANY};

/// What was measured again.
#[derive(Debug, Default)]
pub(crate) struct Again<'a> {
    /// Without the dispatch.
    rows: BTreeMap<&'a str, Measured<'a>>,
    /// Behind the dispatch: speed-up and noise by id.
    pub(crate) behind: BTreeMap<&'a str, (f64, f64)>,
    /// Rows whose first times were replaced.
    pub(crate) replaced: BTreeSet<&'a str>,
}

impl<'a> Again<'a> {
    /// Takes one file, and gives the rows whose outputs are wrong in it. A later file's rows take the place of an
    /// earlier one's only by their trials, too.
    pub(crate) fn take(
        &mut self,
        first: &Ledger,
        other: &'a Ledger,
        clock: TimeKind,
        dispatch: Option<&str>,
        given: &Given<'_>,
        reasons: &mut Reasons,
    ) -> BTreeSet<&'a str> {
        let behind = other
            .provenance
            .first()
            .and_then(|of| of.dispatch_sha256.as_deref());
        let rows = measured::beside(other, given.set);
        let beside = match behind {
            None => Beside::Rerun,
            Some(_) => Beside::BehindDispatch,
        };
        beside.check(first, other, &rows, given, clock, reasons);
        let incorrect = correctness::check(&rows, given.set, reasons);
        match behind {
            None => {
                for row in rows {
                    let trials = |row: &Measured<'_>| row.pair(clock).and_then(|pair| pair.trials());
                    let speedup = |row: &Measured<'_>| row.pair(clock).map_or(0.0, |pair| pair.speedup());
                    // Of two with as many trials the worse one counts, in whatever order they are given.
                    let has_more = self.rows.get(row.id).is_none_or(|earlier| {
                        let (more, slower) = (
                            trials(&row).cmp(&trials(earlier)),
                            speedup(&row) < speedup(earlier),
                        );
                        more.is_gt() || (more.is_eq() && slower)
                    });
                    if has_more {
                        self.rows.insert(row.id, row);
                    }
                }
            }
            Some(hash) if dispatch == Some(hash) => {
                let told = rows.iter().filter_map(|row| {
                    let pair = row.pair(clock)?;
                    Some((row.id, (pair.speedup(), noise_pct(Some(pair), None))))
                });
                self.behind.extend(told);
            }
            Some(_) => reasons.add(
                Effect::Invalid,
                "dispatch-changed",
                "the rerun was measured behind another dispatch than the one that was given",
            ),
        }
        incorrect
    }

    /// Puts the second times in the place of the first.
    pub(crate) fn replace(
        &mut self,
        rows: &mut [Measured<'a>],
        routed: &BTreeSet<&str>,
        clock: TimeKind,
        aa: Option<&Aa>,
        reasons: &mut Reasons,
    ) {
        let mut unused: Vec<&str> = Vec::new();
        for row in rows.iter_mut() {
            let Some(second) = self.rows.get(row.id).filter(|_| !routed.contains(row.id)) else {
                continue;
            };
            let (Some(before), Some(after)) = (row.pair(clock), second.pair(clock)) else {
                unused.push(row.id);
                continue;
            };
            let is_win = class(before.speedup(), noise_pct(Some(before), aa)) == Class::Win;
            let needed = before.trials().map_or(ENOUGH, |trials| trials * TIMES_AS_MANY);
            let is_larger_win = is_win && after.speedup() >= before.speedup();
            if is_larger_win || after.trials().is_none_or(|trials| trials < needed) {
                unused.push(row.id);
                continue;
            }
            // Its proofs are those of its own line.
            (row.device, row.wall, row.line) = (second.device, second.wall, second.line);
            self.replaced.insert(row.id);
        }
        reasons.rows(
            Effect::Note,
            "rerun-not-used",
            &unused,
            "measured again and not used: a win is not measured until it is larger, and a second measurement needs twice the trials",
        );
    }
}
