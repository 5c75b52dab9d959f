//! The difference as rows that add up to it.
//!
//! ```text
//! theirs  |=========================|            5.200
//! moe                               |####|       +0.550
//! idle: launch bound                     |##|    +0.400
//! gemm                                  |--|     -0.250
//! ours    |==============================|       5.900
//! ```
//!
//! Times are divided by the units of their side and then rounded by their running sum: each row is within a nanosecond of
//! what it is, and the rows add up to the total exactly, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Finite;
use contracts::profile_tables::diff::{Position, PositionRow, WaterfallRow};
use contracts::profile_tables::report::IdleCause;
use torch_trace::Family;

use super::side::{Part, Side};

/// What a row is of; families come before idle time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Busy(Family, Position),
    Idle(IdleCause),
}

/// The parts of one side, all units together.
pub(super) type Parts = BTreeMap<Key, Part>;

/// Rows and their totals.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Waterfall {
    pub(super) ours_ns: i64,
    pub(super) theirs_ns: i64,
    pub(super) rows: Vec<WaterfallRow>,
}

/// Busy time by family and place, idle time by cause.
pub(super) fn parts_of(side: &Side) -> Parts {
    let mut parts = Parts::new();
    for (family, places) in &side.busy {
        for (position, part) in places {
            parts.insert(Key::Busy(*family, *position), *part);
        }
    }
    for (cause, idle) in &side.sum.idle {
        let mut part = Part::default();
        // A trace of N steps alone shows N - 1 of the times between them; each step has one.
        let shown = match (cause, side.amount.steps, side.preceded) {
            (IdleCause::BetweenSteps, Some(steps), preceded @ 1..) => steps as f64 / preceded as f64,
            _ => 1.0,
        };
        part.add(idle.ns as f64 * shown, (idle.gaps as f64 * shown).round() as u64);
        parts.insert(Key::Idle(*cause), part);
    }
    parts
}

/// The parts of two sides with their units, as rows; `placed` says whether places are known on both.
pub(super) fn waterfall(ours: (&Parts, u64), theirs: (&Parts, u64), placed: bool) -> Waterfall {
    let keys: Vec<Key> = ours
        .0
        .keys()
        .chain(theirs.0.keys())
        .copied()
        .collect::<BTreeSet<Key>>()
        .into_iter()
        .collect();
    let mine = divided(&keys, ours);
    let other = divided(&keys, theirs);
    let mut rows: Vec<WaterfallRow> = Vec::new();
    for ((key, mine), other) in keys.iter().zip(&mine).zip(&other) {
        let position = PositionRow {
            position: match key {
                Key::Busy(_, position) => *position,
                Key::Idle(_) => Position::Outside,
            },
            ours_ns: mine.0,
            theirs_ns: other.0,
            delta_ns: mine.0 - other.0,
            ours_launches: finite(mine.1),
            theirs_launches: finite(other.1),
        };
        let (family, idle_cause) = match key {
            Key::Busy(family, _) => (Some(family.as_str().to_owned()), None),
            Key::Idle(cause) => (None, Some(*cause)),
        };
        match rows.last_mut() {
            Some(row) if row.family == family && row.idle_cause == idle_cause => extend(row, position),
            _ => rows.push(WaterfallRow {
                family,
                idle_cause,
                ours_ns: position.ours_ns,
                theirs_ns: position.theirs_ns,
                delta_ns: position.delta_ns,
                delta_pct: None,
                ours_launches: position.ours_launches,
                theirs_launches: position.theirs_launches,
                ours_most: None,
                theirs_most: None,
                positions: vec![position],
            }),
        }
    }
    let sum = |of: fn(&WaterfallRow) -> i64| rows.iter().map(of).sum::<i64>();
    let (ours_ns, theirs_ns) = (sum(|row| row.ours_ns), sum(|row| row.theirs_ns));
    for row in &mut rows {
        row.delta_pct = Finite::ratio(100.0 * row.delta_ns as f64, (ours_ns - theirs_ns) as f64);
        if !placed || row.family.is_none() {
            row.positions.clear();
        }
    }
    // The order of the keys is kept among equals.
    rows.sort_by_key(|row| (-row.delta_ns.abs(), -row.ours_ns.max(row.theirs_ns)));
    Waterfall {
        ours_ns,
        theirs_ns,
        rows,
    }
}

fn extend(row: &mut WaterfallRow, position: PositionRow) {
    row.ours_ns += position.ours_ns;
    row.theirs_ns += position.theirs_ns;
    row.delta_ns += position.delta_ns;
    row.ours_launches = finite(row.ours_launches.get() + position.ours_launches.get());
    row.theirs_launches = finite(row.theirs_launches.get() + position.theirs_launches.get());
    row.positions.push(position);
}

/// Nanoseconds and launches of one unit, for each key.
fn divided(keys: &[Key], (parts, units): (&Parts, u64)) -> Vec<(i64, f64)> {
    let units = units.max(1) as f64;
    let mut running = 0.0;
    keys.iter()
        .map(|key| {
            let part = parts.get(key).copied().unwrap_or_default();
            let before = round(running);
            running += part.ns / units;
            (round(running) - before, part.launches as f64 / units)
        })
        .collect()
}

fn round(ns: f64) -> i64 {
    ns.round() as i64
}

/// A count, divided: always finite.
pub(super) fn finite(value: f64) -> Finite {
    Finite::new(value).unwrap_or(Finite::from(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(number: usize) -> Key {
        const POSITIONS: [Position; 4] = [
            Position::First,
            Position::Middle,
            Position::Last,
            Position::Outside,
        ];
        const CAUSES: [IdleCause; 3] = [IdleCause::LaunchBound, IdleCause::BetweenSteps, IdleCause::Device];
        match number.checked_sub(60) {
            Some(idle) => Key::Idle(CAUSES[idle % 3]),
            None => Key::Busy(Family::ALL[number / 4], POSITIONS[number % 4]),
        }
    }

    fn parts() -> impl Strategy<Value = Parts> {
        let part = (0..63_usize, 0.0..1e12_f64, 0..1_000_000_u64);
        proptest::collection::vec(part, 0..40).prop_map(|list| {
            list.into_iter()
                .map(|(number, ns, launches)| (key(number), Part { ns, launches }))
                .collect()
        })
    }

    #[test]
    fn rows_are_divided_and_sorted_by_what_they_explain() {
        let part = |ns, launches| Part { ns, launches };
        let gemm = |position| Key::Busy(Family::Gemm, position);
        let ours = Parts::from([
            (gemm(Position::First), part(100.0, 2)),
            (gemm(Position::Middle), part(900.0, 18)),
            (Key::Idle(IdleCause::BetweenSteps), part(5_000.0, 1)),
        ]);
        let theirs = Parts::from([
            (gemm(Position::Middle), part(300.0, 6)),
            (Key::Busy(Family::Comm, Position::Outside), part(600.0, 3)),
        ]);
        let found = waterfall((&ours, 2), (&theirs, 3), true);
        assert_eq!((found.ours_ns, found.theirs_ns), (3_000, 300));
        let rows: Vec<(Option<&str>, i64, i64, f64)> = found
            .rows
            .iter()
            .map(|row| {
                (
                    row.family.as_deref(),
                    row.ours_ns,
                    row.theirs_ns,
                    row.ours_launches.get(),
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                (None, 2_500, 0, 0.5),
                (Some("gemm"), 500, 100, 10.0),
                (Some("comm"), 0, 200, 0.0)
            ]
        );
        let places: Vec<(Position, i64)> = found.rows[1]
            .positions
            .iter()
            .map(|row| (row.position, row.delta_ns))
            .collect();
        assert_eq!(places, [(Position::First, 50), (Position::Middle, 350)]);
        assert!(
            waterfall((&ours, 2), (&theirs, 3), false).rows[1]
                .positions
                .is_empty()
        );
    }

    proptest! {
        #[test]
        fn rows_always_add_up(ours in parts(), theirs in parts(), a in 1..5_000_u64, b in 1..5_000_u64) {
            let found = waterfall((&ours, a), (&theirs, b), true);
            let whole = |parts: &Parts, units: u64| parts.values().map(|part| part.ns).sum::<f64>() / units as f64;
            prop_assert!((found.ours_ns as f64 - whole(&ours, a)).abs() <= 1.0);
            prop_assert!((found.theirs_ns as f64 - whole(&theirs, b)).abs() <= 1.0);
            let delta: i64 = found.rows.iter().map(|row| row.delta_ns).sum();
            prop_assert_eq!(delta, found.ours_ns - found.theirs_ns);
            for row in &found.rows {
                prop_assert_eq!(row.delta_ns, row.ours_ns - row.theirs_ns);
                if row.family.is_some() {
                    prop_assert_eq!(row.delta_ns, row.positions.iter().map(|place| place.delta_ns).sum::<i64>());
                }
                prop_assert!(row.ours_ns >= 0 && row.theirs_ns >= 0);
            }
            if delta != 0 {
                let pct: f64 = found.rows.iter().filter_map(|row| row.delta_pct).map(Finite::get).sum();
                prop_assert!((pct - 100.0).abs() < 1e-3, "{}", pct);
            }
        }

        #[test]
        fn a_side_against_itself_is_nothing(parts in parts(), units in 1..5_000_u64) {
            let found = waterfall((&parts, units), (&parts, units), true);
            prop_assert!(found.rows.iter().all(|row| row.delta_ns == 0 && row.delta_pct.is_none()));
        }
    }
}
