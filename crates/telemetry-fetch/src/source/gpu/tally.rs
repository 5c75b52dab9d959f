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
