//! What a difference of two captures has to exceed.

use contracts::ncu_digest::comparison::NoiseFrom;

use crate::thresholds::{CONTROL_FACTOR, NOISE_FLOOR_PCT, NOISE_NS, SPREAD_LAUNCHES};

/// What an unchanged kernel moved by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Control {
    /// Pair that it is.
    pub(crate) pair: usize,
    pub(crate) duration_ns: f64,
    pub(crate) duration_delta_pct: f64,
    pub(crate) cycles_delta_pct: Option<f64>,
}

/// One side of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) duration_ns: f64,
    pub(crate) n: usize,
    pub(crate) cv_pct: Option<f64>,
}

/// The largest of the floor, the resolution of a short duration, the spread of enough launches, and what controls of
/// similar duration moved by, in cycles where these decide.
pub(crate) fn noise(
    pair: usize,
    sides: [Measured; 2],
    controls: &[Control],
    by_cycles: bool,
) -> (f64, NoiseFrom) {
    let shortest = sides[0].duration_ns.min(sides[1].duration_ns);
    let mut sources = vec![
        (NOISE_FLOOR_PCT, NoiseFrom::Floor),
        (100.0 * NOISE_NS / shortest, NoiseFrom::Resolution),
    ];
    for side in sides.iter().filter(|side| side.n >= SPREAD_LAUNCHES) {
        sources.extend(side.cv_pct.map(|cv| (2.0 * cv, NoiseFrom::Spread)));
    }
    let similar = controls.iter().filter(|control| {
        let factor = control.duration_ns / sides[0].duration_ns;
        control.pair != pair && (1.0 / CONTROL_FACTOR..=CONTROL_FACTOR).contains(&factor)
    });
    for control in similar {
        let moved = if by_cycles {
            control.cycles_delta_pct
        } else {
            Some(control.duration_delta_pct)
        };
        sources.extend(moved.map(|moved| (moved.abs(), NoiseFrom::Control)));
    }
    // The first of equals: the simplest reason.
    sources
        .into_iter()
        .reduce(|most, next| if next.0 > most.0 { next } else { most })
        .expect("there is a floor")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(duration_ns: f64) -> Measured {
        Measured {
            duration_ns,
            n: 1,
            cv_pct: None,
        }
    }

    #[test]
    fn each_source_can_be_the_largest() {
        let long = [side(1e6), side(1e6)];
        assert_eq!(noise(0, long, &[], false), (2.0, NoiseFrom::Floor));
        let (pct, from) = noise(0, [side(10_000.0), side(20_000.0)], &[], false);
        assert_eq!((pct, from), (6.0, NoiseFrom::Resolution));
        let spread = Measured {
            n: 5,
            cv_pct: Some(4.0),
            ..side(1e6)
        };
        assert_eq!(
            noise(0, [spread, side(1e6)], &[], false),
            (8.0, NoiseFrom::Spread)
        );
        // Four launches have no spread to speak of.
        let few = Measured { n: 4, ..spread };
        assert_eq!(noise(0, [few, side(1e6)], &[], false).1, NoiseFrom::Floor);
    }

    #[test]
    fn a_control_speaks_for_others_of_similar_duration() {
        let control = Control {
            pair: 1,
            duration_ns: 3e6,
            duration_delta_pct: -12.0,
            cycles_delta_pct: Some(5.0),
        };
        let long = [side(1e6), side(1e6)];
        assert_eq!(noise(0, long, &[control], false), (12.0, NoiseFrom::Control));
        assert_eq!(noise(0, long, &[control], true), (5.0, NoiseFrom::Control));
        // Not for itself, and not for what is five times as short.
        assert_eq!(noise(1, long, &[control], false).0, 2.0);
        assert_eq!(noise(0, [side(6e5), side(6e5)], &[control], false).0, 2.0);
    }
}
