//! Mean, smallest and largest of readings, without keeping them.

use contracts::Finite;
use contracts::telemetry_fetch::gpu::GpuSeries;

/// Readings of one quantity so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) count: u64,
    sum: f64,
    min: f64,
    pub(super) max: f64,
}

impl Tally {
    pub(super) fn add(&mut self, value: f64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        }
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Takes in the readings of another.
    pub(super) fn merge(&mut self, other: &Tally) {
        if self.count == 0 || other.count == 0 {
            *self = if self.count == 0 { *other } else { *self };
            return;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    pub(super) fn series(&self) -> Option<GpuSeries> {
        Some(GpuSeries {
            mean: Finite::new(self.mean()?)?,
            min: Finite::new(self.min)?,
            max: Finite::new(self.max)?,
            readings: self.count,
        })
    }
}

/// First and last reading of a counter that only grows while it is one counter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Count {
    first: Option<(f64, f64)>,
    last: Option<(f64, f64)>,
    fell: bool,
}

impl Count {
    /// A reading at so many seconds.
    pub(super) fn add(&mut self, at_s: f64, value: f64) {
        self.fell |= self.last.is_some_and(|(_, last)| value < last);
        self.first = self.first.or(Some((at_s, value)));
        self.last = Some((at_s, value));
    }

    /// Takes in the readings of one that was read later.
    pub(super) fn merge(&mut self, later: &Count) {
        let falls = matches!((self.last, later.first), (Some(last), Some(first)) if first.1 < last.1);
        self.fell |= falls || later.fell;
        self.first = self.first.or(later.first);
        self.last = later.last.or(self.last);
    }

    /// The counter from one second to another, by straight lines between the readings of its parts, which are in the order of
    /// time; no further than they reach.
    pub(super) fn between(parts: &[&Count], from_s: f64, to_s: f64) -> Count {
        let mut whole = Count::default();
        parts.iter().for_each(|part| whole.merge(part));
        let (Some(first), Some(last)) = (whole.first, whole.last) else {
            return whole;
        };
        let at = |second: f64| {
            let second = second.clamp(first.0, last.0);
            Some((second, Count::value_at(parts, second)?))
        };
        Count {
            first: at(from_s),
            last: at(to_s),
            fell: whole.fell,
        }
    }

    /// Its value at a second; none where no reading lies on one of the sides.
    pub(super) fn value_at(parts: &[&Count], second: f64) -> Option<f64> {
        let points = parts
            .iter()
            .flat_map(|part| part.first.into_iter().chain(part.last));
        let mut before: Option<(f64, f64)> = None;
        for after in points {
            if after.0 == second {
                return Some(after.1);
            }
            if after.0 > second {
                let (at_s, value) = before?;
                return Some(value + (after.1 - value) * (second - at_s) / (after.0 - at_s));
            }
            before = Some(after);
        }
        None
    }

    /// Increase, and the seconds between its first and last reading.
    ///
    /// # Errors
    /// In words, when there is none.
    pub(super) fn increase(&self) -> Result<(f64, f64), &'static str> {
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return Err("it was not read");
        };
        if self.fell {
            return Err("its counter began anew: the driver was loaded again");
        }
        if last.0 <= first.0 {
            return Err("it was read once only");
        }
        Ok((last.1 - first.1, last.0 - first.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_is_its_readings() {
        let mut tally = Tally::default();
        assert_eq!(tally.series(), None);
        for value in [-2.0, 4.0, 1.0] {
            tally.add(value);
        }
        let series = tally.series().unwrap();
        assert_eq!(
            (
                series.mean.get(),
                series.min.get(),
                series.max.get(),
                series.readings
            ),
            (1.0, -2.0, 4.0, 3)
        );
    }

    #[test]
    fn parts_are_the_whole() {
        let (mut whole, mut early, mut late) = (Tally::default(), Tally::default(), Tally::default());
        for (index, value) in [-2.0, 4.0, 1.0, 9.0].into_iter().enumerate() {
            whole.add(value);
            if index < 2 { &mut early } else { &mut late }.add(value);
        }
        early.merge(&late);
        early.merge(&Tally::default());
        assert_eq!(early, whole);
        let mut empty = Tally::default();
        empty.merge(&whole);
        assert_eq!(empty, whole);
    }

    #[test]
    fn a_counter_between_its_readings_is_a_line() {
        let part = |readings: &[(f64, f64)]| {
            let mut count = Count::default();
            readings.iter().for_each(|(at_s, value)| count.add(*at_s, *value));
            count
        };
        let (one, two) = (
            part(&[(0.0, 100.0), (1.0, 200.0)]),
            part(&[(2.0, 400.0), (3.0, 800.0)]),
        );
        let parts = [&one, &two];
        assert_eq!(Count::value_at(&parts, 1.5), Some(300.0));
        assert_eq!(Count::value_at(&parts, 3.0), Some(800.0));
        assert_eq!(
            (Count::value_at(&parts, -0.1), Count::value_at(&parts, 3.1)),
            (None, None)
        );
        assert_eq!(Count::between(&parts, 0.5, 2.5).increase(), Ok((450.0, 2.0)));
        assert_eq!(Count::between(&parts, -9.0, 9.0).increase(), Ok((700.0, 3.0)));
        let anew = part(&[(4.0, 5.0)]);
        assert!(Count::between(&[&one, &anew], 0.0, 4.0).increase().is_err());
        assert!(Count::between(&[], 0.0, 4.0).increase().is_err());
    }

    #[test]
    fn a_counter_that_falls_is_two() {
        let mut count = Count::default();
        assert!(count.increase().is_err());
        count.add(1.0, 10.0);
        assert_eq!(count.increase(), Err("it was read once only"));
        count.add(3.0, 16.0);
        assert_eq!(count.increase(), Ok((6.0, 2.0)));
        count.add(4.0, 2.0);
        assert!(count.increase().is_err());
    }
}
