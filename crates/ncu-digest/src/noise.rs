//! What a difference of two captures has to exceed.

use contracts::ncu_digest::comparison::NoiseFrom;

use crate::thresholds::{NOISE_FLOOR_PCT, NOISE_NS, SPREAD_LAUNCHES};

/// One side of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) duration_ns: f64,
    pub(crate) n: usize,
    pub(crate) cv_pct: Option<f64>,
}

/// The largest of the floor, the resolution of a short duration, the spread of enough launches, and what controls of
/// similar duration moved by.
pub(crate) fn noise(sides: [Measured; 2], controls_pct: Option<f64>) -> (f64, NoiseFrom) {
    let shortest = sides[0].duration_ns.min(sides[1].duration_ns);
    let mut sources = vec![
        (NOISE_FLOOR_PCT, NoiseFrom::Floor),
        (100.0 * NOISE_NS / shortest, NoiseFrom::Resolution),
    ];
    for side in sides.iter().filter(|side| side.n >= SPREAD_LAUNCHES) {
        sources.extend(side.cv_pct.map(|cv| (2.0 * cv, NoiseFrom::Spread)));
    }
    sources.extend(controls_pct.map(|pct| (pct, NoiseFrom::Control)));
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
        assert_eq!(noise(long, None), (2.0, NoiseFrom::Floor));
        let (pct, from) = noise([side(10_000.0), side(20_000.0)], None);
        assert_eq!((pct, from), (6.0, NoiseFrom::Resolution));
        let spread = Measured {
            n: 5,
            cv_pct: Some(4.0),
            ..side(1e6)
        };
        assert_eq!(noise([spread, side(1e6)], None), (8.0, NoiseFrom::Spread));
        // Four launches have no spread to speak of.
        let few = Measured { n: 4, ..spread };
        assert_eq!(noise([few, side(1e6)], None).1, NoiseFrom::Floor);
        assert_eq!(noise(long, Some(12.0)), (12.0, NoiseFrom::Control));
        assert_eq!(noise(long, Some(2.0)), (2.0, NoiseFrom::Floor));
    }
}
