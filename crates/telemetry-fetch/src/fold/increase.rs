//! How much a counter grew, whatever happened to its process.
//!
//! ```text
//! readings   10   25   40    3   11        the process restarted between 40 and 3
//! increase      15   15    3    8   = 41   what it had counted before the fall stays counted
//! ```
//! What was counted between the last reading before a restart and the restart is lost: nobody read it.

use crate::history::{Column, Series};

/// What a counter did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Increase {
    pub(crate) delta: f64,
}

/// The readings at which a series began anew: its process did, or its value fell.
pub(crate) fn resets(column: &Column, born_anew: &[bool]) -> Vec<bool> {
    let mut resets = vec![false; born_anew.len()];
    let mut last = None;
    let mut pending = false;
    for (index, anew) in born_anew.iter().enumerate() {
        pending |= *anew;
        let Some(value) = column.get(index).copied().flatten() else {
            continue;
        };
        resets[index] = last.is_some_and(|last| pending || value < last);
        pending = false;
        last = Some(value);
    }
    resets
}

/// Growth of a column over the readings; `None` without two readings of the source.
///
/// A series that appears after the first reading began at zero: clients create the series of a label with its first use.
pub(crate) fn increase(column: &Column, resets: &[bool]) -> Option<Increase> {
    if resets.len() < 2 || column.iter().all(Option::is_none) {
        return None;
    }
    let mut delta = 0.0;
    let mut last = None;
    for (index, value) in column.iter().enumerate() {
        let Some(value) = *value else {
            continue;
        };
        delta += match last {
            None if index == 0 => 0.0,
            None => value,
            Some(_) if resets[index] => value,
            // A bucket may fall by itself when exporters are read while they write; it never grew by less than nothing.
            Some(last) => f64::max(value - last, 0.0),
        };
        last = Some(value);
    }
    delta.is_finite().then_some(Increase { delta })
}

/// Growth of all parts of a histogram, with one decision on its resets, taken from its count.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Growth {
    /// None where the exporter writes no sum.
    pub(crate) sum: Option<f64>,
    pub(crate) count: f64,
    /// Upper bound and cumulative count, ascending.
    pub(crate) buckets: Vec<(f64, f64)>,
}

/// Growth of one series of a histogram.
pub(crate) fn growth(series: &Series, born_anew: &[bool]) -> Option<Growth> {
    let widest = series.buckets.last_key_value().map(|(_, column)| column);
    let count = if series.count.is_empty() {
        widest?
    } else {
        &series.count
    };
    let resets = resets(count, born_anew);
    let delta = |column: &Column| increase(column, &resets).map(|increase| increase.delta);
    increase(count, &resets).map(|increase| Growth {
        sum: delta(&series.sum),
        count: increase.delta,
        buckets: series
            .buckets
            .iter()
            .filter_map(|(bound, column)| Some((bound.0, delta(column)?)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grew(values: &[Option<f64>], born_anew: &[bool]) -> Option<f64> {
        let column = values.to_vec();
        increase(&column, &resets(&column, born_anew)).map(|increase| increase.delta)
    }

    #[test]
    fn a_restart_loses_nothing_that_was_read() {
        let values = [10.0, 25.0, 40.0, 3.0, 11.0].map(Some);
        assert_eq!(grew(&values, &[false; 5]), Some(41.0));
        assert_eq!(grew(&[Some(5.0), Some(5.0)], &[false; 2]), Some(0.0));
        assert_eq!(grew(&[Some(5.0)], &[false]), None);
        assert_eq!(grew(&[None, None], &[false; 2]), None);
    }

    #[test]
    fn a_restart_that_overtook_is_seen_by_the_birth() {
        let values = [Some(10.0), Some(30.0)];
        assert_eq!(grew(&values, &[false, false]), Some(20.0));
        assert_eq!(grew(&values, &[false, true]), Some(30.0));
        // The series came back a reading later than the process.
        assert_eq!(
            grew(&[Some(10.0), None, Some(30.0)], &[false, true, false]),
            Some(30.0)
        );
    }

    #[test]
    fn a_series_that_appears_began_at_zero() {
        assert_eq!(grew(&[None, Some(7.0), Some(9.0)], &[false; 3]), Some(9.0));
    }

    proptest! {
        #[test]
        fn any_restarts_give_what_was_counted_between_readings(steps in proptest::collection::vec((any::<bool>(), 0_u32..100), 2..40)) {
            let (mut value, mut told, mut column) = (5.0, 0.0, vec![Some(5.0)]);
            let mut born = vec![false];
            for (restarts, step) in steps {
                value = if restarts { f64::from(step) } else { value + f64::from(step) };
                told += f64::from(step);
                column.push(Some(value));
                born.push(restarts);
            }
            let column: Column = column;
            prop_assert_eq!(increase(&column, &resets(&column, &born)).map(|i| i.delta), Some(told));
        }
    }
}
